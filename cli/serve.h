/*
 * serve.h: the command `server`.
 */
#ifndef SLUICE_CLI_SERVE_H
#define SLUICE_CLI_SERVE_H

#include <stdio.h>

void serve_usage(FILE *to);            /* its options */
int serve_main(int argc, char **argv); /* argv[0] is "server"; the exit status */

#endif
