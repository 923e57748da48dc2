/*
 * case_qtt.c: query-validation cases: statements, inputs and exact outputs as JSON.
 *
 * A case with "format" or "config" is one case per entry, the entry standing for {FORMAT} or
 * {CONFIG} wherever it occurs. What has "responses" is a case of the endpoint (case_rest.c).
 */
#include "cli/test/case_rest.h"
#include "cli/test/expected_error.h"
#include "cli/test/qtt.h"
#include "cli/test/record.h"

/* --- loading --- */

static bool of_endpoint(const struct json *test)
{
    return json_member(test, "responses") || json_member(test, "expectedError");
}

static void add_case(struct case_list *list, struct bytes stem, const struct json *test,
                     const char *variant)
{
    struct test_case *added = vec_push(list->arena, &list->cases);

    added->kind = of_endpoint(test) ? &case_rest : &case_qtt;
    added->data = test;
    added->name = arena_printf(list->arena, "%.*s - %.*s%s%s", BYTES_ARG(stem),
                               BYTES_ARG(json_member_text(test, "name")), variant ? " - " : "",
                               variant ? variant : "");
}

/* Every combination of "format" and "config". */
static void expand(struct case_list *list, struct bytes stem, const struct json *test)
{
    const struct json *formats = json_member(test, "format");
    const struct json *configs = json_member(test, "config");
    uint32_t format_count = json_count(formats) ? json_count(formats) : 1;
    uint32_t config_count = json_count(configs) ? json_count(configs) : 1;

    for (uint32_t f = 0; f < format_count; f++) {
        for (uint32_t c = 0; c < config_count; c++) {
            struct bytes format = json_text(json_item(formats, f));
            struct bytes config = json_text(json_item(configs, c));
            const struct json *one = test;
            struct bytes variant = { NULL, 0 };

            if (format.data) {
                one = json_replace(list->arena, one, bytes_of("{FORMAT}"), format);
                variant = format;
            }
            if (config.data) {
                one = json_replace(list->arena, one, bytes_of("{CONFIG}"), config);
                variant = variant.data ? arena_printf(list->arena, "%.*s - %.*s",
                                                      BYTES_ARG(variant), BYTES_ARG(config))
                                       : config;
            }
            add_case(list, stem, one, variant.data ? arena_copy_text(list->arena, variant) : NULL);
        }
    }
}

static int load(struct case_list *list, const char *path, struct bytes stem, struct bytes text,
                struct error *err)
{
    const struct json *file = NULL;
    const struct json *tests;

    TRY(json_load(list->arena, text, &file, err));
    tests = json_member(file, "tests");
    if (!json_is(tests, JSON_NODE_ARRAY)) {
        return error_set(err, ERR_DECODE, NO_POSITION, "no list \"tests\"");
    }
    for (uint32_t i = 0; i < json_count(tests); i++) {
        expand(list, stem, json_item(tests, i));
    }
    return 0;
}

/* --- before the statements --- */

/* They are the server's, as from its configuration. */
static int apply_properties(struct harness *h, const struct json *properties, struct error *err)
{
    for (uint32_t i = 0; i < json_count(properties); i++) {
        struct buffer text = { 0 };
        int code;

        if (bytes_equal_text(properties->names[i], "use.exact.numeric.comparison")) {
            continue; /* ksqlDB's runner is asked, not its engine: false is what we do */
        }
        json_print_bare(properties->items[i], &text);
        code = engine_set_property(h->engine, properties->names[i], buffer_bytes(&text), err);
        buffer_fini(&text);
        TRY(code);
    }
    return 0;
}

static int topic_format(const struct json *topic, const char *member,
                        const struct format_kind **out, struct error *err)
{
    const struct json *node = json_member(topic, member);
    struct bytes name =
        json_is(node, JSON_NODE_OBJECT) ? json_member_text(node, "format") : json_text(node);

    *out = name.data ? format_find(name) : NULL;
    return name.data && !*out ? error_set(err, ERR_UNSUPPORTED, NO_POSITION,
                                          "format not built: %.*s", BYTES_ARG(name))
                              : 0;
}

