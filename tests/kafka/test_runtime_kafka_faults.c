/*
 * test_runtime_kafka_faults.c: topics that vanish, are cut off, or damaged under running queries:
 * the query says why it stopped, its neighbour notices nothing, and both go on when they can.
 *
 * SLUICE_TEST_KAFKA_DATA is the broker's data folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>

#include "tests/kafka/kafka_rig.h"

/* One worker, so that all share its transaction. */
static void begin(struct rig *f, uint32_t partitions)
{
    kafka_rig_init(f);
    f->workers = 1;
    rig_open(f, "node");
    rig_topic(f, "$orders", partitions);
    rig_topic(f, "$others", 2);
    rig_sql(f, kafka_rig_orders);
    rig_sql(f, kafka_rig_others);
}

static void expect_error(struct rig *f, const struct physical_plan *plan, enum error_code code,
                         const char *words)
{
    struct query_status status;

    kafka_rig_await_state(f, plan, QUERY_ERROR);
    status = kafka_rig_status(f, plan);
    if (status.error.code != code || !strstr(status.error.message, words)) {
        fail_msg("%s: %s", error_name(status.error.code), status.error.message);
    }
}

static void vanished_source_stops_its_readers_until_it_is_back(void **state)
{
    const struct physical_plan *failing, *counting;
    struct rig f;

    (void)state;
    begin(&f, 2);
    failing = rig_sql(&f, kafka_rig_copy);
    counting = rig_sql(&f, kafka_rig_totals);
    rig_sql(&f, kafka_rig_neighbour);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 0, 100);
    rig_put_many(&f, "$others", 0, 100);
    rig_drain(&f);
    kafka_rig_drop_topic(&f, "$orders");
    rig_put_many(&f, "$others", 100, 200);
    kafka_rig_await_count(&f, "$NEIGHBOUR", 200);
    kafka_rig_await_state(&f, failing, QUERY_ERROR);
    assert_non_null(strstr(kafka_rig_status(&f, failing).error.message, "orders"));
    kafka_rig_await_state(&f, counting, QUERY_ERROR);
    rig_topic(&f, "$orders", 2);
    rig_put_many(&f, "$orders", 100, 150);
    kafka_rig_await_state(&f, failing, QUERY_RUNNING);
    kafka_rig_await_state(&f, counting, QUERY_RUNNING);
    kafka_rig_await_count(&f, "$COPY", 150);
    kafka_rig_await_count(&f, "$TOTALS", 150);
    kafka_rig_await_count(&f, "$NEIGHBOUR", 200);
    rig_fini(&f);
}

/* As its owner would, with tools of his own. */
static void add_partitions(struct rig *f, const char *topic, size_t count)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[512];
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(rig_text(f, topic), count, why, sizeof why);
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *answer;
    rd_kafka_t *rk;

    assert_int_equal(
        rd_kafka_conf_set(conf, "bootstrap.servers", getenv("SLUICE_TEST_KAFKA"), why, sizeof why),
        RD_KAFKA_CONF_OK);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    assert_non_null(rk);
    queue = rd_kafka_queue_new(rk);
    rd_kafka_CreatePartitions(rk, &more, 1, NULL, queue);
    answer = rd_kafka_queue_poll(queue, 60000);
    assert_non_null(answer);
    assert_int_equal(rd_kafka_event_error(answer), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(answer);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewPartitions_destroy(more);
    rd_kafka_destroy(rk);
}

static void added_partitions_are_taken_by_queries_without_state_and_stop_the_others(void **state)
{
    const struct physical_plan *copying, *keyed;
    struct rig f;

    (void)state;
    begin(&f, 2);
    copying = rig_sql(&f, kafka_rig_copy);
    keyed = rig_sql(&f, "CREATE TABLE keyed WITH (KAFKA_TOPIC='$KEYED') AS SELECT id, COUNT(*) AS "
                        "n FROM orders GROUP BY id;");
    rig_sql(&f, kafka_rig_neighbour);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 0, 100);
    rig_drain(&f);
    kafka_rig_await_count(&f, "$COPY", 100);
    add_partitions(&f, "$orders", 4);
    expect_error(&f, keyed, ERR_TOPIC_MISMATCH, "Partitions were added");
    rig_put_many(&f, "$orders", 100, 300);
    rig_put_many(&f, "$others", 0, 100);
    kafka_rig_await_count(&f, "$COPY", 300);
    kafka_rig_await_count(&f, "$NEIGHBOUR", 100);
    assert_int_equal(kafka_rig_status(&f, copying).state, QUERY_RUNNING);
    rig_fini(&f);
}

