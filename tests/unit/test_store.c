/*
 * test_store.c: a store against a plain array, through commits and crashes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/state/entry_block.h"
#include "engine/state/store.h"

enum { ENTRIES_LEAST = 1000, KEYS = 97, IMAGE_MAX = 200, BIG_IMAGE = 70000 };

struct model_row {
    bool present;
    size_t image_len;
    uint8_t fill; /* the image is this byte, image_len times */
    int64_t timestamp_ms;
};

struct world {
    struct store *store;
    struct model_row now[KEYS];
    struct model_row committed[KEYS];
    struct log_builder topic; /* the changelog's committed records */
    uint32_t topic_begin;     /* before it they are deleted */
    uint32_t purges;
    struct log_builder pending; /* written, not committed */
    uint64_t random;
};

static uint32_t draw(struct world *w, uint32_t below)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint32_t)(w->random >> 11) % below;
}

static char key_text[KEYS][24];

/* Keys of 0 to 20 bytes, 0 and 0xff among them, none a copy of another. */
static struct bytes key_of(uint32_t n)
{
    size_t len = n == 0 ? 0 : 2 + (n * 7) % 19;

    for (size_t i = 0; i < len; i++) {
        key_text[n][i] = (char)(i == 0 ? (n * 37) & 0xff : i == 1 ? n & 0xff : (n + i) % 3 - 1);
    }
    return (struct bytes){ key_text[n], len };
}

static void setup(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->store = store_create(STORE_DURABLE);
    w->random = seed;
}

static void teardown(struct world *w)
{
    store_destroy(w->store);
    log_builder_fini(&w->topic);
    log_builder_fini(&w->pending);
}

static void put_random(struct world *w, uint32_t n)
{
    static char image[BIG_IMAGE];
    struct model_row *row = &w->now[n];

    row->present = true;
    row->image_len = draw(w, 100) == 0 ? BIG_IMAGE : draw(w, IMAGE_MAX);
    row->fill = (uint8_t)draw(w, 256);
    row->timestamp_ms = draw(w, 1000);
    memset(image, row->fill, row->image_len);
    store_put(w->store, key_of(n), (struct bytes){ image, row->image_len }, row->timestamp_ms);
}

static void put_small(struct world *w, uint32_t n)
{
    struct model_row *row = &w->now[n];

    *row = (struct model_row){ true, 1, (uint8_t)draw(w, 256), draw(w, 1000) };
    store_put(w->store, key_of(n), (struct bytes){ (const char *)&row->fill, 1 },
              row->timestamp_ms);
}

static void assert_entry(const struct model_row *row, const struct store_entry *entry)
{
    assert_int_equal(entry->timestamp_ms, row->timestamp_ms);
    assert_int_equal(entry->image.len, row->image_len);
    for (size_t i = 0; i < row->image_len; i++) {
        assert_int_equal((uint8_t)entry->image.data[i], row->fill);
    }
}

static void assert_store_equals(struct world *w, const struct model_row *model)
{
    uint64_t present = 0;

    for (uint32_t n = 0; n < KEYS; n++) {
        struct store_entry entry;
        bool found = store_get(w->store, key_of(n), &entry);

        assert_int_equal(found, model[n].present);
        if (found) {
            assert_entry(&model[n], &entry);
            present++;
        }
    }
    assert_int_equal(store_count(w->store), present);
}

static uint32_t key_number(struct bytes key)
{
    for (uint32_t n = 0; n < KEYS; n++) {
        if (bytes_equal(key_of(n), key)) {
            return n;
        }
    }
    fail_msg("a key that was never put");
    return 0;
}

