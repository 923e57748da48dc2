/*
 * command_internal.h: what the files of the commands share: the engine, one running
 * statement, and the change that a statement makes to the catalog.
 *
 * A statement that changes the catalog has one function, `change`, that plans it and
 * changes the catalog it is given. It is called up to three times: on a script's overlay before
 * anything runs, on an overlay right before the append, and on the engine's own catalog when
 * the record is read from the statement log, now or at the next start.
 */
#ifndef SLUICE_ENGINE_COMMAND_COMMAND_INTERNAL_H
#define SLUICE_ENGINE_COMMAND_COMMAND_INTERNAL_H

#include <pthread.h>

#include "base/queue.h"
#include "base/vec.h"
#include "engine/command/connector.h"
#include "engine/command/engine.h"
#include "engine/command/manual.h"
#include "engine/command/properties.h"
#include "engine/command/statement_log.h"
#include "parser/parse.h"

/* A persistent query that was planned; its plan lives here until it is dropped. */
struct running_query {
    struct arena arena;
    const struct physical_plan *plan;
    struct query_options options;
    const struct property_text *properties; /* that it was created under */
    uint32_t property_count;
    bool started;
    struct error failure; /* why it is not, if that was tried; code 0 else */
};

/* A push query, for as long as it runs; on the stack of the thread that runs it. */
struct client_query {
    struct bytes id;
    struct bytes sql;
    struct row_queue *queue;
    int64_t cache_bytes; /* what it may hold back */
    struct client_query *next;
};

/* Variables by name, which is in upper case: struct property_text. */
struct variable_set {
    struct arena arena;
    struct map values;
};

/* By command id: outcomes.c. */
struct outcome_table {
    pthread_mutex_t mutex; /* all below; nothing else is taken under it */
    pthread_cond_t changed;
    struct map outcomes;
    int64_t applied; /* number of the last record of the statement log that was; -1: none */
};

struct engine {
    struct engine_config config;
    struct outcome_table outcomes;
    pthread_mutex_t mutex; /* all below; a push query gives it back while rows come */
    char *service_id;
    char *node_id;
    char *client_id;
    struct runtime *runtime;
    struct catalog *catalog;
    struct property_set server;
    struct statement_log *slog;
    struct map queries;  /* id -> struct running_query */
    uint64_t next_query; /* number of the next persistent query */
    uint64_t next_client;
    struct client_query *clients; /* in the order of their start */
    struct log_writer *inserts;   /* of INSERT VALUES; NULL: not opened yet */
    uint64_t insert_round;        /* for null keys */
    pthread_t follower;           /* not under the mutex; if has_follower */
    struct queue follower_pause;  /* its thread waits here until it is to end */
    bool has_follower;
};

struct session {
    struct engine *engine;
    struct property_set properties; /* over the server's */
    struct variable_set variables;
    pthread_mutex_t client_mutex; /* the two below: whoever cancels does not wait for the engine */
    struct row_queue *client;     /* of the push query that runs; NULL: none */
    bool is_cancelled;
    bool is_local;        /* its pull queries ask no other node */
    uint32_t *partitions; /* and look into these alone; NULL: all */
    uint32_t partition_count;
};

/* One statement on its way. */
struct command {
    struct engine *engine;
    struct session *session; /* NULL while the statement log is read */
    const struct ast_statement *statement;
    struct arena *arena;
    struct catalog *catalog;         /* what names mean: an overlay, or the engine's */
    struct property_set *properties; /* in effect: SET changes these */
    const struct result_sink *sink;
    uint64_t next_query;                   /* number that a persistent query would get */
    const struct statement_record *record; /* while the statement log is read; else NULL */
    enum connector_put put;                /* CREATE CONNECTOR: whether one may be there */
};

