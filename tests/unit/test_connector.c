/*
 * test_connector.c: connectors whose target is not there: what they say, and that they can be told
 * anything by any thread meanwhile. Nothing listens on port 1, so each attempt fails at once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sinks/connector.h"
#include "tests/unit/engine_bed.h"

enum { ROUNDS = 30 };

struct bench {
    struct bed bed;
    struct clock clock;
    struct sink_host *host;
};

static int setup(void **state)
{
    static struct bench bench;
    struct sink_host_config config = { .log_is_volatile = true, .worker_id = "here:1" };

    bed_init(&bench.bed);
    clock_init_real(&bench.clock);
    config.log = bench.bed.log;
    config.clock = &bench.clock;
    bench.host = sink_host_create(&config);
    bench.bed.config.connectors = sink_host_interface(bench.host);
    bed_open(&bench.bed);
    bed_run(&bench.bed, "CREATE STREAM s (k STRING KEY, v INT) "
                        "WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=4);"
                        "INSERT INTO s VALUES ('a', 1);");
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    sink_host_destroy(bench->host);
    bed_fini(&bench->bed);
    return 0;
}

static const char away[] =
    "CREATE SINK CONNECTOR c WITH ('connector.class'='JdbcSink', 'topics'='t', 'tasks.max'=3, "
    "'connection.url'='jdbc:postgresql://127.0.0.1:1/d', 'max.retries'=-1, 'retry.backoff.ms'=1);";

static int find(struct bench *bench, struct connector_status *out)
{
    struct connector_entry entry;

    return engine_find_connector(bench->bed.engine, bytes_of("C"), &bench->bed.arena, &entry, out,
                                 NULL);
}

/* --- from several threads --- */

static void *command_it(void *context)
{
    static const enum connector_action actions[] = { CONNECTOR_PAUSE, CONNECTOR_RESUME,
                                                     CONNECTOR_RESTART, CONNECTOR_STOP,
                                                     CONNECTOR_RESUME };
    struct bench *bench = context;

    for (int i = 0; i < ROUNDS; i++) {
        (void)engine_control_connector(bench->bed.engine, bytes_of("C"), actions[i % 5], NULL);
    }
    return NULL;
}

static void one_that_tries_again_for_ever_can_be_commanded_and_dropped(void **state)
{
    struct bench *bench = *state;
    struct connector_status status;
    pthread_t commander;

    bed_run(&bench->bed, away);
    pthread_create(&commander, NULL, command_it, bench);
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(find(bench, &status), 0);
        assert_true(strcmp(status.state, "RUNNING") == 0 || strcmp(status.state, "PAUSED") == 0 ||
                    strcmp(status.state, "STOPPED") == 0);
        assert_int_equal(status.task_count, strcmp(status.state, "STOPPED") == 0 ? 0 : 3);
    }
    pthread_join(commander, NULL);
    bed_run(&bench->bed, "DROP CONNECTOR c;");
    assert_int_equal(find(bench, &status), ERR_UNKNOWN_CONNECTOR);
}

static void sources_may_come_and_go_while_it_tries(void **state)
{
    struct bench *bench = *state;
    struct connector_status status;

    bed_run(&bench->bed, away);
    for (int i = 0; i < ROUNDS; i++) {
        bed_run(&bench->bed, "DROP STREAM s;");
        bed_run(&bench->bed, "CREATE STREAM s (k STRING KEY, v BIGINT) "
                             "WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=4);");
    }
    assert_int_equal(find(bench, &status), 0);
    assert_string_equal(status.state, "RUNNING");
}

/* --- what it says --- */

static void it_gives_up_after_its_retries_and_says_where(void **state)
{
    struct bench *bench = *state;
    struct error err = { 0 };

    bed_run(&bench->bed,
            "CREATE SINK CONNECTOR c WITH ('connector.class'='JdbcSink', 'topics'='t', "
            "'connection.url'='jdbc:postgresql://127.0.0.1:1/d', 'max.retries'=2, "
            "'retry.backoff.ms'=1);");
    assert_int_equal(engine_drain(bench->bed.engine, &err), ERR_CONNECTOR_FAILED);
    assert_non_null(strstr(err.message, "gave up after 2 retries: Postgres at 127.0.0.1:1"));
}

static void a_pattern_may_not_match_the_dead_letters(void **state)
{
    struct bench *bench = *state;

    bed_refuse(&bench->bed,
               "CREATE SINK CONNECTOR c WITH ('connector.class'='JdbcSink', 'topics.regex'='t.*', "
               "'connection.url'='jdbc:postgresql://127.0.0.1:1/d', "
               "'errors.deadletterqueue.topic.name'='tomb');",
               ERR_INVALID_PROPERTY, 0, 0);
    assert_non_null(strstr(bench->bed.error.message, "The dead-letter topic tomb is among"));
}

static void all_that_is_wrong_is_found(void **state)
{
    struct bench *bench = *state;
    const struct connector_option given[] = {
        { BYTES("connector.class"), BYTES("JdbcSink") },
        { BYTES("insert.mode"), BYTES("merge") },
        { BYTES("topics"), BYTES("t") },
        { BYTES("topics.regex"), BYTES("t") },
    };
    const struct connector_entry wanted = {
        .name = BYTES("c"), .is_sink = true, .options = given, .option_count = 4
    };
    struct connector_finding *findings = NULL;

    assert_int_equal(
        engine_validate_connector(bench->bed.engine, &wanted, &bench->bed.arena, &findings), 2);
    assert_true(bytes_equal_text(findings[0].option, "insert.mode"));
    assert_true(bytes_equal_text(findings[1].option, "topics"));
}

/* --- offsets --- */

static void offsets_are_set_in_the_target_or_not_at_all(void **state)
{
    struct bench *bench = *state;
    struct engine *engine = bench->bed.engine;
    const struct connector_offset wanted = { BYTES("t"), 0, 0 };
    struct connector_offset *told = NULL;
    uint32_t count = 1;

    bed_run(&bench->bed, away);
    assert_int_equal(engine_write_connector_offsets(engine, bytes_of("c"), &wanted, 1, NULL),
                     ERR_INVALID_PROPERTY); /* it is not stopped */
    assert_int_equal(engine_control_connector(engine, bytes_of("c"), CONNECTOR_STOP, NULL), 0);
    assert_int_equal(engine_write_connector_offsets(engine, bytes_of("c"), &wanted, 1, NULL),
                     ERR_SINK_UNAVAILABLE);
    assert_int_equal(engine_read_connector_offsets(engine, bytes_of("c"), &bench->bed.arena, &told,
                                                   &count, NULL),
                     0);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_that_tries_again_for_ever_can_be_commanded_and_dropped,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(sources_may_come_and_go_while_it_tries, setup, teardown),
        cmocka_unit_test_setup_teardown(it_gives_up_after_its_retries_and_says_where, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_pattern_may_not_match_the_dead_letters, setup, teardown),
        cmocka_unit_test_setup_teardown(all_that_is_wrong_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(offsets_are_set_in_the_target_or_not_at_all, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