/* In slices, with changes to other keys between them never seen twice. */
static void assert_scan_equals(struct world *w)
{
    struct store_item items[7];
    char last[24];
    struct store_range range = { { NULL, 0 }, false, { NULL, 0 } };
    uint64_t seen = 0;
    uint32_t count;

    while ((count = store_scan(w->store, &range, items, 1 + draw(w, 7))) > 0) {
        for (uint32_t i = 0; i < count; i++) {
            if (range.from.data) {
                assert_true(bytes_compare(range.from, items[i].key) < 0);
            }
            assert_entry(&w->now[key_number(items[i].key)], &items[i].entry);
            memcpy(last, items[i].key.data, items[i].key.len);
            range = (struct store_range){ { last, items[i].key.len }, true, { NULL, 0 } };
            seen++;
        }
    }
    assert_int_equal(seen, store_count(w->store));
}

static void append_all(struct log_builder *to, const struct log_builder *from)
{
    struct arena arena;
    const struct log_record *records;

    arena_init(&arena, 0);
    records = log_builder_records(from, &arena);
    for (uint32_t i = 0; i < from->record_count; i++) {
        log_builder_add(to, records[i].key, records[i].value, records[i].timestamp_ms, NULL, 0);
    }
    arena_fini(&arena);
}

static void write_all(struct world *w)
{
    if (store_rewrite_is_due(w->store, ENTRIES_LEAST)) {
        store_rewrite_begin(w->store, w->topic.record_count);
    }
    store_write_begin(w->store);
    while (store_write_next(w->store, &w->pending)) {
    }
}

static void commit(struct world *w)
{
    int64_t before;

    write_all(w);
    append_all(&w->topic, &w->pending);
    log_builder_reset(&w->pending);
    store_committed(w->store);
    before = store_rewritten(w->store);
    if (before >= 0) {
        assert_true(before > w->topic_begin);
        w->topic_begin = (uint32_t)before;
        w->purges++;
    }
    memcpy(w->committed, w->now, sizeof w->now);
    assert_false(store_has_changes(w->store));
}

static void restore(struct world *w)
{
    struct arena arena;
    struct log_block block = { .record_count = w->topic.record_count - w->topic_begin };
    struct error err = { 0 };

    arena_init(&arena, 0);
    block.records = log_builder_records(&w->topic, &arena) + w->topic_begin;
    assert_int_equal(store_restore(w->store, &block, &err), 0);
    arena_fini(&arena);
}

static void crash(struct world *w)
{
    if (draw(w, 2)) {
        write_all(w); /* of a transaction that is aborted */
        log_builder_reset(&w->pending);
    }
    store_clear(w->store);
    restore(w);
    memcpy(w->now, w->committed, sizeof w->now);
    assert_false(store_has_changes(w->store));
}

static void step(struct world *w)
{
    uint32_t n = draw(w, KEYS);
    uint32_t dice = draw(w, 1000);

    if (dice < 600) {
        put_random(w, n);
    } else if (dice < 900) {
        assert_int_equal(store_delete(w->store, key_of(n)), w->now[n].present);
        w->now[n].present = false;
    } else if (dice < 960) {
        commit(w);
    } else if (dice < 980) {
        crash(w);
    } else {
        assert_scan_equals(w);
    }
}

static void puts_deletes_commits_and_crashes_equal_the_model(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world w;

        setup(&w, seed * UINT64_C(0x9e3779b97f4a7c15));
        for (int i = 0; i < 1500; i++) {
            step(&w);
            if (i % 50 == 0) {
                assert_store_equals(&w, w.now);
            }
        }
        crash(&w);
        assert_store_equals(&w, w.committed);
        teardown(&w);
    }
}

static void changes_hold_each_key_once_with_its_newest_image(void **state)
{
    struct world w;
    struct arena arena;
    struct entry_reader reader;
    struct block_entry entry;
    struct error err = { 0 };

    setup(&w, 7);
    arena_init(&arena, 0);
    put_random(&w, 1);
    put_random(&w, 2);
    put_random(&w, 1);
    assert_true(store_delete(w.store, key_of(2)));
    write_all(&w);
    assert_int_equal(w.pending.record_count, 1);
    assert_int_equal(
        entry_block_open(&reader, log_builder_records(&w.pending, &arena)[0].value, &err), 0);
    assert_true(entry_block_next(&reader, &entry));
    assert_true(bytes_equal(entry.key, key_of(1)));
    assert_int_equal(entry.image.len, w.now[1].image_len);
    assert_int_equal(entry.timestamp_ms, w.now[1].timestamp_ms);
    assert_true(entry_block_next(&reader, &entry));
    assert_true(bytes_equal(entry.key, key_of(2)));
    assert_null(entry.image.data);
    assert_false(entry_block_next(&reader, &entry));
    assert_false(reader.from.wrong);
    arena_fini(&arena);
    teardown(&w);
}

