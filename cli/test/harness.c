/*
 * harness.c: the engine under test, and the log around it.
 *
 * After each statement the catalog is read again: the newest description of every
 * topic is copied (sources by id, so the first one over a topic wins), new queries are
 * appended to the list.
 */
#include "cli/test/harness.h"

#include <stdlib.h>

#include "engine/command/properties.h"
#include "engine/log/database.h"
#include "engine/log/log_disk.h"

enum { SKIPPED_SHOWN = 5, START_MS = 1000, ENDPOINT_PARTITIONS = 4 };

/* As ksqlDB's own cases name internal topics. */
static const char service_id[] = "some.ksql.service.id";

/* --- what the engine leaves out --- */

static void remember_skipped(void *context, struct bytes query_id, const struct row_origin *origin,
                             const char *what, const struct error *err)
{
    struct harness *h = context;

    if (h->skipped_count++ < SKIPPED_SHOWN) {
        buffer_printf(&h->skipped, "  skipped by %.*s: %s offset %lld: %s: %s\n",
                      BYTES_ARG(query_id), origin && origin->topic ? origin->topic : "?",
                      origin ? (long long)origin->offset : -1LL, what ? what : "record",
                      err->message);
    }
}

/* --- open and close --- */

static int set_defaults(struct harness *h, const struct test_options *options, struct error *err)
{
    struct bytes cache = arena_printf(&h->arena, "%lld", (long long)options->cache_bytes);

    TRY(harness_set(h, bytes_of("auto.offset.reset"), bytes_of("earliest"), err));
    return harness_set(h, bytes_of("cache.max.bytes.buffering"), cache, err);
}

/* On disk every entry of state leaves memory after its commit. */
static const struct property_text no_memory = { BYTES("state.memory.bytes"), BYTES("1") };

/* No test cuts the power: nothing is waited for. */
static int open_log(struct harness *h, const struct test_options *options, struct error *err)
{
    struct log_disk_config config = { .fsync = LOG_FSYNC_NEVER };

    if (!options->on_disk) {
        h->log = log_memory_create(&h->clock);
        return 0;
    }
    TRY(scratch_directory_make(h->directory, err));
    TRY(database_open(h->directory, &h->database, err));
    config.database = h->database;
    return log_disk_create(&config, &h->clock, &h->log, err);
}

int harness_open(struct harness *h, const struct test_options *options, enum query_gate gate,
                 struct error *err)
{
    struct engine_config config = {
        .clock = &h->clock,
        .mode = RUNTIME_STEPPED,
        .worker_count = 1,
        .batch_rows = options->batch_rows,
        .changelog_entries = options->crash_every ? 2 : 0,
        .gate = gate,
        .service_id = service_id,
        .create_partitions = 1,
        .skipped = remember_skipped,
        .context = h,
    };

    *h = (struct harness){ 0 };
    arena_init(&h->arena, 0);
    clock_init_virtual(&h->clock, START_MS);
    TRY(open_log(h, options, err));
    config.log = h->log;
    config.database = h->database;
    config.settings = &no_memory;
    config.setting_count = options->on_disk;
    TRY(engine_open(&config, &h->engine, err));
    h->session = session_create(h->engine);
    return set_defaults(h, options, err);
}

int harness_open_threaded(struct harness *h, struct error *err)
{
    struct engine_config config = {
        .clock = &h->clock,
        .mode = RUNTIME_THREADED,
        .worker_count = 1,
        .service_id = service_id,
        .create_partitions = ENDPOINT_PARTITIONS,
        .skipped = remember_skipped,
        .context = h,
    };

    *h = (struct harness){ 0 };
    arena_init(&h->arena, 0);
    clock_init_real(&h->clock);
    h->log = log_memory_create(&h->clock);
    config.log = h->log;
    TRY(engine_open(&config, &h->engine, err));
    h->session = session_create(h->engine);
    return 0;
}

