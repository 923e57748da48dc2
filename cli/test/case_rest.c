/*
 * case_rest.c: cases of the HTTP endpoint: what it answers to statements and queries.
 *
 * The engine has threads and a real clock, as a server's. What is no query goes to /ksql as one
 * request; then the inputs are produced and everything is drained; then each query goes to
 * /query. A push query that waits for the inputs is begun before them.
 *
 *   responses   "admin": an entity of /ksql; "query": the elements of an answer of /query
 *   expectedError   of the first request that fails: its status, and its condition, which the
 *                   same text tells once more when the engine is asked without HTTP
 *
 * Only the fields that are given are compared. Topics have four partitions unless the case says
 * otherwise, and rows of several partitions may come in any order.
 */
#include "cli/test/case_rest.h"

#include "cli/output.h"
#include "cli/test/expected_error.h"
#include "cli/test/qtt.h"
#include "cli/test/record.h"
#include "cli/test/rest_server.h"

struct rest_run {
    struct harness h;
    struct rest_server server;
    const struct test_options *options;
    const struct json *test;
    struct buffer *report;
    struct error failure;    /* why a request failed; code 0: none did */
    struct rest_answer last; /* of the request that failed */
    const struct json *entities;
    uint32_t entity_at;
    VEC(const struct json *) answers; /* of the queries */
    uint32_t answer_at;
};

/* --- requests --- */

static bool is_query(struct bytes statement)
{
    size_t at = 0;

    while (at < statement.len && (statement.data[at] == ' ' || statement.data[at] == '\n')) {
        at++;
    }
    statement = (struct bytes){ statement.data + at, statement.len - at };
    return statement.len >= 6 &&
           (bytes_equal_nocase((struct bytes){ statement.data, 6 }, bytes_of("SELECT")) ||
            bytes_equal_nocase((struct bytes){ statement.data, 5 }, bytes_of("PRINT")));
}

static struct bytes request_body(struct rest_run *run, struct bytes text)
{
    const struct json *properties = json_member(run->test, "properties");
    struct buffer body = { 0 };
    struct bytes copy;

    buffer_append_text(&body, "{\"ksql\":");
    text_print_json(text, &body);
    if (properties) {
        buffer_append_text(&body, ",\"streamsProperties\":");
        json_print(properties, &body);
    }
    buffer_append_char(&body, '}');
    copy = arena_copy(&run->h.arena, buffer_bytes(&body));
    buffer_fini(&body);
    return copy;
}

/* An error may come instead of the answer, or at its end. */
static bool has_failed(const struct rest_answer *answer, const struct json *document)
{
    const struct json *last =
        json_count(document) ? json_item(document, json_count(document) - 1) : NULL;

    return answer->status >= 400 || json_member(last, "errorMessage");
}

/* The condition: the engine is asked the same once more. */
static void find_failure(struct rest_run *run, const struct rest_answer *answer, struct bytes text)
{
    static const struct result_sink nobody = { 0 };

    run->last = *answer;
    if (!engine_execute(run->h.engine, run->h.session, text, &nobody, &run->failure)) {
        (void)error_set(&run->failure, ERR_TEST_FAILED, NO_POSITION,
                        "the endpoint refuses what the engine takes: %.*s",
                        BYTES_ARG(answer->body));
    }
}

static int finish(struct rest_run *run, struct rest_request *request, struct bytes text,
                  const struct json **out, struct error *err)
{
    struct rest_answer answer = { 0 };

    TRY(rest_request_finish(request, &run->h.arena, &answer, err));
    TRY(json_load(&run->h.arena, answer.body, out, err));
    if (has_failed(&answer, *out)) {
        find_failure(run, &answer, text);
    }
    return 0;
}

static int post(struct rest_run *run, const char *path, struct bytes text, const struct json **out,
                struct error *err)
{
    struct rest_request request;
    int code = rest_request_open(&request, &run->server, path, request_body(run, text), err);

    code = code ? code : finish(run, &request, text, out, err);
    rest_request_close(&request);
    return code;
}

/* --- the steps --- */

static int send_statements(struct rest_run *run, struct error *err)
{
    const struct json *statements = json_member(run->test, "statements");
    struct buffer text = { 0 };
    struct bytes joined;

    for (uint32_t i = 0; i < json_count(statements); i++) {
        struct bytes statement = json_text(json_item(statements, i));

        if (!is_query(statement)) {
            buffer_append_bytes(&text, statement);
            buffer_append_char(&text, '\n');
        }
    }
    joined = arena_copy(&run->h.arena, buffer_bytes(&text));
    buffer_fini(&text);
    TRY(post(run, "/ksql", joined, &run->entities, err));
    harness_note(&run->h);
    return 0;
}

