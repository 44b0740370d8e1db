#pragma once
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>
#include <sys/socket.h>

/// Writes a question for `name` into `buffer` (res_nmkquery) and returns its length, or -1.
static inline int shim_make_query(
    const char *name, int type, int recursion, unsigned char *buffer, int size)
{
    struct __res_state state;
    memset(&state, 0, sizeof state);
    state.options = RES_INIT | (recursion ? RES_RECURSE : 0);
    return res_nmkquery(&state, ns_o_query, name, ns_c_in, type, NULL, 0, NULL, buffer, size);
}

/// The owner of a record; an array member that Swift would see as 1,025 values.
static inline const char *shim_record_name(const ns_rr *record)
{
    return ns_rr_name(*record);
}

/// The servers of resolv.conf (res_ninit) as "address" texts of at most `width` bytes each; returns how many, or -1.
static inline int shim_system_servers(char *texts, int width, int most)
{
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return -1;
    int found = 0;
    for (int index = 0; index < state.nscount && found < most; index++) {
        const struct sockaddr *address = (const struct sockaddr *)&state.nsaddr_list[index];
        socklen_t length = sizeof(struct sockaddr_in);
        if (state.nsaddr_list[index].sin_family != AF_INET) {
            address = (const struct sockaddr *)state._u._ext.nsaddrs[index];
            length = sizeof(struct sockaddr_in6);
        }
        if (address == NULL) continue;
        if (getnameinfo(address, length, texts + found * width, width, NULL, 0, NI_NUMERICHOST) == 0) found++;
    }
    res_nclose(&state);
    return found;
}
