/*
 * api_internal.h: what the files of the ksql API share: the API, one request as a job, and how
 * entities and errors are printed.
 */
#ifndef SLUICE_CLI_HTTP_KSQL_API_INTERNAL_H
#define SLUICE_CLI_HTTP_KSQL_API_INTERNAL_H

#include "base/map.h"
#include "cli/http/ksql/api.h"
#include "cli/http/ksql/lane.h"
#include "cli/http/ksql/limits.h"
#include "cli/http/ksql/media.h"
#include "cli/http/reply.h"
#include "cli/output.h"
#include "engine/command/properties.h"
#include "engine/type/row_codec.h"
#include "parser/ast.h"

/* A query that streams, or rows that do; on the stack of the thread that runs it. */
struct active_query {
    struct bytes id;         /* absent: not known yet, or no query */
    struct session *session; /* NULL: rows are read */
    struct reply *inserts;   /* from this; else NULL */
    struct active_query *next;
};

struct ksql_api {
    struct engine *engine;
    struct letterbox *letterbox;
    struct lane commands; /* one thread */
    struct lane queries;
    struct bytes service_id; /* in the arena; so the next two */
    struct bytes cluster_id;
    struct bytes host;  /* "h:p", how others reach this server */
    bool has_heartbeat; /* as their settings say; so the next */
    bool has_lag;
    bool has_internal_listener;
    int64_t response_timeout_ms;
    struct bytes cors_origins; /* access.control.allow.*; in the arena */
    struct bytes cors_methods;
    struct bytes cors_headers;
    struct limits limits;
    pthread_mutex_t mutex; /* all below */
    struct arena arena;
    struct active_query *active;
    bool is_stopping;
    bool is_terminated; /* POST /ksql/terminate was done */
};

/* --- one request, on its way to a thread: job.c --- */

struct ksql_job {
    struct lane_job lane; /* first */
    struct ksql_api *api;
    struct reply *reply;
    enum media media;
    struct bytes accept; /* the header; absent: none */
    bool is_stream;      /* POST /query-stream */
    struct arena arena;
    struct bytes body;
    void (*run)(struct ksql_job *job); /* ends the reply, unless it sets the next */
    struct lane *next;                 /* where `run` is to go on; NULL: it has ended */
};

struct job_spec {
    const enum media *offered; /* NULL: there is no body to choose a form for */
    uint32_t offered_count;
    enum media usual;
    bool streams; /* the client must take answers of unknown length */
    bool is_query_stream;
    bool receives; /* the job reads the body as it comes (reply_read) */
    struct lane *lane;
    void (*run)(struct ksql_job *job);
};

/* Makes a job of the exchange, or answers why not. */
void job_submit(struct exchange *exchange, struct ksql_api *api, const struct job_spec *spec,
                struct bytes body);

/* --- requests: request.c --- */

struct ksql_request {
    struct bytes text;
    const struct property_text *properties;
    uint32_t property_count;
    const struct property_text *variables;
    uint32_t variable_count;
    int64_t sequence;  /* wait for this command; -1: none */
    bool is_forwarded; /* by another node, which is to be told of these partitions alone: */
    const uint32_t *partitions; /* NULL: of all */
    uint32_t partition_count;
};

/* text_name: "ksql" or "sql". Says what is wrong in *err. */
int request_parse(struct bytes body, const char *text_name, struct arena *arena,
                  struct ksql_request *out, struct error *err);
/* A text member of a JSON body; absent: there is none. */
struct bytes request_text(struct bytes body, const char *name, struct arena *arena);
int request_apply(const struct ksql_request *request, struct session *session, struct error *err);
struct bytes request_trim(struct bytes text);

/* --- errors: error_entity.c --- */

struct api_error {
    int status;
    int code; /* error_code */
    struct bytes message;
    struct bytes statement; /* absent: a generic error */
    struct bytes entities;  /* finished before it, as text; absent: none */
};

struct api_error error_entity_make(int status, int code, struct bytes message);
void error_entity_print(const struct api_error *error, struct buffer *out);
/* What an error of the engine is to a client. */
struct api_error error_entity_of(const struct error *err, struct bytes statement,
                                 struct arena *arena);
void error_entity_respond(struct exchange *exchange, const struct api_error *error);
void error_entity_reply(struct reply *reply, const struct api_error *error);

/* --- JSON: print.c --- */

/* ,"name":"text"; absent is null. */
void print_text(struct buffer *out, const char *name, struct bytes text);
void print_name(struct buffer *out, const char *name); /* ,"name": */
void print_quoted(struct buffer *out, struct bytes text);
void print_types(struct buffer *out, const struct schema *types); /* ,"types":{...} by name */
void print_fields(struct buffer *out, const struct schema *schema);
void print_source(struct buffer *out, const struct result_source *source, struct bytes host);
void print_plan(struct buffer *out, const struct result_plan *plan, struct bytes host);
void print_query(struct buffer *out, const struct result_query *query);
void print_function(struct buffer *out, const struct result_function *function);
/* Of a change to a connector: the entity's fields; its type. connectors.c. */
const char *print_connector_change(struct buffer *out, const struct result_change *change);
/* The fields of a described connector; the catalog is the engine's, which is ours meanwhile. */
void print_connector(struct buffer *out, const struct connector_status *status,
                     const struct catalog *catalog, struct arena *arena);
/* "`ID` STRING KEY, `V` BIGINT" as header.schema has it. */
enum key_marks { KEYS_UNMARKED, KEYS_MARKED };
void print_schema_text(struct buffer *out, const struct schema *schema, enum key_marks marks);

/* --- entities of POST /ksql: entities.c --- */

struct entities {
    struct ksql_api *api;
    struct arena arena;      /* of a statement */
    struct bytes checking;   /* statement that is being checked, or run, or was the last */
    struct buffer statement; /* its text: the engine's is gone when an error is told */
    struct buffer text;      /* of all entities, commas between */
    bool list_is_open;
};

void entities_init(struct entities *entities, struct ksql_api *api);
struct result_sink entities_sink(struct entities *entities);
void entities_end(struct entities *entities); /* the last one is complete */
void entities_fini(struct entities *entities);

/* --- rows of queries: rows.c --- */

struct rows {
    struct ksql_job *job;
    struct active_query *active;
    const struct schema *schema;
    struct buffer line;
    struct buffer held; /* V, pull: the element that waits for its separator */
    bool has_begun;
    bool is_push;
    struct bytes statement; /* that is checked */
    struct row_codec codec; /* for another node */
    uint64_t sent_bytes;    /* of rows and what is around them */
};

struct result_sink rows_sink(struct rows *rows);
/* An error behind the header, and the end of the stream. */
void rows_fail(struct rows *rows, const struct api_error *error);
void rows_fini(struct rows *rows);

/* --- what routes run --- */

void statements_open(struct exchange *exchange, void *context);
void terminate_open(struct exchange *exchange, void *context);
void query_open(struct exchange *exchange, void *context);
void query_stream_open(struct exchange *exchange, void *context);
void close_query_open(struct exchange *exchange, void *context);
void inserts_open(struct exchange *exchange, void *context);
void cluster_open(struct exchange *exchange, void *context);
/* The list of those that run: those on it are ended when the API stops. */
void active_enlist(struct ksql_api *api, struct active_query *active);
void active_delist(struct ksql_api *api, struct active_query *active);
bool api_is_stopping(struct ksql_api *api);
/* What streams ends, and from now on all is refused. */
void api_terminate(struct ksql_api *api);
/* False: the server's state forbids an answer, which *out says. */
bool api_check_state(struct ksql_api *api, struct api_error *out);

#endif
