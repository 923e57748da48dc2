/*
 * remote_rows.h: the rows of a server's query, as they come, to a result sink.
 */
#ifndef SLUICE_CLI_REMOTE_REMOTE_ROWS_H
#define SLUICE_CLI_REMOTE_REMOTE_ROWS_H

#include "engine/command/engine.h"
#include "engine/format/format.h"

/*
 * Reads the body of /query (rest-api.md 2.3, form V): one element per line. What is no such
 * element is a line of PRINT.
 */
struct remote_rows {
    const struct result_sink *sink;
    struct arena arena; /* the schema */
    struct arena row;
    struct buffer pending; /* the line that has not ended */
    struct buffer object;  /* a row as the decoder reads it */
    struct schema schema;
    struct column *slots;
    struct value *cells;
    struct decoder decoder;
    bool has_begun, has_ended;
    bool was_ended; /* by the sink */
    struct error failure;
};

void remote_rows_init(struct remote_rows *rows, const struct result_sink *sink);
void remote_rows_fini(struct remote_rows *rows);
/* False when the sink wants no more. */
bool remote_rows_take(struct remote_rows *rows, struct bytes part);
/* The body is over: the last line, and the end of the rows. What went wrong on the way. */
int remote_rows_finish(struct remote_rows *rows, struct error *err);

#endif
