/*
 * engine.h: sluice as a library: statements in, results out.
 *
 * Shells, statement files, the HTTP endpoint and the test runner all go through
 * here. An engine holds the catalog, the runtime, the server's properties and
 * the statement log; a session holds what one client has SET. Statements that change
 * the catalog are appended to the statement log and applied from there, so a restart
 * replays them.
 *
 * Text with several statements is validated first, statement by statement, on an
 * overlay of the catalog: nothing runs if any of it is wrong (statements.md 4).
 *
 * Threads: calls of one session come from one thread; calls of several sessions are
 * serialised inside.
 */
#ifndef SLUICE_ENGINE_COMMAND_ENGINE_H
#define SLUICE_ENGINE_COMMAND_ENGINE_H

#include "engine/runtime/runtime.h"

struct engine;
struct session;

struct engine_config {
    struct log *log;           /* borrowed until engine_close */
    const struct clock *clock; /* borrowed */
    enum runtime_mode mode;
    uint32_t worker_count;  /* 0: one per core when threaded, one when stepped */
    uint32_t batch_rows;    /* 0: as the runtime likes */
    enum query_gate gate;   /* of the queries it starts: the test driver gates them */
    const char *service_id; /* NULL: as ksql.service.id says */
    bool create_topics;     /* missing topics of CREATE are made, one partition: test driver */
    /* A row or record was skipped; NULL: nobody wants to know. Any thread. */
    void (*skipped)(void *context, struct bytes query_id, const struct row_origin *origin,
                    const char *what, const struct error *err);
    void *context;
};

/* Replays the statement log. */
int engine_open(const struct engine_config *config, struct engine **out, struct error *err);
void engine_close(struct engine *engine);

/* A server property: config file, --set. ERR_UNKNOWN_PROPERTY names the near one. */
int engine_set_property(struct engine *engine, struct bytes name, struct bytes value,
                        struct error *err);

struct session *session_create(struct engine *engine);
void session_destroy(struct session *session);
int session_set_property(struct session *session, struct bytes name, struct bytes value,
                         struct error *err);

/* --- results --- */

/* A table of text: SHOW, DESCRIBE, EXPLAIN. Cells row by row. */
struct result_table {
    const char *kind; /* "streams", "queries", "source_description": REST entities, JSON output */
    const struct bytes *columns;
    uint32_t column_count;
    const struct bytes *cells;
    uint32_t row_count;
    struct bytes text;    /* instead of rows where the result is free text (DESCRIBE FUNCTION) */
    struct bytes heading; /* lines to stand above the rows; absent: none */
    struct bytes footer;  /* lines to stand below; absent: none */
};

/*
 * What a statement answers, told in order: statement, then either message, table ...,
 * or rows: begin, row ..., end. Everything is borrowed for the call. Returning false from row
 * ends the query early.
 */
struct result_sink {
    void (*statement)(void *context, struct bytes text); /* NULL allowed; so all others */
    void (*message)(void *context, struct bytes message);
    void (*warning)(void *context, struct bytes message);
    void (*table)(void *context, const struct result_table *table);
    void (*rows_begin)(void *context, struct bytes query_id, const struct schema *schema);
    bool (*row)(void *context, const struct value *cells, bool tombstone, int64_t timestamp_ms);
    void (*rows_end)(void *context, struct bytes message);
    void *context;
};

/*
 * Runs the text's statements in order; the first error ends it (its position is in the
 * text). Push queries deliver rows until LIMIT, until row() says enough, or - on a stepped engine -
 * until everything in the log is through. Pull queries drain a stepped engine first.
 */
int engine_execute(struct engine *engine, struct session *session, struct bytes text,
                   const struct result_sink *sink, struct error *err);

/* Everything in the log read, emitted and committed. */
int engine_drain(struct engine *engine, struct error *err);

/* For the test driver and EXPLAIN-like tools. */
struct runtime *engine_runtime(struct engine *engine);
const struct catalog *engine_catalog(struct engine *engine);
struct log *engine_log(struct engine *engine);

#endif
