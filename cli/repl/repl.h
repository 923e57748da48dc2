/*
 * repl.h: the interactive shell.
 */
#ifndef SLUICE_CLI_REPL_REPL_H
#define SLUICE_CLI_REPL_REPL_H

#include "cli/run.h"

/* Until the person leaves; the exit status. Standard input and output are a terminal. */
int repl_run(const struct run_options *options);

#endif
