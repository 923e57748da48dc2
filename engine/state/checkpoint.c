/*
 * checkpoint.c: the layout of checkpoints, and whether one may be trusted.
 *
 * A changelog that begins behind the mark lacks deletions of keys that the checkpoint may hold.
 */
#include "engine/state/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/database.h"

enum {
    SLOT_BYTES = 2,
    PREFIX_BYTES = SLOT_BYTES + 8 + 4,
    ENTRY_PREFIX_BYTES = PREFIX_BYTES + 1,
    TIME_BYTES = 8,
    MARK_VERSION = 2,
    MARK_BYTES = 1 + 3 * 8,
};

struct checkpoint {
    struct database *database;
    char prefix[PREFIX_BYTES];
    uint64_t incarnation;
    uint64_t signature;
    struct bytes changelog; /* owned */
    struct buffer key;      /* of the last call */
    struct buffer value;
};

/* --- bytes --- */

static void append_number(struct buffer *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;) {
        buffer_append_char(out, (char)(value >> (8 * i)));
    }
}

static uint64_t read_number(const char *at, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | (unsigned char)at[i];
    }
    return value;
}

/* FNV-1a: it must be the same for ever. Names that share one find each other's mark, and no use. */
static uint64_t hash_name(struct bytes name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.data[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static struct bytes make_key(struct checkpoint *checkpoint, char kind, struct bytes key)
{
    checkpoint->key.len = 0;
    buffer_append(&checkpoint->key, checkpoint->prefix, PREFIX_BYTES);
    buffer_append_char(&checkpoint->key, kind);
    buffer_append_bytes(&checkpoint->key, key);
    return buffer_bytes(&checkpoint->key);
}

static const struct bytes no_key = BYTES("");

/* --- checkpoints --- */

struct checkpoint *checkpoint_create(struct database *database,
                                     const struct checkpoint_identity *identity)
{
    struct checkpoint *checkpoint = memory_zalloc(1, sizeof *checkpoint);
    struct bytes name = identity->changelog->name;
    struct buffer prefix = { 0 };
    char *copy = memory_alloc(name.len);

    append_number(&prefix, identity->slot, SLOT_BYTES);
    append_number(&prefix, hash_name(name), 8);
    append_number(&prefix, identity->partition, 4);
    memcpy(checkpoint->prefix, prefix.data, PREFIX_BYTES);
    buffer_fini(&prefix);
    memcpy(copy, name.data, name.len);
    checkpoint->changelog = (struct bytes){ copy, name.len };
    checkpoint->database = database;
    checkpoint->incarnation = identity->changelog->incarnation;
    checkpoint->signature = identity->signature;
    return checkpoint;
}

void checkpoint_destroy(struct checkpoint *checkpoint)
{
    if (checkpoint) {
        free((void *)(uintptr_t)checkpoint->changelog.data);
        buffer_fini(&checkpoint->key);
        buffer_fini(&checkpoint->value);
        free(checkpoint);
    }
}

static int delete_between(struct database *database, struct bytes from, struct bytes upto,
                          struct error *err)
{
    struct database_batch *batch = database_batch_create();
    int code;

    database_delete_range(database, batch, DATABASE_STATE, from, upto);
    code = database_write(database, batch, DATABASE_NO_SYNC, err);
    database_batch_destroy(batch);
    return code;
}

int checkpoint_drop(struct checkpoint *checkpoint, struct error *err)
{
    struct bytes from = { checkpoint->prefix, PREFIX_BYTES };

    return delete_between(checkpoint->database, from, make_key(checkpoint, 'Z', no_key), err);
}

int checkpoint_drop_slot(struct database *database, uint32_t slot, struct error *err)
{
    struct buffer keys = { 0 };
    int code;

    append_number(&keys, slot, SLOT_BYTES);
    append_number(&keys, slot + 1, SLOT_BYTES);
    code = delete_between(database, (struct bytes){ keys.data, SLOT_BYTES },
                          (struct bytes){ keys.data + SLOT_BYTES, SLOT_BYTES }, err);
    buffer_fini(&keys);
    return code;
}

/* --- the mark --- */

void checkpoint_mark(struct checkpoint *checkpoint, struct database_batch *batch, int64_t position)
{
    struct buffer mark = { 0 };
    char key[PREFIX_BYTES + 1];

    memcpy(key, checkpoint->prefix, PREFIX_BYTES);
    key[PREFIX_BYTES] = 'M';
    buffer_append_char(&mark, MARK_VERSION);
    append_number(&mark, checkpoint->incarnation, 8);
    append_number(&mark, checkpoint->signature, 8);
    append_number(&mark, (uint64_t)position, 8);
    buffer_append_bytes(&mark, checkpoint->changelog);
    database_put(checkpoint->database, batch, DATABASE_STATE, (struct bytes){ key, sizeof key },
                 buffer_bytes(&mark));
    buffer_fini(&mark);
}

static bool is_ours(const struct checkpoint *checkpoint, struct bytes mark)
{
    return mark.len >= MARK_BYTES && mark.data[0] == MARK_VERSION &&
           read_number(mark.data + 1, 8) == checkpoint->incarnation &&
           read_number(mark.data + 9, 8) == checkpoint->signature &&
           bytes_equal((struct bytes){ mark.data + MARK_BYTES, mark.len - MARK_BYTES },
                       checkpoint->changelog);
}

int checkpoint_find(struct checkpoint *checkpoint, const struct log_range *changelog,
                    int64_t *position, struct error *err)
{
    struct buffer *mark = &checkpoint->value;
    bool found = false;
    int64_t at;

    TRY(database_get(checkpoint->database, DATABASE_STATE, make_key(checkpoint, 'M', no_key), mark,
                     &found, err));
    if (found && is_ours(checkpoint, buffer_bytes(mark))) {
        at = (int64_t)read_number(mark->data + 17, 8);
        if (at >= changelog->begin && at <= changelog->end) {
            *position = at;
            return 0;
        }
    }
    *position = -1;
    return checkpoint_drop(checkpoint, err); /* entries without a mark, too */
}

/* --- entries --- */

int checkpoint_get(struct checkpoint *checkpoint, struct bytes key, struct buffer *value,
                   bool *found, struct error *err)
{
    TRY(database_get(checkpoint->database, DATABASE_STATE, make_key(checkpoint, 'D', key), value,
                     found, err));
    if (*found && value->len < TIME_BYTES) {
        return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                         "an entry of the checkpoint of '%.*s' is too short",
                         BYTES_ARG(checkpoint->changelog));
    }
    return 0;
}

int checkpoint_get_many(struct checkpoint *checkpoint, const struct bytes *keys, uint32_t count,
                        void (*found)(void *context, uint32_t number, struct bytes value),
                        void *context, struct error *err)
{
    struct bytes *whole = memory_resize(NULL, count, sizeof *whole);
    const char *at;
    int code;

    checkpoint->key.len = 0;
    for (uint32_t i = 0; i < count; i++) {
        buffer_append(&checkpoint->key, checkpoint->prefix, PREFIX_BYTES);
        buffer_append_char(&checkpoint->key, 'D');
        buffer_append_bytes(&checkpoint->key, keys[i]);
    }
    at = checkpoint->key.data; /* it has grown for the last time */
    for (uint32_t i = 0; i < count; i++) {
        whole[i] = (struct bytes){ at, ENTRY_PREFIX_BYTES + keys[i].len };
        at += whole[i].len;
    }
    code =
        database_get_many(checkpoint->database, DATABASE_STATE, whole, count, found, context, err);
    free(whole);
    return code;
}

int64_t checkpoint_value_time(struct bytes value)
{
    return value.len < TIME_BYTES ? 0 : (int64_t)read_number(value.data, TIME_BYTES);
}

struct bytes checkpoint_value_image(struct bytes value)
{
    return value.len < TIME_BYTES
               ? no_key
               : (struct bytes){ value.data + TIME_BYTES, value.len - TIME_BYTES };
}

void checkpoint_put(struct checkpoint *checkpoint, struct database_batch *batch, struct bytes key,
                    struct bytes image, int64_t timestamp_ms)
{
    checkpoint->value.len = 0;
    append_number(&checkpoint->value, (uint64_t)timestamp_ms, TIME_BYTES);
    buffer_append_bytes(&checkpoint->value, image);
    database_put(checkpoint->database, batch, DATABASE_STATE, make_key(checkpoint, 'D', key),
                 buffer_bytes(&checkpoint->value));
}

void checkpoint_delete(struct checkpoint *checkpoint, struct database_batch *batch,
                       struct bytes key)
{
    database_delete(checkpoint->database, batch, DATABASE_STATE, make_key(checkpoint, 'D', key));
}

/* --- scans --- */

struct database_cursor *checkpoint_scan(struct checkpoint *checkpoint)
{
    struct buffer from = { 0 };
    struct database_cursor *cursor;

    buffer_append_bytes(&from, make_key(checkpoint, 'D', no_key));
    cursor = database_cursor_open(checkpoint->database, DATABASE_STATE, buffer_bytes(&from),
                                  make_key(checkpoint, 'E', no_key));
    buffer_fini(&from);
    return cursor;
}

bool checkpoint_seek(struct checkpoint *checkpoint, struct database_cursor *cursor,
                     struct bytes key)
{
    return database_cursor_seek(cursor, make_key(checkpoint, 'D', key));
}

struct bytes checkpoint_cursor_key(const struct database_cursor *cursor)
{
    struct bytes key = database_cursor_key(cursor);

    return (struct bytes){ key.data + ENTRY_PREFIX_BYTES, key.len - ENTRY_PREFIX_BYTES };
}
