/*
 * connect_internal.h: one request of the Connect API on its way.
 */
#ifndef SLUICE_CLI_HTTP_CONNECT_CONNECT_INTERNAL_H
#define SLUICE_CLI_HTTP_CONNECT_CONNECT_INTERNAL_H

#include <jansson.h>

#include "cli/http/ksql/api_internal.h"

enum { CONNECT_PARTS_MAX = 4 };

struct connect_job {
    struct lane_job lane; /* first */
    struct ksql_api *api;
    struct reply *reply;
    struct arena arena;
    struct bytes method;
    struct bytes root;                     /* /connectors, /connector-plugins */
    struct bytes parts[CONNECT_PARTS_MAX]; /* of the path behind that */
    uint32_t part_count;
    struct bytes query;
    struct bytes body;
    bool takes_json; /* false: the body says that it is something else */
};

/* Each of these ends the reply. */
void connect_run(struct connect_job *job);
void connect_list_plugins(struct connect_job *job);
void connect_describe_plugin(struct connect_job *job);
void connect_validate_plugin(struct connect_job *job);
void connect_get_offsets(struct connect_job *job);
void connect_patch_offsets(struct connect_job *job);
void connect_delete_offsets(struct connect_job *job);

/* json is given up; NULL: no body. */
void connect_answer(struct connect_job *job, int status, json_t *json);
void connect_answer_error(struct connect_job *job, int status, struct bytes message);

/* An object of texts, numbers and booleans, as texts. Says what is wrong. */
const char *connect_read_config(const json_t *config, struct bytes name, struct arena *arena,
                                struct connector_entry *out);
json_t *connect_info(const struct connector_entry *entry, const struct connector_status *status);
json_t *connect_config(const struct connector_entry *entry);
/* Only where there are some: a program that reads strictly sees what Connect says. */
void connect_add_warnings(json_t *object, const struct connector_status *status);
json_t *connect_status(const struct connector_status *status);
json_t *connect_task_status(const struct connector_status *status, uint32_t task);
json_t *connect_plugin(const struct connector_plugin *plugin);
json_t *connect_text(struct bytes text);

#endif
