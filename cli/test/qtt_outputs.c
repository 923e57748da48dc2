/*
 * qtt_outputs.c: "outputs" against the topics that they name.
 *
 * A topic's records must be those expected, in order. Records of several partitions may lie in
 * any interleaving that keeps each partition's order. With a cache a table is judged
 * by the last record of each key, where a delete is as good as no record. Of a table made
 * from a table a key may also be missing: a source row that came and went within the cache
 * never reached its group, whose count is then absent and not 0, and whose time is that
 * of the rows that did reach it.
 */
#include "cli/test/qtt.h"
#include "cli/test/record.h"

enum { DIFFERENCES_SHOWN = 6 };

struct topic_check {
    struct harness *h;
    struct bytes topic;
    const struct topic_form *form;
    enum record_parts parts;
    const struct json **expected;
    uint32_t expected_count;
    struct kept_record *records;
    uint32_t record_count;
    bool *taken; /* per record */
    bool may_miss_keys;
};

/* --- records in order --- */

/* The first record of each partition that is not taken yet is a candidate. */
static bool take_match(struct topic_check *check, const struct json *expected)
{
    uint32_t partition = UINT32_MAX;

    for (uint32_t i = 0; i < check->record_count; i++) {
        const struct kept_record *record = &check->records[i];

        if (check->taken[i] || record->partition == partition) {
            continue;
        }
        partition = record->partition;
        if (record_matches(check->form, record, expected, check->parts)) {
            check->taken[i] = true;
            return true;
        }
    }
    return false;
}

static void report_rows(const struct topic_check *check, uint32_t first, struct buffer *report)
{
    uint32_t shown = 0;
    uint32_t at = 0;

    while (at < check->record_count && check->taken[at]) {
        at++;
    }
    for (uint32_t i = first; i < check->expected_count && shown++ < DIFFERENCES_SHOWN; i++) {
        buffer_append_text(report, "  expected ");
        record_print_expected(check->expected[i], report);
        buffer_append_char(report, '\n');
    }
    shown = 0;
    for (uint32_t i = at; i < check->record_count && shown < DIFFERENCES_SHOWN; i++) {
        if (!check->taken[i]) {
            buffer_append_text(report, "  actual   ");
            record_print(check->form, &check->records[i], report);
            buffer_append_char(report, '\n');
            shown++;
        }
    }
}

static int check_in_order(struct topic_check *check, struct buffer *report, struct error *err)
{
    uint32_t matched = 0;

    while (matched < check->expected_count && take_match(check, check->expected[matched])) {
        matched++;
    }
    if (matched == check->expected_count && matched == check->record_count) {
        return 0;
    }
    report_rows(check, matched, report);
    return error_set(err, ERR_TEST_FAILED, NO_POSITION,
                     "topic %.*s: %u records expected, %u there; first difference at record %u",
                     BYTES_ARG(check->topic), check->expected_count, check->record_count,
                     matched + 1);
}

/* --- the last record of each key --- */

static bool same_key(const struct json *a, const struct json *b)
{
    return json_same(json_member(a, "key"), json_member(b, "key")) &&
           json_same(json_member(a, "window"), json_member(b, "window"));
}

static void keep_last_expected(struct topic_check *check)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < check->expected_count; i++) {
        bool last = !json_is_missing(json_member(check->expected[i], "value"));

        for (uint32_t j = i + 1; last && j < check->expected_count; j++) {
            last = !same_key(check->expected[i], check->expected[j]);
        }
        if (last) {
            check->expected[count++] = check->expected[i];
        }
    }
    check->expected_count = count;
}

static void keep_last_records(struct topic_check *check)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < check->record_count; i++) {
        bool last = check->records[i].value.data != NULL;

        for (uint32_t j = i + 1; last && j < check->record_count; j++) {
            last = !bytes_equal(check->records[i].key, check->records[j].key);
        }
        if (last) {
            check->records[count++] = check->records[i];
        }
    }
    check->record_count = count;
}

