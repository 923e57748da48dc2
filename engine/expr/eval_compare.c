/*
 * eval_compare.c: comparisons, IN and LIKE.
 *
 * Each kind of comparison says how two values stand to each other, as one bit;
 * the instruction's mask says which bits satisfy it. A null is an outcome of its
 * own that no operator but IS DISTINCT FROM asks for: so = and <> are both false.
 */
#include <string.h>

#include "engine/expr/like.h"
#include "engine/expr/program_internal.h"
#include "engine/type/compare.h"
#include "engine/type/java_text.h"

static inline unsigned outcome_of(int order)
{
    return (unsigned)OUTCOME_EQUAL << (order > 0) >> (order < 0);
}

static inline unsigned compare_i64(const struct value *a, const struct value *b, const void *plan)
{
    return outcome_of((a->i64 > b->i64) - (a->i64 < b->i64));
}

static inline unsigned compare_f64(const struct value *a, const struct value *b, const void *plan)
{
    int order = (a->f64 > b->f64) - (a->f64 < b->f64);

    return order == 0 && a->f64 != b->f64 ? OUTCOME_UNORDERED : outcome_of(order);
}

/* Only whether the texts are the same: unequal ones are all "less". */
static inline unsigned compare_same_text(const struct value *a, const struct value *b,
                                         const void *plan)
{
    uint32_t size = a->size;

    /* The last byte first: names and ids tend to begin alike. */
    return size == b->size && (size == 0 || (a->bytes[size - 1] == b->bytes[size - 1] &&
                                             memcmp(a->bytes, b->bytes, size) == 0))
               ? OUTCOME_EQUAL
               : OUTCOME_LESS;
}

static unsigned compare_texts(const struct value *a, const struct value *b, const void *plan)
{
    return outcome_of(compare_text(value_bytes(a), value_bytes(b)));
}

static unsigned compare_bytes(const struct value *a, const struct value *b, const void *plan)
{
    return outcome_of(compare_octets(value_bytes(a), value_bytes(b)));
}

/* --- numbers of different types, one of them DECIMAL --- */

static double as_double(const struct value *v, const struct sql_type *type)
{
    if (type->id == T_DOUBLE) {
        return v->f64;
    }
    return type->id == T_DECIMAL ? decimal_to_double(decimal_of_value(v, type)) : (double)v->i64;
}

/* A DOUBLE through its shortest text; false: it has more digits than a decimal holds. */
static bool as_decimal(const struct value *v, const struct sql_type *type, struct decimal *out)
{
    char text[JAVA_DOUBLE_MAX];

    if (type->id == T_DECIMAL) {
        *out = decimal_of_value(v, type);
        return true;
    }
    if (type->id != T_DOUBLE) {
        *out = (struct decimal){ v->i64, 0 };
        return true;
    }
    return !decimal_parse((struct bytes){ text, java_double_print(v->f64, text) }, out, NULL);
}

static unsigned compare_numbers(const struct value *a, const struct value *b, const void *plan)
{
    const struct compare_plan *types = plan;
    struct decimal left = { 0 };
    struct decimal right = { 0 };

    if (as_decimal(a, types->left, &left) && as_decimal(b, types->right, &right)) {
        return outcome_of(decimal_compare(left, right));
    }
    /* NaN, an infinity, or a magnitude that no other number here can come near. */
    return compare_f64(&(struct value){ .f64 = as_double(a, types->left) },
                       &(struct value){ .f64 = as_double(b, types->right) }, NULL);
}

/* --- structures: equal only if their types are, all the way down --- */

static bool deep_equal(const struct value *a, const struct sql_type *left, const struct value *b,
                       const struct sql_type *right);

static bool items_equal(const struct value *a, const struct sql_type *left, const struct value *b,
                        const struct sql_type *right)
{
    if (a->size != b->size) {
        return false;
    }
    for (uint32_t i = 0; i < a->size; i++) {
        if (!deep_equal(&a->items[i], left->element, &b->items[i], right->element)) {
            return false;
        }
    }
    return true;
}

static bool has_pair(const struct value *map, const struct sql_type *type,
                     const struct map_pair *pair, const struct sql_type *pair_type)
{
    for (uint32_t i = 0; i < map->size; i++) {
        if (deep_equal(&map->pairs[i].key, type->key, &pair->key, pair_type->key) &&
            deep_equal(&map->pairs[i].value, type->element, &pair->value, pair_type->element)) {
            return true;
        }
    }
    return false;
}

static bool pairs_equal(const struct value *a, const struct sql_type *left, const struct value *b,
                        const struct sql_type *right)
{
    if (a->size != b->size) {
        return false;
    }
    for (uint32_t i = 0; i < a->size; i++) {
        if (!has_pair(b, right, &a->pairs[i], left)) {
            return false;
        }
    }
    return true;
}

/* As deep as types are nested, which parsing limits. */
static bool deep_equal(const struct value *a, const struct sql_type *left, const struct value *b,
                       const struct sql_type *right)
{
    if (value_is_null(a) || value_is_null(b)) {
        return value_is_null(a) && value_is_null(b);
    }
    if (type_equal(left, right)) {
        return compare_equal(a, b, left);
    }
    if (left->id == T_ARRAY && right->id == T_ARRAY) {
        return items_equal(a, left, b, right);
    }
    return left->id == T_MAP && right->id == T_MAP && pairs_equal(a, left, b, right);
}

