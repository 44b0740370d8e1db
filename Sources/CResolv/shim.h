#pragma once
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
