/*
 * fuzz.h: the entry that each fuzz target defines.
 *
 * The target returns 0, keeps no state between inputs and asserts what must hold
 * of any input. Under libFuzzer it is called with mutations, under replay.c with
 * the inputs that are kept.
 */
#ifndef SLUICE_TESTS_FUZZ_FUZZ_H
#define SLUICE_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
