/*
 * bench_operator.c: CPU time per row of stores, aggregates, joins and stages.
 *
 * A million BIGINT keys in random order, so that every update misses the caches. Batches
 * are ready in memory; what is behind the operator does nothing. Changes are forgotten, as by a
 * commit, and the emission buffer flushed every 100,000 rows: 100 ms of a stream of a
 * million rows a second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/operator/op.h"

enum { KEYS = 1000000, ROWS = 1 << 20, FLUSH_ROWS = 100000, ROUNDS = 3, COLUMNS = 2 };

static const struct row_origin origin = { .topic = "bench" };

struct bench {
    struct arena arena;
    struct arena batch_arena;
    struct value *cells; /* key, value of ROWS rows */
    struct row_meta *meta;
    struct row_shape input;
    struct row_shape output;
    struct op_plan op_plan;
    struct store_plan store_plan;
    struct physical_plan plan;
    struct sub_plan sub;
    struct store *store;
    struct op_env env;
    struct op_chain chain;
    struct op end;
    uint64_t seen; /* rows that arrived at the end */
};

static void must(int code, const struct error *err)
{
    if (code) {
        fprintf(stderr, "%s\n", err->message);
        exit(1);
    }
}

static void report(const char *what, int64_t spent_us, uint64_t rows)
{
    (void)printf("%-44s %7.1f ns/row\n", what, (double)spent_us * 1000.0 / (double)rows);
}

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

static int count_rows(struct op *op, unsigned port, const struct row_batch *in, struct error *err)
{
    struct bench *b = op->env->context;

    b->seen += in->selected_count;
    return 0;
}

static const struct op_kind end_kind = { .name = "End", .push = count_rows };

static void no_row_error(struct op_env *env, const struct op *op, const struct row_origin *at,
                         const char *what, const struct error *err)
{
    must(err->code, err);
}

static const struct shape_column *make_columns(struct bench *b, uint32_t count)
{
    static const char *const names[] = { "K", "V", "W" };
    struct shape_column *columns = arena_array(&b->arena, struct shape_column, count);

    for (uint32_t i = 0; i < count; i++) {
        columns[i] =
            (struct shape_column){ bytes_of(names[i]), type_scalar(T_BIGINT),
                                   operand_make(BANK_CELLS, i), i ? COLUMN_VALUE : COLUMN_KEY };
    }
    return columns;
}

static void setup(struct bench *b, size_t budget)
{
    uint64_t random = 88172645463325252u;

    memset(b, 0, sizeof *b);
    arena_init(&b->arena, 0);
    arena_init(&b->batch_arena, 1 << 18);
    b->cells = memory_zalloc((size_t)ROWS * COLUMNS, sizeof *b->cells);
    b->meta = memory_zalloc(ROWS, sizeof *b->meta);
    for (size_t i = 0; i < ROWS; i++) {
        b->cells[i * COLUMNS] = value_i64(T_BIGINT, (int64_t)(next_random(&random) % KEYS));
        b->cells[i * COLUMNS + 1] = value_i64(T_BIGINT, (int64_t)(i % 1000));
        b->meta[i] = (struct row_meta){ .timestamp_ms = (int64_t)i, .change = ROW_HAS_NEW };
    }
    b->input = (struct row_shape){ make_columns(b, 2), 2, 1, 2, 0, NULL };
    b->output = (struct row_shape){ make_columns(b, 3), 3, 1, 3, 0, NULL };
    b->store = store_create(STORE_DURABLE);
    b->plan.stores = &b->store_plan;
    b->sub.ops = &b->op_plan;
    b->sub.op_count = 1;
    b->env = (struct op_env){ .arena = &b->arena,
                              .plan = &b->plan,
                              .stores = &b->store,
                              .emission_budget = budget,
                              .row_error = no_row_error,
                              .context = b };
    b->end = (struct op){ .kind = &end_kind, .env = &b->env };
}

static void teardown(struct bench *b)
{
    op_chain_close(&b->chain);
    store_destroy(b->store);
    free(b->cells);
    free(b->meta);
    arena_fini(&b->batch_arena);
    arena_fini(&b->arena);
}

static void open_chain(struct bench *b)
{
    struct error err;

    must(op_chain_open(&b->chain, &b->sub, &b->env, &err), &err);
    b->chain.ops[0].next = &b->end;
}

/* The memory of written changes, as if each commit wrote them. */
static void commit(struct bench *b, struct log_builder *changes)
{
    store_write_begin(b->store);
    while (store_write_next(b->store, changes)) {
    }
    store_committed(b->store);
    log_builder_reset(changes);
}