static void record_over_the_topics_limit_stops_its_query_alone(void **state)
{
    const struct physical_plan *failing, *other;
    char value[8000];
    struct rig f;

    (void)state;
    begin(&f, 1);
    kafka_rig_topic_with(&f, "$COPY", 1, "max.message.bytes", "2000");
    failing = rig_sql(&f, "CREATE STREAM copy WITH (KAFKA_TOPIC='$COPY') AS "
                          "SELECT id, item FROM orders;");
    other = rig_sql(&f, kafka_rig_neighbour);
    rig_sql(&f, "CREATE STREAM whole WITH (KAFKA_TOPIC='$WHOLE') AS SELECT id, item FROM orders;");
    kafka_rig_await_slots(&f);
    rig_put(&f, "$orders", "small", "{\"ITEM\":\"one\"}", 1);
    rig_drain(&f);
    (void)snprintf(value, sizeof value, "{\"ITEM\":\"%07000d\"}", 1);
    rig_put(&f, "$orders", "big", value, 2);
    expect_error(&f, failing, ERR_RECORD_REFUSED, "COPY");
    rig_put_many(&f, "$others", 0, 100);
    kafka_rig_await_count(&f, "$NEIGHBOUR", 100);
    kafka_rig_await_count(&f, "$WHOLE", 2);
    kafka_rig_await_count(&f, "$COPY", 1);
    assert_int_equal(kafka_rig_status(&f, other).state, QUERY_RUNNING);
    kafka_rig_drop_topic(&f, "$COPY");
    rig_topic(&f, "$COPY", 1);
    kafka_rig_await_count(&f, "$COPY", 1);
    kafka_rig_await_state(&f, failing, QUERY_RUNNING);
    kafka_rig_await_count(&f, "$WHOLE", 2);
    kafka_rig_await_count(&f, "$NEIGHBOUR", 100);
    rig_fini(&f);
}

static void refused_record_without_transactions_stops_its_query_alone(void **state)
{
    const struct physical_plan *failing;
    char value[8000];
    struct rig f;

    (void)state;
    kafka_rig_init(&f);
    f.workers = 1;
    f.guarantee = AT_LEAST_ONCE;
    rig_open(&f, "node");
    rig_topic(&f, "$orders", 1);
    rig_sql(&f, kafka_rig_orders);
    kafka_rig_topic_with(&f, "$COPY", 1, "max.message.bytes", "2000");
    failing = rig_sql(&f, "CREATE STREAM copy WITH (KAFKA_TOPIC='$COPY') AS "
                          "SELECT id, item FROM orders;");
    rig_sql(&f, "CREATE STREAM whole WITH (KAFKA_TOPIC='$WHOLE') AS SELECT id, item FROM orders;");
    kafka_rig_await_slots(&f);
    (void)snprintf(value, sizeof value, "{\"ITEM\":\"%07000d\"}", 1);
    rig_put(&f, "$orders", "big", value, 2);
    expect_error(&f, failing, ERR_RECORD_REFUSED, "COPY");
    for (int i = 0; i < 5; i++) {
        rig_put_many(&f, "$orders", i * 100, i * 100 + 100);
        kafka_rig_await_count(&f, "$WHOLE", (uint64_t)i * 100 + 101);
    }
    kafka_rig_await_state(&f, failing, QUERY_ERROR);
    rig_fini(&f);
}

/* --- positions --- */