/* Whether the table has a record of the key, whatever its value. */
static bool has_key_of(const struct topic_check *check, const struct json *expected)
{
    for (uint32_t i = 0; i < check->record_count; i++) {
        if (record_has_key(check->form, &check->records[i], expected)) {
            return true;
        }
    }
    return false;
}

static int check_last_rows(struct topic_check *check, struct buffer *report, struct error *err)
{
    uint32_t missing = 0;

    keep_last_expected(check);
    keep_last_records(check);
    for (uint32_t i = 0; i < check->expected_count; i++) {
        uint32_t at = 0;

        while (at < check->record_count &&
               (check->taken[at] || !record_matches(check->form, &check->records[at],
                                                    check->expected[i], check->parts))) {
            at++;
        }
        if (at == check->record_count && check->may_miss_keys &&
            !has_key_of(check, check->expected[i])) {
            missing++;
            continue;
        }
        if (at == check->record_count) {
            report_rows(check, i, report);
            return error_set(err, ERR_TEST_FAILED, NO_POSITION,
                             "topic %.*s: the last row of a key differs", BYTES_ARG(check->topic));
        }
        check->taken[at] = true;
    }
    if (check->expected_count - missing != check->record_count) {
        report_rows(check, check->expected_count, report);
        return error_set(err, ERR_TEST_FAILED, NO_POSITION,
                         "topic %.*s: %u keys expected, %u there", BYTES_ARG(check->topic),
                         check->expected_count, check->record_count);
    }
    return 0;
}

/* --- topics --- */

/* Whether a query that reads a table writes the topic. */
static bool derives_from_table(struct harness *h, struct bytes topic)
{
    for (uint32_t q = 0; q < h->queries.count; q++) {
        const struct query_entry *entry =
            catalog_find_query(engine_catalog(h->engine), h->queries.items[q]);
        const struct source *sink = entry ? entry->plan->sink : NULL;

        for (uint32_t s = 0; sink && bytes_equal(sink->topic, topic) && s < entry->plan->sub_count;
             s++) {
            for (uint32_t i = 0; i < entry->plan->subs[s].input_count; i++) {
                const struct source *source = entry->plan->subs[s].inputs[i].source;

                if (source && source->kind == SOURCE_TABLE) {
                    return true;
                }
            }
        }
    }
    return false;
}

static int check_topic(struct topic_check *check, const struct test_options *options,
                       struct buffer *report, struct error *err)
{
    const struct source *source = check->form ? check->form->source : NULL;
    bool table = source && source->kind == SOURCE_TABLE;

    if (options->cache_bytes > 0 && derives_from_table(check->h, check->topic)) {
        check->may_miss_keys = true;
        check->parts = MATCH_ANY_TIME;
    }
    TRY(harness_read(check->h, check->topic, &check->records, &check->record_count, err));
    check->taken = arena_array(&check->h->arena, bool, check->record_count);
    return options->cache_bytes > 0 && table ? check_last_rows(check, report, err)
                                             : check_in_order(check, report, err);
}

int qtt_check_outputs(struct harness *h, const struct test_options *options,
                      const struct json *test, struct buffer *report, struct error *err)
{
    const struct json *outputs = json_member(test, "outputs");
    bool has_inputs = json_count(json_member(test, "inputs")) > 0;
    uint32_t count = json_count(outputs);
    VEC(struct bytes) seen = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        struct topic_check check = { .h = h };
        uint32_t known = 0;

        check.topic = json_member_text(json_item(outputs, i), "topic");
        while (known < seen.count && !bytes_equal(seen.items[known], check.topic)) {
            known++;
        }
        if (known < seen.count) {
            continue;
        }
        *vec_push(&h->arena, &seen) = check.topic;
        check.form = harness_form(h, check.topic);
        check.parts = has_inputs ? MATCH_ALL : MATCH_ZERO_AS_ANY_TIME;
        check.expected = arena_array(&h->arena, const struct json *, count);
        for (uint32_t j = i; j < count; j++) {
            const struct json *output = json_item(outputs, j);

            if (bytes_equal(json_member_text(output, "topic"), check.topic)) {
                check.expected[check.expected_count++] = output;
            }
        }
        TRY(check_topic(&check, options, report, err));
    }
    return 0;
}