/* What a statement does to the catalog, and what has to happen beside. */
struct change {
    bool none;        /* IF EXISTS, IF NOT EXISTS: `message` is a warning */
    const char *type; /* what it is called: struct result_change */
    struct bytes entity;
    const char *action;
    const struct client_query *client; /* nothing is logged: it ends this push query */
    int64_t sequence;                  /* set by the append */
    struct bytes sql;                  /* canonical; in the statement log and on display */
    struct bytes message;              /* what the user is told */
    const struct source *source;       /* it makes this one */
    const struct physical_plan *plan;  /* and starts this query */
    struct query_options options;      /* of the query */
    const struct bytes *stopped;       /* queries it ends */
    uint32_t stopped_count;
    const struct bytes *paused; /* queries it pauses, or resumes */
    uint32_t paused_count;
    bool pauses;
    struct bytes removed;       /* the source it drops; absent: none */
    struct bytes deleted_topic; /* absent: none */
    struct bytes connector;     /* the connector it makes; absent: none */
    struct bytes removed_connector;
    const struct connector_option *secrets; /* to be kept before the append */
    uint32_t secret_count;
    const struct bytes *warnings; /* for whoever asked */
    uint32_t warning_count;
};

struct command_kind {
    /* Statements of the statement log; NULL: not one of these. */
    int (*change)(struct command *command, struct change *out, struct error *err);
    /* Others: what can be said before anything runs; SET also takes effect. NULL: nothing. */
    int (*check)(struct command *command, struct error *err);
    int (*run)(struct command *command, struct error *err);
    struct statement_manual manual;
};

/* NULL: known to the parser, and not built. */
const struct command_kind *command_find(enum ast_statement_kind kind);

/* --- changes: script.c, change.c, replay.c --- */

/* Checks all statements of the text, then runs them. */
int script_execute(struct session *session, struct bytes text, const struct result_sink *sink,
                   struct error *err);

/* Validates, makes topics, appends to the statement log, applies, answers. */
int command_change(struct command *command, const struct command_kind *kind, struct error *err);
/*
 * Reads what is new in the statement log, applies it, starts and stops queries. A record that
 * cannot be applied is traced and left out; *outcome says how the one fared that was appended
 * here last, if it is among them.
 */
int replay_catch_up(struct engine *engine, enum statement_log_extent extent, struct error *outcome,
                    struct error *err);

/* --- what became of commands: outcomes.c --- */

void outcomes_init(struct outcome_table *table);
void outcomes_fini(struct outcome_table *table);
/* stream/`S`/create */
struct bytes outcome_id(struct arena *arena, const struct change *change);
void outcomes_put(struct outcome_table *table, struct bytes id, const char *status,
                  struct bytes message, struct bytes query_id);
/* Of a record; its id, in the arena, absent when it is no command. failure->code 0: none. */
struct bytes outcomes_note(struct outcome_table *table, struct arena *arena,
                           const struct ast_statement *statement, const struct change *change,
                           const struct error *failure);
/* So many more records are applied. */
void outcomes_advance(struct outcome_table *table, uint32_t count);

/* Starts what could not be started. */
void replay_retry(struct engine *engine);

/* --- what other nodes append: follow.c --- */

/* Applied as it comes, by a thread of its own, until follow_stop. */
int follow_start(struct engine *engine, struct error *err);
void follow_stop(struct engine *engine);

void running_query_destroy(struct running_query *query);
struct running_query *engine_find_query(struct engine *engine, struct bytes id);
/* A push query that runs, by its id in any case; NULL: none. */
const struct client_query *engine_find_client(const struct engine *engine, struct bytes id);
/* What SHOW QUERIES tells of a persistent query. */
struct result_query command_describe_query(const struct command *command,
                                           const struct query_entry *query);

/* --- planning: planning.c --- */

void planning_settings(const struct command *command, struct plan_settings *out);
void planning_context(const struct command *command, const struct plan_settings *settings,
                      struct plan_context *out);
/* What a query of this session may hold back. */
int64_t planning_cache_bytes(const struct command *command);
/* That and what others hold back, against a limit of all together; below 0 there is none. */
int planning_check_caches(const struct command *command, const char *limit_name, int64_t held,
                          struct error *err);
struct query_options planning_options(const struct command *command,
                                      const struct physical_plan *plan);
