/*
 * test_log_kafka_fetch.c: what a reader reads from brokers that do not behave well: each record
 * once, in order, and without asking more often than it has to.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/log/log_kafka.h"
#include "tests/unit/kafka_fake.h"

enum {
    LONG_MS = 60000,    /* nothing takes so long: who waits till then hangs */
    POLLS_MAX = 100000, /* the same */
    OFFSET_OUT_OF_RANGE = 1,
    CORRUPT = 2,
    UNKNOWN_TOPIC = 3,
    NOT_LEADER = 6,
    NOT_AUTHORIZED = 29,
    STORAGE_ERROR = 56,
    FENCED_EPOCH = 74,
    NOT_AVAILABLE = 78,
    NEW_ERROR = 999 /* of a broker that is newer */
};

/* What is to be read of a partition. */
struct expected {
    bool is_assigned;
    bool is_paused;
    int64_t next; /* no record before it comes any more */
    uint32_t blocks;
};

struct bed {
    struct fake_kafka fake;
    struct clock clock;
    struct log *log;
    const struct log_topic *topic;
    struct log_reader *reader;
    struct expected expected[FAKE_PARTITIONS];
    uint32_t records; /* that were read */
    struct log_place failed;
    struct error err;
};

/* --- set-up --- */

static struct bed *open_bed(uint32_t partitions)
{
    struct bed *bed = calloc(1, sizeof *bed);
    struct log_kafka_config config = { 0 };
    struct reader_spec spec = { .client_id = BYTES("tester"), .isolation = READ_COMMITTED };
    char bootstrap[64];

