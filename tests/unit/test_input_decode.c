/*
 * test_input_decode.c: records of a source become rows, or are reported.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/operator_world.h"

static const struct sql_type *headers_type(struct world *w)
{
    const struct sql_field fields[] = { { BYTES("KEY"), type_scalar(T_STRING) },
                                        { BYTES("VALUE"), type_scalar(T_BYTES) } };

    return type_array(&w->arena, type_struct(&w->arena, fields, 2));
}

/* K STRING KEY, [header column H,] V BIGINT, T BIGINT over KAFKA keys and JSON values. */
static struct source *make_source(struct world *w, enum source_kind kind, enum column_role header)
{
    struct source *source = arena_new(&w->arena, struct source);
    struct column *columns = arena_array(&w->arena, struct column, 4);
    uint32_t count = 0;

    columns[count++] = (struct column){ BYTES("K"), type_scalar(T_STRING), COLUMN_KEY, { 0 } };
    if (header != COLUMN_VALUE) {
        columns[count++] =
            (struct column){ BYTES("H"),
                             header == COLUMN_HEADERS ? headers_type(w) : type_scalar(T_BYTES),
                             header, BYTES("x") };
    }
    columns[count++] = (struct column){ BYTES("V"), type_scalar(T_BIGINT), COLUMN_VALUE, { 0 } };
    columns[count++] = (struct column){ BYTES("T"), type_scalar(T_BIGINT), COLUMN_VALUE, { 0 } };
    source->kind = kind;
    source->schema = (struct schema){ columns, count, 1 };
    source->key_format.kind = format_find(bytes_of("KAFKA"));
    source->key_format.options.unwrapped = true;
    source->value_format.kind = format_find(bytes_of("JSON"));
    return source;
}

static struct input_decoder *open_decoder(struct world *w, const struct source *source)
{
    struct input_decoder_spec spec = {
        .source = source, .topic_name = "t", .failed = world_decode_failed, .context = w
    };
    struct input_decoder *decoder;
    struct error err;

    assert_int_equal(input_decoder_open(&spec, &decoder, &err), 0);
    return decoder;
}

static const struct row_batch *decode(struct world *w, struct input_decoder *decoder,
                                      struct log_record *records, uint32_t count)
{
    struct log_block *block = arena_new(&w->arena, struct log_block);

    for (uint32_t i = 0; i < count; i++) {
        records[i].offset = 10 + i;
    }
    block->partition = 3;
    block->records = records;
    block->record_count = count;
    return input_decoder_decode(decoder, block, 0, count, &w->arena);
}

static void expect_rows(struct world *w, const struct source *source, struct log_record *records,
                        uint32_t count, const char *expected)
{
    struct input_decoder *decoder = open_decoder(w, source);
    const struct row_batch *batch = decode(w, decoder, records, count);

    assert_int_equal(batch->row_count, count);
    world_print_batch(batch, &w->seen);
    world_expect(w, expected);
    input_decoder_close(decoder);
}

static void stream_rows_have_keys_values_and_nulls(void **state)
{
    struct log_record records[] = {
        { .timestamp_ms = 5, .key = BYTES("a"), .value = BYTES("{\"V\":1,\"T\":2}") },
        { .timestamp_ms = 6, .value = BYTES("{\"V\":3}") },
        { .timestamp_ms = 7, .key = BYTES("") },
    };
    struct world w;

    world_init(&w);
    expect_rows(&w, make_source(&w, SOURCE_STREAM, COLUMN_VALUE), records, 3,
                "(a,1,2)@5 (~,3,~)@6 (,-)@7");
    world_expect_errors(&w, "");
    world_fini(&w);
}

