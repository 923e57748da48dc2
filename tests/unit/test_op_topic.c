/*
 * test_op_topic.c: rows become records of a sink or of a repartition topic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/operator_world.h"

static void setup_sink(struct world *w)
{
    world_init(w);
    world_add_sink(w, world_shape(w, "K STRING KEY, V BIGINT, T BIGINT"));
    w->output.partition_count = 1;
}

static void sink_writes_key_value_time_and_headers(void **state)
{
    struct world w;

    setup_sink(&w);
    world_open(&w);
    world_push(&w, "(a,1,2)@5[h] (b,~,3)@4");
    world_expect_output(&w, "p0 a={\"V\":1,\"T\":2}@5[h] p0 b={\"V\":null,\"T\":3}@4");
    world_expect_errors(&w, "");
    world_fini(&w);
}

static void rows_without_a_value_are_null_values(void **state)
{
    struct world w;

    setup_sink(&w);
    world_open(&w);
    world_push(&w, "(a,-)@5 (-,-)@6");
    world_expect_output(&w, "p0 a=null@5 p0 null=null@6");
    world_fini(&w);
}

static void partition_is_that_of_the_key_bytes(void **state)
{
    struct world w;

    setup_sink(&w);
    w.output.partition_count = WORLD_PARTITIONS;
    world_open(&w);
    world_push(&w, "(foobar,1,1)@1 (21,1,1)@1 (abc,1,1)@1");
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++) {
        struct log_block block = world_block(&w, p);

        assert_int_equal((w.touched >> p) & 1, block.record_count > 0);
        for (uint32_t i = 0; i < block.record_count; i++) {
            assert_int_equal(log_partition_of(block.records[i].key, WORLD_PARTITIONS), p);
        }
    }
    world_fini(&w);
}

static void null_keys_go_round(void **state)
{
    struct world w;

    setup_sink(&w);
    w.output.partition_count = WORLD_PARTITIONS;
    world_open(&w);
    world_push(&w, "(-,1,1)@1 (-,2,1)@2 (-,3,1)@3 (-,4,1)@4");
    assert_int_equal(w.builders[0].record_count, 2);
    assert_int_equal(w.builders[1].record_count, 1);
    assert_int_equal(w.builders[2].record_count, 1);
    world_fini(&w);
}

static void keyless_sink_writes_null_keys(void **state)
{
    struct world w;

    world_init(&w);
    world_add_sink(&w, world_shape(&w, "V BIGINT, T BIGINT"));
    w.output.partition_count = 1;
    world_open(&w);
    world_push(&w, "(1,2)@5");
    world_expect_output(&w, "p0 null={\"V\":1,\"T\":2}@5");
    world_fini(&w);
}

static void timestamp_column_is_the_records_time(void **state)
{
    static const int64_t stream_time[] = { 90, 91, 92, 93 };
    struct world w;
    struct error err;

    setup_sink(&w);
    w.ops[0].topic.has_timestamp = true;
    w.ops[0].topic.timestamp = operand_make(BANK_CELLS, 2);
    w.ops[0].topic.timestamp_type = type_scalar(T_BIGINT);
    world_open(&w);
    world_rows(&w, "(a,1,77)@5 (b,1,~)@6 (c,1,-3)@7 (a,-)@8");
    w.batch.task_time = stream_time;
    assert_int_equal(op_chain_push(&w.chain, &w.input, &w.batch, &err), 0);
    world_expect_output(&w, "p0 a={\"V\":1,\"T\":77}@77 p0 a=null@93");
    world_expect_errors(&w, "timestamp: Error writing row with extracted timestamp: The timestamp "
                            "column is null;timestamp: Error writing row with extracted "
                            "timestamp: The timestamp column holds -3, a time before 1970;");
    world_fini(&w);
}

static void timestamp_text_is_read_by_its_pattern(void **state)
{
    struct world w;
    struct error err;

    world_init(&w);
    world_add_sink(&w, world_shape(&w, "K STRING KEY, T STRING"));
    w.output.partition_count = 1;
    w.ops[0].topic.has_timestamp = true;
    w.ops[0].topic.timestamp = operand_make(BANK_CELLS, 1);
    w.ops[0].topic.timestamp_type = type_scalar(T_STRING);
    w.ops[0].topic.timestamp_format = bytes_of("yyyy-MM-dd");
    world_open(&w);
    world_rows(&w, "(a,1970-01-02)@5 (b,soon)@6 (c,1969-12-31)@7");
    assert_int_equal(op_chain_push(&w.chain, &w.input, &w.batch, &err), 0);
    world_expect_output(&w, "p0 a={\"T\":\"1970-01-02\"}@86400000");
    world_expect_errors(
        &w, "timestamp: Error writing row with extracted timestamp: The timestamp column cannot be "
            "read by TIMESTAMP_FORMAT: The text does not fit the pattern at position 1;timestamp: "
            "Error writing row with extracted timestamp: The timestamp column holds -86400000, a "
            "time before 1970;");
    world_fini(&w);
}

static void timestamp_that_cannot_be_read_is_refused_at_open(void **state)
{
    struct world w;
    struct error err;

    setup_sink(&w);
    w.ops[0].topic.has_timestamp = true;
    w.ops[0].topic.timestamp = operand_make(BANK_CELLS, 0);
    w.ops[0].topic.timestamp_type = type_scalar(T_STRING);
    w.ops[0].topic.timestamp_format = bytes_of("yyyy-ii");
    assert_int_equal(op_chain_open(&w.chain, &w.sub, &w.env, &err), ERR_TIMESTAMP_COLUMN);
    w.ops[0].topic.timestamp_type = type_scalar(T_BOOLEAN);
    assert_int_equal(op_chain_open(&w.chain, &w.sub, &w.env, &err), ERR_TIMESTAMP_COLUMN);
    world_fini(&w);
}

/* --- repartition --- */

