#include <stddef.h>
#include <stdint.h>

// libFuzzer has no header of its own (compiler-rt, FuzzerMain.cpp).
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test_one_input)(const uint8_t *data, size_t size));
