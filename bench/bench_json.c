/*
 * bench_json.c: CPU time per record of reading and writing rows as JSON.
 *
 * Rows of eight columns and about 160 bytes, names in another case than the
 * columns, as they come from applications. Each figure is the best of five rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/format/format.h"

enum { RECORD_COUNT = 256, PASS_COUNT = 2000, ROUND_COUNT = 5, COLUMN_COUNT = 8 };

struct bench {
    struct bytes records[RECORD_COUNT];
    struct value cells[RECORD_COUNT][COLUMN_COUNT];
    struct arena arena; /* of the batch */
    struct buffer out;
    struct decoder decoder;
    struct encoder encoder;
};

static void make_records(struct bench *b, struct arena *arena, const char *space)
{
    for (int i = 0; i < RECORD_COUNT; i++) {
        b->records[i] = arena_printf(
            arena,
            "{\"order_id\":%s%d,%s\"customer\":%s\"c-%d\",%s\"item\":%s\"Item_%d\",%s\"price\":%s"
            "%d.5,%s\"qty\":%s%d,%s\"ts\":%s%lld,%s\"region\":%s\"eu-west\",%s\"note\":%s"
            "\"leave it at the door, please\"}",
            space, 123456 + i, space, space, 4711 + i, space, space, i % 100, space, space,
            12 + i % 50, space, space, i % 10, space, space, 1700000000000ll + i * 1000, space,
            space, space, space);
    }
}

static void must(int code, const struct error *err)
{
    if (code) {
        fprintf(stderr, "%s\n", err->message);
        exit(1);
    }
}

static void decode_pass(struct bench *b)
{
    struct error err;
    bool is_null = false;

    for (int i = 0; i < RECORD_COUNT; i++) {
        must(b->decoder.kind->decode_row(&b->decoder, b->records[i], b->cells[i], &is_null,
                                         &b->arena, &err),
             &err);
    }
    arena_reset(&b->arena);
}

static void encode_pass(struct bench *b)
{
    struct error err;
    bool is_null = false;

    b->out.len = 0;
    for (int i = 0; i < RECORD_COUNT; i++) {
        struct row_banks row = { { b->cells[i], NULL, NULL, NULL } };

        must(b->encoder.kind->encode_row(&b->encoder, &row, &b->out, &is_null, &err), &err);
    }
}

static void measure(struct bench *b, const char *what, void (*pass)(struct bench *))
{
    int64_t best = INT64_MAX;

    for (int round = 0; round < ROUND_COUNT; round++) {
        int64_t begin = clock_cpu_us();
        int64_t took;

        for (int i = 0; i < PASS_COUNT; i++) {
            pass(b);
        }
        took = clock_cpu_us() - begin;
        best = took < best ? took : best;
    }
    printf("%-28s %6.3f us per record of %zu bytes\n", what,
           (double)best / ((double)PASS_COUNT * RECORD_COUNT), b->records[0].len);
}

static const struct column *make_columns(struct arena *arena)
{
    static const struct {
        const char *name;
        enum type_id type;
    } table[COLUMN_COUNT] = { { "ORDER_ID", T_BIGINT }, { "CUSTOMER", T_STRING },
                              { "ITEM", T_STRING },     { "PRICE", T_DOUBLE },
                              { "QTY", T_INTEGER },     { "TS", T_BIGINT },
                              { "REGION", T_STRING },   { "NOTE", T_STRING } };
    struct column *columns = arena_array(arena, struct column, COLUMN_COUNT);

    for (int i = 0; i < COLUMN_COUNT; i++) {
        columns[i].name = bytes_of(table[i].name);
        columns[i].type = type_scalar(table[i].type);
        columns[i].role = COLUMN_VALUE;
    }
    return columns;
}

int main(void)
{
    static struct bench b;
    static const bool two_wanted[COLUMN_COUNT] = { true, false, false, true };
    struct arena plan;
    struct error err;
    operand at[COLUMN_COUNT];
    struct decoder_spec reading = { .side = SIDE_VALUE, .column_count = COLUMN_COUNT };
    struct encoder_spec writing = { .side = SIDE_VALUE, .column_count = COLUMN_COUNT, .at = at };
    const struct format_kind *json = format_find(bytes_of("json"));

    arena_init(&plan, 0);
    arena_init(&b.arena, 0);
    reading.columns = writing.columns = make_columns(&plan);
    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        at[i] = operand_make(BANK_CELLS, i);
    }
    must(decoder_open(&b.decoder, json, &reading, &err), &err);
    must(encoder_open(&b.encoder, json, &writing, &err), &err);
    make_records(&b, &plan, "");
    measure(&b, "decode 8 columns", decode_pass);
    measure(&b, "encode 8 columns", encode_pass);
    make_records(&b, &plan, " ");
    measure(&b, "decode 8 columns, spaced", decode_pass);
    decoder_close(&b.decoder);
    reading.wanted = two_wanted;
    make_records(&b, &plan, "");
    must(decoder_open(&b.decoder, json, &reading, &err), &err);
    measure(&b, "decode 2 of 8 columns", decode_pass);
    decoder_close(&b.decoder);
    reading.wanted = NULL;
    reading.column_count = 1;
    must(decoder_open(&b.decoder, json, &reading, &err), &err);
    measure(&b, "decode 1 column, 7 undeclared", decode_pass);
    decoder_close(&b.decoder);
    encoder_close(&b.encoder);
    buffer_fini(&b.out);
    arena_fini(&b.arena);
    arena_fini(&plan);
    return 0;
}
