/*
 * test_properties.c: the table of settings, how names are found, and who may set what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/command/properties.h"

static struct property_set server;
static struct property_set session;

static int setup(void **state)
{
    property_set_init(&server, NULL);
    property_set_init(&session, &server);
    return 0;
}

static int teardown(void **state)
{
    property_set_fini(&session);
    property_set_fini(&server);
    return 0;
}

static int put(struct property_set *set, enum setting_scope scope, const char *name,
               const char *value, struct error *err)
{
    const struct ast_text name_text = { bytes_of(name), { 3, 4 } };
    const struct ast_text value_text = { bytes_of(value), { 5, 6 } };

    error_clear(err);
    return property_set_put(set, scope, &name_text, &value_text, err);
}

static const char *found_as(const char *name)
{
    static char text[200];
    const struct setting_kind *kind = NULL;
    struct bytes kept = { 0 };
    struct error err;

    if (setting_find(bytes_of(name), NO_POSITION, &kind, &kept, &err)) {
        return error_name(err.code);
    }
    snprintf(text, sizeof text, "%.*s", BYTES_ARG(kept));
    return text;
}

static void names_are_found_with_and_without_prefix(void **state)
{
    assert_string_equal(found_as("auto.offset.reset"), "auto.offset.reset");
    assert_string_equal(found_as("ksql.streams.auto.offset.reset"), "auto.offset.reset");
    assert_string_equal(found_as("service.id"), "ksql.service.id");
    assert_string_equal(found_as("ksql.service.id"), "ksql.service.id");
    assert_string_equal(found_as("ksql.streams.shutdown.timeout.ms"),
                        "ksql.streams.shutdown.timeout.ms");
    assert_string_equal(found_as("ksql.streams.producer.linger.ms"), "producer.linger.ms");
    assert_string_equal(found_as("ksql.functions.collect_list.limit"),
                        "ksql.functions.collect_list.limit");
}

static void unknown_names_are_refused_with_the_near_one(void **state)
{
    struct error err;

    assert_string_equal(found_as(""), "ERR_UNKNOWN_PROPERTY");
    assert_string_equal(found_as("producer."), "ERR_UNKNOWN_PROPERTY");
    assert_string_equal(found_as("ksql."), "ERR_UNKNOWN_PROPERTY");
    assert_string_equal(found_as("Auto.Offset.Reset"), "ERR_UNKNOWN_PROPERTY");
    assert_int_equal(put(&session, SETTING_SESSION, "comit.interval.ms", "1", &err),
                     ERR_UNKNOWN_PROPERTY);
    assert_non_null(strstr(err.message, "commit.interval.ms"));
    assert_int_equal(err.at.line, 3);
    assert_int_equal(err.at.column, 4);
}

static void every_row_takes_its_own_default_and_is_named_once(void **state)
{
    for (const struct setting_kind *kind = all_settings; kind->name; kind++) {
        struct error err = { 0 };

        if (kind->usual && setting_check(kind, bytes_of(kind->usual), NO_POSITION, &err)) {
            fail_msg("%s: %s", kind->name, err.message);
        }
        for (const struct setting_kind *other = kind + 1; other->name; other++) {
            assert_string_not_equal(kind->name, other->name);
        }
        assert_true(strlen(kind->doc) > 0);
    }
}

static void values_are_checked(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        bool fits;
    } cases[] = {
        { "auto.offset.reset", "earliest", true },
        { "auto.offset.reset", "LATEST", true },
        { "auto.offset.reset", "none", false },
        { "auto.offset.reset", "", false },
        { "commit.interval.ms", "0", true },
        { "commit.interval.ms", "9223372036854775807", true },
        { "commit.interval.ms", "9223372036854775808", false },
        { "commit.interval.ms", "1.5", false },
        { "commit.interval.ms", " 1", false },
        { "num.stream.threads", "2147483647", true },
        { "num.stream.threads", "2147483648", false },
        { "ksql.suppress.enabled", "True", true },
        { "ksql.suppress.enabled", "yes", false },
        { "ksql.persistence.default.format.value", "json", true },
        { "ksql.persistence.default.format.value", "xml", false },
        { "processing.guarantee", "exactly_once_v2", true },
        { "processing.guarantee", "twice", false },
        { "producer.anything", "at all", true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err;
        int code = put(&session, SETTING_SESSION, cases[i].name, cases[i].value, &err);

        if (code != (cases[i].fits ? 0 : ERR_INVALID_PROPERTY)) {
            fail_msg("%s = '%s' gave %d", cases[i].name, cases[i].value, code);
        }
        assert_int_equal(code ? err.at.line : 5, 5);
    }
}

static void sessions_override_the_server_which_overrides_the_default(void **state)
{
    struct error err;

    assert_int_equal(property_get_integer(&session, "commit.interval.ms"), 100);
    assert_false(property_is_set(&session, "commit.interval.ms"));
    assert_int_equal(put(&server, SETTING_SERVER, "commit.interval.ms", "7", &err), 0);
    assert_int_equal(property_get_integer(&session, "commit.interval.ms"), 7);
    assert_true(property_is_set(&session, "commit.interval.ms"));
    assert_int_equal(put(&session, SETTING_SESSION, "commit.interval.ms", "9", &err), 0);
    assert_int_equal(property_get_integer(&session, "commit.interval.ms"), 9);
    assert_int_equal(property_get_integer(&server, "commit.interval.ms"), 7);
    assert_true(property_set_remove(&session, bytes_of("commit.interval.ms")));
    assert_false(property_set_remove(&session, bytes_of("commit.interval.ms")));
    assert_int_equal(property_get_integer(&session, "commit.interval.ms"), 7);
}

static void settings_without_a_default_have_no_value(void **state)
{
    assert_null(property_get(&session, "ksql.persistence.default.format.value").data);
    assert_null(property_get(&session, "producer.linger.ms").data);
    assert_true(bytes_equal_text(property_get(&session, "ksql.output.topic.name.prefix"), ""));
}

static void the_server_s_settings_are_not_a_session_s(void **state)
{
    static const char *const names[] = {
        "bootstrap.servers",
        "ksql.extension.dir",
        "ssl.keystore.location",
        "ksql.query.persistent.active.limit",
        "ksql.pull.queries.enable",
        "ksql.hidden.topics",
        "ksql.readonly.topics",
        "ksql.source.table.materialization.enabled",
        "headers.columns.enabled",
        "ksql.streams.bootstrap.servers",
        "ksql.properties.overrides.denylist",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct error err;

        assert_int_equal(put(&session, SETTING_SESSION, names[i], "1", &err), ERR_INVALID_PROPERTY);
        assert_int_equal(err.at.line, 3);
    }
}

static void the_server_may_deny_or_allow_overrides(void **state)
{
    struct error err;

    assert_int_equal(put(&server, SETTING_SERVER, "ksql.properties.overrides.denylist",
                         "ksql.streams.commit.interval.ms , max.task.idle.ms", &err),
                     0);
    assert_int_equal(put(&session, SETTING_SESSION, "commit.interval.ms", "1", &err),
                     ERR_INVALID_PROPERTY);
    assert_int_equal(put(&session, SETTING_SESSION, "max.task.idle.ms", "1", &err),
                     ERR_INVALID_PROPERTY);
    assert_int_equal(put(&session, SETTING_SESSION, "num.stream.threads", "1", &err), 0);
    assert_int_equal(put(&server, SETTING_SERVER, "ksql.properties.overrides.validation.mode",
                         "allowlist", &err),
                     0);
    assert_int_equal(put(&server, SETTING_SERVER, "ksql.properties.overrides.allowlist",
                         "commit.interval.ms", &err),
                     0);
    assert_int_equal(put(&session, SETTING_SESSION, "commit.interval.ms", "1", &err), 0);
    assert_int_equal(put(&session, SETTING_SESSION, "num.stream.threads", "1", &err),
                     ERR_INVALID_PROPERTY);
}

static void sets_are_listed_by_name_and_copied(void **state)
{
    const struct property_text *list = NULL;
    struct property_set copy;
    struct arena arena;
    struct error err;

    arena_init(&arena, 0);
    property_set_init(&copy, NULL);
    assert_int_equal(put(&session, SETTING_SESSION, "num.stream.threads", "2", &err), 0);
    assert_int_equal(put(&session, SETTING_SESSION, "commit.interval.ms", "1", &err), 0);
    assert_int_equal(put(&session, SETTING_SESSION, "commit.interval.ms", "3", &err), 0);
    property_set_add_all(&copy, &session);
    assert_int_equal(property_set_list(&copy, &arena, &list), 2);
    assert_true(bytes_equal_text(list[0].name, "commit.interval.ms"));
    assert_true(bytes_equal_text(list[0].value, "3"));
    assert_true(bytes_equal_text(list[1].name, "num.stream.threads"));
    property_set_fini(&copy);
    arena_fini(&arena);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(names_are_found_with_and_without_prefix),
        CASE(unknown_names_are_refused_with_the_near_one),
        CASE(every_row_takes_its_own_default_and_is_named_once),
        CASE(values_are_checked),
        CASE(sessions_override_the_server_which_overrides_the_default),
        CASE(settings_without_a_default_have_no_value),
        CASE(the_server_s_settings_are_not_a_session_s),
        CASE(the_server_may_deny_or_allow_overrides),
        CASE(sets_are_listed_by_name_and_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
