/*
 * test_clock_kafka.c: a node on a real broker whose wall clock is set back.
 *
 * SLUICE_TEST_KAFKA is the broker's address (make kafka starts one).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/log/log_kafka.h"
#include "tests/unit/engine_bed.h"

enum { AN_HOUR_MS = 3600000, ROUNDS = 10 };

static void open_on_kafka(struct bed *bed)
{
    const struct log_kafka_config config = { .bootstrap = bytes_of(getenv("SLUICE_TEST_KAFKA")) };
    static char service[40];

    snprintf(service, sizeof service, "clock%ld_", (long)getpid());
    bed_init(bed);
    log_close(bed->log);
    clock_init_real(&bed->clock);
    assert_int_equal(log_kafka_create(&config, &bed->clock, &bed->log, &bed->error), 0);
    bed->config.log = bed->log;
    bed->config.mode = RUNTIME_THREADED;
    bed->config.is_shared = true;
    bed->config.service_id = service;
    bed->config.node_id = "clock";
    bed->config.is_lasting = true;
    bed_open(bed);
}

static void insert(struct bed *bed, int first)
{
    char text[96];

    for (int i = first; i < first + ROUNDS; i++) {
        snprintf(text, sizeof text, "INSERT INTO bets VALUES (1, %d);", i);
        bed_run(bed, text);
    }
}

/* The query's answer comes once the table has got there. */
static void expect(struct bed *bed, const char *count, const char *sum)
{
    char text[128];

    snprintf(text, sizeof text, "SELECT n, s FROM sums WHERE n = %s EMIT CHANGES LIMIT 1;", count);
    assert_non_null(strstr(bed_run(bed, text), sum));
}

static void nothing_is_lost_or_repeated_when_the_clock_is_set_back(void **state)
{
    struct bed bed;

    open_on_kafka(&bed);
    bed_run(&bed, "SET 'auto.offset.reset' = 'earliest';"
                  "CREATE STREAM bets (id INT KEY, v INT) WITH (KAFKA_TOPIC = 'clock-bets', "
                  "VALUE_FORMAT = 'JSON', PARTITIONS = 1);"
                  "CREATE TABLE sums WITH (KAFKA_TOPIC = 'clock-sums') AS "
                  "SELECT id, COUNT(*) AS n, SUM(v) AS s FROM bets GROUP BY id;");
    insert(&bed, 0);
    expect(&bed, "10", "row 10|45");
    clock_set_by(&bed.clock, -AN_HOUR_MS);
    insert(&bed, ROUNDS);
    expect(&bed, "20", "row 20|190");
    bed_close(&bed);
    clock_set_by(&bed.clock, -AN_HOUR_MS); /* a restart finds it set back once more */
    bed_open(&bed);
    bed_run(&bed, "SET 'auto.offset.reset' = 'earliest';");
    insert(&bed, 2 * ROUNDS);
    expect(&bed, "30", "row 30|435");
    bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_repeated_when_the_clock_is_set_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
