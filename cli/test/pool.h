/*
 * pool.h: runs cases in processes of their own, several at once.
 */
#ifndef SLUICE_CLI_TEST_POOL_H
#define SLUICE_CLI_TEST_POOL_H

#include "cli/test/case.h"

struct case_result {
    bool passed;
    struct bytes report; /* why not; in the arena */
};

/* Runs every case; `done` is told each result, in the order of the cases. */
void pool_run(const struct case_list *list, const struct test_options *options, struct arena *arena,
              void (*done)(void *context, const struct test_case *test,
                           const struct case_result *result),
              void *context);

#endif