    fake_open(&bed->fake, partitions);
    fake_bootstrap(&bed->fake, bootstrap, sizeof bootstrap);
    config.bootstrap = bytes_of(bootstrap);
    clock_init_real(&bed->clock);
    if (log_kafka_create(&config, &bed->clock, &bed->log, &bed->err) ||
        log_open_topic(bed->log, bytes_of(FAKE_TOPIC), &bed->topic, &bed->err) ||
        log_reader_open(bed->log, &spec, &bed->reader, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
    assert_int_equal(bed->topic->partition_count, partitions);
    return bed;
}

static void close_bed(struct bed *bed)
{
    log_reader_close(bed->reader);
    log_close(bed->log);
    fake_close(&bed->fake);
    free(bed);
}

static void assign(struct bed *bed, uint32_t partition, int64_t from)
{
    assert_int_equal(log_reader_assign(bed->reader, bed->topic, partition, from, &bed->err), 0);
    bed->expected[partition] = (struct expected){ .is_assigned = true, .next = from };
}

/* That many batches in each, and all to be read. */
static struct bed *open_filled(uint32_t partitions, int64_t batches)
{
    struct bed *bed = open_bed(partitions);

    for (uint32_t i = 0; i < partitions; i++) {
        fake_append(&bed->fake, i, batches);
        assign(bed, i, 0);
    }
    return bed;
}

static void pause_place(struct bed *bed, uint32_t partition)
{
    log_reader_pause(bed->reader, bed->topic, partition);
    bed->expected[partition].is_paused = true;
}

static void resume_place(struct bed *bed, uint32_t partition)
{
    log_reader_resume(bed->reader, bed->topic, partition);
    bed->expected[partition].is_paused = false;
}

/* --- reading --- */

static int64_t next_visible(int64_t offset)
{
    while (!fake_is_visible(offset)) {
        offset++;
    }
    return offset;
}

static void check_block(struct bed *bed, const struct log_block *block)
{
    struct expected *expected = &bed->expected[block->partition];

    assert_ptr_equal(block->topic, bed->topic);
    assert_true(expected->is_assigned && !expected->is_paused);
    for (uint32_t i = 0; i < block->record_count; i++) {
        const struct log_record *record = &block->records[i];
        char value[64];

        assert_int_equal(record->offset, next_visible(expected->next));
        (void)snprintf(value, sizeof value, "%u:%lld", block->partition, (long long)record->offset);
        assert_true(record->value.len >= strlen(value));
        assert_memory_equal(record->value.data, value, strlen(value));
        expected->next = record->offset + 1;
    }
    bed->records += block->record_count;
    assert_true(block->next_offset >= expected->next);
    assert_true(block->next_offset <= next_visible(expected->next));
    expected->next = block->next_offset;
    expected->blocks++;
}

/* Everything before it was handed out or is not to be seen. */
static void check_positions(struct bed *bed)
{
    for (uint32_t i = 0; i < bed->fake.partition_count; i++) {
        const struct expected *expected = &bed->expected[i];
        int64_t position = log_reader_position(bed->reader, bed->topic, i);

        if (!expected->is_assigned) {
            assert_int_equal(position, -1);
        } else {
            assert_true(position >= expected->next);
            assert_true(position <= next_visible(expected->next));
        }
    }
}

static int poll_for(struct bed *bed, int64_t wait_ms, bool *came)
{
    struct log_block *block = NULL;
    int code = log_reader_poll(bed->reader, wait_ms, &block, &bed->failed, &bed->err);

    *came = block != NULL;
    if (block) {
        assert_int_equal(code, 0);
        check_block(bed, block);
        log_block_unref(block);
    }
    check_positions(bed);
    return code;
}

/* One block. */
static void read_block(struct bed *bed)
{
    bool came = false;

    for (int i = 0; i < POLLS_MAX && !came; i++) {
        assert_int_equal(poll_for(bed, LONG_MS, &came), 0);
    }
    assert_true(came);
}

static bool has_all(struct bed *bed)
{
    for (uint32_t i = 0; i < bed->fake.partition_count; i++) {
        const struct expected *expected = &bed->expected[i];

        if (expected->is_assigned && !expected->is_paused &&
            log_reader_position(bed->reader, bed->topic, i) < bed->fake.partitions[i].end) {
            return false;
        }
    }
    return true;
}

static void read_all(struct bed *bed)
{
    bool came = false;

    for (int i = 0; i < POLLS_MAX && !has_all(bed); i++) {
        assert_int_equal(poll_for(bed, 1000, &came), 0);
    }
    assert_true(has_all(bed));
    for (int i = 0; i < POLLS_MAX && !log_reader_at_end(bed->reader); i++) {
        assert_int_equal(poll_for(bed, 1000, &came), 0);
        assert_false(came);
    }
    assert_true(log_reader_at_end(bed->reader));
}

/* Until a poll fails; nothing else comes to an end before. */
static void await_failure(struct bed *bed, int expected, uint32_t partition)
{
    bool came = false;
    int code = 0;

    for (int i = 0; i < POLLS_MAX && !code; i++) {
        code = poll_for(bed, LONG_MS, &came);
    }
    assert_int_equal(code, expected);
    assert_ptr_equal(bed->failed.topic, bed->topic);
    assert_int_equal(bed->failed.partition, partition);
}

/* --- brokers that behave --- */

static void every_record_comes_once_in_every_version_of_fetch(void **state)
{
    (void)state;
    for (int16_t version = 4; version <= 11; version++) {
        struct bed *bed = open_bed(5);

        fake_lock(&bed->fake);
        bed->fake.fetch_newest = version;
        fake_unlock(&bed->fake);
        for (uint32_t i = 0; i < 5; i++) {
            fake_append(&bed->fake, i, 20 + i);
            assign(bed, i, i * 3);
        }
        assert_false(log_reader_at_end(bed->reader));
        read_all(bed);
        fake_append(&bed->fake, 1, 7);
        read_block(bed);
        read_all(bed);
        close_bed(bed);
    }
}

static void begin_and_end_are_those_of_now(void **state)
{
    struct bed *bed = open_bed(2);

    (void)state;
    fake_lock(&bed->fake);
    bed->fake.partitions[0].begin = 20;
    fake_unlock(&bed->fake);
    fake_append(&bed->fake, 0, 10);
    fake_append(&bed->fake, 1, 10);
    assign(bed, 0, OFFSET_BEGIN);
    assign(bed, 1, OFFSET_END);
    bed->expected[0].next = 20;
    bed->expected[1].next = 40;
    read_all(bed);
    fake_append(&bed->fake, 1, 3);
    read_block(bed);
    read_all(bed);
    close_bed(bed);
}

/* Else it would ask for the records at offset -2. */
static void begin_that_nobody_tells_is_an_error_at_once(void **state)
{
    struct bed *bed = open_filled(1, 3);

    (void)state;
    fake_lock(&bed->fake);
    bed->fake.offsets_error = NOT_AUTHORIZED;
    fake_unlock(&bed->fake);
    assert_int_equal(log_reader_assign(bed->reader, bed->topic, 0, OFFSET_BEGIN, &bed->err),
                     ERR_NOT_AUTHORIZED);
    read_all(bed);
    close_bed(bed);
}

static void partitions_have_turns(void **state)
{
    enum { PARTITIONS = 6, ROUNDS = 20 };
    struct bed *bed = open_filled(PARTITIONS, 1000);

    (void)state;
    for (int i = 0; i < PARTITIONS * ROUNDS; i++) {
        read_block(bed);
    }
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        assert_true(bed->expected[i].blocks >= ROUNDS / 2);
        assert_true(bed->expected[i].blocks <= ROUNDS * 2);
    }
    close_bed(bed);
}

/* --- leaders and brokers come and go --- */

static void leader_may_move_while_it_is_read(void **state)
{
    struct bed *bed = open_filled(3, 40);

    (void)state;
    for (int i = 0; i < 12; i++) {
        read_block(bed);
        fake_set_leader(&bed->fake, (uint32_t)i % 3, i / 3 % 2);
    }
    fake_set_leader(&bed->fake, 1, -1);
    for (int i = 0; i < 3; i++) {
        bool came;

        assert_int_equal(poll_for(bed, 20, &came), 0);
    }
    fake_set_leader(&bed->fake, 1, 0);
    read_all(bed);
    close_bed(bed);
}

static void brokers_may_go_down_and_come_back(void **state)
{
    struct bed *bed = open_filled(4, 40);

    (void)state;
    for (int i = 0; i < 6; i++) {
        bool came;

        read_block(bed);
        fake_set_down(&bed->fake, i % 2);
        for (int polls = 0; polls < 5; polls++) {
            assert_int_equal(poll_for(bed, 10, &came), 0);
        }
        fake_set_up(&bed->fake, i % 2);
    }
    read_all(bed);
    for (int broker = 0; broker < FAKE_BROKERS; broker++) {
        fake_set_down(&bed->fake, broker);
    }
    fake_append(&bed->fake, 2, 5);
    for (int broker = 0; broker < FAKE_BROKERS; broker++) {
        fake_set_up(&bed->fake, broker);
    }
    read_all(bed);
    close_bed(bed);
}

/* --- errors --- */

static void errors_that_pass_are_told_to_nobody(void **state)
{
    static const int16_t errors[] = {
        -1,           CORRUPT,       UNKNOWN_TOPIC, NOT_LEADER, STORAGE_ERROR,
        FENCED_EPOCH, NOT_AVAILABLE, NEW_ERROR
    };
    struct bed *bed = open_filled(4, 1);

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        fake_set_error(&bed->fake, 1, errors[i], 3);
        fake_append(&bed->fake, 0, 3);
        fake_append(&bed->fake, 1, 3);
        fake_append(&bed->fake, 3, 3);
        read_all(bed);
    }
    close_bed(bed);
}

