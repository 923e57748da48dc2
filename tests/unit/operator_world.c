/*
 * operator_world.c: hand-made plans, rows read from text, a probe that writes rows as text.
 */
#include "tests/unit/operator_world.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- printing --- */

static void print_value(const struct value *v, struct buffer *out)
{
    if (value_is_null(v)) {
        buffer_append_char(out, '~');
    } else if (v->kind == T_STRING) {
        buffer_append_bytes(out, value_bytes(v));
    } else {
        buffer_printf(out, "%" PRId64, v->i64);
    }
}

static void print_image(const struct row_shape *shape, const struct row_banks *banks, bool exists,
                        struct buffer *out)
{
    uint32_t count = exists ? shape->column_count : shape->key_count;

    buffer_append_char(out, '(');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            buffer_append_char(out, ',');
        }
        print_value(banks_value(banks, shape->columns[i].at), out);
    }
    buffer_append_text(out, exists ? ")" : ",-)");
}

void world_print_batch(const struct row_batch *batch, struct buffer *out)
{
    for (uint32_t n = 0; n < batch->selected_count; n++) {
        uint32_t row = batch_selected(batch, n);
        const struct row_meta *meta = &batch->meta[row];
        const struct row_origin *origin = &batch->origins[meta->origin];
        struct row_banks banks = batch_row_new(batch, row);

        print_image(batch->shape, &banks, (meta->change & ROW_HAS_NEW) != 0, out);
        if (meta->change & ROW_HAS_OLD) {
            assert_non_null(batch->old_cells);
            banks = batch_row_old(batch, row);
            buffer_append_char(out, '<');
            print_image(batch->shape, &banks, true, out);
        }
        buffer_printf(out, "@%" PRId64, meta->timestamp_ms);
        for (uint32_t i = 0; i < origin->header_count; i++) {
            buffer_printf(out, "[%.*s]", BYTES_ARG(origin->headers[i].key));
        }
        buffer_append_char(out, ' ');
    }
}

static int probe_push(struct op *op, unsigned port, const struct row_batch *in, struct error *err)
{
    struct world *w = op->env->context;

    assert_in_range(in->selected_count, 1, BATCH_MAX_ROWS);
    world_print_batch(in, &w->seen);
    return 0;
}

static const struct op_kind probe_kind = { .name = "Probe", .push = probe_push };

static void note_row_error(struct op_env *env, const struct op *op, const struct row_origin *origin,
                           const char *what, const struct error *err)
{
    struct world *w = env->context;

    assert_non_null(origin);
    buffer_printf(&w->errors, "%s: %s;", what, err->message);
}

void world_decode_failed(void *context, const struct row_origin *origin, enum format_side side,
                         const struct error *err)
{
    struct world *w = context;

    buffer_printf(&w->errors, "%s %s+%" PRId64 " %s;", side == SIDE_KEY ? "key" : "value",
                  origin->topic, origin->offset, error_name(err->code));
}

/* --- the world --- */

void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    arena_init(&w->arena, 0);
    w->env = (struct op_env){ .arena = &w->arena,
                              .plan = &w->plan,
                              .stores = w->stores,
                              .outputs = &w->output,
                              .row_error = note_row_error,
                              .context = w };
    w->plan.stores = w->store_plans;
    w->sub.ops = w->ops;
    w->output = (struct op_output){ w->builders, WORLD_PARTITIONS, &w->touched, 0 };
    w->probe = (struct op){ .kind = &probe_kind, .env = &w->env };
}

static void close_all(struct world *w)
{
    op_chain_close(&w->chain);
    for (uint32_t i = 0; i < w->plan.store_count; i++) {
        store_destroy(w->stores[i]);
        w->stores[i] = NULL;
    }
    for (uint32_t i = 0; i < WORLD_PARTITIONS; i++) {
        log_builder_reset(&w->builders[i]);
    }
    w->output.round_robin = 0;
    w->touched = 0;
}

void world_fini(struct world *w)
{
    close_all(w);
    for (uint32_t i = 0; i < WORLD_PARTITIONS; i++) {
        log_builder_fini(&w->builders[i]);
    }
    buffer_fini(&w->seen);
    buffer_fini(&w->errors);
    arena_fini(&w->arena);
}

