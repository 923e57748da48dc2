/*
 * plan.h: what a query will run, decided once: read-only, comparable, explainable.
 *
 *   analyze   names, types and keys of the statement      -> struct analysis
 *   logical   the steps in SQL's order                    -> struct logical_node
 *   physical  sub-topologies, operators, stores, topics   -> struct physical_plan
 *
 * A sub-topology is what one task runs: its inputs lead to operators, each of
 * which has one successor; it ends at topics or a client. Sub-topologies are cut at
 * repartition topics. Names and numbers are those of Kafka Streams (queries.md 10.2).
 */
#ifndef SLUICE_ENGINE_PLAN_PLAN_H
#define SLUICE_ENGINE_PLAN_PLAN_H

#include "engine/catalog/catalog.h"
#include "engine/expr/program.h"
#include "engine/state/store.h"
#include "engine/type/row_codec.h"

/* Every operator kind implements one of these. */
enum plan_tag {
    PLAN_STAGE,             /* filters and computed columns: one program */
    PLAN_TABLE,             /* turns a table's records into changes: remembers the row per key */
    PLAN_AGGREGATE,         /* un-windowed, by key */
    PLAN_JOIN_STREAM_TABLE, /* port 0: the stream; port 1 does not exist: the table is looked up */
    PLAN_JOIN_TABLE_TABLE,  /* ports 0 and 1: changes of the left and of the right table */
    PLAN_TOPIC,             /* writes rows: the sink, or a repartition topic */
    PLAN_CLIENT             /* hands rows to a client's queue */
};

/* How key bytes are made from key columns. */
struct key_plan {
    struct side_format format;
    const struct column *columns;
    const operand *at;
    uint32_t column_count;
};

struct store_plan {
    struct bytes name;             /* KsqlTopic-Reduce, Aggregate-Aggregate-Materialize */
    struct bytes changelog;        /* topic; absent for a query without durability */
    struct row_codec codec;        /* of the images */
    const struct row_shape *shape; /* columns of an image, as decoded into cells */
};

struct stage_plan {
    const struct program *program;
    bool over_table; /* new and old images are filtered as a table's: queries.md 1 */
    bool rekeys;     /* PARTITION BY: a null key of the input says nothing about the output's */
    /* Registers of key columns that are null for a row without a value, whatever was computed. */
    const operand *nulled;
    uint32_t nulled_count;
};

/*
 * The output's columns are cells in order, and so is the image (store_plan.codec). Each is the
 * input's column of that name or, named ROWTIME, ROWPARTITION or ROWOFFSET, the record's own.
 */
struct table_plan {
    uint32_t store;
    struct key_plan key;
    bool key_bytes_given; /* a repartition topic in front: the record's key bytes are the key */
    bool feeds_join; /* or nobody: a change goes on at once, with its key bytes, whatever the budget
                        is */
};

/*
 * A table that a join looks up: an image of the store gives cells one behind the other. Of several
 * leaves, each is joined to those before it, so that a join of tables is looked up without
 * a store of its own.
 */
struct join_leaf {
    uint32_t store;
    enum ast_join_kind kind; /* how it is joined; not of the first */
    uint32_t first_cell;     /* counted from the side's first */
};

struct join_side {
    const operand *columns; /* of its rows, when they come in */
    uint32_t column_count;
    uint32_t first_cell; /* of the output row */
    const struct join_leaf *leaves;
    uint32_t leaf_count; /* 0: a stream */
};

/* The output's cells: the key, then the columns of the left side, then those of the right. */
struct join_plan {
    enum ast_join_kind kind;
    bool key_bytes_given; /* rows come with the bytes of their key; always where tables meet */
    struct key_plan key;  /* of the stream's rows otherwise */
    operand key_at[2];    /* the key column of either side's rows */
    struct join_side sides[2];
};

struct aggregate_call {
    struct aggregate_plan plan;
    const operand *arguments;
};

/*
 * The image: the group columns, then the accumulators of each call. The output's cells: the
 * group columns, then a result per call.
 */
struct aggregate_op_plan {
    uint32_t store;
    bool over_table;      /* changes carry old images, which are undone */
    bool key_bytes_given; /* a repartition topic in front: the record's key bytes are the key */
    struct key_plan key;  /* how to make them otherwise */
    const operand *group; /* of the group columns */
    uint32_t group_count;
    const struct aggregate_call *calls;
    uint32_t call_count;
};

enum topic_role { TOPIC_SINK, TOPIC_REPARTITION };

struct topic_plan {
    enum topic_role role;
    uint32_t output; /* index into physical_plan.outputs */
    struct key_plan key;
    bool is_table;             /* tombstones are written; a repartition carries old and new */
    bool drop_null_key;        /* a repartition for GROUP BY excludes null keys (processing log) */
    bool drop_null_value;      /* a stream on its way to a join */
    bool skip_null_key;        /* likewise where INNER: such a row joins nothing */
    struct encoder_spec value; /* sink: the columns and where they lie */
    const struct format_kind *format; /* sink */
    struct row_codec codec;           /* repartition */
    const operand *columns;           /* repartition: what the image holds */
    bool has_timestamp;               /* sink WITH (TIMESTAMP='column') */
    operand timestamp;
    const struct sql_type *timestamp_type;
    struct bytes timestamp_format;
};