static void error_that_lasts_keeps_no_other_partition_back(void **state)
{
    struct bed *bed = open_filled(4, 30);

    (void)state;
    fake_set_error(&bed->fake, 0, NEW_ERROR, INT32_MAX);
    fake_set_error(&bed->fake, 1, NOT_LEADER, INT32_MAX);
    for (int i = 0; i < POLLS_MAX && (bed->expected[2].next < 120 || bed->expected[3].next < 120);
         i++) {
        bool came;

        assert_int_equal(poll_for(bed, 1000, &came), 0);
    }
    assert_int_equal(bed->expected[2].next, 120);
    assert_int_equal(bed->expected[3].next, 120);
    assert_int_equal(bed->expected[0].next, 0);
    assert_int_equal(log_reader_position(bed->reader, bed->topic, 1), 0);
    assert_false(log_reader_at_end(bed->reader));
    fake_set_error(&bed->fake, 0, 0, 0);
    fake_set_error(&bed->fake, 1, 0, 0);
    read_all(bed);
    close_bed(bed);
}

static void offset_that_is_not_there_is_told_and_the_others_go_on(void **state)
{
    struct bed *bed = open_filled(3, 10);

    (void)state;
    assign(bed, 1, 41);
    await_failure(bed, ERR_OUT_OF_RANGE, 1);
    assert_non_null(strstr(bed->err.message, "topic 't', partition 1: offset 41 is not there"));
    assert_int_equal(log_reader_position(bed->reader, bed->topic, 1), 41);
    bed->expected[1].is_paused = true;
    read_all(bed);
    assign(bed, 1, 39);
    read_all(bed);
    close_bed(bed);
}