void harness_close(struct harness *h)
{
    if (h->session) {
        session_destroy(h->session);
    }
    if (h->engine) {
        engine_close(h->engine);
    }
    if (h->log) {
        log_close(h->log);
    }
    database_close(h->database);
    if (h->directory[0]) {
        scratch_directory_remove(h->directory);
    }
    buffer_fini(&h->skipped);
    arena_fini(&h->arena);
    *h = (struct harness){ 0 };
}

int harness_set(struct harness *h, struct bytes name, struct bytes value, struct error *err)
{
    return session_set_property(h->session, name, value, err);
}

/* --- statements --- */

static struct topic_form *find_form(const struct harness *h, struct bytes topic)
{
    for (uint32_t i = 0; i < h->forms.count; i++) {
        if (bytes_equal(h->forms.items[i].topic, topic)) {
            return &h->forms.items[i];
        }
    }
    return NULL;
}

static int compare_source_ids(const void *a, const void *b)
{
    const struct source *const *left = a;
    const struct source *const *right = b;

    return ((*left)->id > (*right)->id) - ((*left)->id < (*right)->id);
}

static void note_source(struct harness *h, const struct source *source)
{
    struct topic_form *form = find_form(h, source->topic);
    struct source *copy = arena_new(&h->arena, struct source);

    if (!form) {
        form = vec_push(&h->arena, &h->forms);
    }
    source_copy(&h->arena, source, copy);
    *form = (struct topic_form){ .topic = copy->topic,
                                 .source = copy,
                                 .key_format = copy->key_format.kind,
                                 .value_format = copy->value_format.kind };
}

static void note_sources(struct harness *h)
{
    const struct source *const *sources = NULL;
    uint32_t count = catalog_list_sources(engine_catalog(h->engine), &h->arena, &sources);
    const struct source **sorted = arena_array(&h->arena, const struct source *, count);

    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = sources[i];
    }
    qsort(sorted, count, sizeof *sorted, compare_source_ids);
    for (uint32_t i = 0; i < count; i++) {
        bool first = true;

        for (uint32_t j = 0; j < i; j++) {
            first = first && !bytes_equal(sorted[j]->topic, sorted[i]->topic);
        }
        if (first) {
            note_source(h, sorted[i]);
        }
    }
}

static void note_queries(struct harness *h)
{
    const struct query_entry *const *entries = NULL;
    uint32_t count = catalog_list_queries(engine_catalog(h->engine), &h->arena, &entries);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t known = 0;

        while (known < h->queries.count && !bytes_equal(h->queries.items[known], entries[i]->id)) {
            known++;
        }
        if (known == h->queries.count) {
            *vec_push(&h->arena, &h->queries) = arena_copy(&h->arena, entries[i]->id);
        }
    }
}

void harness_note(struct harness *h)
{
    note_sources(h);
    note_queries(h);
}

int harness_execute(struct harness *h, struct bytes statement, struct error *err)
{
    static const struct result_sink ignore = { 0 };

    TRY(engine_execute(h->engine, h->session, statement, &ignore, err));
    harness_note(h);
    return 0;
}

int harness_check_queries(struct harness *h, struct error *err)
{
    for (uint32_t i = 0; i < h->queries.count; i++) {
        struct bytes id = h->queries.items[i];
        struct query_status status = { 0 };

        if (!catalog_find_query(engine_catalog(h->engine), id)) {
            continue;
        }
        TRY(runtime_query_status(engine_runtime(h->engine), id, &status, err));
        if (status.state == QUERY_ERROR) {
            return error_set(err, ERR_QUERY_FAILED, NO_POSITION, "query %.*s stopped: %s: %s",
                             BYTES_ARG(id), error_name(status.error.code), status.error.message);
        }
    }
    return 0;
}

/* --- topics --- */

const struct topic_form *harness_form(const struct harness *h, struct bytes topic)
{
    return find_form(h, topic);
}

int harness_add_topic(struct harness *h, struct bytes name, uint32_t partition_count,
                      const struct format_kind *key, const struct format_kind *value,
                      struct error *err)
{
    struct topic_spec spec = { .name = name, .partition_count = partition_count };

