/*
 * report.h: how an error is told to someone at a terminal.
 */
#ifndef SLUICE_CLI_REPORT_H
#define SLUICE_CLI_REPORT_H

#include "base/error.h"

/*
 * On standard error: the place with its line of the text, the message, advice. `from` names the
 * text, or is NULL where there is none. Answers the exit status that the error deserves.
 */
int report_error(const char *from, struct bytes text, const struct error *err);

#endif