/* The records that have come already are handed out before. */
static void error_is_told_behind_the_records_that_came_before_it(void **state)
{
    struct bed *bed = open_bed(3);

    (void)state;
    for (uint32_t i = 0; i < 3; i += 2) { /* of the same broker, so that one answer has both */
        fake_append(&bed->fake, i, 10);
        assign(bed, i, 0);
    }
    read_block(bed);
    pause_place(bed, 0);
    pause_place(bed, 2);
    fake_lock(&bed->fake);
    bed->fake.partitions[0].begin = 40;
    fake_unlock(&bed->fake);
    resume_place(bed, 0);
    await_failure(bed, ERR_OUT_OF_RANGE, 0);
    assert_true(bed->expected[0].next >= 2 * FAKE_BATCH);
    assert_int_equal(bed->expected[0].next % (2 * FAKE_BATCH), 0);
    bed->expected[0].is_paused = true;
    resume_place(bed, 2);
    read_all(bed);
    close_bed(bed);
}

static void missing_right_is_told_and_reading_goes_on_once_it_is_there(void **state)
{
    struct bed *bed = open_filled(2, 10);
    int64_t next;

    (void)state;
    read_block(bed);
    fake_set_error(&bed->fake, 0, NOT_AUTHORIZED, -1);
    await_failure(bed, ERR_NOT_AUTHORIZED, 0);
    assert_non_null(strstr(bed->err.message, "topic 't', partition 0"));
    assert_non_null(strstr(bed->err.message, "the right to READ it is missing"));
    next = bed->expected[0].next;
    bed->expected[0].is_paused = true;
    read_all(bed);
    fake_set_error(&bed->fake, 0, 0, 0);
    assign(bed, 0, next);
    read_all(bed);
    close_bed(bed);
}

/* It waits long; what it finds out on the way is told at once. */
static void what_metadata_tell_ends_the_poll(void **state)
{
    static const struct {
        int16_t error;
        int code;
    } cases[] = { { NOT_AUTHORIZED, ERR_NOT_AUTHORIZED }, { UNKNOWN_TOPIC, ERR_TOPIC_GONE } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bed *bed = open_filled(1, 1);
        int64_t began_ms;

        read_all(bed);
        fake_lock(&bed->fake);
        bed->fake.topic_error = cases[i].error;
        bed->fake.partitions[0].leader = -1;
        fake_unlock(&bed->fake);
        began_ms = clock_elapsed_ms(&bed->clock);
        await_failure(bed, cases[i].code, 0);
        assert_true(clock_elapsed_ms(&bed->clock) - began_ms < LONG_MS / 2);
        close_bed(bed);
    }
}

/* --- waking --- */

static void *wake(void *reader)
{
    log_reader_wake(reader);
    return NULL;
}

static void waking_ends_a_poll_that_waits(void **state)
{
    struct bed *bed = open_filled(3, 2);
    int64_t began_ms;

    (void)state;
    read_all(bed);
    pause_place(bed, 0);
    pause_place(bed, 1);
    pause_place(bed, 2);
    began_ms = clock_elapsed_ms(&bed->clock);
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        bool came;

        assert_int_equal(pthread_create(&thread, NULL, wake, bed->reader), 0);
        assert_int_equal(poll_for(bed, LONG_MS, &came), 0);
        assert_false(came);
        (void)pthread_join(thread, NULL);
    }
    assert_true(clock_elapsed_ms(&bed->clock) - began_ms < LONG_MS / 2);
    close_bed(bed);
}

/* --- how often it asks --- */

enum { WATCHED_MS = 400 };

struct watched {
    uint32_t fetches;
    uint32_t connections;
    uint32_t looks;
    int64_t ms;
};

static struct watched counts_of(struct bed *bed)
{
    struct watched now = { .fetches = fake_fetches(&bed->fake, 0),
                           .connections = fake_connections_made(&bed->fake, 0),
                           .ms = clock_elapsed_ms(&bed->clock) };

    fake_lock(&bed->fake);
    now.looks = bed->fake.looks;
    fake_unlock(&bed->fake);
    return now;
}

/* What the first broker sees of a reader that polls for a while, and mostly sleeps. */
static struct watched watch(struct bed *bed)
{
    struct watched before = counts_of(bed);
    struct watched after = before;
    int64_t cpu_us = clock_cpu_us();
    uint32_t polls = 0;

