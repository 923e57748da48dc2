/*
 * kafka_rig.h: the runtime rig over a real broker, with threads and a real clock.
 *
 * SLUICE_TEST_KAFKA is the broker's address. Each rig is a service of its own, and its
 * topics begin with a prefix of its own ($ in names and SQL text).
 */
#ifndef SLUICE_TESTS_KAFKA_KAFKA_RIG_H
#define SLUICE_TESTS_KAFKA_KAFKA_RIG_H

#include "tests/unit/runtime_rig.h"

/* Two sources, a copy and a count of the first, a copy of the second. */
extern const char *const kafka_rig_orders, *const kafka_rig_others;
extern const char *const kafka_rig_copy, *const kafka_rig_totals, *const kafka_rig_neighbour;

void kafka_rig_init(struct rig *f);
/* The same with properties of the client. */
void kafka_rig_init_with(struct rig *f, const struct topic_config *properties, uint32_t count);
/* The same by another listener. */
void kafka_rig_init_at(struct rig *f, const char *bootstrap, const struct topic_config *properties,
                       uint32_t count);
/* Another process's view of the cluster; the caller closes it. */
struct log *kafka_rig_another_log(struct rig *f);
void kafka_rig_await_slots(struct rig *f);
/* False: it did not come within a minute. */
bool kafka_rig_await(struct rig *f, bool (*is_so)(struct rig *f, void *context), void *context);
/* Settings of a topic that is made. */
void kafka_rig_topic_with(struct rig *f, const char *name, uint32_t partitions, const char *setting,
                          const char *value);
void kafka_rig_drop_topic(struct rig *f, const char *name);
struct query_status kafka_rig_status(struct rig *f, const struct physical_plan *plan);
/* Waits, a minute at most: the test fails when it does not come. */
void kafka_rig_await_state(struct rig *f, const struct physical_plan *plan, enum query_state state);
void kafka_rig_await_count(struct rig *f, const char *topic, uint64_t count);

#endif