static void position_beyond_the_end_is_told_and_the_new_topic_read_whole(void **state)
{
    const struct physical_plan *plan;
    struct log *own;
    struct rig f;

    (void)state;
    begin(&f, 1);
    plan = rig_sql(&f, kafka_rig_copy);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 0, 100);
    rig_drain(&f);
    runtime_close(f.rt);
    own = f.log;
    f.log = kafka_rig_another_log(&f);
    kafka_rig_drop_topic(&f, "$orders");
    rig_topic(&f, "$orders", 1);
    rig_put_many(&f, "$orders", 100, 130);
    log_close(f.log);
    f.log = own;
    rig_open(&f, "node");
    rig_start(&f, plan);
    kafka_rig_await_count(&f, "$COPY", 130);
    assert_int_equal(f.skipped, 1);
    rig_put_many(&f, "$orders", 130, 140);
    kafka_rig_await_count(&f, "$COPY", 140);
    rig_fini(&f);
}

static bool has_skipped(struct rig *f, void *context)
{
    return kafka_rig_status(f, context).rows_skipped > 0;
}

/* The reader has been at the new topic's begin when the second query comes to it. */
static void query_that_comes_later_is_told_too_that_its_position_is_beyond_the_end(void **state)
{
    const struct physical_plan *copy, *again;
    struct log *own;
    struct rig f;

    (void)state;
    begin(&f, 1);
    copy = rig_sql(&f, kafka_rig_copy);
    again = rig_sql(&f, "CREATE STREAM again WITH (KAFKA_TOPIC='$AGAIN') AS "
                        "SELECT id, qty FROM orders;");
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 0, 100);
    rig_drain(&f);
    runtime_close(f.rt);
    own = f.log;
    f.log = kafka_rig_another_log(&f);
    kafka_rig_drop_topic(&f, "$orders");
    rig_topic(&f, "$orders", 1);
    log_close(f.log);
    f.log = own;
    rig_open(&f, "node");
    rig_start(&f, copy);
    assert_true(kafka_rig_await(&f, has_skipped, (void *)(uintptr_t)copy));
    rig_start(&f, again);
    assert_true(kafka_rig_await(&f, has_skipped, (void *)(uintptr_t)again));
    rig_put_many(&f, "$orders", 100, 130);
    kafka_rig_await_count(&f, "$COPY", 130);
    kafka_rig_await_count(&f, "$AGAIN", 130);
    rig_fini(&f);
}

static void deleted_records_are_told_and_passed_over(void **state)
{
    const struct physical_plan *plan;
    const struct log_topic *topic = NULL;
    struct error err = { 0 };
    struct rig f;

    (void)state;
    begin(&f, 1);
    plan = rig_sql(&f, kafka_rig_copy);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 0, 100);
    rig_drain(&f);
    runtime_close(f.rt);
    rig_put_many(&f, "$orders", 100, 200);
    assert_int_equal(log_open_topic(f.log, bytes_of(rig_text(&f, "$orders")), &topic, &err), 0);
    assert_int_equal(log_delete_records(f.log, topic, 0, 150, &err), 0);
    rig_open(&f, "node");
    rig_start(&f, plan);
    kafka_rig_await_count(&f, "$COPY", 150);
    assert_int_equal(f.skipped, 1);
    rig_fini(&f);
}

/* --- state --- */

static void vanished_changelog_is_told_and_not_taken_for_an_empty_one(void **state)
{
    const struct physical_plan *counting, *other;
    const char *changelog;
    struct rig f;

    (void)state;
    begin(&f, 1);
    counting = rig_sql(&f, kafka_rig_totals);
    other = rig_sql(&f, kafka_rig_copy);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 0, 100);
    rig_drain(&f);
    kafka_rig_await_count(&f, "$TOTALS", 100);
    runtime_close(f.rt);
    changelog = arena_copy_text(&f.arena, counting->stores[0].changelog);
    kafka_rig_drop_topic(&f, changelog);
    for (int i = 0; i < 2; i++) { /* the topic that is made anew does not hide it either */
        rig_open(&f, "node");
        rig_start(&f, other);
        rig_restart(&f, counting);
        expect_error(&f, counting, ERR_STATE_DAMAGED, changelog);
        rig_put_many(&f, "$orders", 100 + i, 101 + i);
        kafka_rig_await_count(&f, "$COPY", 101 + (uint64_t)i);
        kafka_rig_await_state(&f, counting, QUERY_ERROR);
        if (i == 0) {
            runtime_close(f.rt);
        }
    }
    assert_int_equal(rig_count(&f, "$TOTALS"), 100);
    rig_fini(&f);
}

