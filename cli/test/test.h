/*
 * test.h: `sluice test FILE...`, the door of the test runner.
 */
#ifndef SLUICE_CLI_TEST_TEST_H
#define SLUICE_CLI_TEST_TEST_H

#include <stdio.h>

/* argv[0] is "test". The exit status: 0, 1 when a case failed, 255 for usage errors. */
int test_main(int argc, char **argv);
void test_usage(FILE *to); /* files and options */

#endif