    for (; after.ms - before.ms < WATCHED_MS; after = counts_of(bed)) {
        bool came;

        assert_int_equal(poll_for(bed, before.ms + WATCHED_MS - after.ms, &came), 0);
        polls++;
    }
    cpu_us = clock_cpu_us() - cpu_us;
    after.fetches -= before.fetches;
    after.connections -= before.connections;
    after.looks -= before.looks;
    after.ms -= before.ms;
    assert_true(polls <= 10 + after.ms / 5);
    assert_true(cpu_us < after.ms * 1000 / 2); /* of the brokers' thread too */
    return after;
}

/* So many a second, and some for the begin. */
static void assert_rate(uint32_t count, int64_t ms, int64_t a_second)
{
    if (count > 8 + ms * a_second / 1000) {
        fail_msg("%u within %lld ms", count, (long long)ms);
    }
}

static void idle_reader_waits_at_the_broker(void **state)
{
    struct bed *bed = open_filled(FAKE_PARTITIONS, 1);
    struct watched watched;

    (void)state;
    read_all(bed);
    watched = watch(bed);
    assert_rate(watched.fetches, watched.ms, 10);
    assert_int_equal(watched.connections, 0);
    assert_int_equal(watched.looks, 0);
    close_bed(bed);
}

static void broker_that_does_not_wait_is_not_asked_without_a_break(void **state)
{
    static const enum fake_manner manners[] = { FAKE_HASTY, FAKE_WORDLESS };

    (void)state;
    for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
        struct bed *bed = open_filled(4, 3);
        struct watched watched;

        read_all(bed);
        fake_set_manner(&bed->fake, 0, manners[i]);
        watched = watch(bed);
        assert_rate(watched.fetches, watched.ms, 10);
        fake_set_manner(&bed->fake, 0, FAKE_PROPER);
        fake_append(&bed->fake, 0, 3);
        read_all(bed);
        close_bed(bed);
    }
}

static void broker_that_hangs_up_is_not_called_without_a_break(void **state)
{
    static const enum fake_manner manners[] = { FAKE_HANGS_UP, FAKE_BREAKS_OFF, FAKE_RUBBISH };

    (void)state;
    for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
        struct bed *bed = open_filled(4, 3);
        struct watched watched;

        read_block(bed);
        fake_set_manner(&bed->fake, 0, manners[i]);
        watched = watch(bed);
        assert_rate(watched.connections, watched.ms, 20);
        assert_rate(watched.fetches, watched.ms, 20);
        assert_rate(watched.looks, watched.ms, 40);
        fake_set_manner(&bed->fake, 0, FAKE_PROPER);
        read_all(bed);
        close_bed(bed);
    }
}

static void broker_that_is_down_is_not_looked_for_without_a_break(void **state)
{
    struct bed *bed = open_filled(40, 3);
    struct watched watched;

    (void)state;
    read_block(bed);
    fake_set_down(&bed->fake, 0);
    watched = watch(bed);
    assert_rate(watched.looks, watched.ms, 20);
    fake_set_up(&bed->fake, 0);
    read_all(bed);
    close_bed(bed);
}

static void errors_for_ever_are_asked_for_with_breaks(void **state)
{
    static const int16_t errors[] = { NEW_ERROR, NOT_LEADER };
    struct bed *bed = open_filled(40, 1);

    (void)state;
    read_all(bed);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct watched watched;

        for (uint32_t partition = 0; partition < 20; partition++) {
            fake_set_error(&bed->fake, partition, errors[i], INT32_MAX);
        }
        watched = watch(bed);
        assert_rate(watched.fetches, watched.ms, 60);
        assert_rate(watched.looks, watched.ms, 30);
    }
    close_bed(bed);
}

/* --- any answer --- */

/* As far as a checksum does not tell, the records are what the answer makes them. */
static int64_t check_garbled(const struct log_block *block, int64_t next)
{
    for (uint32_t i = 0; i < block->record_count; i++) {
        assert_true(block->records[i].offset >= next);
        next = block->records[i].offset + 1;
    }
    assert_true(block->next_offset >= next);
    return block->next_offset;
}

static bool may_be_told(int code)
{
    return code == ERR_LOG_DAMAGED || code == ERR_OUT_OF_RANGE || code == ERR_NOT_AUTHORIZED;
}