    TRY(log_create_topic(h->log, &spec, err));
    *vec_push(&h->arena, &h->forms) = (struct topic_form){ .topic = arena_copy(&h->arena, name),
                                                           .key_format = key,
                                                           .value_format = value };
    return 0;
}

int harness_topic(struct harness *h, struct bytes name, const struct log_topic **out,
                  struct error *err)
{
    struct topic_spec spec = { .name = name, .partition_count = 1 };
    int code = log_open_topic(h->log, name, out, err);

    if (code == ERR_UNKNOWN_TOPIC) {
        error_clear(err);
        TRY(log_create_topic(h->log, &spec, err));
        code = log_open_topic(h->log, name, out, err);
    }
    return code;
}

/* --- records --- */

int harness_append(struct harness *h, const struct log_topic *topic,
                   const struct kept_record *record, int64_t *offset, struct error *err)
{
    struct writer_spec spec = { .client_id = bytes_of("test") };
    struct log_builder builder = { 0 };
    struct log_range range = { 0, 0 };
    struct log_writer *writer = NULL;
    int code = log_topic_range(h->log, topic, record->partition, READ_UNCOMMITTED, &range, err);

    if (!code) {
        code = log_writer_open(h->log, &spec, &writer, err);
    }
    if (!code) {
        log_builder_add(&builder, record->key, record->value, record->timestamp_ms, record->headers,
                        record->header_count);
        code = log_writer_append(writer, topic, record->partition, &builder, NULL, err);
    }
    if (!code) {
        code = log_writer_flush(writer, err);
    }
    if (!code) {
        *offset = range.end;
    }
    if (writer) {
        log_writer_close(writer);
    }
    log_builder_fini(&builder);
    return code;
}

typedef VEC(struct kept_record) record_list;

static void keep_record(struct arena *arena, const struct log_block *block,
                        const struct log_record *record, record_list *out)
{
    struct record_header *headers = arena_array(arena, struct record_header, record->header_count);

    for (uint32_t i = 0; i < record->header_count; i++) {
        headers[i].key = arena_copy(arena, record->headers[i].key);
        headers[i].value = arena_copy(arena, record->headers[i].value);
    }
    *vec_push(arena, out) = (struct kept_record){ .partition = block->partition,
                                                  .offset = record->offset,
                                                  .timestamp_ms = record->timestamp_ms,
                                                  .key = arena_copy(arena, record->key),
                                                  .value = arena_copy(arena, record->value),
                                                  .headers = headers,
                                                  .header_count = record->header_count };
}

static int read_partition(struct harness *h, const struct log_topic *topic, uint32_t partition,
                          record_list *out, struct error *err)
{
    struct reader_spec spec = { .client_id = bytes_of("test"), .isolation = READ_COMMITTED };
    struct log_reader *reader = NULL;
    struct log_block *block = NULL;
    struct log_place failed = { 0 };
    int code = log_reader_open(h->log, &spec, &reader, err);

    if (!code) {
        code = log_reader_assign(reader, topic, partition, OFFSET_BEGIN, err);
    }
    while (!code && !(code = log_reader_poll(reader, 0, &block, &failed, err)) && block) {
        for (uint32_t i = 0; i < block->record_count; i++) {
            keep_record(&h->arena, block, &block->records[i], out);
        }
        log_block_unref(block);
        block = NULL;
    }
    if (reader) {
        log_reader_close(reader);
    }
    return code;
}

int harness_read(struct harness *h, struct bytes topic, struct kept_record **out, uint32_t *count,
                 struct error *err)
{
    const struct log_topic *opened = NULL;
    record_list records = { 0 };
    int code = log_open_topic(h->log, topic, &opened, err);

    if (code == ERR_UNKNOWN_TOPIC) {
        error_clear(err);
        *out = NULL;
        *count = 0;
        return 0;
    }
    TRY(code);
    for (uint32_t partition = 0; partition < opened->partition_count; partition++) {
        TRY(read_partition(h, opened, partition, &records, err));
    }
    *out = records.items;
    *count = records.count;
    return 0;
}
