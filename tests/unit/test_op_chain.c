/*
 * test_op_chain.c: the order in which a task's operators run, are saved and closed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/operator_world.h"

struct keeper {
    const char *text; /* what it saves */
    struct bytes restored;
    unsigned flushed; /* as which one */
};

static unsigned flush_count;

static int keeper_restore(struct op *op, struct bytes metadata, struct error *err)
{
    struct keeper *keeper = op_state(op);

    keeper->restored = metadata;
    return 0;
}

static void keeper_save(struct op *op, struct buffer *metadata)
{
    struct keeper *keeper = op_state(op);

    buffer_append_text(metadata, keeper->text);
}

static int keeper_flush(struct op *op, struct error *err)
{
    struct keeper *keeper = op_state(op);

    keeper->flushed = ++flush_count;
    return 0;
}

static const struct op_kind keeper_kind = {
    .name = "Keeper", .restore = keeper_restore, .save = keeper_save, .flush = keeper_flush
};
static const struct op_kind forgetful_kind = { .name = "Forgetful" };

static void setup(struct op ops[3], struct keeper keepers[2], struct op_chain *chain)
{
    memset(ops, 0, 3 * sizeof *ops);
    memset(keepers, 0, 2 * sizeof *keepers);
    keepers[0].text = "first";
    keepers[1].text = "";
    ops[0] = (struct op){ .kind = &keeper_kind, .state = &keepers[0] };
    ops[1] = (struct op){ .kind = &forgetful_kind };
    ops[2] = (struct op){ .kind = &keeper_kind, .state = &keepers[1] };
    *chain = (struct op_chain){ ops, 3 };
}

static void what_operators_save_comes_back_to_each(void **state)
{
    struct op ops[3];
    struct keeper keepers[2];
    struct op_chain chain;
    struct buffer metadata = { 0 };
    struct error err;

    setup(ops, keepers, &chain);
    op_chain_save(&chain, &metadata);
    assert_int_equal(op_chain_restore(&chain, buffer_bytes(&metadata), &err), 0);
    assert_true(bytes_equal_text(keepers[0].restored, "first"));
    assert_true(bytes_equal_text(keepers[1].restored, ""));
    buffer_fini(&metadata);
}

static void metadata_cut_short_is_damage(void **state)
{
    struct op ops[3];
    struct keeper keepers[2];
    struct op_chain chain;
    struct buffer metadata = { 0 };
    struct error err;

    setup(ops, keepers, &chain);
    op_chain_save(&chain, &metadata);
    for (size_t len = 0; len < metadata.len; len++) {
        struct bytes cut = { metadata.data, len };

        assert_int_equal(op_chain_restore(&chain, cut, &err), ERR_STATE_DAMAGED);
    }
    assert_int_equal(op_chain_restore(&chain, (struct bytes){ NULL, 0 }, &err), 0);
    buffer_fini(&metadata);
}

static void flush_and_tick_go_from_the_inputs_to_the_ends(void **state)
{
    struct op ops[3];
    struct keeper keepers[2];
    struct op_chain chain;
    struct error err;

    setup(ops, keepers, &chain);
    flush_count = 0;
    assert_int_equal(op_chain_flush(&chain, &err), 0);
    assert_int_equal(keepers[0].flushed, 1);
    assert_int_equal(keepers[1].flushed, 2);
    assert_int_equal(op_chain_tick(&chain, 5, &err), 0);
}

static void chain_that_fails_to_open_leaves_nothing_open(void **state)
{
    const struct row_shape *shape;
    struct world w;
    struct error err;

    world_init(&w);
    shape = world_shape(&w, "K STRING KEY, V BIGINT");
    world_add_table(&w, shape, shape);
    world_add_sink(&w, shape)->topic.has_timestamp = true;
    w.ops[1].topic.timestamp_type = type_scalar(T_DOUBLE);
    w.env.emission_budget = 100;
    assert_int_equal(op_chain_open(&w.chain, &w.sub, &w.env, &err), ERR_TIMESTAMP_COLUMN);
    assert_int_equal(w.chain.op_count, 0);
    world_fini(&w);
}

static void every_kind_is_found_by_the_node_it_runs(void **state)
{
    for (const struct op_kind *const *kind = all_operators; *kind; kind++) {
        assert_ptr_equal(op_kind_for((*kind)->implements), *kind);
        assert_non_null((*kind)->name);
        assert_true((*kind)->open && (*kind)->push && (*kind)->close);
        assert_true(!(*kind)->save == !(*kind)->restore);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_operators_save_comes_back_to_each),
        cmocka_unit_test(metadata_cut_short_is_damage),
        cmocka_unit_test(flush_and_tick_go_from_the_inputs_to_the_ends),
        cmocka_unit_test(chain_that_fails_to_open_leaves_nothing_open),
        cmocka_unit_test(every_kind_is_found_by_the_node_it_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