static int64_t push_all(struct bench *b)
{
    struct row_batch batch = { .shape = &b->input, .origins = &origin, .arena = &b->batch_arena };
    struct input_plan input = { 0 };
    struct log_builder changes = { 0 };
    uint32_t unflushed = 0;
    int64_t spent = 0;
    struct error err;

    for (size_t row = 0; row < ROWS; row += BATCH_MAX_ROWS) {
        int64_t start = clock_cpu_us();

        batch.row_count = BATCH_MAX_ROWS;
        batch.selected_count = BATCH_MAX_ROWS;
        batch.cells = b->cells + row * COLUMNS;
        batch.meta = b->meta + row;
        must(op_chain_push(&b->chain, &input, &batch, &err), &err);
        arena_reset(&b->batch_arena);
        unflushed += BATCH_MAX_ROWS;
        if (unflushed >= FLUSH_ROWS) {
            must(op_chain_flush(&b->chain, &err), &err);
            unflushed = 0;
        }
        spent += clock_cpu_us() - start;
        if (!unflushed) {
            commit(b, &changes);
        }
    }
    log_builder_fini(&changes);
    return spent;
}

static void plan_call(struct bench *b, struct aggregate_call *call, const char *name,
                      const operand *argument)
{
    const struct sql_type *type = type_scalar(T_BIGINT);
    struct error err;

    call->arguments = argument;
    must(aggregate_resolve(&b->arena, bytes_of(name), NO_POSITION, &type, argument ? 1 : 0,
                           &call->plan, &err),
         &err);
}

static void plan_aggregate(struct bench *b)
{
    static const struct column key_column = { BYTES("K"), NULL, COLUMN_KEY, { NULL, 0 } };
    static const operand key_at[] = { 0 };
    static const operand value_at[] = { 1 };
    const struct sql_type **types = arena_zalloc_array(&b->arena, sizeof *types, 3);
    struct column *column = arena_new(&b->arena, struct column);
    struct aggregate_call *calls = arena_array(&b->arena, struct aggregate_call, 2);

    *column = key_column;
    column->type = type_scalar(T_BIGINT);
    plan_call(b, &calls[0], "COUNT", NULL);
    plan_call(b, &calls[1], "SUM", value_at);
    types[0] = types[1] = types[2] = type_scalar(T_BIGINT);
    row_codec_init(&b->store_plan.codec, &b->arena, types, 3, 1);
    b->op_plan = (struct op_plan){
        .tag = PLAN_AGGREGATE, .input = &b->input, .output = &b->output, .next = NO_OP
    };
    b->op_plan.aggregate = (struct aggregate_op_plan){
        .key = { { format_find(bytes_of("KAFKA")), { .unwrapped = true } }, column, key_at, 1 },
        .group = key_at,
        .group_count = 1,
        .calls = calls,
        .call_count = 2,
    };
}

static void bench_aggregate(const char *what, size_t budget)
{
    struct bench b;
    int64_t spent = 0;

    setup(&b, budget);
    plan_aggregate(&b);
    open_chain(&b);
    (void)push_all(&b); /* most keys come to be */
    b.seen = 0;
    for (int round = 0; round < ROUNDS; round++) {
        spent += push_all(&b);
    }
    report(what, spent, (uint64_t)ROUNDS * ROWS);
    (void)printf("    %.2f rows emitted per update, %.0f bytes of state per key\n",
                 (double)b.seen / ((double)ROUNDS * ROWS),
                 (double)store_bytes(b.store) / (double)store_count(b.store));
    teardown(&b);
}

static struct key_plan table_key(struct bench *b)
{
    struct column *column = arena_array(&b->arena, struct column, 1);
    operand *at = arena_array(&b->arena, operand, 1);

    *column = (struct column){ bytes_of("K"), type_scalar(T_BIGINT), COLUMN_KEY, { NULL, 0 } };
    at[0] = operand_make(BANK_CELLS, 0);
    return (struct key_plan){
        { format_find(bytes_of("KAFKA")), { .unwrapped = true } }, column, at, 1
    };
}

static void plan_join(struct bench *b)
{
    struct row_shape *glued = arena_new(&b->arena, struct row_shape);
    operand *columns = arena_array(&b->arena, operand, COLUMNS);
    struct join_leaf *leaf = arena_new(&b->arena, struct join_leaf);

    columns[0] = operand_make(BANK_CELLS, 0);
    columns[1] = operand_make(BANK_CELLS, 1);
    *glued = (struct row_shape){ .cell_count = 1 + 2 * COLUMNS, .key_count = 1 };
    b->op_plan = (struct op_plan){
        .tag = PLAN_JOIN_STREAM_TABLE, .input = &b->input, .output = glued, .next = NO_OP
    };
    b->op_plan.join = (struct join_plan){
        .kind = AST_JOIN_LEFT,
        .key = table_key(b),
        .sides = { { columns, COLUMNS, 1, NULL, 0 }, { columns, COLUMNS, 1 + COLUMNS, leaf, 1 } },
    };
}