/* The next word of a column list; false at the comma or the end. */
static bool next_word(const char **at, struct bytes *out)
{
    const char *begin;

    while (**at == ' ') {
        ++*at;
    }
    begin = *at;
    while (**at && **at != ' ' && **at != ',') {
        ++*at;
    }
    *out = (struct bytes){ begin, (size_t)(*at - begin) };
    return out->len > 0;
}

const struct row_shape *world_shape(struct world *w, const char *columns)
{
    struct row_shape *shape = arena_new(&w->arena, struct row_shape);
    struct shape_column *list = arena_array(&w->arena, struct shape_column, 8);
    uint32_t count = 0;

    while (*columns) {
        struct bytes name;
        struct bytes type;
        struct bytes role;

        assert_true(next_word(&columns, &name) && next_word(&columns, &type));
        list[count] = (struct shape_column){ name, type_scalar(type_find(type)),
                                             operand_make(BANK_CELLS, count), COLUMN_VALUE };
        if (next_word(&columns, &role)) {
            list[count].role = COLUMN_KEY;
            shape->key_count++;
        }
        count++;
        columns += *columns == ',';
    }
    shape->columns = list;
    shape->column_count = count;
    shape->cell_count = count;
    return shape;
}

const operand *world_operands(struct world *w, const struct row_shape *shape, uint32_t first,
                              uint32_t count)
{
    operand *at = arena_array(&w->arena, operand, count);

    for (uint32_t i = 0; i < count; i++) {
        at[i] = shape->columns[first + i].at;
    }
    return at;
}

struct key_plan world_key(struct world *w, const struct row_shape *shape)
{
    struct schema schema;

    row_shape_schema(&w->arena, shape, &schema);
    return (struct key_plan){ { format_find(bytes_of(shape->key_count == 1 ? "KAFKA" : "JSON")),
                                { .unwrapped = true } },
                              schema.columns,
                              world_operands(w, shape, 0, shape->key_count),
                              shape->key_count };
}

struct row_codec world_codec(struct world *w, const struct row_shape *shape)
{
    const struct sql_type **types =
        arena_zalloc_array(&w->arena, sizeof *types, shape->column_count);
    struct row_codec codec;

    for (uint32_t i = 0; i < shape->column_count; i++) {
        types[i] = shape->columns[i].type;
    }
    row_codec_init(&codec, &w->arena, types, shape->column_count, 1);
    return codec;
}

uint32_t world_add_store(struct world *w, const struct row_shape *shape)
{
    struct store_plan *store = &w->store_plans[w->plan.store_count];

    assert_in_range(w->plan.store_count, 0, WORLD_STORES - 1);
    store->codec = world_codec(w, shape);
    store->shape = shape;
    return w->plan.store_count++;
}

struct op_plan *world_add_op(struct world *w, enum plan_tag tag, const struct row_shape *input,
                             const struct row_shape *output)
{
    struct op_plan *op = &w->ops[w->sub.op_count];

    assert_in_range(w->sub.op_count, 0, WORLD_OPS - 1);
    if (w->sub.op_count > 0) {
        op[-1].next = (uint16_t)w->sub.op_count;
    }
    *op = (struct op_plan){ .tag = tag, .input = input, .output = output, .next = NO_OP };
    w->sub.op_count++;
    return op;
}

struct op_plan *world_add_table(struct world *w, const struct row_shape *input,
                                const struct row_shape *output)
{
    struct op_plan *op = world_add_op(w, PLAN_TABLE, input, output);

    op->table =
        (struct table_plan){ .store = world_add_store(w, output), .key = world_key(w, input) };
    return op;
}

static void plan_call(struct world *w, struct aggregate_call *call, const char *name,
                      const operand *argument, const struct sql_type *type)
{
    struct error err;

    call->arguments = argument;
    assert_int_equal(aggregate_resolve(&w->arena, bytes_of(name), NO_POSITION, &type,
                                       argument ? 1 : 0, &call->plan, &err),
                     0);
}

/* The image: the group column, then the accumulators. */
static const struct row_shape *image_shape(struct world *w, const struct row_shape *output,
                                           const struct aggregate_call *calls, uint32_t count)
{
    struct row_shape *shape = arena_new(&w->arena, struct row_shape);
    struct shape_column *list = arena_array(&w->arena, struct shape_column, 16);

    list[0] = output->columns[0];
    shape->column_count = 1;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < calls[i].plan.accumulator_count; j++) {
            list[shape->column_count].type = calls[i].plan.accumulator_types[j];
            list[shape->column_count].at = operand_make(BANK_CELLS, shape->column_count);
            shape->column_count++;
        }
    }
    shape->columns = list;
    shape->cell_count = shape->column_count;
    return shape;
}

