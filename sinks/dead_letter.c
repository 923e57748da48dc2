/*
 * dead_letter.c: records that cannot be written go to a topic, as they came, with headers that
 * say where they were and why they are here.
 *
 * A record is acknowledged by that topic before its offset counts as done, so it may be there
 * twice after a crash, and is never lost. Headers have the names of Kafka Connect's; classes of
 * exceptions are those that tools look for.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sinks/connector_internal.h"

struct dead_letters {
    const struct connector *connector;
    uint32_t task;
    struct bytes topic_name;
    bool has_context;
    const struct log_topic *topic; /* NULL: not opened yet */
    struct log_writer *writer;
    struct log_builder builder;
    struct arena arena; /* of one letter */
};

struct dead_letters *dead_letters_create(const struct connector *c, uint32_t task)
{
    struct bytes topic = options_text(&c->options, "errors.deadletterqueue.topic.name");
    struct dead_letters *letters;

    if (topic.len == 0) {
        return NULL;
    }
    letters = memory_zalloc(1, sizeof *letters);
    letters->connector = c;
    letters->task = task;
    letters->topic_name = topic;
    letters->has_context =
        options_boolean(&c->options, "errors.deadletterqueue.context.headers.enable");
    arena_init(&letters->arena, 0);
    return letters;
}

void dead_letters_destroy(struct dead_letters *letters)
{
    if (!letters) {
        return;
    }
    if (letters->writer) {
        log_writer_close(letters->writer);
    }
    log_builder_fini(&letters->builder);
    arena_fini(&letters->arena);
    free(letters);
}

/* With fewer replicas where there are fewer brokers. */
static int create_topic(struct dead_letters *letters, struct error *err)
{
    int64_t wanted = options_integer(&letters->connector->options,
                                     "errors.deadletterqueue.topic.replication.factor");
    struct topic_spec spec = { .name = letters->topic_name,
                               .partition_count = 1,
                               .replica_count = (uint32_t)wanted };
    int code = log_create_topic(connector_log(letters->connector), &spec, err);

    if (code && code != ERR_TOPIC_EXISTS) {
        spec.replica_count = 0;
        code = log_create_topic(connector_log(letters->connector), &spec, err);
    }
    return code == ERR_TOPIC_EXISTS ? 0 : code;
}

static int open_topic(struct dead_letters *letters, struct error *err)
{
    struct log *log = connector_log(letters->connector);
    const struct writer_spec spec = { .client_id = letters->connector->name };
    int code;

    if (!letters->topic) {
        code = log_open_topic(log, letters->topic_name, &letters->topic, err);
        if (code == ERR_UNKNOWN_TOPIC) {
            TRY(create_topic(letters, err));
            code = log_open_topic(log, letters->topic_name, &letters->topic, err);
        }
        TRY(code);
    }
    return letters->writer ? 0 : log_writer_open(log, &spec, &letters->writer, err);
}

/* --- headers --- */

typedef VEC(struct record_header) header_list;

static void add_header(struct dead_letters *letters, header_list *list, const char *name,
                       struct bytes value)
{
    *vec_push(&letters->arena, list) =
        (struct record_header){ arena_printf(&letters->arena, "__connect.errors.%s", name), value };
}

static void add_context(struct dead_letters *letters, header_list *list,
                        const struct letter *letter)
{
    struct arena *arena = &letters->arena;
    struct bytes message = arena_printf(arena, "%s", letter->why->message);
    const char *class_name = letter->in_decode ? "org.apache.kafka.connect.errors.DataException"
                                               : "org.postgresql.util.PSQLException";

    add_header(letters, list, "topic", bytes_of(letter->origin->topic));
    add_header(letters, list, "partition", arena_printf(arena, "%u", letter->origin->partition));
    add_header(letters, list, "offset", arena_printf(arena, "%" PRId64, letter->origin->offset));
    add_header(letters, list, "connector.name", letters->connector->name);
    add_header(letters, list, "task.id", arena_printf(arena, "%u", letters->task));
    add_header(letters, list, "stage", bytes_of(letter->stage));
    add_header(letters, list, "class.name", letters->connector->class_name);
    add_header(letters, list, "exception.class.name", bytes_of(class_name));
    add_header(letters, list, "exception.message", message);
    add_header(letters, list, "exception.stacktrace",
               arena_printf(arena, "%s: %s", class_name, letter->why->message));
}

/* What Connect does not tell. */
static void add_refusal(struct dead_letters *letters, header_list *list,
                        const struct sink_refusal *refusal)
{
    const struct {
        const char *name, *text;
    } fields[] = { { "sqlstate", refusal->state },
                   { "table", refusal->table },
                   { "column", refusal->column },
                   { "constraint", refusal->constraint } };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].text[0]) {
            add_header(letters, list, fields[i].name, bytes_of(fields[i].text));
        }
    }
}

int dead_letters_put(struct dead_letters *letters, const struct letter *letter, struct error *err)
{
    const struct log_record *record = letter->record;
    header_list headers = { 0 };
    uint32_t partition;

    TRY(open_topic(letters, err));
    arena_reset(&letters->arena);
    for (uint32_t i = 0; i < record->header_count; i++) {
        *vec_push(&letters->arena, &headers) = record->headers[i];
    }
    if (letters->has_context) {
        add_context(letters, &headers, letter);
        add_refusal(letters, &headers, &letter->refusal);
    }
    partition = record->key.data ? log_partition_of(record->key, letters->topic->partition_count)
                                 : (uint32_t)(record->offset % letters->topic->partition_count);
    log_builder_reset(&letters->builder);
    log_builder_add(&letters->builder, record->key, record->value, record->timestamp_ms,
                    headers.items, headers.count);
    TRY(log_writer_append(letters->writer, letters->topic, partition, &letters->builder, NULL,
                          err));
    return log_writer_flush(letters->writer, err);
}