static uint32_t count_entries(const struct world *w)
{
    struct entry_reader reader;
    struct block_entry entry;
    struct arena arena;
    struct error err = { 0 };
    uint32_t count = 0;

    arena_init(&arena, 0);
    for (uint32_t i = 0; i < w->pending.record_count; i++) {
        assert_int_equal(
            entry_block_open(&reader, log_builder_records(&w->pending, &arena)[i].value, &err), 0);
        while (entry_block_next(&reader, &entry)) {
            count++;
        }
    }
    arena_fini(&arena);
    return count;
}

static void what_changes_after_writing_stays_for_the_next_commit(void **state)
{
    struct world w;

    setup(&w, 9);
    put_random(&w, 1);
    put_random(&w, 2);
    write_all(&w);
    put_random(&w, 2);
    put_random(&w, 3);
    assert_true(store_delete(w.store, key_of(1)));
    store_committed(w.store);
    assert_true(store_has_changes(w.store));
    log_builder_reset(&w.pending);
    write_all(&w);
    assert_int_equal(count_entries(&w), 3);
    store_committed(w.store);
    assert_false(store_has_changes(w.store));
    w.now[1].present = false;
    assert_store_equals(&w, w.now);
    teardown(&w);
}

/* Of the records before that, nothing is needed; crashes come at any time. */
static void what_is_out_of_date_is_not_needed(void **state)
{
    enum { COMMITS = 6000, PER_COMMIT = 80 };
    struct world w;

    setup(&w, 11);
    for (uint32_t i = 0; i < COMMITS; i++) {
        for (uint32_t n = draw(&w, PER_COMMIT) + 1; n > 0; n--) {
            uint32_t key = draw(&w, KEYS);

            if (draw(&w, 10)) {
                put_small(&w, key);
            } else {
                (void)store_delete(w.store, key_of(key));
                w.now[key].present = false;
            }
        }
        if (draw(&w, 400) == 0) {
            crash(&w);
            assert_store_equals(&w, w.committed);
        } else {
            commit(&w);
        }
    }
    crash(&w);
    assert_store_equals(&w, w.committed);
    assert_true(w.purges > 3);
    assert_true(w.topic_begin > w.topic.record_count / 2);
    teardown(&w);
}

/* Cut short anywhere, or of another version: refused, not guessed at. */
static void damaged_records_are_refused(void **state)
{
    struct world w;
    struct arena arena;
    struct log_record record;
    struct log_block block = { .records = &record, .record_count = 1 };
    struct error err = { 0 };

    setup(&w, 13);
    arena_init(&arena, 0);
    put_small(&w, 1);
    write_all(&w);
    record = log_builder_records(&w.pending, &arena)[0];
    store_clear(w.store);
    for (size_t len = record.value.len - 1; len > 1; len--) {
        record.value.len = len;
        assert_int_equal(store_restore(w.store, &block, &err), ERR_STATE_DAMAGED);
    }
    record.value = bytes_of("\x02");
    assert_int_equal(store_restore(w.store, &block, &err), ERR_STATE_DAMAGED);
    record.value = (struct bytes){ NULL, 0 };
    assert_int_equal(store_restore(w.store, &block, &err), ERR_STATE_DAMAGED);
    record.key = bytes_of("k"); /* a record for each key, as it was once */
    assert_int_equal(store_restore(w.store, &block, &err), ERR_STATE_DAMAGED);
    assert_non_null(strstr(err.message, "an earlier version"));
    arena_fini(&arena);
    teardown(&w);
}

