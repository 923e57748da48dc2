/*
 * test_store_checkpoint.c: a store that saves, forgets and reads back is like one that remembers.
 *
 * A model of a few keys goes beside the store through random puts, deletes, commits, saves,
 * agings and recoveries; the changelog is kept as blocks of records that can be replayed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scratch_directory.h"
#include "engine/log/database.h"
#include "engine/log/log_kind.h"
#include "engine/state/checkpoint.h"
#include "engine/state/store.h"

enum { ENTRIES_LEAST = 1000, KEYS = 40, STEPS = 6000, CHANGELOG_MAX = 100000 };

struct world {
    char directory[SCRATCH_PATH_MAX];
    struct database *database;
    struct log_topic changelog;
    struct checkpoint_identity identity;
    struct store *store;
    int values[KEYS];    /* 0: absent */
    int committed[KEYS]; /* as of the last commit */
    struct log_record *records;
    uint32_t record_count;
    uint32_t begin; /* before it they are deleted */
    uint32_t purges;
    struct arena arena;
    uint64_t random;
    struct error err;
};

static uint32_t draw(struct world *w, uint32_t below)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->random >> 33) % below;
}

static void open_store(struct world *w)
{
    w->store = store_create(STORE_DURABLE);
    store_attach_checkpoint(w->store, checkpoint_create(w->database, &w->identity));
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    *state = w;
    w->changelog = (struct log_topic){ .name = BYTES("changelog"), .incarnation = 3 };
    w->identity =
        (struct checkpoint_identity){ .slot = 7, .changelog = &w->changelog, .signature = 5 };
    w->records = calloc(CHANGELOG_MAX, sizeof *w->records);
    w->random = 42;
    arena_init(&w->arena, 0);
    if (scratch_directory_make(w->directory, &w->err) ||
        database_open(w->directory, &w->database, &w->err)) {
        return -1;
    }
    open_store(w);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    store_destroy(w->store);
    database_close(w->database);
    scratch_directory_remove(w->directory);
    arena_fini(&w->arena);
    free(w->records);
    free(w);
    return 0;
}

static struct bytes key_of(int number, char *text)
{
    (void)snprintf(text, 16, "key-%02d", number);
    return bytes_of(text);
}

static void put(struct world *w, int key, int value)
{
    char name[16];
    char image[16];

    (void)snprintf(image, sizeof image, "%d", value);
    store_put(w->store, key_of(key, name), bytes_of(image), value);
    w->values[key] = value;
}

static void delete_key(struct world *w, int key)
{
    char name[16];

    assert_int_equal(store_delete(w->store, key_of(key, name)), w->values[key] != 0);
    w->values[key] = 0;
}

static void check_key(struct world *w, int key)
{
    char name[16];
    char image[16];
    struct store_entry entry;

    assert_int_equal(store_get(w->store, key_of(key, name), &entry), w->values[key] != 0);
    if (w->values[key]) {
        (void)snprintf(image, sizeof image, "%d", w->values[key]);
        assert_true(bytes_equal_text(entry.image, image));
        assert_int_equal(entry.timestamp_ms, w->values[key]);
    }
}

/* All keys from one on, a few at a time. */
static void check_scan(struct world *w, int from, uint32_t limit)
{
    char name[16];
    struct bytes first = key_of(from, name);
    struct store_range range = { .from = first };
    struct store_item items[5];
    char last[16];
    uint32_t count;
    int key = from;

    do {
        count = store_scan(w->store, &range, items, limit);
        for (uint32_t i = 0; i < count; i++) {
            char expected[16];

            while (key < KEYS && !w->values[key]) {
                key++;
            }
            assert_true(key < KEYS);
            assert_true(bytes_equal(items[i].key, key_of(key, expected)));
            (void)snprintf(expected, sizeof expected, "%d", w->values[key++]);
            assert_true(bytes_equal_text(items[i].entry.image, expected));
        }
        if (count) {
            memcpy(last, items[count - 1].key.data, items[count - 1].key.len);
            range.from = (struct bytes){ last, items[count - 1].key.len };
            range.after_from = true;
        }
    } while (count == limit);
    while (key < KEYS && !w->values[key]) {
        key++;
    }
    assert_int_equal(key, KEYS);
}

