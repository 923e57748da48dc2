/*
 * test_log_disk.c: the disk log keeps the log's contract, with all of its records in
 * memory and with none, and beyond it: retention, compaction, damage, many threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "tests/unit/disk_log_bed.h"
#include "tests/unit/log_contract.h"

/* --- the contract --- */

enum { LITTLE_BYTES = 16 << 10 };

static struct disk_log_bed shared; /* of the test that runs; the contract closes its log */

static struct log *open_shared(const struct clock *clock)
{
    return disk_log_bed_open(&shared, clock) == 0 ? shared.log : NULL;
}

static struct log *create_with(const struct clock *clock, size_t resident_bytes)
{
    shared.log = NULL;
    disk_log_bed_remove(&shared);
    shared.config = (struct log_disk_config){ .resident_bytes = resident_bytes };
    return open_shared(clock);
}

static struct log *create(const struct clock *clock)
{
    return create_with(clock, 0);
}

static struct log *create_without_memory(const struct clock *clock)
{
    return create_with(clock, 1);
}

static struct log *create_with_little_memory(const struct clock *clock)
{
    return create_with(clock, LITTLE_BYTES);
}

static struct log *restart(struct log *log, const struct clock *clock)
{
    assert_ptr_equal(log, shared.log);
    disk_log_bed_close(&shared);
    return open_shared(clock);
}

static const struct log_contract_target resident = { .name = "disk",
                                                     .create = create,
                                                     .restart = restart };
static const struct log_contract_target evicted = { .name = "disk without memory",
                                                    .create = create_without_memory,
                                                    .restart = restart };
static const struct log_contract_target scarce = { .name = "disk with little memory",
                                                   .create = create_with_little_memory,
                                                   .restart = restart };
static const struct log_contract_target timed = {
    .name = "disk in real time", .create = create, .restart = restart, .real_time = true
};

static const struct log_topic *find_topic(struct contract *c, struct bytes name)
{
    const struct log_topic *topic = NULL;

    assert_int_equal(log_open_topic(c->log, name, &topic, &c->err), 0);
    return topic;
}

static void restart_contract(struct contract *c)
{
    c->log = restart(c->log, &c->clock);
    assert_non_null(c->log);
}

/* The topic as the next opening finds it. */
static const struct log_topic *after_restart(struct contract *c, const struct log_topic *topic)
{
    struct bytes name = arena_copy(&c->arena, topic->name);

    restart_contract(c);
    return find_topic(c, name);
}

static int64_t begin_of(struct contract *c, const struct log_topic *topic)
{
    struct log_range range;

    assert_int_equal(log_topic_range(c->log, topic, 0, READ_COMMITTED, &range, &c->err), 0);
    return range.begin;
}

static int64_t end_of(struct contract *c, const struct log_topic *topic)
{
    struct log_range range;

    assert_int_equal(log_topic_range(c->log, topic, 0, READ_COMMITTED, &range, &c->err), 0);
    return range.end;
}

static void commit(struct contract *c, struct log_writer *writer, const struct log_topic *topic,
                   const char *values)
{
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, values);
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
}

/* --- what a restart keeps --- */

static void deleted_records_stay_deleted_and_their_offsets_used(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));

    commit(c, writer, topic, "a b");
    commit(c, writer, topic, "c");
    assert_int_equal(log_delete_records(c->log, topic, 0, 1, &c->err), 0);
    log_writer_close(writer);
    topic = after_restart(c, topic);
    contract_expect(c, topic, 0, "b c");
    assert_int_equal(log_delete_records(c->log, topic, 0, OFFSET_END, &c->err), 0);
    topic = after_restart(c, topic);
    contract_expect(c, topic, 0, "");
    assert_int_equal(begin_of(c, topic), 3);
    assert_int_equal(end_of(c, topic), 3);
}

static void incarnation_is_never_given_twice(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 1);
    uint64_t former = topic->incarnation;

    assert_int_equal(log_delete_topic(c->log, topic->name, &c->err), 0);
    restart_contract(c);
    topic = contract_topic(c, "t", 1);
    assert_true(topic->incarnation > former);
    contract_expect(c, topic, 0, "");
}

