/*
 * kafka_rig.c: see kafka_rig.h.
 */
#include "tests/kafka/kafka_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/log/log_kafka.h"
#include "engine/runtime/runtime_internal.h"

const char *const kafka_rig_orders = "CREATE STREAM orders (id STRING KEY, item STRING, qty INT) "
                                     "WITH (KAFKA_TOPIC='$orders', VALUE_FORMAT='JSON');";
const char *const kafka_rig_others = "CREATE STREAM others (id STRING KEY, item STRING, qty INT) "
                                     "WITH (KAFKA_TOPIC='$others', VALUE_FORMAT='JSON');";
const char *const kafka_rig_copy =
    "CREATE STREAM copy WITH (KAFKA_TOPIC='$COPY') AS SELECT id, qty FROM orders;";
const char *const kafka_rig_totals = "CREATE TABLE totals WITH (KAFKA_TOPIC='$TOTALS') AS SELECT "
                                     "item, COUNT(*) AS n FROM orders GROUP BY item;";
const char *const kafka_rig_neighbour =
    "CREATE STREAM neighbour WITH (KAFKA_TOPIC='$NEIGHBOUR') AS SELECT id, qty FROM others;";

enum { LONGEST_WAIT_US = 60 * 1000 * 1000, PAUSE_NS = 20 * 1000 * 1000 };

static int rig_number;

void kafka_rig_init_at(struct rig *f, const char *bootstrap, const struct topic_config *properties,
                       uint32_t count)
{
    struct log_kafka_config config = { .bootstrap = bytes_of(bootstrap),
                                       .properties = properties,
                                       .property_count = count };
    static char prefixes[64][40];
    char *prefix = prefixes[rig_number++ % 64];
    struct error err = { 0 };
    struct log *log = NULL;

    (void)snprintf(prefix, sizeof prefixes[0], "t%d_%d_", (int)getpid(), rig_number);
    *f = (struct rig){ .workers = 2,
                       .mode = RUNTIME_THREADED,
                       .service_id = prefix,
                       .prefix = prefix,
                       .is_shared = true,
                       .is_lasting = true,
                       .slot_count = 4,
                       .retry_first_ms = 250 };
    clock_init_real(&f->clock);
    if (log_kafka_create(&config, &f->clock, &log, &err)) {
        fail_msg("%s", err.message);
    }
    rig_init_on(f, log);
}

void kafka_rig_init_with(struct rig *f, const struct topic_config *properties, uint32_t count)
{
    kafka_rig_init_at(f, getenv("SLUICE_TEST_KAFKA"), properties, count);
}

void kafka_rig_init(struct rig *f)
{
    kafka_rig_init_with(f, NULL, 0);
}

struct log *kafka_rig_another_log(struct rig *f)
{
    struct log_kafka_config config = { .bootstrap = bytes_of(getenv("SLUICE_TEST_KAFKA")) };
    struct error err = { 0 };
    struct log *log = NULL;

    if (log_kafka_create(&config, &f->clock, &log, &err)) {
        fail_msg("%s", err.message);
    }
    return log;
}

static bool owns_all(struct runtime *rt)
{
    uint32_t owned = 0;

    pthread_mutex_lock(&rt->leaf_mutex);
    for (uint32_t i = 0; i < rt->slot_count; i++) {
        owned += rt->slots[i].owned;
    }
    pthread_mutex_unlock(&rt->leaf_mutex);
    return owned == rt->slot_count;
}

bool kafka_rig_await(struct rig *f, bool (*is_so)(struct rig *f, void *context), void *context)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    int64_t deadline = clock_monotonic_us(&f->clock) + LONGEST_WAIT_US;

    while (!is_so(f, context)) {
        if (clock_monotonic_us(&f->clock) > deadline) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

static bool has_all_slots(struct rig *f, void *context)
{
    (void)context; /* there is nothing more to know */
    return owns_all(f->rt);
}

void kafka_rig_await_slots(struct rig *f)
{
    assert_true(kafka_rig_await(f, has_all_slots, NULL));
}

void kafka_rig_topic_with(struct rig *f, const char *name, uint32_t partitions, const char *setting,
                          const char *value)
{
    const struct topic_config config = { bytes_of(setting), bytes_of(value) };
    struct topic_spec spec = { .name = bytes_of(rig_text(f, name)),
                               .partition_count = partitions,
                               .configs = &config,
                               .config_count = 1 };
    struct error err = { 0 };

    if (log_create_topic(f->log, &spec, &err)) {
        fail_msg("%s", err.message);
    }
}

void kafka_rig_drop_topic(struct rig *f, const char *name)
{
    struct error err = { 0 };

    if (log_delete_topic(f->log, bytes_of(rig_text(f, name)), &err)) {
        fail_msg("%s", err.message);
    }
}

struct query_status kafka_rig_status(struct rig *f, const struct physical_plan *plan)
{
    struct query_status status;
    struct error err = { 0 };

    assert_int_equal(runtime_query_status(f->rt, plan->query_id, &status, &err), 0);
    return status;
}

struct wanted_state {
    const struct physical_plan *plan;
    enum query_state state;
};

static bool has_state(struct rig *f, void *context)
{
    const struct wanted_state *wanted = context;

    return kafka_rig_status(f, wanted->plan).state == wanted->state;
}

void kafka_rig_await_state(struct rig *f, const struct physical_plan *plan, enum query_state state)
{
    struct wanted_state wanted = { plan, state };

    if (!kafka_rig_await(f, has_state, &wanted)) {
        fail_msg("the query is not in state %d: %s", (int)state,
                 kafka_rig_status(f, plan).error.message);
    }
}

struct wanted_count {
    const char *topic;
    uint64_t count;
};

static bool has_count(struct rig *f, void *context)
{
    const struct wanted_count *wanted = context;

    return rig_count(f, wanted->topic) >= wanted->count;
}

void kafka_rig_await_count(struct rig *f, const char *topic, uint64_t count)
{
    struct wanted_count wanted = { topic, count };

    (void)kafka_rig_await(f, has_count, &wanted);
    assert_int_equal(rig_count(f, topic), count);
}