static void answer_of_any_bytes_is_records_or_an_error(void **state)
{
    enum { ANSWERS = 500, PARTITIONS = 4 };
    struct bed *bed = open_filled(PARTITIONS, 50);
    int64_t next[PARTITIONS] = { 0 };

    (void)state;
    fake_set_manner(&bed->fake, 0, FAKE_GARBLES);
    fake_set_manner(&bed->fake, 1, FAKE_GARBLES);
    while (fake_fetches(&bed->fake, 0) + fake_fetches(&bed->fake, 1) < ANSWERS) {
        struct log_block *block = NULL;
        int code = log_reader_poll(bed->reader, 1, &block, &bed->failed, &bed->err);
        uint32_t again = code ? bed->failed.partition : PARTITIONS;

        assert_true(!code || may_be_told(code));
        if (block) {
            next[block->partition] = check_garbled(block, next[block->partition]);
            again = next[block->partition] >= 200 ? block->partition : again;
            log_block_unref(block);
        }
        if (again < PARTITIONS) {
            assign(bed, again, 0);
            next[again] = 0;
        }
    }
    fake_set_manner(&bed->fake, 0, FAKE_PROPER);
    fake_set_manner(&bed->fake, 1, FAKE_PROPER);
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        assign(bed, i, 0);
    }
    read_all(bed);
    close_bed(bed);
}

/* --- pauses --- */

static void pause_makes_nobody_ask_more_often(void **state)
{
    struct bed *bed = open_filled(4, 1);
    struct watched watched;

    (void)state;
    read_all(bed);
    pause_place(bed, 0);
    fake_append(&bed->fake, 0, 4);
    (void)watch(bed); /* what comes of it is held, and a short pause is another matter */
    watched = watch(bed);
    assert_rate(watched.fetches, watched.ms, 10);
    resume_place(bed, 0);
    read_all(bed);
    close_bed(bed);
}

static uint32_t batches_sent(struct bed *bed, uint32_t partition)
{
    uint32_t count;

    fake_lock(&bed->fake);
    count = bed->fake.partitions[partition].batches_sent;
    fake_unlock(&bed->fake);
    return count;
}

/* Once to see that, and once to hand it out. */
static void paused_partition_that_is_too_large_to_hold_is_fetched_twice(void **state)
{
    struct bed *bed = open_bed(3);
    struct watched watched;

    (void)state;
    fake_lock(&bed->fake);
    bed->fake.value_bytes = 1300000;
    fake_unlock(&bed->fake);
    fake_append(&bed->fake, 0, 2);
    assign(bed, 0, 0);
    assign(bed, 2, 0);
    pause_place(bed, 0);
    for (int i = 0; i < POLLS_MAX && !batches_sent(bed, 0); i++) {
        bool came;

        assert_int_equal(poll_for(bed, 10, &came), 0);
    }
    (void)watch(bed);
    watched = watch(bed);
    assert_rate(watched.fetches, watched.ms, 10);
    assert_int_equal(batches_sent(bed, 0), 2);
    resume_place(bed, 0);
    read_all(bed);
    assert_int_equal(batches_sent(bed, 0), 4);
    close_bed(bed);
}

/* An answer counts once, whoever has a share in it. */
static void paused_partitions_of_one_answer_are_held_together(void **state)
{
    struct bed *bed = open_bed(11);
    struct watched watched;

    (void)state;
    fake_lock(&bed->fake);
    bed->fake.value_bytes = 100000;
    fake_unlock(&bed->fake);
    for (uint32_t i = 0; i < 11; i += 2) {
        fake_append(&bed->fake, i, 2);
        assign(bed, i, 0);
        pause_place(bed, i);
    }
    (void)watch(bed);
    watched = watch(bed);
    assert_rate(watched.fetches, watched.ms, 10);
    for (uint32_t i = 0; i < 11; i += 2) {
        resume_place(bed, i);
    }
    read_all(bed);
    for (uint32_t i = 0; i < 11; i += 2) {
        assert_int_equal(batches_sent(bed, i), 2);
    }
    close_bed(bed);
}

/* --- a random walk --- */

enum { WALK_PARTITIONS = 6, WALK_STEPS = 1000 };

