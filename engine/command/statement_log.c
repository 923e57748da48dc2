/*
 * statement_log.c: statements as JSON records of a topic with one partition.
 *
 * The writer is opened at the first append and kept. After an append whose outcome is unknown it
 * is closed: the next lock opens another one and the topic tells what came to be: each record
 * carries an id of its own, by which its writer knows it again.
 */
#include "engine/command/statement_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/data_directory.h"
#include "base/memory.h"
#include "base/vec.h"

enum {
    POLL_WAIT_MS = 50,
    IDLE_POLLS_MAX = 300, /* 15 s without a record */
    TRANSACTION_TIMEOUT_MS = 10000,
    NAME_MAX_BYTES = 300
};

struct statement_log {
    struct log *log;
    char topic_name[NAME_MAX_BYTES];
    char writer_name[NAME_MAX_BYTES]; /* the transactional id of whoever writes */
    char *client_id;
    const struct log_topic *topic; /* NULL: not seen yet */
    struct log_reader *reader;
    struct log_writer *writer;
    struct log_builder builder;
    int64_t record_count;      /* read so far */
    int64_t own_end;           /* behind what this process appended */
    char own_id[NODE_ID_SIZE]; /* of what it appended last; "": nothing yet */
    bool has_own;              /* it was read */
};

struct statement_log *statement_log_create(struct log *log, const char *service_id,
                                           const char *client_id)
{
    size_t size = strlen(client_id) + 1;

    struct statement_log *slog = memory_zalloc(1, sizeof *slog);
    struct buffer name = { 0 };

    slog->log = log;
    slog->client_id = memcpy(memory_alloc(size), client_id, size);
    buffer_printf(&name, "_sluice-%.200s-statements", service_id);
    memcpy(slog->topic_name, name.data, name.len);
    memcpy(slog->writer_name, name.data, name.len);
    buffer_fini(&name);
    return slog;
}

void statement_log_destroy(struct statement_log *slog)
{
    if (!slog) {
        return;
    }
    if (slog->reader) {
        log_reader_close(slog->reader);
    }
    if (slog->writer) {
        log_writer_close(slog->writer);
    }
    log_builder_fini(&slog->builder);
    free(slog->client_id);
    free(slog);
}

/* --- records as JSON --- */

static json_t *text_to_json(struct bytes text)
{
    return json_stringn(text.data, text.len);
}

static void print_record(const struct statement_record *record, const char *id, struct buffer *out)
{
    json_t *object = json_object();
    json_t *properties = json_object();
    char *text;

    for (uint32_t i = 0; i < record->property_count; i++) {
        struct bytes name = record->properties[i].name;

        json_object_setn_new(properties, name.data, name.len,
                             text_to_json(record->properties[i].value));
    }
    json_object_set_new(object, "version", json_integer(STATEMENT_FORMAT_VERSION));
    json_object_set_new(object, "id", json_string(id));
    json_object_set_new(object, "sql", text_to_json(record->sql));
    json_object_set_new(object, "properties", properties);
    if (record->query_id.data) {
        json_object_set_new(object, "query", text_to_json(record->query_id));
    }
    json_object_set_new(object, "planner", json_integer(record->planner));
    if (record->has_signature) {
        json_object_set_new(object, "signature", json_sprintf("%016" PRIx64, record->signature));
    }
    text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
    buffer_append_text(out, text);
    free(text);
    json_decref(object);
}

static struct bytes json_to_text(const json_t *value, struct arena *arena)
{
    if (!json_is_string(value)) {
        return (struct bytes){ NULL, 0 };
    }
    return arena_copy(arena, (struct bytes){ json_string_value(value), json_string_length(value) });
}

static void parse_properties(json_t *object, struct arena *arena, struct statement_record *out)
{
    struct property_text *list = arena_array(arena, struct property_text, json_object_size(object));
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        struct bytes text = json_to_text(value, arena);

        if (text.data) {
            list[out->property_count++] =
                (struct property_text){ arena_copy(arena, bytes_of(name)), text };
        }
    }
    out->properties = list;
}

static bool is_own(const struct statement_log *slog, const json_t *id)
{
    return *slog->own_id && json_is_string(id) && strcmp(json_string_value(id), slog->own_id) == 0;
}

static struct statement_record parse_record(const struct statement_log *slog, struct bytes text,
                                            struct arena *arena)
{
    struct statement_record record = { 0 };
    json_t *object = text.data ? json_loadb(text.data, text.len, 0, NULL) : NULL;
    const char *signature = json_string_value(json_object_get(object, "signature"));

    if (json_integer_value(json_object_get(object, "version")) == STATEMENT_FORMAT_VERSION) {
        record.sql = json_to_text(json_object_get(object, "sql"), arena);
        record.query_id = json_to_text(json_object_get(object, "query"), arena);
        record.planner = (uint32_t)json_integer_value(json_object_get(object, "planner"));
        parse_properties(json_object_get(object, "properties"), arena, &record);
        record.has_signature = signature != NULL;
        record.is_own = is_own(slog, json_object_get(object, "id"));
        record.signature = signature ? strtoull(signature, NULL, 16) : 0;
    }
    json_decref(object);
    return record;
}

/* --- the topic --- */

static int open_topic(struct statement_log *slog, struct error *err)
{
    struct reader_spec spec = { .client_id = bytes_of(slog->client_id),
                                .isolation = READ_COMMITTED };
    const struct log_topic *topic = NULL;

    if (slog->topic) {
        return 0;
    }
    TRY(log_open_topic(slog->log, bytes_of(slog->topic_name), &topic, err));
    TRY(log_reader_open(slog->log, &spec, &slog->reader, err));
    TRY(log_reader_assign(slog->reader, topic, 0, OFFSET_BEGIN, err));
    slog->topic = topic;
    return 0;
}

