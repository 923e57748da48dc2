/*
 * test_topic_config.c: a topic's settings are Kafka's, values and all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/log/topic_config.h"

static int check(const char *name, const char *value)
{
    struct topic_config config = { bytes_of(name), bytes_of(value) };

    return topic_config_check(&config, NULL);
}

static void values_in_range_are_accepted(void **state)
{
    assert_int_equal(check("retention.ms", "-1"), 0);
    assert_int_equal(check("retention.ms", "9223372036854775807"), 0);
    assert_int_equal(check("cleanup.policy", "compact"), 0);
    assert_int_equal(check("cleanup.policy", "compact, delete"), 0);
    assert_int_equal(check("compression.type", "zstd"), 0);
    assert_int_equal(check("min.cleanable.dirty.ratio", "0.5"), 0);
    assert_int_equal(check("preallocate", "TRUE"), 0);
    assert_int_equal(check("leader.replication.throttled.replicas", "0:1,1:2"), 0);
}

static void other_values_and_names_are_refused(void **state)
{
    assert_int_equal(check("retention.ms", "-2"), ERR_INVALID_PROPERTY);
    assert_int_equal(check("retention.ms", "9223372036854775808"), ERR_INVALID_PROPERTY);
    assert_int_equal(check("retention.ms", ""), ERR_INVALID_PROPERTY);
    assert_int_equal(check("retention.ms", "1 "), ERR_INVALID_PROPERTY);
    assert_int_equal(check("retention.ms", NULL), ERR_INVALID_PROPERTY);
    assert_int_equal(check("cleanup.policy", ""), ERR_INVALID_PROPERTY);
    assert_int_equal(check("cleanup.policy", "compact,"), ERR_INVALID_PROPERTY);
    assert_int_equal(check("cleanup.policy", "comp"), ERR_INVALID_PROPERTY);
    assert_int_equal(check("cleanup.policy", "compact delete"), ERR_INVALID_PROPERTY);
    assert_int_equal(check("min.cleanable.dirty.ratio", "1.5"), ERR_INVALID_PROPERTY);
    assert_int_equal(check("preallocate", "yes"), ERR_INVALID_PROPERTY);
    assert_int_equal(check("retention", "1"), ERR_INVALID_PROPERTY);
}

static void settings_are_read_back(void **state)
{
    const struct topic_config both[] = { { BYTES("cleanup.policy"), BYTES("delete, compact") },
                                         { BYTES("retention.ms"), BYTES("5000") } };

    assert_int_equal(topic_config_integer(both, 2, "retention.ms", -1), 5000);
    assert_int_equal(topic_config_integer(both, 2, "retention.bytes", -1), -1);
    assert_true(topic_config_has_policy(both, 2, "compact"));
    assert_true(topic_config_has_policy(both, 2, "delete"));
    assert_true(topic_config_has_policy(NULL, 0, "delete"));
    assert_false(topic_config_has_policy(NULL, 0, "compact"));
    assert_false(topic_config_has_policy(both, 1, "comp"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_in_range_are_accepted),
        cmocka_unit_test(other_values_and_names_are_refused),
        cmocka_unit_test(settings_are_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