/* Reads the output's records back as the next sub-topology does. */
static void expect_read_back(struct world *w, const struct row_shape *shape, bool is_table,
                             const char *expected)
{
    struct input_plan plan = { .codec = w->ops[0].topic.codec,
                               .shape = shape,
                               .is_table = is_table };
    struct input_decoder_spec spec = {
        .repartition = &plan, .topic_name = "r", .failed = world_decode_failed, .context = w
    };
    struct input_decoder *decoder;
    struct buffer text = { 0 };
    struct arena arena;
    struct error err;

    arena_init(&arena, 0);
    assert_int_equal(input_decoder_open(&spec, &decoder, &err), 0);
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++) {
        struct log_block block = world_block(w, p);

        world_print_batch(input_decoder_decode(decoder, &block, 0, block.record_count, &arena),
                          &text);
    }
    buffer_append_char(&text, '\0');
    assert_string_equal(text.data, expected);
    buffer_fini(&text);
    input_decoder_close(decoder);
    arena_fini(&arena);
}

static void repartition_of_a_stream_carries_rows_but_no_null_ones(void **state)
{
    struct world w;
    const struct row_shape *shape;

    world_init(&w);
    shape = world_shape(&w, "G STRING KEY, K STRING, V BIGINT");
    world_add_repartition(&w, shape, false);
    w.output.partition_count = 1;
    world_open(&w);
    world_push(&w, "(g,a,1)@5[h] (~,b,2)@6 (h,-)@7 (h,c,~)@8");
    expect_read_back(&w, shape, false, "(g,a,1)@5[h] (h,c,~)@8 ");
    world_expect_errors(&w, "group-by column: Group-by column with index 0 resolved to null. "
                            "The source row will be excluded from the table.;");
    world_fini(&w);
}

/* The group is R, the key column here; ID is the table's key. */
static void repartition_of_a_table_splits_changes_that_change_the_group(void **state)
{
    struct world w;
    const struct row_shape *shape;

    world_init(&w);
    shape = world_shape(&w, "R STRING KEY, ID BIGINT");
    world_add_repartition(&w, shape, true);
    w.output.partition_count = 1;
    world_open(&w);
    world_push(&w, "(a,1)@0 (b,1)<(a,1)@2 (b,1)<(b,1)@3 (b,-)<(b,1)@4 (~,1)<(b,1)@5 (c,1)<(~,1)@6 "
                   "(z,-)@7");
    assert_int_equal(w.builders[0].record_count, 7);
    expect_read_back(&w, shape, true,
                     "(a,1)@0 (~,-)<(a,1)@2 (b,1)@2 (b,1)<(b,1)@3 (~,-)<(b,1)@4 (~,-)<(b,1)@5 "
                     "(c,1)@6 ");
    world_expect_errors(&w, "group-by column: Group-by column with index 0 resolved to null. "
                            "The source row will be excluded from the table.;");
    world_fini(&w);
}

static void damaged_repartition_record_is_reported_and_left_out(void **state)
{
    struct world w;
    const struct row_shape *shape;

    world_init(&w);
    shape = world_shape(&w, "R STRING KEY, ID BIGINT");
    world_add_repartition(&w, shape, true);
    world_open(&w);
    log_builder_add(&w.builders[0], bytes_of("a"), bytes_of("nonsense"), 1, NULL, 0);
    log_builder_add(&w.builders[0], bytes_of("a"), bytes_of(""), 1, NULL, 0);
    log_builder_add(&w.builders[0], bytes_of("a"), bytes_of("abcdefg\2"), 1, NULL, 0);
    expect_read_back(&w, shape, true, "");
    world_expect_errors(&w, "value r+0 ERR_STATE_DAMAGED;value r+1 ERR_STATE_DAMAGED;"
                            "value r+2 ERR_STATE_DAMAGED;");
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sink_writes_key_value_time_and_headers),
        cmocka_unit_test(rows_without_a_value_are_null_values),
        cmocka_unit_test(partition_is_that_of_the_key_bytes),
        cmocka_unit_test(null_keys_go_round),
        cmocka_unit_test(keyless_sink_writes_null_keys),
        cmocka_unit_test(timestamp_column_is_the_records_time),
        cmocka_unit_test(timestamp_text_is_read_by_its_pattern),
        cmocka_unit_test(timestamp_that_cannot_be_read_is_refused_at_open),
        cmocka_unit_test(repartition_of_a_stream_carries_rows_but_no_null_ones),
        cmocka_unit_test(repartition_of_a_table_splits_changes_that_change_the_group),
        cmocka_unit_test(damaged_repartition_record_is_reported_and_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
