/*
 * test_ksql_refusals.c: what a client is told of a statement that is refused.
 *
 * The tables of tests/errors/ and tests/http/refusals.txt go through a server: each statement by
 * the engine itself, for its code and place, then over HTTP. The answer has the status and shape
 * of rest-api.md 5, the same message with its place, and the statement; and whatever was refused,
 * the catalog is what it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "tests/unit/http_client.h"
#include "tests/unit/planner.h"

static const char shown[] = "SHOW STREAMS; SHOW TABLES; SHOW QUERIES; SHOW TYPES; SHOW TOPICS;";

/* Conditions of statements that no statement of the tables meets, and why. */
static const struct {
    int code;
    const char *why;
} unreached[] = {
    { ERR_TOO_LARGE, "a body of over 10 MiB is refused before it is read: 413" },
    { ERR_UNKNOWN_CONNECTOR, "tests/http/test_connectors.sh" },
    { ERR_CONNECTOR_EXISTS, "tests/http/test_connectors.sh" },
    { ERR_AMBIGUOUS_FUNCTION, "no function has variants that could be meant at once" },
    { ERR_AGGREGATE_NOT_ON_TABLE, "all aggregates there are can undo" },
    { ERR_TEST_FAILED, "of sluice test alone" },
    { ERR_REJECTED, "of the shell alone: a server's refusal" },
};

struct suite {
    struct http_bed bed;
    struct buffer property; /* "name":"value" */
    struct buffer told;     /* the statement as it may be told */
    char *catalog;          /* what is shown before the first refusal */
    bool *reached;          /* by error code */
    uint32_t cases;
    uint32_t wrong;
};

/* --- what HTTP says --- */

static void append_json(struct buffer *out, struct bytes text)
{
    text_print_json(text, out);
}

static char *post(struct suite *suite, struct bytes sql)
{
    bool is_query =
        bytes_starts_with(sql, bytes_of("SELECT")) || bytes_starts_with(sql, bytes_of("PRINT"));
    struct buffer body = { 0 };
    char *answer;

    buffer_append_text(&body, "{\"ksql\":");
    append_json(&body, sql);
    buffer_printf(&body, ",\"streamsProperties\":{%.*s}}", (int)suite->property.len,
                  suite->property.len ? suite->property.data : "");
    buffer_append_char(&body, '\0');
    answer = ask(&suite->bed, "POST", is_query ? "/query" : "/ksql", body.data);
    buffer_fini(&body);
    return answer;
}

static char *show_catalog(struct suite *suite)
{
    return post(suite, bytes_of(shown));
}

static void print_expected(const struct error *err, struct bytes sql, struct buffer *out)
{
    struct buffer message = { 0 };
    bool is_assertion = err->code == ERR_ASSERT;

    buffer_printf(&message, "line %u:%u: %s", err->at.line, err->at.column, err->message);
    buffer_printf(out, "HTTP/1.1 %s\r\nContent-Type: application/json\r\n",
                  is_assertion ? "417 Expectation Failed" : "400 Bad Request");
    buffer_printf(out, "|{\"@type\":\"statement_error\",\"error_code\":%d,\"message\":",
                  is_assertion ? 41700 : 40001);
    append_json(out, buffer_bytes(&message));
    buffer_append_text(out, ",\"statementText\":");
    append_json(out, sql);
    buffer_append_text(out, ",\"entities\":[]}");
    buffer_append_char(out, '\0');
    buffer_fini(&message);
}

/* Two parts: how the head begins, and the body. */
static bool is_answer(const char *answer, char *expected)
{
    char *body = strchr(expected, '|');
    const char *got = strstr(answer, "\r\n\r\n");

    *body++ = '\0';
    return got && strncmp(answer, expected, strlen(expected)) == 0 && strcmp(got + 4, body) == 0;
}

/* --- a case --- */

static void check_http(struct suite *suite, const struct error *err, struct bytes sql)
{
    struct buffer expected = { 0 };
    char *answer = post(suite, sql);
    char *catalog = show_catalog(suite);

    print_expected(err, buffer_bytes(&suite->told), &expected);
    if (!is_answer(answer, expected.data)) {
        suite->wrong++;
        print_error("%.*s\n  expected %s\n           %s\n  answered %s\n", BYTES_ARG(sql),
                    expected.data, strlen(expected.data) + 1 + expected.data, answer);
    }
    if (strcmp(catalog, suite->catalog) != 0) {
        suite->wrong++;
        print_error("%.*s\n  changed the catalog: %s\n", BYTES_ARG(sql), catalog);
    }
    buffer_fini(&expected);
    free(answer);
    free(catalog);
}

static void set_property(struct suite *suite, struct session *session)
{
    struct error err;
    char *equals;

    if (suite->property.len == 0) {
        return;
    }
    buffer_append_char(&suite->property, '\0');
    suite->property.len--;
    equals = strstr(suite->property.data, "\":\"");
    assert_int_equal(
        session_set_property(
            session,
            (struct bytes){ suite->property.data + 1, (size_t)(equals - suite->property.data) - 1 },
            (struct bytes){ equals + 3, strlen(equals + 3) - 1 }, &err),
        0);
}

