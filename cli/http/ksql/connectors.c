/*
 * connectors.c: entities of statements about connectors (rest-api.md 3.1): made of what Kafka
 * Connect would tell.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/http/connect/connect_internal.h"
#include "cli/http/ksql/api_internal.h"

/* ,"name":json; json is given up. */
static void print_json(struct buffer *out, const char *name, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    print_name(out, name);
    buffer_append_text(out, text ? text : "null");
    free(text);
    json_decref(json);
}

const char *print_connector_change(struct buffer *out, const struct result_change *change)
{
    if (change->connector) {
        print_json(out, "info", connect_info(change->connector, change->status));
        return "connector_info";
    }
    if (change->sequence >= 0 && strcmp(change->action, "drop") == 0) {
        print_text(out, "connectorName", change->entity);
        return "drop_connector";
    }
    print_text(out, "message", change->message);
    return "warning_entity";
}

static bool is_topic_of(const struct connector_status *status, struct bytes topic)
{
    for (uint32_t i = 0; i < status->topic_count; i++) {
        if (bytes_equal(status->topics[i], topic)) {
            return true;
        }
    }
    return false;
}

static void print_sources(struct buffer *out, const struct connector_status *status,
                          const struct catalog *catalog, struct arena *arena)
{
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(catalog, arena, &sources);
    bool any = false;

    buffer_append_text(out, ",\"sources\":[");
    for (uint32_t i = 0; i < count; i++) {
        const struct result_source about = { .source = sources[i] };

        if (is_topic_of(status, sources[i]->topic)) {
            buffer_append_text(out, any ? "," : "");
            print_source(out, &about, bytes_of("")); /* nothing is counted here */
            any = true;
        }
    }
    buffer_append_char(out, ']');
}

void print_connector(struct buffer *out, const struct connector_status *status,
                     const struct catalog *catalog, struct arena *arena)
{
    print_text(out, "connectorClass", status->class_name);
    print_json(out, "status", connect_status(status));
    print_sources(out, status, catalog, arena);
    buffer_append_text(out, ",\"topics\":[");
    for (uint32_t i = 0; i < status->topic_count; i++) {
        buffer_append_text(out, i ? "," : "");
        print_quoted(out, status->topics[i]);
    }
    buffer_append_char(out, ']');
}
