/*
 * case_sql.c: .sql test files: statements with ASSERT (statements.md 8.4).
 *
 *     --@test: name
 *     --@expected.error: ERR_KEY_MISSING
 *     --@expected.message: a part of the message
 *     statements ...
 *
 * The first error ends the test: it passes if that was expected. expected.error is one of our
 * conditions or, in files made for ksqlDB, a Java class: AssertionError is a failed
 * assertion, any other a rejected statement. Rows inserted into one topic are let in
 * --batch at a time; one at a time where there is a cache, since ASSERT VALUES sees updates.
 */
#include <string.h>

#include "cli/read_file.h"
#include "cli/run_script.h"
#include "cli/test/case.h"
#include "cli/test/expected_error.h"
#include "cli/test/sql_assert.h"
#include "engine/type/java_text.h"
#include "parser/parse.h"

struct sql_case {
    struct bytes text;
    uint32_t line; /* of the text's first line in the file */
    struct bytes expected_error;
    struct bytes expected_message;
};

/* --- loading --- */

/* "--@name: contents" */
static bool read_directive(struct bytes line, struct bytes *name, struct bytes *contents)
{
    struct bytes text = java_trim(line);
    const char *colon;

    if (!bytes_starts_with(text, bytes_of("--@"))) {
        return false;
    }
    colon = memchr(text.data, ':', text.len);
    if (!colon) {
        return false;
    }
    *name = java_trim((struct bytes){ text.data + 3, (size_t)(colon - text.data) - 3 });
    *contents = java_trim((struct bytes){ colon + 1, text.len - (size_t)(colon - text.data) - 1 });
    return true;
}

static struct bytes next_line(struct bytes *rest)
{
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->data) + 1 : rest->len;
    struct bytes line = { rest->data, len };

    rest->data += len;
    rest->len -= len;
    return line;
}

static struct sql_case *add_case(struct case_list *list, struct bytes stem, struct bytes name,
                                 const char *text, uint32_t line)
{
    struct test_case *added = vec_push(list->arena, &list->cases);
    struct sql_case *data = arena_new(list->arena, struct sql_case);

    *data = (struct sql_case){ .text = { text, 0 }, .line = line };
    *added = (struct test_case){
        .name = arena_printf(list->arena, "%.*s - %.*s", BYTES_ARG(stem), BYTES_ARG(name)),
        .kind = &case_sql,
        .data = data,
    };
    return data;
}

static int load(struct case_list *list, const char *path, struct bytes stem, struct bytes text,
                struct error *err)
{
    struct sql_case *current = NULL;
    struct bytes rest = text;

    for (uint32_t line = 1; rest.len > 0; line++) {
        struct bytes whole = next_line(&rest);
        struct bytes name = { NULL, 0 };
        struct bytes contents = { NULL, 0 };
        bool directive = read_directive(whole, &name, &contents);

        if (directive && bytes_equal_text_nocase(name, "test")) {
            current = add_case(list, stem, contents, whole.data, line);
        } else if (directive && current && bytes_equal_text_nocase(name, "expected.error")) {
            current->expected_error = contents;
        } else if (directive && current && bytes_equal_text_nocase(name, "expected.message")) {
            current->expected_message = contents;
        } else if (!current && java_trim(whole).len > 0 &&
                   !bytes_starts_with(java_trim(whole), bytes_of("--"))) {
            return error_set(err, ERR_SYNTAX, ((struct position){ line, 1 }),
                             "text in front of the first --@test");
        }
        if (current) {
            current->text.len += whole.len;
        }
    }
    return 0;
}

/* --- cutting into statements --- */

/* Past a quoted text or a comment that begins at `at`, else at + 1. */
static size_t skip_piece(struct bytes text, size_t at)
{
    char c = text.data[at];
    char next = at + 1 < text.len ? text.data[at + 1] : '\0';
    const char *end = NULL;
    size_t size = 1;

    if (c == '\'' || c == '"' || c == '`') {
        end = memchr(text.data + at + 1, c, text.len - at - 1);
    } else if (c == '-' && next == '-') {
        end = memchr(text.data + at, '\n', text.len - at);
    } else if (c == '/' && next == '*') {
        for (size_t i = at + 2; i + 1 < text.len && !end; i++) {
            end = text.data[i] == '*' && text.data[i + 1] == '/' ? text.data + i : NULL;
        }
        size = 2;
    } else {
        return at + 1;
    }
    return end ? (size_t)(end - text.data) + size : text.len;
}

/* The next statement through its ";"; the rest without one is what it is. */
static struct bytes next_statement(struct bytes *rest)
{
    struct bytes text = *rest;
    size_t at = 0;

    while (at < text.len && text.data[at] != ';') {
        at = skip_piece(text, at);
    }
    at += at < text.len ? 1 : 0;
    rest->data += at;
    rest->len -= at;
    return (struct bytes){ text.data, at };
}

/* Whether there is more than blanks and comments. */
static bool has_words(struct bytes text)
{
    size_t at = 0;

    while (at < text.len) {
        size_t end = skip_piece(text, at);
        bool quoted = text.data[at] == '\'' || text.data[at] == '"' || text.data[at] == '`';

        if (quoted || (end == at + 1 && (unsigned char)text.data[at] > ' ')) {
            return true;
        }
        at = end;
    }
    return false;
}

static uint32_t count_lines(struct bytes text)
{
    uint32_t lines = 0;

    for (size_t i = 0; i < text.len; i++) {
        lines += text.data[i] == '\n';
    }
    return lines;
}

/* --- running --- */

struct sql_run {
    struct harness h;
    struct asserter asserter;
    const struct test_options *options;
    struct buffer *report;
    struct bytes last_topic; /* of the rows that wait */
    uint32_t waiting;
    uint32_t since_crash;
    uint32_t crash_count;
    uint32_t depth; /* of files that files run */
};