static unsigned compare_deep(const struct value *a, const struct value *b, const void *plan)
{
    const struct compare_plan *types = plan;

    return deep_equal(a, types->left, b, types->right) ? OUTCOME_EQUAL : OUTCOME_LESS;
}

/* --- the instructions --- */

static unsigned null_outcome(const struct value *a, const struct value *b)
{
    return value_is_null(a) && value_is_null(b) ? OUTCOME_BOTH_NULL : OUTCOME_ONE_NULL;
}

#define COMPARISON(name, compare)                                                                 \
    static inline unsigned outcome_##name(const struct instruction *self,                         \
                                          const struct frame *frame)                              \
    {                                                                                             \
        const struct value *a = frame_value(frame, self->a);                                      \
        const struct value *b = frame_value(frame, self->b);                                      \
                                                                                                  \
        return value_is_null(a) || value_is_null(b) ? null_outcome(a, b)                          \
                                                    : compare(a, b, self->plan);                  \
    }                                                                                             \
                                                                                                  \
    const struct instruction *eval_test_##name(const struct instruction *self,                    \
                                               struct frame *frame)                               \
    {                                                                                             \
        return self->mask & outcome_##name(self, frame) ? frame->program->code + self->jump       \
                                                        : self + 1;                               \
    }                                                                                             \
                                                                                                  \
    const struct instruction *eval_is_##name(const struct instruction *self, struct frame *frame) \
    {                                                                                             \
        bool holds = (self->mask & outcome_##name(self, frame)) != 0;                             \
                                                                                                  \
        frame->registers[self->out] = value_i64(T_BOOLEAN, holds);                                \
        return self + 1;                                                                          \
    }                                                                                             \
                                                                                                  \
    unsigned order_##name(const struct value *a, const struct value *b, const void *plan)         \
    {                                                                                             \
        return compare(a, b, plan);                                                               \
    }                                                                                             \
                                                                                                  \
    static uint32_t narrow_##name(const struct instruction *self, const struct narrowing *n)      \
    {                                                                                             \
        const struct instruction test = *self;                                                    \
        struct row_banks banks = { { NULL, NULL, NULL, n->constants } };                          \
        uint32_t kept = 0;                                                                        \
                                                                                                  \
        for (uint32_t i = 0; i < n->count; i++) {                                                 \
            uint16_t row = n->rows ? n->rows[i] : (uint16_t)i;                                    \
            const struct value *a, *b;                                                            \
            unsigned outcome;                                                                     \
                                                                                                  \
            banks.at[BANK_CELLS] = n->cells + (size_t)row * n->stride;                            \
            a = banks_value(&banks, test.a);                                                      \
            b = banks_value(&banks, test.b);                                                      \
            outcome = value_is_null(a) || value_is_null(b) ? null_outcome(a, b)                   \
                                                           : compare(a, b, test.plan);            \
            n->kept[kept] = row;                                                                  \
            kept += !(test.mask & outcome);                                                       \
        }                                                                                         \
        return kept;                                                                              \
    }

COMPARISON(i64, compare_i64)
COMPARISON(f64, compare_f64)
COMPARISON(same_text, compare_same_text)
COMPARISON(text, compare_texts)
COMPARISON(octets, compare_bytes)
COMPARISON(number, compare_numbers)
COMPARISON(deep, compare_deep)

narrow_function narrow_find(instruction_function run)
{
    static const struct {
        instruction_function run;
        narrow_function narrow;
    } all[] = {
        { eval_test_i64, narrow_i64 },
        { eval_test_f64, narrow_f64 },
        { eval_test_same_text, narrow_same_text },
        { eval_test_text, narrow_text },
        { eval_test_octets, narrow_octets },
        { eval_test_number, narrow_number },
        { eval_test_deep, narrow_deep },
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].run == run) {
            return all[i].narrow;
        }
    }
    return NULL;
}

const struct instruction *eval_in(const struct instruction *self, struct frame *frame)
{
    const struct in_plan *plan = self->plan;
    const struct value *value = frame_value(frame, self->a);
    bool found = false;

    for (uint32_t i = 0; !value_is_null(value) && i < plan->item_count && !found; i++) {
        const struct value *item = frame_value(frame, plan->items[i]);

        found = !value_is_null(item) && plan->order(value, item, &plan->types) == OUTCOME_EQUAL;
    }
    frame->registers[self->out] = value_i64(T_BOOLEAN, found);
    return self + 1;
}

const struct instruction *eval_like(const struct instruction *self, struct frame *frame)
{
    const struct value *text = frame_value(frame, self->a);

    if (value_is_null(text)) {
        return frame_fail_null(frame, self, "the value of LIKE");
    }
    frame->registers[self->out] = value_i64(T_BOOLEAN, like_matches(self->plan, value_bytes(text)));
    return self + 1;
}

const struct instruction *eval_like_any(const struct instruction *self, struct frame *frame)
{
    const uint32_t *escape = self->plan;
    const struct value *text = frame_value(frame, self->a);
    const struct value *pattern_text = frame_value(frame, self->b);
    const struct like_pattern *pattern = NULL;

    if (value_is_null(text) || value_is_null(pattern_text)) {
        return frame_fail_null(frame, self, "the value or the pattern of LIKE");
    }
    if (like_compile(frame->context->arena, value_bytes(pattern_text), *escape, &pattern,
                     &frame->error)) {
        return frame_fail(frame, self);
    }
    frame->registers[self->out] = value_i64(T_BOOLEAN, like_matches(pattern, value_bytes(text)));
    return self + 1;
}
