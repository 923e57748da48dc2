/*
 * options.h: what `sluice test` was asked to do.
 */
#ifndef SLUICE_CLI_TEST_OPTIONS_H
#define SLUICE_CLI_TEST_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct test_options {
    const char *only;            /* cases whose name holds this text; NULL: all */
    const char *pass_list;       /* file of names: these cases alone, and each must exist */
    const char *write_pass_list; /* file that gets the names of the cases that passed */
    bool list;                   /* print the names, run nothing */
    uint32_t jobs;
    uint32_t batch_rows;  /* inputs that are let in at once */
    int64_t cache_bytes;  /* 0: every update is emitted */
    uint32_t crash_every; /* inputs between crashes; 0: none */
    bool on_disk;         /* log and state, each case's in a directory of its own */
};

#endif