static int settle(struct sql_run *run, struct error *err)
{
    struct runtime *rt = engine_runtime(run->h.engine);

    run->since_crash += run->waiting;
    run->waiting = 0;
    if (run->options->crash_every > 0 && run->since_crash >= run->options->crash_every) {
        run->since_crash = 0;
        for (uint32_t step = run->crash_count++ % 4; step > 0; step--) {
            (void)runtime_step(rt);
        }
        TRY(runtime_crash(rt, err));
    }
    TRY(engine_drain(run->h.engine, err));
    return harness_check_queries(&run->h, err);
}

static int insert(struct sql_run *run, const struct ast_statement *statement, struct bytes text,
                  struct error *err)
{
    const struct source *source =
        catalog_find_source(engine_catalog(run->h.engine), statement->insert_values.target.text);
    struct bytes topic = source ? source->topic : (struct bytes){ NULL, 0 };

    if (run->waiting > 0 && !bytes_equal(topic, run->last_topic)) {
        TRY(settle(run, err));
    }
    TRY(harness_execute(&run->h, text, err));
    run->last_topic = arena_copy(&run->h.arena, topic);
    run->waiting++;
    return run->options->cache_bytes > 0 || run->waiting >= run->options->batch_rows
               ? settle(run, err)
               : 0;
}

static int run_text(struct sql_run *run, struct bytes rest, uint32_t line, struct error *err);

/* Its places are in the file: the error is told at the statement that runs it. */
static int run_file(struct sql_run *run, const struct ast_statement *statement, struct error *err)
{
    const char *name = arena_copy_text(&run->h.arena, statement->run_script.path.text);
    struct buffer text = { 0 };
    int code;

    if (run->depth == RUN_SCRIPT_DEPTH_MAX) {
        return error_set(err, ERR_TOO_DEEP, statement->at, "Files run files %d deep",
                         RUN_SCRIPT_DEPTH_MAX);
    }
    run->depth++;
    code = read_file(name, &text, err);
    code = code ? code : run_text(run, arena_copy(&run->h.arena, buffer_bytes(&text)), 1, err);
    run->depth--;
    buffer_fini(&text);
    if (code) {
        err->at = statement->at;
    }
    return code;
}

static int run_statement(struct sql_run *run, struct bytes text, struct error *err)
{
    struct ast_script script = { 0 };
    const struct ast_statement *statement;

    TRY(parse_script(&run->h.arena, text, &script, err));
    if (script.statements.count != 1) {
        return error_set(err, ERR_SYNTAX, NO_POSITION, "one statement expected");
    }
    statement = script.statements.items[0];
    if (statement->kind == AST_INSERT_VALUES) {
        return insert(run, statement, text, err);
    }
    TRY(settle(run, err));
    if (statement->kind == AST_RUN_SCRIPT) {
        return run_file(run, statement, err);
    }
    if (statement->kind == AST_ASSERT_SOURCE) {
        return assert_source(&run->h, statement, err);
    }
    if (statement->kind == AST_ASSERT_VALUES || statement->kind == AST_ASSERT_NULL_VALUES) {
        return assert_values(&run->asserter, statement, run->report, err);
    }
    return harness_execute(&run->h, text, err);
}

/* The text begins at this line of the file. */
static int run_text(struct sql_run *run, struct bytes rest, uint32_t line, struct error *err)
{
    while (rest.len > 0) {
        struct bytes text = next_statement(&rest);
        int code = has_words(text) ? run_statement(run, text, err) : 0;

        if (code) {
            err->at.line += err->at.line > 0 ? line - 1 : line;
            return code;
        }
        line += count_lines(text);
    }
    return 0;
}

static int run_all(struct sql_run *run, const struct sql_case *test, struct error *err)
{
    TRY(harness_open(&run->h, run->options, QUERY_FREE, err));
    run->asserter.h = &run->h;
    TRY(run_text(run, test->text, test->line, err));
    return settle(run, err);
}

/* --- what was expected --- */

static bool contains(struct bytes text, struct bytes part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        if (memcmp(text.data + i, part.data, part.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool error_is_expected(const struct sql_case *test, const struct error *why)
{
    struct bytes class = test->expected_error;
    struct bytes message = test->expected_message;

    if (class.data && bytes_starts_with(class, bytes_of("ERR_")) &&
        !bytes_equal_text(class, error_name(why->code))) {
        return false;
    }
    if (class.data && contains(class, bytes_of("AssertionError")) && why->code != ERR_TEST_FAILED) {
        return false;
    }
    return !message.data || contains(bytes_of(why->message), message) ||
           expected_error_allows(class, message, why->code);
}

static int judge(const struct sql_case *test, int code, struct error *err)
{
    bool expected = test->expected_error.data || test->expected_message.data;

    if (!expected) {
        return code;
    }
    if (!code) {
        return error_set(err, ERR_TEST_FAILED, ((struct position){ test->line, 1 }),
                         "an error was expected: %.*s %.*s", BYTES_ARG(test->expected_error),
                         BYTES_ARG(test->expected_message));
    }
    return error_is_expected(test, err) ? 0 : code;
}

static int run(const struct test_case *test, const struct test_options *options,
               struct buffer *report, struct error *err)
{
    struct sql_run run = { .options = options, .report = report };
    int code = judge(test->data, run_all(&run, test->data, err), err);

    if (code && run.h.skipped_count > 0) {
        buffer_append_bytes(report, buffer_bytes(&run.h.skipped));
    }
    harness_close(&run.h);
    return code;
}

const struct case_kind case_sql = { ".sql", load, run };