static void write_all(struct world *w, struct log_builder *builder)
{
    if (store_rewrite_is_due(w->store, ENTRIES_LEAST)) {
        store_rewrite_begin(w->store, w->record_count);
    }
    store_write_begin(w->store);
    while (store_write_next(w->store, builder)) {
    }
}

static void note_committed(struct world *w)
{
    int64_t before;

    store_committed(w->store);
    before = store_rewritten(w->store);
    if (before >= 0) {
        assert_true(before > w->begin);
        w->begin = (uint32_t)before;
        w->purges++;
    }
}

static void commit(struct world *w)
{
    struct log_builder builder = { 0 };
    const struct log_record *records;

    write_all(w, &builder);
    records = log_builder_records(&builder, &w->arena);
    for (uint32_t i = 0; i < builder.record_count; i++) {
        struct log_record *to = &w->records[w->record_count];

        assert_true(w->record_count < CHANGELOG_MAX);
        *to = records[i];
        to->key = arena_copy(&w->arena, records[i].key);
        to->value = arena_copy(&w->arena, records[i].value);
        to->offset = w->record_count++;
    }
    log_builder_fini(&builder);
    note_committed(w);
    memcpy(w->committed, w->values, sizeof w->values);
}

static void save(struct world *w, int64_t position)
{
    struct database_batch *batch = database_batch_create();
    uint32_t at = 0;

    while (store_save(w->store, &at, batch)) {
    }
    checkpoint_mark(store_checkpoint(w->store), batch, position);
    assert_int_equal(database_write(w->database, batch, DATABASE_NO_SYNC, &w->err), 0);
    database_batch_destroy(batch);
    store_saved(w->store);
    assert_int_equal(store_unsaved(w->store), 0);
}

static void recover(struct world *w, size_t bytes_max)
{
    struct log_range range = { w->begin, w->record_count };
    int64_t position = 0;

    store_destroy(w->store);
    open_store(w);
    memcpy(w->values, w->committed, sizeof w->values);
    assert_int_equal(checkpoint_find(store_checkpoint(w->store), &range, &position, &w->err), 0);
    assert_int_equal(store_load(w->store, bytes_max, &w->err), 0);
    for (int64_t at = position < 0 ? w->begin : position; at < w->record_count; at++) {
        struct log_block block = { .records = &w->records[at], .record_count = 1 };

        assert_int_equal(store_restore(w->store, &block, &w->err), 0);
    }
    assert_false(store_has_changes(w->store));
}

static void step(struct world *w, int number)
{
    uint32_t what = draw(w, 100);

    if (what < 45) {
        put(w, (int)draw(w, KEYS), number + 1);
    } else if (what < 60) {
        delete_key(w, (int)draw(w, KEYS));
    } else if (what < 75) {
        check_key(w, (int)draw(w, KEYS));
    } else if (what < 80) {
        check_scan(w, (int)draw(w, KEYS), 1 + draw(w, 5));
    } else if (what < 92) {
        commit(w);
    } else if (what < 96) {
        commit(w);
        save(w, w->record_count);
    } else if (what < 98) {
        commit(w);
        save(w, w->record_count);
        store_age(w->store);
    } else {
        recover(w, draw(w, 2) ? SIZE_MAX : 1);
    }
}

static void saved_store_is_like_one_in_memory(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < STEPS; i++) {
        step(w, i);
        assert_int_equal(store_check(w->store, &w->err), 0);
    }
    for (int key = 0; key < KEYS; key++) {
        check_key(w, key);
    }
}