struct op_plan *world_add_aggregate(struct world *w, const struct row_shape *input,
                                    const char *output, uint32_t group_column, bool over_table)
{
    const struct row_shape *results = world_shape(w, output);
    struct op_plan *op = world_add_op(w, PLAN_AGGREGATE, input, results);
    struct aggregate_call *calls = arena_array(&w->arena, struct aggregate_call, 2);
    uint32_t last = input->column_count - 1;
    uint32_t count = results->column_count - 1;

    plan_call(w, &calls[0], "COUNT", NULL, NULL);
    if (count > 1) {
        plan_call(w, &calls[1], "SUM", world_operands(w, input, last, 1),
                  input->columns[last].type);
    }
    op->aggregate = (struct aggregate_op_plan){
        .store = world_add_store(w, image_shape(w, results, calls, count)),
        .over_table = over_table,
        .key = world_key(w, results),
        .group = world_operands(w, input, group_column, 1),
        .group_count = 1,
        .calls = calls,
        .call_count = count,
    };
    op->aggregate.key.at = op->aggregate.group;
    return op;
}

static struct join_side join_side(struct world *w, const struct row_shape *shape, uint32_t first,
                                  uint32_t store)
{
    struct join_leaf *leaf = arena_new(&w->arena, struct join_leaf);

    leaf->store = store;
    return (struct join_side){ world_operands(w, shape, 0, shape->column_count),
                               shape->column_count, first, leaf, 1 };
}

static const struct row_shape *glued_shape(struct world *w, const struct row_shape *side)
{
    struct row_shape *shape = arena_new(&w->arena, struct row_shape);
    uint32_t count = 1 + 2 * side->column_count;
    struct shape_column *columns = arena_array(&w->arena, struct shape_column, count);

    for (uint32_t i = 0; i < count; i++) {
        columns[i] = side->columns[i == 0 ? 0 : (i - 1) % side->column_count];
        columns[i].role = i == 0 ? COLUMN_KEY : COLUMN_VALUE;
        columns[i].at = operand_make(BANK_CELLS, i);
    }
    *shape = (struct row_shape){
        .columns = columns, .column_count = count, .key_count = 1, .cell_count = count
    };
    return shape;
}

struct op_plan *world_add_join(struct world *w, enum ast_join_kind kind, bool left_is_table)
{
    const struct row_shape *shape = world_shape(w, "K STRING KEY, V BIGINT");
    uint16_t tables = left_is_table ? 2 : 1;
    struct op_plan *op;

    for (uint16_t i = 0; i < tables; i++) {
        op = world_add_table(w, shape, shape);
        op->needs_old = left_is_table;
        op->table.feeds_join = true;
    }
    op = world_add_op(w, left_is_table ? PLAN_JOIN_TABLE_TABLE : PLAN_JOIN_STREAM_TABLE, shape,
                      glued_shape(w, shape));
    w->ops[0].next = left_is_table ? tables : (uint16_t)NO_OP;
    w->ops[1].next_port = left_is_table;
    w->entry[0] = left_is_table ? 0 : tables;
    w->entry[1] = left_is_table ? 1 : 0;
    op->join = (struct join_plan){
        .kind = kind,
        .key_bytes_given = left_is_table,
        .key = world_key(w, shape),
        .key_at = { shape->columns[0].at, shape->columns[0].at },
        .sides = { join_side(w, shape, 1, 0),
                   join_side(w, shape, 1 + shape->column_count, tables - 1u) },
    };
    return op;
}

struct op_plan *world_add_sink(struct world *w, const struct row_shape *input)
{
    struct op_plan *op = world_add_op(w, PLAN_TOPIC, input, NULL);
    uint32_t values = input->column_count - input->key_count;
    struct schema schema;

    row_shape_schema(&w->arena, input, &schema);
    op->topic = (struct topic_plan){
        .role = TOPIC_SINK,
        .key = world_key(w, input),
        .value = { .side = SIDE_VALUE,
                   .columns = schema.columns + input->key_count,
                   .column_count = values,
                   .at = world_operands(w, input, input->key_count, values) },
        .format = format_find(bytes_of("JSON")),
    };
    return op;
}