/* The table has all keys; rows of the stream ask for them at random. */
static void bench_join(void)
{
    struct bench b;
    const struct sql_type *types[COLUMNS] = { type_scalar(T_BIGINT), type_scalar(T_BIGINT) };
    int64_t spent = 0;

    setup(&b, 0);
    row_codec_init(&b.store_plan.codec, &b.arena, types, COLUMNS, 1);
    b.op_plan =
        (struct op_plan){ .tag = PLAN_TABLE, .input = &b.input, .output = &b.input, .next = NO_OP };
    b.op_plan.table = (struct table_plan){ .key = table_key(&b), .feeds_join = true };
    open_chain(&b);
    b.chain.ops[0].next = NULL; /* the table is looked up, nothing more */
    (void)push_all(&b);         /* most keys come to be */
    report("table that a join looks up", push_all(&b), ROWS);
    op_chain_close(&b.chain);
    plan_join(&b);
    open_chain(&b);
    for (int round = 0; round < ROUNDS; round++) {
        spent += push_all(&b);
    }
    report("stream-table join, LEFT", spent, (uint64_t)ROUNDS * ROWS);
    teardown(&b);
}

static const struct expr *binary(struct bench *b, enum expr_kind kind, int64_t number)
{
    struct expr *e = arena_new(&b->arena, struct expr);
    struct expr *literal = arena_new(&b->arena, struct expr);
    const struct expr **arguments = arena_zalloc_array(&b->arena, sizeof *arguments, 2);

    literal->kind = EXPR_LITERAL;
    literal->type = type_scalar(T_BIGINT);
    literal->literal = value_i64(T_BIGINT, number);
    arguments[0] = expr_column(&b->arena, 0, 1, bytes_of("V"), type_scalar(T_BIGINT), NO_POSITION);
    arguments[1] = literal;
    e->kind = kind;
    e->arguments = arguments;
    e->argument_count = 2;
    e->type = type_scalar(kind == EXPR_COMPARE ? T_BOOLEAN : T_BIGINT);
    if (kind == EXPR_COMPARE) {
        e->compare = OP_GREATER;
    } else {
        e->arithmetic = OP_ADD;
    }
    return e;
}

/* SELECT K, V + 1 FROM S WHERE V > 500. */
static void bench_stage(void)
{
    struct bench b;
    struct program_builder *program;
    operand sum;
    int64_t spent = 0;
    struct error err;

    setup(&b, 0);
    program = program_begin(&b.arena, &b.input, NULL);
    must(program_add_filter(program, binary(&b, EXPR_COMPARE, 500), "filter", &err), &err);
    must(program_add_value(program, binary(&b, EXPR_ARITHMETIC, 1), "sum", &sum, &err), &err);
    b.op_plan = (struct op_plan){
        .tag = PLAN_STAGE, .input = &b.input, .output = &b.output, .next = NO_OP
    };
    b.op_plan.stage.program = program_finish(program);
    b.output.cell_count = b.input.cell_count;
    b.output.register_count = program_register_count(b.op_plan.stage.program);
    b.output.constants = program_constants(b.op_plan.stage.program);
    open_chain(&b);
    for (int round = 0; round < ROUNDS; round++) {
        spent += push_all(&b);
    }
    report("stage, WHERE V > 500, K and V + 1", spent, (uint64_t)ROUNDS * ROWS);
    teardown(&b);
}

/* Reads, alters and writes back; keys of 8 to 20 bytes. */
static void bench_store(bool ahead)
{
    enum { RUN = 256 };
    struct store *store = store_create(STORE_TRANSIENT);
    uint64_t random = 88172645463325252u;
    static char text[RUN][24];
    struct bytes keys[RUN];
    char image[20] = { 0 };
    int64_t spent = 0;
    int64_t start = 0;

    for (uint64_t done = 0; done < (uint64_t)(1 + ROUNDS) * ROWS; done += RUN) {
        for (int i = 0; i < RUN; i++) {
            uint64_t key = next_random(&random) % KEYS;

            memset(text[i], 'k', sizeof text[i]);
            memcpy(text[i], &key, sizeof key);
            keys[i] = (struct bytes){ text[i], 8 + key % 13 };
        }
        start = clock_cpu_us();
        if (ahead) {
            store_prefetch(store, keys, RUN);
        }
        for (int i = 0; i < RUN; i++) {
            struct store_entry entry;

            if (store_get(store, keys[i], &entry)) {
                memcpy(image, entry.image.data, sizeof image);
            }
            image[0]++;
            store_put(store, keys[i], (struct bytes){ image, sizeof image }, (int64_t)done);
        }
        spent += done >= ROWS ? clock_cpu_us() - start : 0;
    }
    report(ahead ? "store, get and put, prefetched" : "store, get and put", spent,
           (uint64_t)ROUNDS * ROWS);
    (void)printf("    %.0f bytes per key of 14 and image of 20\n",
                 (double)store_bytes(store) / (double)store_count(store));
    store_destroy(store);
}

int main(void)
{
    bench_store(false);
    bench_store(true);
    bench_aggregate("aggregate, COUNT and SUM, each update", 0);
    bench_aggregate("aggregate, COUNT and SUM, buffered 10 MB", 10 << 20);
    bench_aggregate("aggregate, COUNT and SUM, buffered 100 MB", 100 << 20);
    bench_join();
    bench_stage();
    return 0;
}