/*
 * Keys in memory, in the table that ages, in the checkpoint alone; commits, saves and recoveries
 * from what is left of the changelog, at any time. A lost checkpoint shows whether the changelog
 * has all.
 */
static void what_is_out_of_date_is_not_needed(void **state)
{
    enum { ROUNDS = 4000, PER_COMMIT = 30 };
    struct world *w = *state;

    for (int i = 0; i < ROUNDS; i++) {
        uint32_t what = draw(w, 100);

        for (uint32_t n = draw(w, PER_COMMIT); n > 0; n--) {
            int key = (int)draw(w, KEYS);

            if (draw(w, 8)) {
                put(w, key, i + 1);
            } else {
                delete_key(w, key);
            }
        }
        commit(w);
        if (what < 20) {
            save(w, w->record_count);
        }
        if (what < 8) {
            store_age(w->store);
        } else if (what > 96) {
            if (draw(w, 2)) {
                assert_int_equal(checkpoint_drop(store_checkpoint(w->store), &w->err), 0);
            }
            recover(w, draw(w, 2) ? SIZE_MAX : 1);
            for (int key = 0; key < KEYS; key++) {
                check_key(w, key);
            }
        }
        assert_int_equal(store_check(w->store, &w->err), 0);
    }
    assert_true(w->purges > 2);
}

/* --- more than fits --- */

enum { MANY = 12000, KEPT = 2000, YOUNG_MAX = 40000, STATE_MAX = 220000, PER_COMMIT = 100 };

static struct bytes many_key(uint32_t number, char text[16])
{
    (void)snprintf(text, 16, "n%05u", number * 7919 % MANY);
    return bytes_of(text);
}

static void put_many(struct world *w, uint32_t number, uint32_t value)
{
    char text[16];

    store_put(w->store, many_key(number, text), (struct bytes){ (const char *)&value, 4 }, 1);
}

/* As the runtime does: what is committed is saved and ages when there is too much. */
static void settle_many(struct world *w)
{
    struct log_builder builder = { 0 };

    write_all(w, &builder);
    w->record_count += builder.record_count;
    log_builder_fini(&builder);
    note_committed(w);
    if (store_young_bytes(w->store) > YOUNG_MAX) {
        save(w, 0);
        store_age(w->store);
    }
    assert_true(store_bytes(w->store) < STATE_MAX);
}

static void check_many(struct world *w, uint32_t from, uint32_t upto, bool is_there)
{
    for (uint32_t i = from; i < upto; i += PER_COMMIT) {
        char text[PER_COMMIT][16];
        struct bytes keys[PER_COMMIT];

        for (uint32_t k = 0; k < PER_COMMIT; k++) {
            keys[k] = many_key(i + k - k % 2, text[k]); /* every other one twice */
        }
        store_prefetch(w->store, keys, PER_COMMIT);
        for (uint32_t k = 0; k < PER_COMMIT; k++) {
            struct store_entry entry;
            uint32_t value;

            assert_int_equal(store_get(w->store, many_key(i + k, text[0]), &entry), is_there);
            if (is_there) {
                memcpy(&value, entry.image.data, sizeof value);
                assert_int_equal(value, i + k);
            }
        }
        settle_many(w);
    }
    assert_int_equal(store_check(w->store, &w->err), 0);
}

static void put_all(struct world *w)
{
    for (uint32_t i = 0; i < MANY; i++) {
        put_many(w, i, i);
        if ((i + 1) % PER_COMMIT == 0) {
            settle_many(w);
        }
    }
}

/* All but the first ones. */
static void delete_most(struct world *w)
{
    for (uint32_t i = KEPT; i < MANY; i++) {
        char text[16];

        assert_true(store_delete(w->store, many_key(i, text)));
        if ((i + 1) % PER_COMMIT == 0) {
            settle_many(w);
        }
    }
}