static void everything_of_a_record_outlives_a_restart(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    const struct record_header headers[] = { { bytes_of("h"), bytes_of("1") },
                                             { bytes_of(""), { NULL, 0 } } };
    struct log_reader *reader;
    struct log_builder b = { 0 };
    struct log_block *block;
    int code = 0;

    log_builder_add(&b, bytes_of("k"), bytes_of(""), -5, headers, 2);
    log_builder_add(&b, bytes_of(""), (struct bytes){ 0 }, INT64_MAX, NULL, 0);
    log_builder_add(&b, (struct bytes){ 0 }, bytes_of("v"), INT64_MIN, headers + 1, 1);
    assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    log_builder_fini(&b);
    log_writer_close(writer);
    topic = after_restart(c, topic);
    reader = contract_reader(c);
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    block = contract_poll(c, reader, NULL, &code);
    assert_non_null(block);
    assert_int_equal(block->record_count, 3);
    assert_int_equal(block->records[0].timestamp_ms, -5);
    assert_true(bytes_equal_text(block->records[0].key, "k"));
    assert_non_null(block->records[0].value.data);
    assert_int_equal(block->records[0].value.len, 0);
    assert_int_equal(block->records[0].header_count, 2);
    assert_true(bytes_equal_text(block->records[0].headers[0].key, "h"));
    assert_true(bytes_equal_text(block->records[0].headers[0].value, "1"));
    assert_null(block->records[0].headers[1].value.data);
    assert_non_null(block->records[1].key.data);
    assert_null(block->records[1].value.data);
    assert_true(block->records[1].timestamp_ms == INT64_MAX);
    assert_null(block->records[2].key.data);
    assert_true(block->records[2].timestamp_ms == INT64_MIN);
    assert_int_equal(block->records[2].header_count, 1);
    log_block_unref(block);
    log_reader_close(reader);
}

/* --- housekeeping --- */

static const struct log_topic *topic_with(struct contract *c, const struct topic_config *configs,
                                          uint32_t count)
{
    struct topic_spec spec = { .name = contract_name(c, "kept"),
                               .partition_count = 1,
                               .configs = configs,
                               .config_count = count };

    assert_int_equal(log_create_topic(c->log, &spec, &c->err), 0);
    return find_topic(c, spec.name);
}

static void put_at(struct contract *c, const struct log_topic *topic, const char *key,
                   const char *value, int64_t timestamp_ms)
{
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_builder b = { 0 };

    log_builder_add(&b, bytes_of(key), bytes_of(value), timestamp_ms, NULL, 0);
    assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    log_builder_fini(&b);
    log_writer_close(writer);
}

static void tidy(struct contract *c)
{
    int steps = 0;

    clock_advance(&c->clock, 60000);
    while (log_disk_tidy(c->log)) {
        assert_true(++steps < 100000);
    }
}

static void old_records_are_deleted_where_retention_says_so(void **state)
{
    struct contract *c = *state;
    const struct topic_config week = { bytes_of("retention.ms"), bytes_of("100000") };
    const struct log_topic *kept = contract_topic(c, "forever", 1);
    const struct log_topic *topic = topic_with(c, &week, 1);

    put_at(c, kept, "k", "old", 1);
    put_at(c, topic, "k", "old", 900000);
    put_at(c, topic, "k", "new", 1000000);
    put_at(c, topic, "k", "late", 900000);
    tidy(c);
    contract_expect(c, kept, 0, "old");
    contract_expect(c, topic, 0, "new late");
    tidy(c);
    contract_expect(c, topic, 0, "");
    assert_int_equal(begin_of(c, topic), 3);
}

enum { COMPACTED_KEYS = 50, COMPACTED_ROUNDS = 100 };

static void fill_compacted(struct contract *c, const struct log_topic *topic)
{
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_builder b = { 0 };

    for (int round = 0; round < COMPACTED_ROUNDS; round++) {
        for (int key = 0; key < COMPACTED_KEYS; key++) {
            char name[16];
            char value[16];

            (void)snprintf(name, sizeof name, "k%d", key);
            (void)snprintf(value, sizeof value, "v%d", round);
            log_builder_add(&b, bytes_of(name),
                            key == 7 && round == COMPACTED_ROUNDS - 1 ? (struct bytes){ 0 }
                                                                      : bytes_of(value),
                            1000000, NULL, 0);
        }
        assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
    }
    log_builder_add(&b, bytes_of("last"), bytes_of("block"), 1000000, NULL, 0);
    assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
    log_builder_fini(&b);
    log_writer_close(writer);
}

struct survey {
    uint32_t records;
    uint32_t newest; /* of the last round */
    bool has_tombstone;
    int64_t last_offset;
};