static void rows_know_their_record(void **state)
{
    struct record_header header = { BYTES("h"), BYTES("1") };
    struct log_record records[] = {
        { .key = BYTES("a") }, { .value = BYTES("{}"), .headers = &header, .header_count = 1 }
    };
    struct world w;
    struct input_decoder *decoder;
    const struct row_batch *batch;

    world_init(&w);
    decoder = open_decoder(&w, make_source(&w, SOURCE_STREAM, COLUMN_VALUE));
    batch = decode(&w, decoder, records, 2);
    assert_int_equal(batch->meta[0].change, 0);
    assert_int_equal(batch->meta[1].change, ROW_HAS_NEW | ROW_NULL_KEY);
    assert_int_equal(batch->origins[batch->meta[1].origin].offset, 11);
    assert_int_equal(batch->origins[batch->meta[1].origin].partition, 3);
    assert_string_equal(batch->origins[batch->meta[1].origin].topic, "t");
    assert_true(bytes_equal_text(batch->origins[1].headers[0].key, "h"));
    input_decoder_close(decoder);
    world_fini(&w);
}

static void table_records_without_a_key_are_left_out(void **state)
{
    struct log_record records[] = { { .timestamp_ms = 5, .value = BYTES("{\"V\":1}") },
                                    { .timestamp_ms = 6, .key = BYTES("a") } };
    struct world w;

    world_init(&w);
    expect_rows(&w, make_source(&w, SOURCE_TABLE, COLUMN_VALUE), records, 2, "(a,-)@6");
    world_expect_errors(&w, "");
    world_fini(&w);
}

static void records_that_cannot_be_read_are_reported_and_not_selected(void **state)
{
    struct log_record records[] = {
        { .timestamp_ms = 1, .key = BYTES("a"), .value = BYTES("{\"V\":1}") },
        { .timestamp_ms = 2, .key = BYTES("b"), .value = BYTES("{\"V\":") },
        { .timestamp_ms = 3, .key = BYTES("c"), .value = BYTES("{\"V\":[]}") },
        { .timestamp_ms = 4, .key = BYTES("d"), .value = BYTES("{\"V\":4}") },
        { .timestamp_ms = -1, .key = BYTES("e"), .value = BYTES("{\"V\":5}") },
    };
    struct world w;

    world_init(&w);
    expect_rows(&w, make_source(&w, SOURCE_STREAM, COLUMN_VALUE), records, 5,
                "(a,1,~)@1 (d,4,~)@4");
    world_expect_errors(&w, "value t+11 ERR_DECODE;value t+12 ERR_COERCE;"
                            "value t+14 ERR_TIMESTAMP;");
    world_fini(&w);
}

static void timestamp_column_is_the_rows_time(void **state)
{
    static const bool wanted[] = { true, true, false };
    struct log_record records[] = {
        { .timestamp_ms = 1, .key = BYTES("a"), .value = BYTES("{\"V\":1,\"T\":50}") },
        { .timestamp_ms = 2, .key = BYTES("b"), .value = BYTES("{\"V\":2}") },
        { .timestamp_ms = 3, .key = BYTES("c"), .value = BYTES("{\"V\":3,\"T\":-1}") },
    };
    struct world w;
    struct source *source;
    struct input_decoder_spec spec = {
        .topic_name = "t", .wanted = wanted, .failed = world_decode_failed, .context = &w
    };
    struct input_decoder *decoder;
    const struct row_batch *batch;
    struct error err;

    world_init(&w);
    source = make_source(&w, SOURCE_STREAM, COLUMN_VALUE);
    source->timestamp_column = bytes_of("T");
    spec.source = source;
    assert_int_equal(input_decoder_open(&spec, &decoder, &err), 0);
    batch = decode(&w, decoder, records, 3);
    assert_int_equal(batch->selected_count, 1);
    assert_int_equal(batch->meta[batch_selected(batch, 0)].timestamp_ms, 50);
    world_expect_errors(&w, "value t+11 ERR_TIMESTAMP;value t+12 ERR_TIMESTAMP;");
    input_decoder_close(decoder);
    world_fini(&w);
}