/* CSAS_NAME_0, without a name INSERTQUERY_0; or what the record says. */
struct bytes planning_query_id(const struct command *command, const char *prefix,
                               struct bytes name);
/* transient_NAME_0: of a query whose rows go to a client. */
struct bytes planning_client_id(const struct command *command);
/* The statement as logged and displayed: with what it took over from its topic and settings. */
struct bytes planning_canonical(struct arena *arena, const struct ast_statement *statement,
                                const struct source *source);

/* --- persistent queries: persistent.c --- */

/* ksql.query.persistent.active.limit. */
int persistent_check_limit(const struct command *command, struct error *err);
/* A session cannot ask for more than the server gives. */
int persistent_check_guarantee(const struct command *command, struct error *err);
/* State that a former start left must be readable by what would run now. */
int persistent_check_signature(const struct command *command, const struct physical_plan *plan,
                               struct error *err);
void persistent_put(struct command *command, struct bytes sink, struct bytes sql,
                    const struct physical_plan *plan);

/* --- topics: topics.c --- */

/* The sink or source topic, unless it is there; *created says whether it was not. */
int topic_create_for(struct command *command, const struct change *change, bool *created,
                     struct error *err);
/* The test driver's: a topic that a CREATE names is made with one partition. */
int topic_create_missing(struct command *command, const struct ast_property_list *properties,
                         struct error *err);
/* Whether one of the setting's patterns is the whole name; ours are on every list. */
bool topic_is_listed(const struct property_set *properties, const char *setting,
                     struct bytes topic);

/* --- handlers --- */

int create_source_change(struct command *command, struct change *out, struct error *err);
int create_as_change(struct command *command, struct change *out, struct error *err);
/* ksql.create.or.replace.enabled, for an OR REPLACE of `name`. */
int create_check_replace(const struct command *command, const struct ast_name *name,
                         struct error *err);
int insert_select_change(struct command *command, struct change *out, struct error *err);
int insert_select_plan(struct command *command, const struct physical_plan **out,
                       struct error *err);
/* By CREATE ... AS SELECT: what it is made from cannot be dropped before it. */
bool source_is_made_from(struct arena *arena, const struct source *made, struct bytes name);
int alter_change(struct command *command, struct change *out, struct error *err);
int drop_change(struct command *command, struct change *out, struct error *err);
/* The queries that an id or ALL means. ERR_UNKNOWN_QUERY. */
int query_ref_find(struct command *command, const struct bytes **out, uint32_t *count,
                   struct error *err);
int terminate_change(struct command *command, struct change *out, struct error *err);
int pause_change(struct command *command, struct change *out, struct error *err);
int resume_change(struct command *command, struct change *out, struct error *err);
int insert_values_check(struct command *command, struct error *err);
int insert_values_run(struct command *command, struct error *err);
int select_check(struct command *command, struct error *err);
int select_run(struct command *command, struct error *err);
/* Of a table *lookup is set, of a stream *plan. */
int pull_plan(struct command *command, const struct pull_lookup **lookup,
              const struct physical_plan **plan, struct error *err);
/* Of a SELECT ... EMIT CHANGES: scalable.c. */
bool push_is_scalable(const struct command *command);
int push_scalable_id(const struct command *command, struct bytes *out, struct error *err);
int pull_check(struct command *command, struct error *err);
int pull_run(struct command *command, struct error *err);
int assert_topic_check(struct command *command, struct error *err);
int assert_topic_run(struct command *command, struct error *err);
int print_check(struct command *command, struct error *err);
int print_run(struct command *command, struct error *err);
int show_topics(struct command *command, struct error *err);
int show_run(struct command *command, struct error *err);
int describe_check(struct command *command, struct error *err);
int describe_run(struct command *command, struct error *err);
int function_check(struct command *command, struct error *err);
int function_describe(struct command *command);
int describe_sources(struct command *command, enum source_kind kind, bool extended,
                     struct error *err);