static struct survey survey(struct contract *c, const struct log_topic *topic)
{
    struct survey found = { .last_offset = -1 };
    struct log_reader *reader = contract_reader(c);
    struct log_block *block;
    int code = 0;

    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    while ((block = contract_poll(c, reader, NULL, &code))) {
        for (uint32_t i = 0; i < block->record_count; i++) {
            const struct log_record *record = &block->records[i];

            assert_true(record->offset > found.last_offset);
            found.last_offset = record->offset;
            found.records++;
            found.newest += bytes_equal_text(record->value, "v99");
            found.has_tombstone = found.has_tombstone || !record->value.data;
        }
        log_block_unref(block);
    }
    assert_int_equal(code, 0);
    assert_int_equal(log_reader_position(reader, topic, 0), end_of(c, topic));
    log_reader_close(reader);
    return found;
}

static void compaction_keeps_the_last_record_of_each_key(void **state)
{
    struct contract *c = *state;
    const struct topic_config compact = { bytes_of("cleanup.policy"), bytes_of("compact") };
    const struct log_topic *topic = topic_with(c, &compact, 1);
    struct survey found;

    fill_compacted(c, topic);
    tidy(c);
    topic = after_restart(c, topic); /* what is in memory is not compacted */
    found = survey(c, topic);
    assert_int_equal(found.records, COMPACTED_KEYS + 1);
    assert_int_equal(found.newest, COMPACTED_KEYS - 1);
    assert_true(found.has_tombstone);
    assert_int_equal(found.last_offset, COMPACTED_KEYS * COMPACTED_ROUNDS);
    assert_int_equal(end_of(c, topic), COMPACTED_KEYS * COMPACTED_ROUNDS + 1);
}

static void null_value_goes_when_its_time_is_over(void **state)
{
    struct contract *c = *state;
    const struct topic_config configs[] = { { bytes_of("cleanup.policy"), bytes_of("compact") },
                                            { bytes_of("delete.retention.ms"), bytes_of("1000") } };
    const struct log_topic *topic = topic_with(c, configs, 2);
    struct survey found;

    fill_compacted(c, topic);
    tidy(c);
    found = survey(c, after_restart(c, topic));
    assert_int_equal(found.records, COMPACTED_KEYS);
    assert_false(found.has_tombstone);
}

/* --- damage --- */

/* Flips a bit of the block's value in the database, behind the log's back. */
static void damage_block(uint64_t incarnation, unsigned char base)
{
    char key[21] = { 'B' };
    struct bytes at = { key, sizeof key };
    struct database_batch *batch = database_batch_create();
    struct buffer value = { 0 };
    bool found = false;

    key[8] = (char)incarnation;
    key[20] = (char)base;
    assert_int_equal(database_get(shared.database, DATABASE_LOG, at, &value, &found, &shared.err),
                     0);
    assert_true(found);
    value.data[value.len - 1] ^= 1;
    database_put(shared.database, batch, DATABASE_LOG, at, buffer_bytes(&value));
    assert_int_equal(database_write(shared.database, batch, DATABASE_SYNC, &shared.err), 0);
    database_batch_destroy(batch);
    buffer_fini(&value);
}

static void damaged_block_is_named_and_not_skipped(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct log_place failed = { 0 };
    struct log_reader *reader;
    int code = 0;

    commit(c, writer, topic, "a");
    commit(c, writer, topic, "b");
    commit(c, writer, topic, "c");
    log_writer_close(writer);
    damage_block(topic->incarnation, 1);
    topic = after_restart(c, topic);
    reader = contract_reader(c);
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    log_block_unref(contract_poll(c, reader, &failed, &code));
    assert_int_equal(code, 0);
    assert_null(contract_poll(c, reader, &failed, &code));
    assert_int_equal(code, ERR_LOG_DAMAGED);
    assert_ptr_equal(failed.topic, topic);
    assert_non_null(strstr(c->err.message, "partition 0"));
    assert_non_null(strstr(c->err.message, "offset 1 "));
    assert_int_equal(log_reader_position(reader, topic, 0), 1);
    /* Who decides to go on without it says so: by deleting it, or by a position behind it. */
    assert_int_equal(log_reader_assign(reader, topic, 0, 2, &c->err), 0);
    assert_true(bytes_equal_text(contract_drain(c, reader), "c"));
    log_reader_close(reader);
}