static void header_column_holds_the_last_header_of_its_name(void **state)
{
    struct record_header headers[] = { { BYTES("x"), BYTES("1") },
                                       { BYTES("x"), BYTES("2") },
                                       { BYTES("y"), BYTES("3") } };
    struct log_record records[] = { { .key = BYTES("a"),
                                      .value = BYTES("{\"V\":1,\"T\":2}"),
                                      .headers = headers,
                                      .header_count = 3 },
                                    { .key = BYTES("b") } };
    struct world w;
    struct input_decoder *decoder;
    const struct row_batch *batch;
    const struct value *cells;

    world_init(&w);
    decoder = open_decoder(&w, make_source(&w, SOURCE_STREAM, COLUMN_HEADER));
    batch = decode(&w, decoder, records, 2);
    cells = batch->cells;
    assert_true(bytes_equal_text(value_bytes(&cells[1]), "2"));
    assert_int_equal(cells[2].i64, 1);
    assert_int_equal(cells[3].i64, 2);
    assert_true(value_is_null(&cells[5]));
    input_decoder_close(decoder);
    world_fini(&w);
}

static void headers_column_holds_all_of_them(void **state)
{
    struct record_header headers[] = { { BYTES("x"), BYTES("1") }, { BYTES("y"), { NULL, 0 } } };
    struct log_record records[] = {
        { .key = BYTES("a"), .value = BYTES("{\"V\":1}"), .headers = headers, .header_count = 2 },
        { .key = BYTES("b") }
    };
    struct world w;
    struct input_decoder *decoder;
    const struct row_batch *batch;
    const struct value *array;

    world_init(&w);
    decoder = open_decoder(&w, make_source(&w, SOURCE_STREAM, COLUMN_HEADERS));
    batch = decode(&w, decoder, records, 2);
    array = &batch->cells[1];
    assert_int_equal(array->kind, T_ARRAY);
    assert_int_equal(array->size, 2);
    assert_true(bytes_equal_text(value_bytes(&array->items[0].items[0]), "x"));
    assert_true(bytes_equal_text(value_bytes(&array->items[0].items[1]), "1"));
    assert_true(value_is_null(&array->items[1].items[1]));
    assert_int_equal(batch->cells[5].size, 0);
    assert_int_equal(batch->cells[5].kind, T_ARRAY);
    input_decoder_close(decoder);
    world_fini(&w);
}

static void slice_of_a_batch_has_its_rows_alone(void **state)
{
    struct world w;
    uint16_t selected[] = { 0, 2, 3 };
    const struct row_batch *slice;

    world_init(&w);
    world_add_table(&w, world_shape(&w, "K STRING KEY, V BIGINT"),
                    world_shape(&w, "K STRING KEY, V BIGINT"));
    world_rows(&w, "(a,1)@1 (b,2)@2 (c,3)@3 (d,4)@4 (e,5)@5");
    w.batch.old_cells = NULL;
    world_print_batch(batch_slice(&w.batch, 1, 3, &w.arena), &w.seen);
    world_expect(&w, "(b,2)@2 (c,3)@3 (d,4)@4");
    w.batch.selected = selected;
    w.batch.selected_count = 3;
    slice = batch_slice(&w.batch, 2, 3, &w.arena);
    world_print_batch(slice, &w.seen);
    world_expect(&w, "(c,3)@3 (d,4)@4");
    assert_int_equal(slice->row_count, 3);
    assert_int_equal(batch_slice(&w.batch, 5, 0, &w.arena)->selected_count, 0);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_rows_have_keys_values_and_nulls),
        cmocka_unit_test(rows_know_their_record),
        cmocka_unit_test(table_records_without_a_key_are_left_out),
        cmocka_unit_test(records_that_cannot_be_read_are_reported_and_not_selected),
        cmocka_unit_test(timestamp_column_is_the_rows_time),
        cmocka_unit_test(header_column_holds_the_last_header_of_its_name),
        cmocka_unit_test(headers_column_holds_all_of_them),
        cmocka_unit_test(slice_of_a_batch_has_its_rows_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