static void transient_store_remembers_no_changes(void **state)
{
    struct store *store = store_create(STORE_TRANSIENT);
    struct bytes key = BYTES("k");
    struct bytes image = BYTES("image");

    store_put(store, key, image, 5);
    assert_false(store_has_changes(store));
    assert_true(store_delete(store, key));
    assert_false(store_delete(store, key));
    assert_int_equal(store_count(store), 0);
    store_destroy(store);
}

static void scan_stops_below_its_upper_bound(void **state)
{
    struct store *store = store_create(STORE_TRANSIENT);
    struct bytes image = BYTES("i");
    struct store_item items[8];
    struct store_range range = { BYTES("b"), false, BYTES("d") };

    for (const char *key = "fbdaec"; *key; key++) {
        store_put(store, (struct bytes){ key, 1 }, image, *key);
    }
    assert_int_equal(store_scan(store, &range, items, 8), 2);
    assert_memory_equal(items[0].key.data, "b", 1);
    assert_memory_equal(items[1].key.data, "c", 1);
    range.after_from = true;
    assert_int_equal(store_scan(store, &range, items, 8), 1);
    assert_int_equal(items[0].entry.timestamp_ms, 'c');
    store_destroy(store);
}

static void scan_between_changes_sees_each_key_at_most_once(void **state)
{
    struct store *store = store_create(STORE_TRANSIENT);
    struct bytes image = BYTES("i");
    struct store_range range = { { NULL, 0 }, false, { NULL, 0 } };
    struct store_item item;
    char key[8];
    char last[8] = "";
    uint32_t seen = 0;

    for (unsigned n = 0; n < 20000; n += 2) {
        memcpy(key, (char[]){ (char)(n >> 8), (char)n }, 2);
        store_put(store, (struct bytes){ key, 2 }, image, 0);
    }
    for (unsigned n = 1; store_scan(store, &range, &item, 1); n += 2) {
        assert_true(memcmp(last, item.key.data, 2) < 0 || seen == 0);
        memcpy(last, item.key.data, 2);
        range = (struct store_range){ { last, 2 }, true, { NULL, 0 } };
        seen++;
        memcpy(key, (char[]){ (char)((n * 5 % 20000) >> 8), (char)(n * 5 % 20000) }, 2);
        store_put(store, (struct bytes){ key, 2 }, image, 0);
        store_delete(store, (struct bytes){ last, 2 });
    }
    assert_in_range(seen, 10000, 20000);
    store_destroy(store);
}

static void many_keys_are_all_found_again(void **state)
{
    enum { MANY = 200000 };
    struct store *store = store_create(STORE_DURABLE);
    struct store_entry entry;

    for (uint64_t n = 0; n < MANY; n++) {
        store_put(store, (struct bytes){ (const char *)&n, 8 },
                  (struct bytes){ (const char *)&n, 8 }, (int64_t)n);
    }
    for (uint64_t n = 0; n < MANY; n += 2) {
        assert_true(store_delete(store, (struct bytes){ (const char *)&n, 8 }));
    }
    store_committed(store);
    for (uint64_t n = 0; n < MANY; n++) {
        bool found = store_get(store, (struct bytes){ (const char *)&n, 8 }, &entry);

        assert_int_equal(found, n % 2);
        if (found) {
            assert_int_equal(entry.timestamp_ms, n);
        }
    }
    assert_int_equal(store_count(store), MANY / 2);
    assert_true(store_bytes(store) < (size_t)MANY * 100);
    store_destroy(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_deletes_commits_and_crashes_equal_the_model),
        cmocka_unit_test(changes_hold_each_key_once_with_its_newest_image),
        cmocka_unit_test(what_changes_after_writing_stays_for_the_next_commit),
        cmocka_unit_test(what_is_out_of_date_is_not_needed),
        cmocka_unit_test(damaged_records_are_refused),
        cmocka_unit_test(transient_store_remembers_no_changes),
        cmocka_unit_test(scan_stops_below_its_upper_bound),
        cmocka_unit_test(scan_between_changes_sees_each_key_at_most_once),
        cmocka_unit_test(many_keys_are_all_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
