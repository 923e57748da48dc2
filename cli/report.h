/*
 * report.h: how an error is told to someone at a terminal.
 */
#ifndef SLUICE_CLI_REPORT_H
#define SLUICE_CLI_REPORT_H

#include "engine/type/row_batch.h"

/*
 * The place with its line of the text, the message, advice: lines. `from` names the text; it is
 * empty for what was just typed, and NULL where there is no text.
 */
void report_format(const char *from, struct bytes text, const struct error *err,
                   struct buffer *out);
/* That on standard error; answers the exit status that the error deserves. */
int report_error(const char *from, struct bytes text, const struct error *err);

/* A record or row that a query left out, or kept with a null: a line. */
void report_skipped(struct bytes query_id, const struct row_origin *origin, const char *what,
                    const struct error *err, struct buffer *out);

/* A record or row that a query left out, or kept with a null: a line. */
void report_skipped(struct bytes query_id, const struct row_origin *origin, const char *what,
                    const struct error *err, struct buffer *out);

#endif