static int send_inputs(struct rest_run *run, struct error *err)
{
    const struct json *inputs = json_member(run->test, "inputs");

    for (uint32_t i = 0; i < json_count(inputs); i++) {
        const struct json *input = json_item(inputs, i);
        struct bytes name = json_member_text(input, "topic");
        const struct log_topic *topic = NULL;
        struct kept_record record = { 0 };
        int64_t offset = 0;

        TRY(harness_topic(&run->h, name, &topic, err));
        TRY(record_encode(&run->h, harness_form(&run->h, name), input, topic->partition_count,
                          &record, err));
        TRY(harness_append(&run->h, topic, &record, &offset, err));
    }
    return engine_drain(run->h.engine, err);
}

static bool waits_for_query(const struct rest_run *run)
{
    const struct json *conditions = json_member(run->test, "inputConditions");

    return json_member(conditions, "waitForActivePushQuery") != NULL;
}

static int send_query(struct rest_run *run, struct bytes text, struct error *err)
{
    struct rest_request request;
    const struct json *answer = NULL;
    int code = rest_request_open(&request, &run->server, "/query", request_body(run, text), err);

    if (!code && waits_for_query(run)) {
        (void)rest_request_await(&request, "\"header\""); /* an error is seen at the end */
        code = send_inputs(run, err);
    }
    code = code ? code : finish(run, &request, text, &answer, err);
    rest_request_close(&request);
    *vec_push(&run->h.arena, &run->answers) = answer;
    return code;
}

static int send_queries(struct rest_run *run, struct error *err)
{
    const struct json *statements = json_member(run->test, "statements");

    for (uint32_t i = 0; !run->failure.code && i < json_count(statements); i++) {
        struct bytes statement = json_text(json_item(statements, i));

        if (is_query(statement)) {
            TRY(send_query(run, statement, err));
        }
    }
    return 0;
}

static int send_all(struct rest_run *run, struct error *err)
{
    TRY(send_statements(run, err));
    if (!run->failure.code && !waits_for_query(run)) {
        TRY(send_inputs(run, err));
    }
    return send_queries(run, err);
}

/* --- answers --- */

/* "name|starts_with": how the member is compared. */
static bool member_matches(const struct json *actual, struct bytes name,
                           const struct json *expected)
{
    static const struct bytes starts_with = BYTES("|starts_with");
    size_t len = name.len;

    if (len > starts_with.len &&
        bytes_equal((struct bytes){ name.data + len - starts_with.len, starts_with.len },
                    starts_with)) {
        name.len = len - starts_with.len;
        return bytes_starts_with(json_text(json_member_of(actual, name)), json_text(expected));
    }
    if (bytes_equal_text(name, "columns")) {
        return json_data_matches(expected, json_member_of(actual, name), NULL);
    }
    return rest_matches(expected, json_member_of(actual, name));
}

bool rest_matches(const struct json *expected, const struct json *actual)
{
    if (json_is(expected, JSON_NODE_OBJECT)) {
        for (uint32_t i = 0; i < expected->count; i++) {
            if (!member_matches(actual, expected->names[i], expected->items[i])) {
                return false;
            }
        }
        return json_is(actual, JSON_NODE_OBJECT);
    }
    return json_data_matches(expected, actual, NULL);
}

static void report_answer(struct rest_run *run, const struct json *expected,
                          const struct json *actual)
{
    buffer_append_text(run->report, "  expected ");
    json_print(expected, run->report);
    buffer_append_text(run->report, "\n  answered ");
    json_print(actual, run->report);
    buffer_append_char(run->report, '\n');
}

/* Whether the inputs lie in topics of one partition: rows of several may come in any order. */
static bool has_one_partition(struct rest_run *run)
{
    const struct json *inputs = json_member(run->test, "inputs");

    for (uint32_t i = 0; i < json_count(inputs); i++) {
        const struct log_topic *topic = NULL;
        struct bytes name = json_member_text(json_item(inputs, i), "topic");

        if (log_open_topic(run->h.log, name, &topic, NULL) == 0 && topic->partition_count > 1) {
            return false;
        }
    }
    return true;
}

static bool keeps_order(struct rest_run *run)
{
    const struct json *conditions = json_member(run->test, "outputConditions");
    const struct json *verify = json_member(conditions, "verifyOrder");

    return json_is(verify, JSON_NODE_BOOL) ? verify->boolean : has_one_partition(run);
}

static bool elements_match(const struct json *expected, const struct json *actual, bool in_order)
{
    bool taken[4096] = { false };
    uint32_t count = json_count(expected);

    if (count != json_count(actual) || count > sizeof taken) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = in_order ? i : 0;

        while (at < count &&
               (taken[at] || !rest_matches(json_item(expected, i), json_item(actual, at)))) {
            at = in_order ? count : at + 1;
        }
        if (at >= count) {
            return false;
        }
        taken[at] = true;
    }
    return true;
}