int qtt_make_topics(struct harness *h, const struct json *topics, struct error *err)
{
    for (uint32_t i = 0; i < json_count(topics); i++) {
        const struct json *topic = json_item(topics, i);
        int64_t partitions = json_member_integer(topic, "partitions", 1);
        const struct format_kind *key = NULL;
        const struct format_kind *value = NULL;

        TRY(topic_format(topic, "keyFormat", &key, err));
        TRY(topic_format(topic, json_member(topic, "valueFormat") ? "valueFormat" : "format",
                         &value, err));
        TRY(harness_add_topic(h, json_member_text(topic, "name"), (uint32_t)partitions, key, value,
                              err));
    }
    return 0;
}

static int run_statements(struct harness *h, const struct json *statements, struct error *err)
{
    for (uint32_t i = 0; i < json_count(statements); i++) {
        TRY(harness_execute(h, json_text(json_item(statements, i)), err));
    }
    return 0;
}

static int place_inputs(struct harness *h, const struct json *inputs, struct placed_inputs *out,
                        struct error *err)
{
    out->items = arena_array(&h->arena, struct placed_input, json_count(inputs));
    for (uint32_t i = 0; i < json_count(inputs); i++) {
        const struct json *input = json_item(inputs, i);
        struct bytes name = json_member_text(input, "topic");
        struct placed_input *placed = &out->items[out->count++];
        struct kept_record record = { 0 };

        TRY(harness_topic(h, name, &placed->topic, err));
        TRY(record_encode(h, harness_form(h, name), input, placed->topic->partition_count, &record,
                          err));
        placed->partition = record.partition;
        TRY(harness_append(h, placed->topic, &record, &placed->offset, err));
    }
    return 0;
}

/* --- the run --- */

static int run_records(struct harness *h, const struct test_options *options,
                       const struct json *test, struct error *err)
{
    struct placed_inputs inputs = { 0 };

    TRY(place_inputs(h, json_member(test, "inputs"), &inputs, err));
    TRY(qtt_drive(h, options, &inputs, err));
    return harness_check_queries(h, err);
}

static int run_accepted(struct harness *h, const struct test_options *options,
                        const struct json *test, struct buffer *report, struct error *err)
{
    const struct json *post = json_member(test, "post");

    TRY(run_statements(h, json_member(test, "statements"), err));
    TRY(run_records(h, options, test, err));
    TRY(qtt_check_outputs(h, options, test, report, err));
    return post ? qtt_check_post(h, post, err) : 0;
}

static int run_rejected(struct harness *h, const struct test_options *options,
                        const struct json *test, const struct json *exception, struct error *err)
{
    struct bytes type = json_member_text(exception, "type");
    struct bytes message = json_member_text(exception, "message");
    enum expected_phase phase = EXPECT_AT_STATEMENT;
    struct buffer allowed = { 0 };
    struct error why = { 0 };
    int code;

    if (!expected_error_phase(type, message, &phase)) {
        return error_set(err, ERR_TEST_FAILED, NO_POSITION,
                         "no condition known for this message: %.*s", BYTES_ARG(message));
    }
    code = run_statements(h, json_member(test, "statements"), &why);
    if (!code && phase == EXPECT_AT_RECORD) {
        code = run_records(h, options, test, &why);
    }
    if (code && expected_error_allows(type, message, why.code)) {
        return 0;
    }
    expected_error_print(type, message, &allowed);
    code = error_set(err, ERR_TEST_FAILED, NO_POSITION, "expected %.*s (%.*s), %s%s%s%s",
                     (int)allowed.len, allowed.data, (int)(message.len > 160 ? 160 : message.len),
                     message.data, code ? "got " : "but nothing was refused",
                     code ? error_name(why.code) : "", code ? ": " : "", code ? why.message : "");
    buffer_fini(&allowed);
    return code;
}

static int run_case(struct harness *h, const struct test_options *options, const struct json *test,
                    struct buffer *report, struct error *err)
{
    const struct json *exception = json_member(test, "expectedException");

    TRY(harness_open(h, options, QUERY_GATED, err));
    TRY(apply_properties(h, json_member(test, "properties"), err));
    TRY(qtt_make_topics(h, json_member(test, "topics"), err));
    return exception ? run_rejected(h, options, test, exception, err)
                     : run_accepted(h, options, test, report, err);
}

static int run(const struct test_case *test, const struct test_options *options,
               struct buffer *report, struct error *err)
{
    struct harness h = { 0 };
    int code = run_case(&h, options, test->data, report, err);

    if (code && h.skipped_count > 0) {
        buffer_append_bytes(report, buffer_bytes(&h.skipped));
    }
    harness_close(&h);
    return code;
}

const struct case_kind case_qtt = { ".json", load, run };