static void state_larger_than_memory_is_all_there(void **state)
{
    struct world *w = *state;

    put_all(w);
    check_many(w, 0, MANY, true);
    delete_most(w);
    check_many(w, KEPT, MANY, false);
    check_many(w, 0, KEPT, true);
    put_all(w); /* the filter was made anew meanwhile */
    check_many(w, 0, MANY, true);
}

static void state_larger_than_memory_is_all_there_after_a_restart(void **state)
{
    struct world *w = *state;

    put_all(w);
    save(w, 0);
    store_destroy(w->store);
    open_store(w);
    assert_int_equal(store_load(w->store, YOUNG_MAX / 2, &w->err), 0);
    check_many(w, 0, KEPT, true);
    delete_most(w); /* more pieces are saved than the filter takes to be whole again */
    check_many(w, KEPT, MANY, false);
    check_many(w, 0, KEPT, true);
    put_all(w);
    check_many(w, 0, MANY, true);
}

/* --- what is not trusted --- */

static int64_t position_found(struct world *w, int64_t begin, int64_t end)
{
    struct log_range range = { begin, end };
    int64_t position = 0;

    store_destroy(w->store);
    open_store(w);
    assert_int_equal(checkpoint_find(store_checkpoint(w->store), &range, &position, &w->err), 0);
    return position;
}

static void make_checkpoint(struct world *w)
{
    put(w, 1, 11);
    commit(w);
    save(w, 50);
}

static void checkpoint_that_matches_is_found(void **state)
{
    struct world *w = *state;

    assert_int_equal(position_found(w, 0, 100), -1);
    make_checkpoint(w);
    assert_int_equal(position_found(w, 0, 100), 50);
    assert_int_equal(position_found(w, 50, 50), 50);
}

static void expect_thrown_away(struct world *w)
{
    assert_int_equal(store_load(w->store, SIZE_MAX, &w->err), 0);
    assert_int_equal(store_count(w->store), 0);
    assert_int_equal(position_found(w, 0, 100), -1);
}

static void checkpoint_of_another_topic_or_plan_is_thrown_away(void **state)
{
    struct world *w = *state;

    make_checkpoint(w);
    w->changelog.incarnation++;
    assert_int_equal(position_found(w, 0, 100), -1);
    w->changelog.incarnation--;
    expect_thrown_away(w);
    make_checkpoint(w);
    w->identity.signature++;
    assert_int_equal(position_found(w, 0, 100), -1);
    w->identity.signature--;
    expect_thrown_away(w);
}

static void checkpoint_outside_its_changelog_is_thrown_away(void **state)
{
    struct world *w = *state;

    make_checkpoint(w);
    assert_int_equal(position_found(w, 0, 49), -1);
    expect_thrown_away(w);
    make_checkpoint(w);
    assert_int_equal(position_found(w, 51, 100), -1);
    expect_thrown_away(w);
}

static void slot_that_is_lost_takes_its_checkpoints_with_it(void **state)
{
    struct world *w = *state;

    make_checkpoint(w);
    assert_int_equal(checkpoint_drop_slot(w->database, 6, &w->err), 0);
    assert_int_equal(checkpoint_drop_slot(w->database, 8, &w->err), 0);
    assert_int_equal(position_found(w, 0, 100), 50);
    assert_int_equal(checkpoint_drop_slot(w->database, 7, &w->err), 0);
    assert_int_equal(position_found(w, 0, 100), -1);
}

int main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(saved_store_is_like_one_in_memory),
        STORE_TEST(what_is_out_of_date_is_not_needed),
        STORE_TEST(state_larger_than_memory_is_all_there),
        STORE_TEST(state_larger_than_memory_is_all_there_after_a_restart),
        STORE_TEST(checkpoint_that_matches_is_found),
        STORE_TEST(checkpoint_of_another_topic_or_plan_is_thrown_away),
        STORE_TEST(checkpoint_outside_its_changelog_is_thrown_away),
        STORE_TEST(slot_that_is_lost_takes_its_checkpoints_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
