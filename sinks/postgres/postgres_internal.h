/*
 * postgres_internal.h: what the files of the Postgres sink share.
 *
 *   postgres.c   the kinds: start, write, flush, stop
 *   url.c        connection.url -> libpq's parameters
 *   session.c    a connection that can be interrupted; what its errors mean
 *   offsets.c    positions and the fence
 *   target.c     a topic's table: which columns, which keys
 *   describe.c   the table as Postgres has it; CREATE and ALTER
 *   encode.c     a value -> the binary form of a column's type
 *   text_form.c  a value -> the text of an array
 *   pending.c    rows that wait for a flush: the last one per key
 *   load.c       COPY, INSERT, UPDATE, DELETE of pending rows
 *   bisect.c     the same once more, without the rows that Postgres refuses
 */
#ifndef SLUICE_SINKS_POSTGRES_POSTGRES_INTERNAL_H
#define SLUICE_SINKS_POSTGRES_POSTGRES_INTERNAL_H

#include <libpq-fe.h>

#include "base/vec.h"
#include "sinks/sink.h"

/* --- session.c --- */

/* What an error means for what to do next (docs/connectors.md, Errors). */
enum fault {
    FAULT_NONE,
    FAULT_CONNECTION, /* connect again */
    FAULT_BUSY,       /* locks, deadlocks, resources: again */
    FAULT_STALE,      /* the table has changed: look again */
    FAULT_RECORD,     /* a row's values */
    FAULT_CONFIG      /* nothing helps but a human */
};

struct session {
    PGconn *conn;
    const _Atomic bool *interrupted;
    int64_t answer_within_ms; /* 0: it may take any time */
    struct bytes place;       /* "Postgres at HOST:PORT, database D" */
    bool hides_values;
    enum fault fault;            /* of the last failure */
    struct sink_refusal refusal; /* the same */
    bool is_fence;               /* division by zero is the fence's */
};

/* Resolved parameters of a connection; keywords NULL at the end. */
struct connect_parameters {
    const char *keywords[24];
    const char *values[24];
    uint32_t count;
    struct bytes host, port, database, user; /* for messages */
    int64_t timeout_ms;
};

int url_parse(const struct options *options, struct arena *arena, struct connect_parameters *out,
              struct error *err);

int session_open(struct session *s, const struct connect_parameters *parameters,
                 struct arena *arena, struct error *err);
void session_close(struct session *s);
/* One or more statements without rows, or the rows of the last one. out NULL: nobody asks. */
int session_run(struct session *s, const char *sql, PGresult **out, struct error *err);
struct text_parameters {
    const char *const *values; /* NULL: null */
    int count;
};
int session_query(struct session *s, const char *sql, const struct text_parameters *parameters,
                  PGresult **out, struct error *err);
/* The next result of what was sent; NULL in *out: there is none. Fails for an error result. */
int session_result(struct session *s, PGresult **out, struct error *err);
/* All results of one statement of a pipeline, up to its end. */
int session_settle(struct session *s, struct error *err);
int session_flush(struct session *s, struct error *err);
/* As much as the network takes now. */
int session_push(struct session *s, struct error *err);
/* libpq could not take a call. */
int session_broken(struct session *s, struct error *err);
bool session_has_failed_transaction(const struct session *s);

/* --- encode.c, text_form.c --- */

struct codec;
/* Appends length and bytes of a value that is not null. */
typedef int (*codec_function)(const struct codec *codec, const struct value *v, struct buffer *out,
                              struct error *err);

struct codec {
    codec_function encode;
    const struct sql_type *type;
    uint32_t oid;       /* of what is sent */
    uint32_t array_oid; /* of an array of it; 0: cannot be sent so */
    bool needs_cast;    /* what is sent is text, for the column's own input to read */
    const struct codec *element;
    struct json_writer *json;
};

/* The column's type as Postgres has it, domains resolved. */
struct column_type {
    uint32_t oid;
    uint32_t element_oid; /* of an array type; else 0 */
    char category;        /* typcategory: E enum, A array, U user-defined, ... */
    const char *name;     /* format_type */
};

enum load_way { LOAD_COPY, LOAD_ARRAYS };

/* NULL: a value of that type cannot go into that column. */
const struct codec *codec_find(struct arena *arena, const struct sql_type *type,
                               const struct column_type *column, enum load_way way);
void codec_fini(const struct codec *codec);
/* The element's text as array input reads it. */
void text_form_print_array(const struct value *v, const struct sql_type *type, struct buffer *out);
void put_u16(struct buffer *out, uint16_t number);
void put_u32(struct buffer *out, uint32_t number);
void put_u64(struct buffer *out, uint64_t number);

/* --- target.c, describe.c --- */

enum column_origin { FROM_ROW, FROM_TOPIC, FROM_PARTITION, FROM_OFFSET };

struct target_column {
    struct bytes name;  /* in Postgres */
    const char *quoted; /* as it goes into SQL */
    enum column_origin origin;
    operand at;
    const struct sql_type *type;
    bool is_key;
    bool exists;
    const struct codec *codec;
    const char *cast; /* the column's type, where what is sent is text; else NULL */
};