struct client_plan {
    const operand *columns;
    struct row_codec codec;
    int64_t limit;      /* -1: none */
    const bool *is_key; /* per column: what a tombstone shows */
};

enum { NO_OP = 0xffff };

struct op_plan {
    enum plan_tag tag;
    struct bytes context; /* "WhereFilter", "Aggregate-Aggregate": names, logger, EXPLAIN */
    const struct row_shape *input;  /* of port 0 */
    const struct row_shape *output; /* NULL for ends */
    uint16_t
        next; /* index into sub_plan.ops, or NO_OP: an end, or a table that is only looked up */
    uint16_t next_port;
    bool needs_old; /* the output must carry old images */
    union {
        struct stage_plan stage;
        struct table_plan table;
        struct aggregate_op_plan aggregate;
        struct join_plan join;
        struct topic_plan topic;
        struct client_plan client;
    };
};

/* Where rows come in. The image on a repartition topic holds the shape's cells in order. */
struct input_plan {
    struct bytes topic;
    const struct source *source; /* NULL: a repartition topic of the query's own */
    uint32_t output;             /* repartition: which physical_plan.outputs it is */
    struct row_codec codec;      /* repartition: the images on it */
    bool is_table;               /* a table's changes (repartition: images with old and new) */
    bool is_upserts;    /* repartition: a table's new rows, to be turned into changes behind it */
    bool from_earliest; /* whatever auto.offset.reset says */
    const bool *wanted; /* source: per column of its schema, whether it is read */
    const struct row_shape *shape; /* of the batches */
    uint16_t op;                   /* to which operator */
    uint16_t port;
};

/* A sub-topology that reads a topic: of this query, or of one that was there before it. */
struct lineage_reader {
    struct bytes query_id;
    uint32_t sub;
    uint32_t input;
};

struct lineage_topic {
    struct bytes name;
    bool is_own;                        /* a repartition topic of this query */
    bool is_common;                     /* the stream's rows derive from it, too, or are its */
    const struct lineage_reader *feeds; /* common: who reads it on the stream's way */
    uint32_t feed_count;
};

struct lineage_hop {
    uint32_t from; /* topics */
    uint32_t to;
    struct lineage_reader reader;
};

enum { LINEAGE_NONE = 0x7fffffff };

/*
 * A join of a stream with tables that derive from it, or from what it derives from: what stands
 * between the topics that both come from and the tables. Hops into a topic precede those out of it.
 */
struct lineage_plan {
    const struct lineage_topic *topics;
    uint32_t topic_count;
    const struct lineage_hop *hops;
    uint32_t hop_count;
    const uint32_t *of_input; /* per input of the sub-topology its topic, or LINEAGE_NONE */
};

struct sub_plan {
    const struct input_plan *inputs;
    uint32_t input_count;
    const struct op_plan *ops; /* successors behind their predecessors */
    uint32_t op_count;
    const uint32_t *stores; /* which of physical_plan.stores its tasks own */
    uint32_t store_count;
    struct bytes root_topic;           /* leftmost: with the partition it decides the slot */
    const struct lineage_plan *causal; /* rows of the stream wait for their tables; NULL: not */
};

/* A topic the query writes. */
struct output_plan {
    struct bytes topic;
    enum topic_role role;
    uint32_t partition_count;
};

/* How a table made by the query is asked by key: pull queries. */
struct pull_plan {
    bool queryable;
    uint32_t sub;
    uint32_t store;
    struct key_plan key; /* key columns of the store */
    /*
     * The rows that the store's owner reads (op_kind.read) go on from this op, through stages, to
     * the end: the columns of the end's input shape are the result's, in the order of its schema.
     */
    uint16_t first_op; /* NO_OP: the store's columns are the table's */
};

/* A line of EXPLAIN: what a part of the plan does. */
struct plan_step {
    const char *name;     /* SOURCE, FILTER, PROJECT, GROUP_BY, AGGREGATE, SINK, ... */
    struct bytes context; /* of its logger */
    struct schema schema; /* what comes out */
    bool is_table;
    uint32_t sub;        /* which sub-topology does it */
    struct bytes detail; /* conditions, topics, stores */
    uint32_t inputs[2];  /* the steps that feed it; all stand before it */
    uint32_t input_count;
};

struct physical_plan {
    struct bytes query_id;
    struct bytes application_id;
    enum query_kind kind;
    bool result_is_table;
    const struct sub_plan *subs;
    uint32_t sub_count;
    const struct store_plan *stores;
    uint32_t store_count;
    const struct output_plan *outputs;
    uint32_t output_count;
    const struct source *sink; /* persistent: what it makes; NULL for push and pull */
    struct schema result;      /* columns of the rows, in SELECT order for clients */
    struct pull_plan pull;
    const struct bytes *source_names;
    uint32_t source_count;
    const struct plan_step *steps; /* from the sources to the end */
    uint32_t step_count;
};