/* The values of an INSERT are not told. */
static void note_text(void *context, struct bytes text)
{
    struct suite *suite = context;

    suite->told.len = 0;
    buffer_append_bytes(&suite->told, text);
}

static void check_case(struct suite *suite, struct bytes wanted, struct bytes sql)
{
    const struct result_sink sink = { .masks_values = true,
                                      .checking = note_text,
                                      .context = suite };
    struct session *session = session_create(suite->bed.engine);
    struct error err = { 0 };
    char got[128];

    set_property(suite, session);
    note_text(suite, sql);
    (void)engine_execute(suite->bed.engine, session, sql, &sink, &err);
    session_destroy(session);
    (void)snprintf(got, sizeof got, "%s %u:%u", error_name(err.code), err.at.line, err.at.column);
    suite->cases++;
    if (!bytes_equal_text(wanted, got)) {
        suite->wrong++;
        print_error("wanted %.*s, got %s | %.*s\n    %s\n", BYTES_ARG(wanted), got, BYTES_ARG(sql),
                    err.message);
        return;
    }
    suite->reached[err.code] = true;
    check_http(suite, &err, sql);
}

/* --- a table --- */

static void give(struct suite *suite, struct bytes sql)
{
    char *answer = post(suite, sql);

    if (!strstr(answer, "200 OK")) {
        fail_msg("given %.*s: %s", BYTES_ARG(sql), answer);
    }
    free(answer);
    free(suite->catalog);
    suite->catalog = NULL;
}

static struct bytes behind(struct bytes line, size_t count)
{
    return (struct bytes){ line.data + count, line.len - count };
}

static void take_line(struct suite *suite, struct bytes line)
{
    const char *bar;

    if (line.len == 0 || line.data[0] == '#') {
        return;
    }
    if (bytes_starts_with(line, bytes_of("given "))) {
        give(suite, behind(line, strlen("given ")));
        return;
    }
    if (bytes_starts_with(line, bytes_of("with "))) {
        bar = strchr(line.data, '=');
        suite->property.len = 0;
        buffer_printf(&suite->property, "\"%.*s\":\"%s\"", (int)(bar - line.data) - 5,
                      line.data + 5, bar + 1);
        return;
    }
    if (!suite->catalog) {
        suite->catalog = show_catalog(suite);
    }
    bar = strstr(line.data, " | ");
    assert_non_null(bar);
    check_case(suite, (struct bytes){ line.data, (size_t)(bar - line.data) }, bytes_of(bar + 3));
}

static void run_table(bool *reached, struct planner *p, const char *path)
{
    struct suite suite = { .reached = reached };
    char *line = arena_copy_text(&p->arena, planner_read_file(p, path));

    http_bed_open(&suite.bed, 60000);
    while (*line != '\0') {
        char *end = strchr(line, '\n');

        assert_non_null(end);
        *end = '\0';
        take_line(&suite, bytes_of(line));
        line = end + 1;
    }
    free(suite.catalog);
    buffer_fini(&suite.property);
    buffer_fini(&suite.told);
    http_bed_close(&suite.bed);
    assert_true(suite.cases > 0);
    if (suite.wrong > 0) {
        fail_msg("%s: %u of %u cases are wrong", path, suite.wrong, suite.cases);
    }
}

/* --- all conditions --- */

static bool is_known_unreached(int code)
{
    for (size_t i = 0; i < sizeof unreached / sizeof unreached[0]; i++) {
        if (unreached[i].code == code) {
            return true;
        }
    }
    return false;
}

static void check_reached(const bool *reached)
{
    for (int code = 1; code < ERR_COUNT; code++) {
        if (error_class_of((enum error_code)code) != ERROR_STATEMENT) {
            continue;
        }
        if (!reached[code] && !is_known_unreached(code)) {
            fail_msg("no statement meets %s", error_name((enum error_code)code));
        }
        if (reached[code] && is_known_unreached(code)) {
            fail_msg("%s is met: it is no exception", error_name((enum error_code)code));
        }
    }
    for (size_t i = 0; i < sizeof unreached / sizeof unreached[0]; i++) {
        print_message("not reached: %s: %s\n", error_name((enum error_code)unreached[i].code),
                      unreached[i].why);
    }
}

static void refusals_have_status_shape_place_and_no_effect(void **state)
{
    static bool reached[ERR_COUNT];
    struct planner p;
    struct bytes *names = NULL;
    uint32_t count;

    (void)state;
    planner_init(&p);
    count = planner_list_files(&p, "tests/errors", ".txt", &names);
    for (uint32_t i = 0; i < count; i++) {
        run_table(reached, &p,
                  arena_printf(&p.arena, "tests/errors/%.*s", BYTES_ARG(names[i])).data);
    }
    run_table(reached, &p, "tests/http/refusals.txt");
    check_reached(reached);
    planner_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_have_status_shape_place_and_no_effect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