static int create_topic(struct statement_log *slog, struct error *err)
{
    const struct topic_config forever = { BYTES("retention.ms"), BYTES("-1") };
    struct topic_spec spec = { .name = bytes_of(slog->topic_name),
                               .partition_count = 1,
                               .configs = &forever,
                               .config_count = 1 };
    int code = log_create_topic(slog->log, &spec, err);

    return code == ERR_TOPIC_EXISTS ? 0 : code;
}

/* --- reading --- */

typedef VEC(struct statement_record) record_list;

static void add_block(struct statement_log *slog, const struct log_block *block,
                      struct arena *arena, record_list *list)
{
    for (uint32_t i = 0; i < block->record_count; i++) {
        struct statement_record record = parse_record(slog, block->records[i].value, arena);

        slog->has_own = slog->has_own || record.is_own;
        *vec_push(arena, list) = record;
    }
}

static int poll_records(struct statement_log *slog, int64_t wait_ms, struct arena *arena,
                        record_list *list, struct error *err)
{
    struct log_block *block = NULL;
    struct log_place failed;

    TRY(log_reader_poll(slog->reader, wait_ms, &block, &failed, err));
    if (block) {
        add_block(slog, block, arena, list);
        log_block_unref(block);
    }
    return 0;
}

/*
 * Where the log ends now. Kafka answers a commit before readers may see the records; one's own are
 * waited for.
 */
static int find_end(struct statement_log *slog, int64_t *out, struct error *err)
{
    struct log_range range;

    TRY(log_topic_range(slog->log, slog->topic, 0, READ_COMMITTED, &range, err));
    *out = range.end > slog->own_end ? range.end : slog->own_end;
    return 0;
}

static int read_to_end(struct statement_log *slog, struct arena *arena, record_list *list,
                       struct error *err)
{
    int64_t end = 0;
    uint32_t idle = 0;

    TRY(find_end(slog, &end, err));
    while (log_reader_position(slog->reader, slog->topic, 0) < end && idle < IDLE_POLLS_MAX) {
        uint32_t before = list->count;

        TRY(poll_records(slog, POLL_WAIT_MS, arena, list, err));
        idle = list->count > before ? 0 : idle + 1;
    }
    return idle < IDLE_POLLS_MAX
               ? 0
               : error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                           "The statement log %s cannot be read to its end", slog->topic_name);
}

static int read_arrived(struct statement_log *slog, struct arena *arena, record_list *list,
                        struct error *err)
{
    uint32_t before;

    do {
        before = list->count;
        TRY(poll_records(slog, 0, arena, list, err));
    } while (list->count > before);
    return 0;
}

int statement_log_read(struct statement_log *slog, enum statement_log_extent extent,
                       struct arena *arena, const struct statement_record **out, uint32_t *count,
                       struct error *err)
{
    record_list list = { 0 };
    int code = open_topic(slog, err);

    if (code == ERR_UNKNOWN_TOPIC) {
        error_clear(err); /* nothing was ever appended */
        code = 0;
    } else if (!code) {
        code = extent == STATEMENTS_TO_END ? read_to_end(slog, arena, &list, err)
                                           : read_arrived(slog, arena, &list, err);
    }
    slog->record_count += list.count;
    *out = list.items; /* what came before an error is told, or it would be lost */
    *count = list.count;
    return code;
}

/* --- writing --- */

int statement_log_lock(struct statement_log *slog, struct error *err)
{
    struct writer_spec spec = {
        .client_id = bytes_of(slog->client_id),
        .transactional_id = bytes_of(slog->writer_name),
        .transaction_timeout_ms = TRANSACTION_TIMEOUT_MS,
    };

    if (slog->writer) {
        return 0;
    }
    TRY(create_topic(slog, err));
    TRY(open_topic(slog, err));
    return log_writer_open(slog->log, &spec, &slog->writer, err);
}

static int append(struct statement_log *slog, struct error *err)
{
    struct log_range range;

    TRY(log_writer_begin(slog->writer, err));
    TRY(log_writer_append(slog->writer, slog->topic, 0, &slog->builder, NULL, err));
    TRY(log_writer_commit(slog->writer, err));
    TRY(log_topic_range(slog->log, slog->topic, 0, READ_UNCOMMITTED, &range, err));
    slog->own_end = range.end;
    return 0;
}

bool statement_log_has_own(const struct statement_log *slog)
{
    return slog->has_own;
}

static int make_id(struct statement_log *slog, struct error *err)
{
    char id[NODE_ID_SIZE];

    TRY(node_id_make(id, err));
    memcpy(slog->own_id, id, sizeof id);
    slog->has_own = false;
    return 0;
}

int statement_log_append(struct statement_log *slog, const struct statement_record *record,
                         int64_t now_ms, int64_t *sequence, struct error *err)
{
    struct buffer text = { 0 };
    int code;

    TRY(make_id(slog, err));
    print_record(record, slog->own_id, &text);
    log_builder_reset(&slog->builder);
    log_builder_add(&slog->builder, (struct bytes){ NULL, 0 }, buffer_bytes(&text), now_ms, NULL,
                    0);
    buffer_fini(&text);
    code = append(slog, err);
    if (code) {
        log_writer_close(slog->writer);
        slog->writer = NULL;
        return code;
    }
    *sequence = slog->record_count; /* all before it were read: the caller holds the lock */
    return 0;
}