enum insert_mode { MODE_INSERT, MODE_UPSERT, MODE_UPDATE };

struct target {
    const struct row_shape *shape; /* of batches that go there */
    struct bytes topic;
    const char *quoted; /* schema and table */
    struct bytes name;  /* for messages */
    struct target_column *columns;
    uint32_t column_count;
    const uint32_t *keys; /* columns, in the order of the key */
    uint32_t key_count;
    enum insert_mode mode;
    bool deletes;
    enum load_way way;
    uint32_t batch_rows;
    struct pending *pending;
};

/* The plan of a topic's rows; columns and keys by configuration alone. */
int target_plan(const struct options *options, const struct row_batch *batch, PGconn *conn,
                struct arena *arena, struct target *out, struct error *err);
/* Makes or extends the table if it may; finds the columns' types. */
int target_prepare(struct session *s, const struct options *options, struct arena *arena,
                   struct target *target, struct error *err);

/* --- offsets.c --- */

struct offsets {
    const char *table; /* quoted */
    struct bytes sink;
    struct arena arena; /* of one start */
    VEC(struct offset_at) items;
};

struct offset_at {
    struct bytes topic;
    uint32_t partition;
    int64_t stored; /* what the table holds */
    int64_t epoch;
};

/* ERR_SINK_FAILED when the table cannot be made; *allowed false instead where it need not. */
int offsets_create(struct session *s, struct offsets *offsets, bool *allowed, struct error *err);
/* Takes the partitions over; `from` gets what is stored. */
int offsets_fence(struct session *s, struct offsets *offsets, struct positions *from,
                  struct error *err);
/* Sends the statement that moves them on, as a part of a pipeline; *sent false: nothing moves. */
int offsets_send(struct session *s, struct offsets *offsets, const struct positions *upto,
                 bool *sent, struct error *err);
/* The transaction is committed. */
void offsets_moved(struct offsets *offsets, const struct positions *upto);

/* --- pending.c --- */

struct pending_row {
    size_t tuple_at; /* fields of the row as COPY has them; a delete has none */
    size_t key_at;   /* its key's fields likewise */
    uint32_t tuple_len;
    uint32_t key_len;
    int64_t offset;
    uint32_t partition;
    bool deletes;
    bool is_replaced; /* a later row of the same key stands for it */
};

struct pending {
    struct buffer bytes;
    struct pending_row *rows;
    uint32_t row_count;
    uint32_t row_capacity;
    uint32_t sent;   /* rows that are on their way by COPY */
    uint32_t *order; /* scratch */
    uint32_t *slots;
    uint32_t slot_count;
};

struct pending *pending_create(void);
void pending_destroy(struct pending *p);
void pending_clear(struct pending *p);
struct pending_row *pending_begin(struct pending *p);
/* A step: rows [first, first + count) of order[] are written or deleted by one statement. */
struct step {
    bool deletes;
    uint32_t first;
    uint32_t count;
};
/* Puts the rows that count into p->order, in the order they are sent; the steps are in the arena.
 */
uint32_t pending_plan(struct pending *p, const struct target *target, struct arena *arena,
                      struct step **out);

/* --- load.c --- */

struct loader {
    struct session session;
    struct target *copying; /* a COPY into it is under way */
    bool in_transaction;
    struct buffer scratch;
};

/* Sends rows by COPY while others are still being read. */
int load_stream(struct loader *l, struct target *target, struct error *err);
/* Nothing was sent; the rows stay pending. */
int load_cancel_stream(struct loader *l, struct error *err);
int load_end_stream(struct loader *l, struct error *err);
int load_begin(struct loader *l, struct error *err);
/* What of its rows has not been streamed yet. */
int load_stream_rest(struct loader *l, struct target *target, struct error *err);
/* Sends one statement for these rows; its result is still to be settled. */
int load_send(struct loader *l, struct target *target, bool deletes, const uint32_t *rows,
              uint32_t count, struct arena *arena, struct error *err);
int load_copy(struct loader *l, struct target *target, const uint32_t *rows, uint32_t count,
              struct error *err);

/* --- postgres.c, bisect.c --- */

struct postgres_state {
    struct arena arena; /* until stop */
    struct arena batch; /* until the next flush */
    struct loader loader;
    struct offsets offsets;
    bool keeps_positions;
    VEC(struct target *) targets;
    bool must_bisect; /* a row was refused: nothing is streamed until the next flush */
};

/* Everything pending, in one transaction, but for refused rows. */
int bisect_flush(struct sink *sink, const struct positions *upto, struct error *err);
/* PostgresSink, which does more than the classes of JDBC. */
bool postgres_is_beyond(const struct options *options);
/* Positions and COMMIT, behind `sent` statements that are in the pipeline already. */
int postgres_commit(struct postgres_state *state, const struct positions *upto, uint32_t sent,
                    struct error *err);

#endif