struct op_plan *world_add_repartition(struct world *w, const struct row_shape *input, bool is_table)
{
    struct op_plan *op = world_add_op(w, PLAN_TOPIC, input, NULL);

    op->topic = (struct topic_plan){
        .role = TOPIC_REPARTITION,
        .key = world_key(w, input),
        .is_table = is_table,
        .drop_null_key = true,
        .codec = world_codec(w, input),
        .columns = world_operands(w, input, 0, input->column_count),
    };
    return op;
}

void world_open(struct world *w)
{
    struct error err;
    struct op *last;

    for (uint32_t i = 0; i < w->plan.store_count; i++) {
        w->stores[i] = store_create(STORE_DURABLE);
    }
    assert_int_equal(op_chain_open(&w->chain, &w->sub, &w->env, &err), 0);
    last = &w->chain.ops[w->sub.op_count - 1];
    if (last->plan->output) {
        last->next = &w->probe;
    }
}

void world_reopen(struct world *w)
{
    close_all(w);
    world_open(w);
}

/* --- rows from text --- */

static struct value parse_value(struct world *w, const struct sql_type *type, const char **at)
{
    const char *begin = *at;
    struct bytes text;

    while (**at != ',' && **at != ')') {
        ++*at;
    }
    text = arena_copy(&w->arena, (struct bytes){ begin, (size_t)(*at - begin) });
    if (bytes_equal_text(text, "~") || bytes_equal_text(text, "-")) {
        return value_null();
    }
    if (type->id == T_STRING) {
        return value_text(T_STRING, text);
    }
    return value_i64(type->id, strtoll(arena_copy_text(&w->arena, text), NULL, 10));
}

/* "(a,1)": cells; returns whether there is a value. */
static bool parse_image(struct world *w, const struct row_shape *shape, const char **at,
                        struct value *cells, bool *null_key)
{
    bool has_value = true;

    assert_int_equal(**at, '(');
    for (uint32_t i = 0; i < shape->column_count && **at != ')'; i++) {
        ++*at;
        if (**at == '-' && ((*at)[1] == ',' || (*at)[1] == ')')) {
            *null_key = i == 0;
            has_value = has_value && i == 0;
        }
        cells[i] = parse_value(w, shape->columns[i].type, at);
    }
    assert_int_equal(**at, ')');
    ++*at;
    return has_value;
}

/* "[name]": the source record has that header. */
static void parse_header(struct world *w, uint32_t row, const char **at, struct row_batch *batch)
{
    struct row_origin *origin = (struct row_origin *)(uintptr_t)&batch->origins[row];
    struct record_header *header = arena_new(&w->arena, struct record_header);
    const char *end = strchr(*at, ']');

    header->key = arena_copy(&w->arena, (struct bytes){ *at + 1, (size_t)(end - *at - 1) });
    origin->headers = header;
    origin->header_count = 1;
    *at = end + 1;
}

static void parse_row(struct world *w, const struct row_shape *shape, uint32_t row, const char **at,
                      struct row_batch *batch)
{
    size_t offset = (size_t)row * shape->cell_count;
    struct row_meta *meta = (struct row_meta *)(uintptr_t)&batch->meta[row];
    struct value *cells = (struct value *)(uintptr_t)(batch->cells + offset);
    struct value *old_cells = (struct value *)(uintptr_t)(batch->old_cells + offset);
    bool null_key = false;
    bool ignored;
    char *end;

    meta->origin = row;
    if (parse_image(w, shape, at, cells, &null_key)) {
        meta->change |= ROW_HAS_NEW;
    }
    if (null_key) {
        meta->change |= ROW_NULL_KEY;
    }
    if (**at == '<') {
        ++*at;
        parse_image(w, shape, at, old_cells, &ignored);
        meta->change |= ROW_HAS_OLD;
    }
    assert_int_equal(**at, '@');
    meta->timestamp_ms = strtoll(*at + 1, &end, 10);
    *at = end;
    if (**at == '[') {
        parse_header(w, row, at, batch);
    }
}

static const struct row_origin *make_origins(struct world *w)
{
    struct row_origin *origins = arena_array(&w->arena, struct row_origin, WORLD_ROWS);

    for (uint32_t i = 0; i < WORLD_ROWS; i++) {
        origins[i] = (struct row_origin){ .offset = 100 + i, .partition = 7, .topic = "in" };
    }
    return origins;
}