int explain_check(struct command *command, struct error *err);
int explain_run(struct command *command, struct error *err);
/* RUNNING, PAUSED or ERROR. */
const char *query_state_text(const struct command *command, struct bytes id);
/* What is counted of a source, and where its writers stand: into *about. statistics.c. */
void statistics_find(const struct command *command, struct result_source *about);
/* host:port of a node that goes by its URL. */
const char *engine_host(const struct engine *engine);
/* kind: the table's, alone or as one of a list. */
int explain_query(struct command *command, const struct query_entry *query, const char *kind,
                  struct error *err);
int create_connector_change(struct command *command, struct change *out, struct error *err);
/* The statement as it may be told: of a connector the class alone, no other value. */
struct bytes command_shown_text(const struct ast_statement *statement,
                                const struct result_sink *sink, struct arena *arena);
int create_type_change(struct command *command, struct change *out, struct error *err);
int drop_type_change(struct command *command, struct change *out, struct error *err);
int show_types(struct command *command, struct error *err);
int drop_connector_change(struct command *command, struct change *out, struct error *err);
int show_connectors(struct command *command, struct error *err);
int show_connector_plugins(struct command *command, struct error *err);
int check_connector(struct command *command, struct error *err);
int describe_connector(struct command *command, struct error *err);
int set_check(struct command *command, struct error *err);
int set_run(struct command *command, struct error *err);
int unset_check(struct command *command, struct error *err);
int unset_run(struct command *command, struct error *err);
int define_run(struct command *command, struct error *err);
int undefine_run(struct command *command, struct error *err);

/* --- rows of queries: rows.c --- */

void rows_begin(const struct command *command, struct bytes id, const struct schema *schema);
bool rows_tell(const struct command *command, const struct value *cells, bool tombstone,
               int64_t timestamp_ms);
void rows_end(const struct command *command, const char *message);

/* From a client's queue to the sink. */
struct row_taker {
    struct command *command;
    const struct client_plan *client;
    struct row_queue *queue;
    struct arena rows; /* of the row that is being told */
    bool stopped;      /* the one who listens has had enough */
    bool finished;     /* there will be no more */
};

const struct client_plan *rows_find_client(const struct physical_plan *plan);
/* Tells what is there; *any when there was something. */
int row_taker_take(struct row_taker *taker, int64_t wait_ms, bool *any, struct error *err);
bool session_is_cancelled(struct session *session);
/* Whom session_cancel ends; NULL: nobody any more. */
void session_set_client(struct session *session, struct row_queue *queue);

/* --- variables: variables.c --- */

void variable_set_init(struct variable_set *set);
void variable_set_fini(struct variable_set *set);
void variable_set_add_all(struct variable_set *set, const struct variable_set *from);
void variables_show(struct command *command);

/* --- answers: answer.c --- */

void answer_message(const struct command *command, struct bytes message);
void answer_warning(const struct command *command, struct bytes message);
/* A warning that is no result of its own: REST does not tell it. */
void answer_note(const struct command *command, struct bytes message);
void answer_changed(const struct command *command, const struct change *change);
void answer_ended(const struct command *command, struct bytes query_id);

/* Cells are given row by row. */
struct answer_table {
    struct arena *arena;
    struct result_table table;
    VEC(struct bytes) cells;
};
/* columns: texts, NULL at the end. The table's fields and what it describes may be set behind. */
void answer_begin(struct answer_table *answer, struct arena *arena, const char *kind,
                  const char *const *columns);
void answer_cell(struct answer_table *answer, struct bytes text);
void answer_cell_text(struct answer_table *answer, const char *text);
void answer_cell_number(struct answer_table *answer, int64_t number);
void answer_end(struct answer_table *answer, const struct command *command);
/* Columns of a source or query: Field, Type. key_word: " (key)" or " (primary key)". */
void answer_fields(struct answer_table *answer, const struct schema *schema, const char *key_word);
/* The statement on one line. */
struct bytes answer_one_line(struct arena *arena, struct bytes text);
struct bytes answer_take(struct arena *arena, struct buffer *text); /* copies, ends the buffer */

#endif