static int check_entity(struct rest_run *run, const struct json *expected, struct error *err)
{
    const struct json *actual = json_item(run->entities, run->entity_at++);

    if (rest_matches(expected, actual)) {
        return 0;
    }
    report_answer(run, expected, actual);
    return error_set(err, ERR_TEST_FAILED, NO_POSITION, "entity %u differs", run->entity_at);
}

static int check_answer(struct rest_run *run, const struct json *expected, struct error *err)
{
    const struct json *actual =
        run->answer_at < run->answers.count ? run->answers.items[run->answer_at] : NULL;

    run->answer_at++;
    if (elements_match(expected, actual, keeps_order(run))) {
        return 0;
    }
    report_answer(run, expected, actual);
    return error_set(err, ERR_TEST_FAILED, NO_POSITION, "the answer to query %u differs",
                     run->answer_at);
}

static int check_responses(struct rest_run *run, struct error *err)
{
    const struct json *responses = json_member(run->test, "responses");

    for (uint32_t i = 0; i < json_count(responses); i++) {
        const struct json *response = json_item(responses, i);

        if (json_member(response, "admin")) {
            TRY(check_entity(run, json_member(response, "admin"), err));
        } else if (json_member(response, "query")) {
            TRY(check_answer(run, json_member(response, "query"), err));
        } else {
            return error_set(err, ERR_UNSUPPORTED, NO_POSITION,
                             "answers in protobuf are not built");
        }
    }
    return 0;
}

/* --- errors --- */

static int check_failure(struct rest_run *run, const struct json *expected, struct error *err)
{
    struct bytes type = json_member_text(expected, "type");
    struct bytes message = json_member_text(expected, "message");
    int64_t status = json_member_integer(expected, "status", run->last.status);
    enum expected_phase phase = EXPECT_AT_STATEMENT;
    struct buffer allowed = { 0 };
    int code;

    if (!expected_error_phase(type, message, &phase)) {
        return error_set(err, ERR_TEST_FAILED, NO_POSITION,
                         "no condition known for this message: %.*s", BYTES_ARG(message));
    }
    if (run->failure.code && run->last.status == status &&
        expected_error_allows(type, message, run->failure.code)) {
        return 0;
    }
    expected_error_print(type, message, &allowed);
    code = error_set(err, ERR_TEST_FAILED, NO_POSITION,
                     "expected status %lld and %.*s (%.*s), got %d and %s: %s", (long long)status,
                     (int)allowed.len, allowed.data, BYTES_ARG(message), run->last.status,
                     run->failure.code ? error_name(run->failure.code) : "no error",
                     run->failure.message);
    buffer_fini(&allowed);
    return code;
}

/* --- the run --- */

static int set_up(struct rest_run *run, struct error *err)
{
    static const struct {
        const char *name;
        const char *value;
    } settings[] = { { "auto.offset.reset", "earliest" },
                     { "cache.max.bytes.buffering", "0" },
                     { "ksql.query.push.v2.enabled", "true" } };
    const struct json *properties = json_member(run->test, "properties");

    TRY(harness_open_threaded(&run->h, err));
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        TRY(engine_set_property(run->h.engine, bytes_of(settings[i].name),
                                bytes_of(settings[i].value), err));
    }
    for (uint32_t i = 0; i < json_count(properties); i++) {
        struct buffer text = { 0 };
        int code;

        json_print_bare(properties->items[i], &text);
        code = harness_set(&run->h, properties->names[i], buffer_bytes(&text), err);
        buffer_fini(&text);
        TRY(code);
    }
    TRY(qtt_make_topics(&run->h, json_member(run->test, "topics"), err));
    return rest_server_open(&run->server, run->h.engine, err);
}

static int run_case(struct rest_run *run, struct error *err)
{
    const struct json *expected = json_member(run->test, "expectedError");

    TRY(set_up(run, err));
    TRY(send_all(run, err));
    if (expected) {
        return check_failure(run, expected, err);
    }
    if (run->failure.code) {
        return error_set(err, run->failure.code, run->failure.at, "%s", run->failure.message);
    }
    TRY(check_responses(run, err));
    return qtt_check_outputs(&run->h, run->options, run->test, run->report, err);
}

static int run_rest(const struct test_case *test, const struct test_options *options,
                    struct buffer *report, struct error *err)
{
    struct rest_run run = { .test = test->data, .options = options, .report = report };
    int code = run_case(&run, err);

    rest_server_close(&run.server);
    harness_close(&run.h);
    return code;
}

const struct case_kind case_rest = { ".json", NULL, run_rest };
