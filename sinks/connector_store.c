/*
 * connector_store.c: a compacted topic: WHAT/connector/option -> value, the newest counts.
 */
#include "sinks/connector_store.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"

enum { POLL_WAIT_MS = 50 };

struct connector_store {
    struct log *log;
    struct arena arena; /* names, and all that was ever kept: there is little of it */
    struct bytes topic_name;
    const struct log_topic *topic; /* NULL: not seen yet */
    struct log_reader *reader;
    struct log_writer *writer;
    struct log_builder builder;
    struct map values; /* key -> struct bytes */
};

struct connector_store *connector_store_create(struct log *log, const char *service_id)
{
    struct connector_store *store = memory_zalloc(1, sizeof *store);

    store->log = log;
    arena_init(&store->arena, 0);
    store->topic_name = arena_printf(&store->arena, "_sluice-%.200s-connectors", service_id);
    map_init(&store->values);
    return store;
}

void connector_store_destroy(struct connector_store *store)
{
    if (!store) {
        return;
    }
    if (store->reader) {
        log_reader_close(store->reader);
    }
    if (store->writer) {
        log_writer_close(store->writer);
    }
    log_builder_fini(&store->builder);
    map_fini(&store->values);
    arena_fini(&store->arena);
    free(store);
}

static struct bytes make_key(struct arena *arena, const char *what, struct bytes connector,
                             struct bytes option)
{
    struct bytes key =
        arena_printf(arena, "%s/%.*s/%.*s", what, BYTES_ARG(connector), BYTES_ARG(option));
    char *text = arena_copy_text(arena, key);

    for (size_t i = 0; i < key.len; i++) {
        text[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
    }
    return (struct bytes){ text, key.len };
}

static void keep(struct connector_store *store, struct bytes key, struct bytes value)
{
    struct bytes *kept;

    if (!value.data) {
        (void)map_remove(&store->values, key); /* it may never have been there */
        return;
    }
    kept = arena_new(&store->arena, struct bytes);
    *kept = arena_copy(&store->arena, value);
    map_put(&store->values, arena_copy(&store->arena, key), kept);
}

/* --- reading --- */

static int open_topic(struct connector_store *store, struct error *err)
{
    struct reader_spec spec = { .client_id = store->topic_name, .isolation = READ_COMMITTED };
    const struct log_topic *topic = NULL;

    if (store->topic) {
        return 0;
    }
    TRY(log_open_topic(store->log, store->topic_name, &topic, err));
    TRY(log_reader_open(store->log, &spec, &store->reader, err));
    TRY(log_reader_assign(store->reader, topic, 0, OFFSET_BEGIN, err));
    store->topic = topic;
    return 0;
}

static int take_block(struct connector_store *store, int64_t wait_ms, bool *any, struct error *err)
{
    struct log_block *block = NULL;
    struct log_place failed;

    TRY(log_reader_poll(store->reader, wait_ms, &block, &failed, err));
    *any = block != NULL;
    for (uint32_t i = 0; block && i < block->record_count; i++) {
        keep(store, block->records[i].key, block->records[i].value);
    }
    if (block) {
        log_block_unref(block);
    }
    return 0;
}

int connector_store_read(struct connector_store *store, struct error *err)
{
    int code = open_topic(store, err);
    bool any;

    if (code == ERR_UNKNOWN_TOPIC) {
        error_clear(err); /* nothing was ever kept */
        return 0;
    }
    TRY(code);
    while (!log_reader_at_end(store->reader)) {
        TRY(take_block(store, POLL_WAIT_MS, &any, err));
    }
    return 0;
}

int connector_store_take(struct connector_store *store, struct error *err)
{
    int code = open_topic(store, err);
    bool any = true;

    if (code == ERR_UNKNOWN_TOPIC) {
        error_clear(err); /* nothing was ever kept */
        return 0;
    }
    while (!code && any) {
        code = take_block(store, 0, &any, err);
    }
    return code;
}

struct bytes connector_store_find(const struct connector_store *store, const char *what,
                                  struct bytes connector, struct bytes option)
{
    const struct bytes *found;
    struct arena arena;

    arena_init(&arena, 0);
    found = map_find(&store->values, make_key(&arena, what, connector, option));
    arena_fini(&arena);
    return found ? *found : (struct bytes){ NULL, 0 };
}

/* --- writing --- */

static int open_writer(struct connector_store *store, struct error *err)
{
    const struct topic_config compacted = { BYTES("cleanup.policy"), BYTES("compact") };
    const struct topic_spec topic = {
        .name = store->topic_name, .partition_count = 1, .configs = &compacted, .config_count = 1
    };
    const struct writer_spec spec = { .client_id = store->topic_name };
    int code = log_create_topic(store->log, &topic, err);

    if (code && code != ERR_TOPIC_EXISTS) {
        return code;
    }
    error_clear(err);
    TRY(open_topic(store, err));
    return store->writer ? 0 : log_writer_open(store->log, &spec, &store->writer, err);
}

int connector_store_put(struct connector_store *store, const char *what, struct bytes connector,
                        struct bytes option, struct bytes value, int64_t now_ms, struct error *err)
{
    struct bytes key = make_key(&store->arena, what, connector, option);

    TRY(open_writer(store, err));
    log_builder_reset(&store->builder);
    log_builder_add(&store->builder, key, value, now_ms, NULL, 0);
    TRY(log_writer_append(store->writer, store->topic, 0, &store->builder, NULL, err));
    TRY(log_writer_flush(store->writer, err));
    keep(store, key, value);
    return 0;
}