static void damaged_last_block_lets_nothing_be_appended(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct log_range range;

    commit(c, writer, topic, "a");
    log_writer_close(writer);
    damage_block(topic->incarnation, 0);
    topic = after_restart(c, topic);
    assert_int_equal(log_topic_range(c->log, topic, 0, READ_COMMITTED, &range, &c->err),
                     ERR_LOG_DAMAGED);
    writer = contract_writer(c, contract_name(c, "tx"));
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "b");
    assert_int_equal(log_writer_commit(writer, &c->err), ERR_LOG_DAMAGED);
    log_writer_close(writer);
}

/* --- threads --- */

enum { THREAD_COMMITS = 50, THREADS = 4 };

struct thread_work {
    struct log *log;
    const struct log_topic *topic;
    char id[4];
    bool failed;
};

static void *commit_often(void *context)
{
    struct thread_work *work = context;
    struct writer_spec spec = { .transactional_id = bytes_of(work->id) };
    struct log_writer *writer = NULL;
    struct log_builder b = { 0 };

    work->failed = log_writer_open(work->log, &spec, &writer, NULL) != 0;
    for (int i = 0; i < THREAD_COMMITS && !work->failed; i++) {
        work->failed = log_writer_begin(writer, NULL) != 0;
        log_builder_add(&b, bytes_of(work->id), bytes_of("v99"), 1, NULL, 0);
        work->failed = work->failed ||
                       log_writer_append(writer, work->topic, 0, &b, NULL, NULL) != 0 ||
                       log_writer_commit(writer, NULL) != 0;
    }
    log_builder_fini(&b);
    log_writer_close(writer);
    return NULL;
}

static void commits_of_several_threads_are_all_there(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 1);
    struct thread_work work[THREADS];
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        work[i] = (struct thread_work){ c->log, topic, { 't', (char)('0' + i) }, false };
        assert_int_equal(pthread_create(&threads[i], NULL, commit_often, &work[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(work[i].failed);
    }
    assert_int_equal(survey(c, topic).newest, THREADS * THREAD_COMMITS);
    topic = after_restart(c, topic);
    assert_int_equal(survey(c, topic).newest, THREADS * THREAD_COMMITS);
    assert_int_equal(end_of(c, topic), THREADS * THREAD_COMMITS);
}

/* --- what is in memory --- */

/* The writer keeps the page of its small transaction for the next one, which has no use for it. */
static void large_transaction_behind_a_small_one_that_left_memory_is_read(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 2);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct log_writer *other = contract_writer(c, contract_name(c, "other"));
    char large[LITTLE_BYTES + 1];
    char expected[LITTLE_BYTES + 8];

    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    commit(c, writer, topic, "a");
    assert_int_equal(log_writer_begin(other, &c->err), 0);
    contract_put(c, other, topic, 1, large);
    assert_int_equal(log_writer_commit(other, &c->err), 0);
    large[LITTLE_BYTES / 2] = '\0';
    commit(c, writer, topic, large);
    (void)snprintf(expected, sizeof expected, "a %s", large);
    contract_expect(c, topic, 0, expected);
    log_writer_close(other);
    log_writer_close(writer);
}

static int run_scarce(void)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(large_transaction_behind_a_small_one_that_left_memory_is_read),
    };

    return CONTRACT_RUN("disk with little memory", tests, &scarce);
}

static int run_own(void)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(deleted_records_stay_deleted_and_their_offsets_used),
        CONTRACT_TEST(incarnation_is_never_given_twice),
        CONTRACT_TEST(everything_of_a_record_outlives_a_restart),
        CONTRACT_TEST(old_records_are_deleted_where_retention_says_so),
        CONTRACT_TEST(compaction_keeps_the_last_record_of_each_key),
        CONTRACT_TEST(null_value_goes_when_its_time_is_over),
        CONTRACT_TEST(damaged_block_is_named_and_not_skipped),
        CONTRACT_TEST(damaged_last_block_lets_nothing_be_appended),
    };

    return CONTRACT_RUN("disk alone", tests, &evicted);
}

static int run_threads(void)
{
    struct CMUnitTest tests[] = { CONTRACT_TEST(commits_of_several_threads_are_all_there) };

    return CONTRACT_RUN("disk with threads", tests, &timed);
}

int main(void)
{
    int failed = log_contract_run(&resident) + log_contract_run(&evicted) + run_own() +
                 run_scarce() + run_threads();

    shared.log = NULL;
    disk_log_bed_remove(&shared);
    return failed;
}
