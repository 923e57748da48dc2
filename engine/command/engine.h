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

#include "engine/command/connector.h"
#include "engine/command/peer.h"
#include "engine/runtime/runtime.h"

struct engine;
struct session;
struct property_text;
struct ast_script;

struct engine_config {
    struct log *log;           /* borrowed until engine_close */
    const struct clock *clock; /* borrowed */
    enum runtime_mode mode;
    uint32_t worker_count;      /* 0: one per core when threaded, one when stepped */
    uint32_t batch_rows;        /* 0: as the runtime likes */
    uint32_t changelog_entries; /* likewise: of how many on one is written anew */
    enum query_gate gate;       /* of the queries it starts: the test driver gates them */
    const char *service_id;     /* NULL: as ksql.service.id says */
    const char *node_id;        /* NULL: "local", the only node of a log of its own */
    const char *client_id;      /* the URL by which others reach this node; NULL: the node id */
    bool is_shared;             /* others may append statements: they are followed; threaded only */
    bool is_lasting;            /* the node has this id at its next start too */
    struct database *database;  /* for checkpoints, borrowed; NULL: state is in memory alone */
    /* The server's properties: they hold before the statement log is replayed. */
    const struct property_text *settings;
    uint32_t setting_count;
    const struct connector_host *connectors; /* borrowed; NULL: nothing runs connectors */
    const struct peer_host *peers;           /* borrowed; NULL: other nodes cannot be asked */
    uint32_t create_partitions; /* of topics that a CREATE lacks: test driver; 0: not made */
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

/* What it is for the whole server, by its kept name; absent when there is none. */
struct bytes engine_get_property(struct engine *engine, const char *name, struct arena *arena);

/* What a statement of the statement log ended in. */
struct command_outcome {
    struct bytes id;    /* stream/`S`/create */
    const char *status; /* SUCCESS, ERROR */
    struct bytes message;
    struct bytes query_id; /* of the query it started; absent: none */
};

/* Of the last command with that id, whoever gave it; in the arena. Any thread, at once. */
bool engine_find_outcome(struct engine *engine, struct bytes id, struct arena *arena,
                         struct command_outcome *out);
uint32_t engine_list_outcomes(struct engine *engine, struct arena *arena,
                              struct command_outcome **out); /* by id */
/* Whether the statement with this number is applied here, waiting for it. Any thread. */
bool engine_await_statement(struct engine *engine, int64_t sequence, int64_t wait_ms);

struct session *session_create(struct engine *engine);
void session_destroy(struct session *session);
/*
 * Ends what waits in the session's text, the running one or the next: queries as if they were
 * complete, PRINT, ASSERT as if its time were up. From any thread, and it waits for nobody; the
 * session must outlive the call.
 */
void session_cancel(struct session *session);
int session_set_property(struct session *session, struct bytes name, struct bytes value,
                         struct error *err);
/* Whether a session may set a property of that name: ERR_UNKNOWN_PROPERTY, ERR_INVALID_PROPERTY. */
int session_check_property(struct session *session, struct bytes name, struct error *err);
struct property_text;
/* What the session has SET, by name; the array is in the arena, what it holds in the session. */
uint32_t session_list_properties(struct session *session, struct arena *arena,
                                 const struct property_text **out);
/*
 * Its pull queries look into these partitions of the table alone (NULL: all), and ask no other
 * node. The array is copied.
 */
void session_keep_local(struct session *session, const uint32_t *partitions, uint32_t count);
/* As DEFINE: what ${name} is in the texts behind. ERR_VARIABLE: no name of a variable. */
int session_define(struct session *session, struct bytes name, struct bytes value,
                   struct error *err);
/* What `from` has SET and DEFINEd is of `to` too; they may be of two engines. */
void session_take_over(struct session *to, const struct session *from);
/* The tree of a text as engine_execute would read it: with the session's variables replaced. */
int session_parse(struct session *session, struct arena *arena, struct bytes text,
                  struct ast_script *out, struct error *err);

/* --- results --- */

/* A query as SHOW QUERIES lists it. */
struct result_query {
    struct bytes id;
    struct bytes sql;
    struct bytes sink; /* absent, as its topic: it has none */
    struct bytes sink_topic;
    const char *type;  /* PERSISTENT, PUSH, PULL */
    const char *state; /* RUNNING, ERROR; NULL: it is only explained */
};

/* Something that a node counts. */
struct result_metric {
    struct bytes host; /* host:port */
    struct bytes name; /* as ksqlDB's: consumer-total-messages */
    uint64_t value;
    int64_t timestamp_ms; /* of the last one that counted; 0: none did */
    bool is_error;
};

struct result_offset {
    struct bytes topic;
    uint32_t partition;
    int64_t begin; /* of the log; so the next; -1: not known */
    int64_t end;
    int64_t consumed; /* -1: nothing yet */
};

/* Where a query stands, whose name its consumer group bears; on other nodes a moment ago. */
struct result_group {
    struct bytes id;
    const struct result_offset *offsets; /* by topic and partition, each once */
    uint32_t offset_count;
};

/* As DESCRIBE ... EXTENDED shows them; nothing where there are none. */
void result_metrics_print(const struct result_metric *metrics, uint32_t count, struct buffer *out);
void result_groups_print(const struct result_group *groups, uint32_t count, struct buffer *out);

/* What DESCRIBE knows of one source. */
struct result_source {
    const struct source *source;
    bool extended;
    uint32_t replica_count;
    const struct result_query *readers;
    uint32_t reader_count;
    const struct result_query *writers;
    uint32_t writer_count;
    const struct bytes *dependents; /* sources made from it, which have to be dropped first */
    uint32_t dependent_count;
    /* EXTENDED: */
    const struct result_group *groups; /* of the writers */
    uint32_t group_count;
    const struct result_metric *metrics;
    uint32_t metric_count;
};

/* What EXPLAIN knows of one query. */
struct result_plan {
    struct result_query query;
    const struct schema *fields;
    const struct bytes *sources;
    uint32_t source_count;
    struct bytes topology;
    struct bytes execution_plan;
    const struct property_text *properties; /* overridden */
    uint32_t property_count;
    struct bytes consumer_group;     /* that bears its name; absent: it does not run */
    const char *failure;             /* why it is in ERROR; NULL: it is not */
    const char *failure_type;        /* USER, SYSTEM, UNKNOWN */
    const char *failure_code;        /* ERR_... */
    int64_t failure_ms;              /* 0: at its start */
    const struct task_status *tasks; /* on this node */
    uint32_t task_count;
};

struct result_argument {
    struct bytes name;
    struct bytes type;
    bool is_variadic;
};

struct result_variant {
    const struct result_argument *arguments;
    uint32_t argument_count;
    struct bytes returns;
    struct bytes doc;
    struct bytes example; /* absent: none */
};

/* What DESCRIBE FUNCTION knows of one. */
struct result_function {
    struct bytes name;
    struct bytes type; /* SCALAR, AGGREGATE, TABLE */
    struct bytes doc;
    struct bytes author;
    const struct result_variant *variants;
    uint32_t variant_count;
};

/* As DESCRIBE FUNCTION shows it. */
void result_function_print(const struct result_function *function, struct buffer *out);

/* What a statement did to the catalog, or found done. */
struct result_change {
    struct bytes sql;      /* canonical */
    struct bytes message;  /* for the user */
    const char *type;      /* "stream", "table", "terminate" */
    struct bytes entity;   /* a name, a query id, ALL */
    const char *action;    /* "create", "drop", "execute" */
    struct bytes id;       /* of the command: struct command_outcome */
    struct bytes query_id; /* of the query it started; absent: none */
    int64_t sequence;      /* place in the statement log; -1: nothing was logged */
    const struct connector_entry *connector; /* that it made; NULL: none */
    const struct connector_status *status;   /* of that connector */
};

/* A table of text: SHOW, DESCRIBE, EXPLAIN. Cells row by row. */
struct result_table {
    const char *kind; /* "streams", "queries", "sourceDescription": REST entities, JSON output */
    const struct bytes *columns;
    const char *const *fields;              /* stable names of the columns; NULL: they have none */
    const struct result_source *source;     /* what the table describes; NULL: no source */
    const struct result_plan *plan;         /* or no query */
    const struct result_function *function; /* or no function */
    const struct connector_status *connector; /* or no connector */
    const struct schema *types;               /* or no types, by their names */
    uint32_t column_count;
    const struct bytes *cells;
    uint32_t row_count;
    struct bytes text;    /* instead of rows where the result is free text (DESCRIBE FUNCTION) */
    struct bytes heading; /* lines to stand above the rows; absent: none */
    struct bytes footer;  /* lines to stand below; absent: none */
};

/* What PRINT says: its guess at the formats, a record, or, empty, that nothing has come. */
enum printed_line { PRINTED_FORMAT, PRINTED_RECORD, PRINTED_IDLE };

/*
 * What a statement answers, told in order: statement, then either message, table ...,
 * or rows: begin, row ..., end. Everything is borrowed for the call. Returning false from row
 * ends the query early.
 */
struct result_sink {
    /* Texts of INSERT VALUES come without their values: whoever reads may not be who wrote. */
    bool masks_values;
    /* NULL allowed; so all others. Before anything runs, each statement as it is checked. */
    void (*checking)(void *context, struct bytes text);
    void (*statement)(void *context, struct bytes text);
    void (*message)(void *context, struct bytes message);
    /* A statement that changed the catalog; NULL: its message is told instead. */
    void (*changed)(void *context, const struct result_change *change);
    /* TERMINATE of a push query; NULL: a message is told instead. */
    void (*ended)(void *context, struct bytes query_id);
    void (*warning)(void *context, struct bytes message);
    /* A warning beside the result; NULL: told as a warning. */
    void (*note)(void *context, struct bytes message);
    void (*table)(void *context, const struct result_table *table);
    void (*rows_begin)(void *context, struct bytes query_id, const struct schema *schema);
    bool (*row)(void *context, const struct value *cells, bool tombstone, int64_t timestamp_ms);
    void (*rows_end)(void *context, struct bytes message);
    /* PRINT: begin, lines ..., end; false as row. */
    void (*print_begin)(void *context);
    bool (*printed)(void *context, enum printed_line kind, struct bytes line);
    void (*print_end)(void *context);
    void *context;
};

/*
 * Runs the text's statements in order; the first error ends it (its position is in the
 * text). Push queries deliver rows until LIMIT, until row() says enough, or - on a stepped engine -
 * until everything in the log is through. Pull queries drain a stepped engine first.
 */
int engine_execute(struct engine *engine, struct session *session, struct bytes text,
                   const struct result_sink *sink, struct error *err);

/*
 * Ends and drops all that statements have made, and deletes those topics of CREATE ... AS SELECT
 * that the filter wants deleted. What an error leaves behind can be cleared again.
 */
typedef bool topic_filter(const void *context, struct bytes topic);
int engine_clear(struct engine *engine, topic_filter *deletes, const void *context,
                 struct error *err);

/* --- connectors, for those who have no SQL: engine/command/connector.h has the types --- */

enum connector_put {
    CONNECTOR_CREATE,
    CONNECTOR_CREATE_PAUSED,
    CONNECTOR_CREATE_STOPPED,
    CONNECTOR_REPLACE
};

/* As CREATE SINK CONNECTOR; REPLACE is of one that is there, or makes it. */
int engine_put_connector(struct engine *engine, const struct connector_entry *wanted,
                         enum connector_put put, struct error *err);
int engine_drop_connector(struct engine *engine, struct bytes name, struct error *err);
int engine_control_connector(struct engine *engine, struct bytes name, enum connector_action action,
                             struct error *err);
/* In the arena; the entry's options have references for secrets. ERR_UNKNOWN_CONNECTOR. */
int engine_find_connector(struct engine *engine, struct bytes name, struct arena *arena,
                          struct connector_entry *entry, struct connector_status *status,
                          struct error *err);
/* class_name NULL at the end; NULL: nothing here runs connectors. */
const struct connector_plugin *engine_list_plugins(const struct engine *engine);
/* As struct connector_host says. */
const struct connector_option_kind *engine_list_connector_options(const struct engine *engine,
                                                                  struct bytes class_name,
                                                                  struct arena *arena);
uint32_t engine_validate_connector(const struct engine *engine,
                                   const struct connector_entry *wanted, struct arena *arena,
                                   struct connector_finding **out);
int engine_read_connector_offsets(struct engine *engine, struct bytes name, struct arena *arena,
                                  struct connector_offset **out, uint32_t *count,
                                  struct error *err);
int engine_write_connector_offsets(struct engine *engine, struct bytes name,
                                   const struct connector_offset *offsets, uint32_t count,
                                   struct error *err);
uint32_t engine_list_connectors(struct engine *engine, struct arena *arena, struct bytes **names);

/* Everything in the log read, emitted and committed, and what connectors read in their targets. */
int engine_drain(struct engine *engine, struct error *err);

/* The time of the engine's clock. */
int64_t engine_now_ms(const struct engine *engine);

/*
 * The Kafka cluster's id; of a log of its own the node's, where that is the same after a restart.
 * "memory" where nothing lasts. In the arena.
 */
struct bytes engine_cluster_id(struct engine *engine, struct arena *arena);

/* For the test driver and EXPLAIN-like tools. */
struct runtime *engine_runtime(struct engine *engine);
const struct catalog *engine_catalog(struct engine *engine);
struct log *engine_log(struct engine *engine);

#endif