void world_rows(struct world *w, const char *rows)
{
    const struct row_shape *shape = w->ops[0].input;
    size_t cells = (size_t)WORLD_ROWS * shape->cell_count;

    w->batch = (struct row_batch){
        .shape = shape,
        .cells = arena_array(&w->arena, struct value, cells),
        .old_cells = arena_array(&w->arena, struct value, cells),
        .meta = arena_array(&w->arena, struct row_meta, WORLD_ROWS),
        .origins = make_origins(w),
        .arena = &w->arena,
    };
    while (*rows) {
        if (*rows == ' ') {
            rows++;
            continue;
        }
        assert_in_range(w->batch.row_count, 0, WORLD_ROWS - 1);
        w->is_right[w->batch.row_count] = *rows == '>';
        rows += *rows == '>';
        parse_row(w, shape, w->batch.row_count, &rows, &w->batch);
        w->batch.row_count++;
    }
    w->batch.selected_count = w->batch.row_count;
}

/* How many rows from `first` on are for one side, at most `most`. */
static uint32_t one_side(const struct world *w, uint32_t first, uint32_t most)
{
    uint32_t count = 1;

    while (count < most && w->is_right[first + count] == w->is_right[first]) {
        count++;
    }
    return count;
}

void world_push_cut(struct world *w, const uint32_t *sizes)
{
    uint32_t done = 0;

    while (done < w->batch.row_count) {
        uint32_t left = w->batch.row_count - done;
        uint32_t now = *sizes && *sizes < left ? *sizes : left;
        struct arena arena;
        struct error err;

        now = one_side(w, done, now < BATCH_MAX_ROWS ? now : BATCH_MAX_ROWS);
        w->input.op = w->entry[w->is_right[done]];
        arena_init(&arena, 0);
        assert_int_equal(
            op_chain_push(&w->chain, &w->input, batch_slice(&w->batch, done, now, &arena), &err),
            0);
        arena_fini(&arena);
        done += now;
        sizes += *sizes && sizes[1];
    }
}

void world_push(struct world *w, const char *rows)
{
    static const uint32_t whole[] = { 0 };

    world_rows(w, rows);
    world_push_cut(w, whole);
}

void world_flush(struct world *w)
{
    struct error err;

    assert_int_equal(op_chain_flush(&w->chain, &err), 0);
}

static void expect_text(struct buffer *seen, const char *expected)
{
    buffer_append_char(seen, '\0');
    if (seen->len > 1 && seen->data[seen->len - 2] == ' ') {
        seen->data[seen->len - 2] = '\0';
    }
    assert_string_equal(seen->data, expected);
    seen->len = 0;
}

void world_expect(struct world *w, const char *rows)
{
    expect_text(&w->seen, rows);
}

void world_expect_errors(struct world *w, const char *errors)
{
    expect_text(&w->errors, errors);
}

/* --- records --- */

static void print_bytes(struct bytes text, struct buffer *out)
{
    if (!text.data) {
        buffer_append_text(out, "null");
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c < ' ' || c > '~') {
            buffer_printf(out, "\\%02x", c);
        } else {
            buffer_append_char(out, (char)c);
        }
    }
}

struct log_block world_block(struct world *w, uint32_t partition)
{
    return (struct log_block){
        .partition = partition,
        .records = log_builder_records(&w->builders[partition], &w->arena),
        .record_count = w->builders[partition].record_count,
    };
}

void world_print_output(struct world *w, struct buffer *out)
{
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++) {
        struct log_block block = world_block(w, p);

        for (uint32_t i = 0; i < block.record_count; i++) {
            buffer_printf(out, "p%u ", p);
            print_bytes(block.records[i].key, out);
            buffer_append_char(out, '=');
            print_bytes(block.records[i].value, out);
            buffer_printf(out, "@%" PRId64, block.records[i].timestamp_ms);
            for (uint32_t h = 0; h < block.records[i].header_count; h++) {
                buffer_printf(out, "[%.*s]", BYTES_ARG(block.records[i].headers[h].key));
            }
            buffer_append_char(out, ' ');
        }
    }
}

void world_expect_output(struct world *w, const char *records)
{
    struct buffer text = { 0 };

    world_print_output(w, &text);
    expect_text(&text, records);
    buffer_fini(&text);
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++) {
        log_builder_reset(&w->builders[p]);
    }
}