static void change_brokers(struct bed *bed, uint64_t *seed)
{
    static const int16_t errors[] = { NOT_LEADER, NEW_ERROR, UNKNOWN_TOPIC, NOT_AVAILABLE };
    uint32_t partition = fake_random(seed) % WALK_PARTITIONS;
    int broker = (int)(fake_random(seed) % FAKE_BROKERS);

    switch (fake_random(seed) % 8) {
    case 0:
        fake_set_leader(&bed->fake, partition, broker);
        break;
    case 1:
        fake_set_error(&bed->fake, partition, errors[fake_random(seed) % 4], 1);
        break;
    case 2:
        fake_set_manner(&bed->fake, 1, (enum fake_manner)(fake_random(seed) % 6));
        break;
    case 3:
        fake_set_manner(&bed->fake, 1, FAKE_PROPER);
        break;
    case 4: /* all connections of that broker end */
        fake_set_down(&bed->fake, 1);
        fake_set_up(&bed->fake, 1);
        break;
    default:
        fake_append(&bed->fake, partition, fake_random(seed) % 20);
    }
}

static void change_places(struct bed *bed, uint64_t *seed)
{
    uint32_t partition = fake_random(seed) % WALK_PARTITIONS;
    struct expected *expected = &bed->expected[partition];

    switch (fake_random(seed) % 8) {
    case 0:
        assign(bed, partition, fake_random(seed) % (bed->fake.partitions[partition].end + 1));
        break;
    case 1:
        log_reader_unassign(bed->reader, bed->topic, partition);
        *expected = (struct expected){ 0 };
        break;
    case 2:
    case 3:
        if (!expected->is_assigned) {
            assign(bed, partition, 0);
        }
        break;
    case 4:
    case 5:
        if (expected->is_assigned) {
            pause_place(bed, partition);
        }
        break;
    default:
        if (expected->is_assigned) {
            resume_place(bed, partition);
        }
    }
}

static void walk(uint64_t seed)
{
    struct bed *bed = open_filled(WALK_PARTITIONS, 20);

    for (int i = 0; i < WALK_STEPS || (bed->records <= WALK_STEPS && i < 100 * WALK_STEPS); i++) {
        uint32_t kind = fake_random(&seed) % 8;
        bool came;

        if (kind == 0) {
            change_brokers(bed, &seed);
        } else if (kind < 3) {
            change_places(bed, &seed);
        } else {
            assert_int_equal(poll_for(bed, fake_random(&seed) % 3, &came), 0);
        }
    }
    fake_set_manner(&bed->fake, 1, FAKE_PROPER);
    for (uint32_t i = 0; i < WALK_PARTITIONS; i++) {
        fake_append(&bed->fake, i, 2);
        if (bed->expected[i].is_assigned) {
            resume_place(bed, i);
        }
    }
    read_all(bed);
    assert_true(bed->records > WALK_STEPS);
    close_bed(bed);
}

static void whatever_happens_each_record_comes_once_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        walk(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_comes_once_in_every_version_of_fetch),
        cmocka_unit_test(begin_and_end_are_those_of_now),
        cmocka_unit_test(begin_that_nobody_tells_is_an_error_at_once),
        cmocka_unit_test(partitions_have_turns),
        cmocka_unit_test(leader_may_move_while_it_is_read),
        cmocka_unit_test(brokers_may_go_down_and_come_back),
        cmocka_unit_test(errors_that_pass_are_told_to_nobody),
        cmocka_unit_test(error_that_lasts_keeps_no_other_partition_back),
        cmocka_unit_test(offset_that_is_not_there_is_told_and_the_others_go_on),
        cmocka_unit_test(error_is_told_behind_the_records_that_came_before_it),
        cmocka_unit_test(missing_right_is_told_and_reading_goes_on_once_it_is_there),
        cmocka_unit_test(what_metadata_tell_ends_the_poll),
        cmocka_unit_test(waking_ends_a_poll_that_waits),
        cmocka_unit_test(idle_reader_waits_at_the_broker),
        cmocka_unit_test(broker_that_does_not_wait_is_not_asked_without_a_break),
        cmocka_unit_test(broker_that_hangs_up_is_not_called_without_a_break),
        cmocka_unit_test(broker_that_is_down_is_not_looked_for_without_a_break),
        cmocka_unit_test(errors_for_ever_are_asked_for_with_breaks),
        cmocka_unit_test(answer_of_any_bytes_is_records_or_an_error),
        cmocka_unit_test(pause_makes_nobody_ask_more_often),
        cmocka_unit_test(paused_partition_that_is_too_large_to_hold_is_fetched_twice),
        cmocka_unit_test(paused_partitions_of_one_answer_are_held_together),
        cmocka_unit_test(whatever_happens_each_record_comes_once_in_order),
    };

    cmocka_set_test_filter(getenv("SLUICE_TEST_ONLY"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
