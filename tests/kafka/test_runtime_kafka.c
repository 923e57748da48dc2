/*
 * test_runtime_kafka.c: queries on a real broker: what flows, what a restart repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/kafka/kafka_rig.h"

static void begin(struct rig *f, enum runtime_guarantee guarantee)
{
    kafka_rig_init(f);
    f->guarantee = guarantee;
    rig_open(f, "node");
    rig_topic(f, "$orders", 4);
    rig_sql(f, kafka_rig_orders);
}

static void check_restart(enum runtime_guarantee guarantee)
{
    const struct physical_plan *plans[2];
    struct rig f;

    begin(&f, guarantee);
    plans[0] = rig_sql(&f, kafka_rig_copy);
    plans[1] = rig_sql(&f, kafka_rig_totals);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 0, 1000);
    rig_drain(&f);
    runtime_close(f.rt);
    rig_put_many(&f, "$orders", 1000, 1500);
    rig_open(&f, "node");
    rig_start(&f, plans[0]);
    rig_start(&f, plans[1]);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 1500, 2000);
    rig_drain(&f);
    kafka_rig_await_count(&f, "$COPY", 2000);
    kafka_rig_await_count(&f, "$TOTALS", 2000);
    rig_fini(&f);
}

static void exactly_once_goes_on_where_it_ended(void **state)
{
    (void)state;
    check_restart(EXACTLY_ONCE);
}

static void at_least_once_repeats_nothing_behind_an_orderly_end(void **state)
{
    (void)state;
    check_restart(AT_LEAST_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_once_goes_on_where_it_ended),
        cmocka_unit_test(at_least_once_repeats_nothing_behind_an_orderly_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
