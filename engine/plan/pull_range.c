/*
 * pull_range.c: which part of a store a scan has to see.
 *
 *   K >= 'b' AND K < 'd' AND V > 5     ->  [b, d)
 *   K BETWEEN 'b' AND 'd'              ->  [b, d]
 *   K > 'b' OR V > 5                   ->  everything
 *
 * A store is ordered by key bytes. Those of a single STRING or BYTES key in the KAFKA format are
 * the value itself, so bounds that all rows have to keep, the conjuncts of WHERE, bound the keys,
 * too. The program still sees the whole WHERE: a scan that is too wide is never wrong.
 */
#include <string.h>

#include "engine/plan/pull_internal.h"

struct bound_search {
    struct pull_query *q;
    struct store_range *range;
    struct error *err;
};

/* SQL compares text as Java does, by UTF-16 units; bytes agree for bounds below U+E000. */
static bool orders_as_bytes(struct bytes text)
{
    enum { LEAD_OF_E000 = 0xEE };

    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] >= LEAD_OF_E000) {
            return false;
        }
    }
    return true;
}

static int compare_keys(struct bytes a, struct bytes b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared > 0 ? memcmp(a.data, b.data, shared) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* The first key behind this one. */
static struct bytes key_behind(struct arena *arena, struct bytes key)
{
    char *behind = arena_zalloc(arena, key.len + 1);

    memcpy(behind, key.data, key.len);
    return (struct bytes){ behind, key.len + 1 };
}

static void raise_from(struct store_range *range, struct bytes key)
{
    if (!range->from.data || compare_keys(key, range->from) > 0) {
        range->from = key;
    }
}

static void lower_upto(struct store_range *range, struct bytes key)
{
    if (!range->upto.data || compare_keys(key, range->upto) < 0) {
        range->upto = key;
    }
}

static void narrow(struct bound_search *s, enum compare_operator op, struct bytes key)
{
    struct arena *arena = s->q->context->arena;

    switch (op) {
    case OP_GREATER:
        raise_from(s->range, key_behind(arena, key));
        break;
    case OP_GREATER_EQUAL:
        raise_from(s->range, key);
        break;
    case OP_LESS:
        lower_upto(s->range, key);
        break;
    case OP_LESS_EQUAL:
        lower_upto(s->range, key_behind(arena, key));
        break;
    case OP_EQUAL:
    case OP_NOT_EQUAL:
    case OP_DISTINCT:
        break; /* no range */
    }
}

/* constant < K is K > constant. */
static enum compare_operator swapped(enum compare_operator op)
{
    switch (op) {
    case OP_LESS:
        return OP_GREATER;
    case OP_LESS_EQUAL:
        return OP_GREATER_EQUAL;
    case OP_GREATER:
        return OP_LESS;
    case OP_GREATER_EQUAL:
        return OP_LESS_EQUAL;
    case OP_EQUAL:
    case OP_NOT_EQUAL:
    case OP_DISTINCT:
        break;
    }
    return op;
}

static bool is_key(const struct expr *e)
{
    return e->kind == EXPR_COLUMN && e->column.index == 0;
}

static int take_comparison(struct bound_search *s, const struct expr *e)
{
    struct arena *arena = s->q->context->arena;
    bool key_is_left = is_key(e->arguments[0]);
    const struct expr *key = e->arguments[key_is_left ? 0 : 1];
    const struct expr *constant = e->arguments[key_is_left ? 1 : 0];
    struct value value = value_null();

    if (!is_key(key) || !expr_is_constant(constant)) {
        return 0;
    }
    TRY(expr_evaluate_constant(constant, arena, &value, s->err));
    if (value_is_null(&value)) {
        return error_set(s->err, ERR_PULL_KEY, constant->at, "A primary key is never NULL: %s",
                         plan_text_of(arena, constant));
    }
    if (key->type->id == T_BYTES || orders_as_bytes(value_bytes(&value))) {
        narrow(s, key_is_left ? e->compare : swapped(e->compare),
               arena_copy(arena, value_bytes(&value)));
    }
    return 0;
}

/* Recursion is as deep as the expression, which the parser limits. */
static int take_conjuncts(struct bound_search *s, const struct expr *e)
{
    if (e->kind == EXPR_COMPARE) {
        return take_comparison(s, e);
    }
    for (uint32_t i = 0; e->kind == EXPR_AND && i < e->argument_count; i++) {
        TRY(take_conjuncts(s, e->arguments[i]));
    }
    return 0;
}

int pull_range_find(struct pull_query *q, struct error *err)
{
    struct bound_search s = { q, &q->lookup->range, err };
    const struct key_plan *key = q->key;
    bool is_ordered = key->column_count == 1 &&
                      key->format.kind == format_find(bytes_of("KAFKA")) &&
                      (key->columns[0].type->id == T_STRING || key->columns[0].type->id == T_BYTES);

    if (!q->where || !is_ordered || q->context->settings->no_range_scans) {
        return 0;
    }
    return take_conjuncts(&s, q->where);
}