/* --- bytes --- */

static void compressed_batches_are_read(void **state)
{
    static const char *const codecs[] = { "gzip", "snappy", "lz4", "zstd" };

    (void)state;
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        const struct topic_config property = { BYTES("compression.type"), bytes_of(codecs[i]) };
        struct rig f;

        kafka_rig_init_with(&f, &property, 1);
        rig_open(&f, "node");
        rig_topic(&f, "$orders", 2);
        rig_sql(&f, kafka_rig_orders);
        rig_sql(&f, kafka_rig_copy);
        rig_put_many(&f, "$orders", 0, 1000);
        kafka_rig_await_count(&f, "$COPY", 1000);
        rig_fini(&f);
    }
}

static long batch_end(FILE *log, long begin)
{
    unsigned char head[12];

    assert_int_equal(fseek(log, begin, SEEK_SET), 0);
    assert_int_equal(fread(head, 1, sizeof head, log), sizeof head);
    return begin + 12 +
           ((long)head[8] << 24 | (long)head[9] << 16 | (long)head[10] << 8 | head[11]);
}

/* Turns a byte of the second batch's records, or turns it back. */
static void turn_a_byte(struct rig *f, const char *topic)
{
    char path[512];
    FILE *log;
    long at;
    int byte;

    (void)snprintf(path, sizeof path, "%s/%s-0/00000000000000000000.log",
                   getenv("SLUICE_TEST_KAFKA_DATA"), rig_text(f, topic));
    log = fopen(path, "r+b");
    assert_non_null(log);
    at = batch_end(log, 0) + 100;
    assert_int_equal(fseek(log, at, SEEK_SET), 0);
    byte = fgetc(log);
    assert_true(byte != EOF);
    assert_int_equal(fseek(log, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 0x55, log), byte ^ 0x55);
    assert_int_equal(fclose(log), 0);
}

static void damaged_batch_stops_its_readers_and_nobody_skips_it(void **state)
{
    const struct physical_plan *plan;
    struct rig f;

    (void)state;
    begin(&f, 1);
    for (int i = 0; i < 3; i++) {
        rig_put_many(&f, "$orders", i * 100, i * 100 + 100);
    }
    turn_a_byte(&f, "$orders");
    plan = rig_sql(&f, kafka_rig_copy);
    rig_sql(&f, kafka_rig_neighbour);
    rig_put_many(&f, "$others", 0, 100);
    expect_error(&f, plan, ERR_LOG_DAMAGED, "partition 0 cannot be read at offset 100");
    kafka_rig_await_count(&f, "$COPY", 100);
    kafka_rig_await_count(&f, "$NEIGHBOUR", 100);
    turn_a_byte(&f, "$orders");
    kafka_rig_await_count(&f, "$COPY", 300);
    kafka_rig_await_state(&f, plan, QUERY_RUNNING);
    rig_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vanished_source_stops_its_readers_until_it_is_back),
        cmocka_unit_test(added_partitions_are_taken_by_queries_without_state_and_stop_the_others),
        cmocka_unit_test(record_over_the_topics_limit_stops_its_query_alone),
        cmocka_unit_test(refused_record_without_transactions_stops_its_query_alone),
        cmocka_unit_test(position_beyond_the_end_is_told_and_the_new_topic_read_whole),
        cmocka_unit_test(query_that_comes_later_is_told_too_that_its_position_is_beyond_the_end),
        cmocka_unit_test(deleted_records_are_told_and_passed_over),
        cmocka_unit_test(vanished_changelog_is_told_and_not_taken_for_an_empty_one),
        cmocka_unit_test(compressed_batches_are_read),
        cmocka_unit_test(damaged_batch_stops_its_readers_and_nobody_skips_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