/* --- making one --- */

/* Session and server properties that planning depends on. */
struct plan_settings {
    const char *service_id;
    const struct format_kind *default_key_format;
    const struct format_kind *default_value_format; /* NULL: must be said */
    struct bytes topic_prefix;                      /* ksql.output.topic.name.prefix */
    struct bytes persistent_prefix;                 /* of application ids; absent: the defaults */
    struct bytes transient_prefix;
    bool headers_enabled;
    bool joins_at_once;     /* join.causal is off */
    bool keys_as_selected;  /* key columns of a stream are in the order of SELECT */
    int wrap_single_values; /* -1: the format decides */
    bool no_table_scans;    /* pull queries have to name keys */
    bool no_range_scans;    /* a range of keys is a filter on all of them */
};

struct plan_context {
    struct arena *arena; /* of the plan: the query's, or the statement's to be thrown away */
    const struct catalog *catalog;
    struct log *log; /* partitions of topics */
    const struct plan_settings *settings;
};

/* CREATE STREAM/TABLE (declared columns): the source as it will stand in the catalog. */
int plan_create_source(struct plan_context *context, const struct ast_statement *statement,
                       struct source *out, struct error *err);
/*
 * CREATE SOURCE TABLE: the query that keeps the rows of a table in the catalog, for pull queries.
 * It writes nowhere: it has no sink, and its only operator is an end.
 */
int plan_source_table(struct plan_context *context, struct bytes name, struct bytes query_id,
                      const struct physical_plan **out, struct error *err);
/* CREATE ... AS SELECT. query_id as it will be: "CSAS_NAME_0". */
int plan_create_as(struct plan_context *context, const struct ast_statement *statement,
                   struct bytes query_id, const struct physical_plan **out, struct error *err);
/* INSERT INTO ... SELECT: its sink is the stream as it stands in the catalog. */
int plan_insert_select(struct plan_context *context, const struct ast_statement *statement,
                       struct bytes query_id, const struct physical_plan **out, struct error *err);
/* What WITH (QUERY_ID='...') says, in upper case; absent: nothing. ERR_NAME_TAKEN. */
int plan_insert_query_id(struct plan_context *context, const struct ast_insert_select *insert,
                         struct bytes *out, struct error *err);
/* Whether the id looks like those that are made up: CSAS_..., INSERTQUERY_... */
bool name_is_generated_query(struct bytes id);
/* SELECT ... EMIT CHANGES. */
int plan_push(struct plan_context *context, const struct ast_statement *statement,
              struct bytes query_id, const struct physical_plan **out, struct error *err);

/* How the rows of a table are found. */
enum pull_access { PULL_KEYS, PULL_SCAN };

/* A pull query on a table: which rows of which query's store, and what of them. */
struct pull_lookup {
    const struct source *table;
    struct bytes query_id; /* whose store */
    enum pull_access access;
    const struct bytes *keys; /* PULL_KEYS: in the store's key format, in request order */
    uint32_t key_count;
    struct store_range range;      /* PULL_SCAN: which part of the store */
    const struct row_shape *input; /* columns of the table: cells in schema order */
    const struct program *program; /* the whole WHERE and the projection over the table's columns */
    const struct row_shape *output; /* the result; over the program's banks */
    struct schema result;
    int64_t limit;                     /* -1: none */
    const struct expr *where;          /* the program's, for EXPLAIN; NULL: none */
    const struct expr *const *columns; /* the result's, for EXPLAIN */
};
int plan_pull(struct plan_context *context, const struct ast_statement *statement,
              const struct pull_lookup **out, struct error *err);
/*
 * A pull query on a stream: a plan of one sub-topology without stores, to be pushed what the
 * stream holds; its end is a client.
 */
int plan_stream_pull(struct plan_context *context, const struct ast_statement *statement,
                     struct bytes query_id, const struct physical_plan **out, struct error *err);

/* INSERT VALUES: checked and coerced; cells in schema order. */
struct insert_row {
    const struct source *source;
    const struct value *cells;
    bool has_timestamp;
    int64_t timestamp_ms;
};
/* What CREATE TYPE has named in the context's catalog. */
const struct type_names *plan_type_names(struct plan_context *context);

/* A source whose topic takes rows from users. */
int plan_insert_target(struct plan_context *context, const struct ast_name *name,
                       const struct source **out, struct error *err);
int plan_insert_values(struct plan_context *context, const struct ast_statement *statement,
                       struct insert_row *out, struct error *err);

/* The plan as EXPLAIN shows it: one line per step. */
void plan_explain(const struct physical_plan *plan, struct buffer *out);
/* The same of a pull query on a table: its keys, or its scan, instead of a topology. */
void plan_explain_pull(const struct pull_lookup *lookup, struct bytes query_id, struct buffer *out);
/* What runs in tasks of its own: what each sub-topology reads, keeps and writes. */
void plan_explain_topology(const struct physical_plan *plan, struct buffer *out);
/* Changes whenever stores, internal topics or their layouts would no longer fit. */
uint64_t plan_signature(const struct physical_plan *plan);

#endif
