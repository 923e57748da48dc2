/*
 * pull_keys.c: which keys a WHERE asks for.
 *
 *   K = 1 OR K IN (2, 3) AND V > 5      ->  {K: 1}, {K: 2}, {K: 3}
 *   (A = 1 OR A = 2) AND B = 'x'        ->  {A: 1, B: x}, {A: 2, B: x}
 *   A = 1 OR V > 5                      ->  {A: 1}, {}          the second leaves A open
 *
 * An alternative that binds no key column to a constant leaves it open: that is a scan.
 */
#include "engine/plan/pull_internal.h"
#include "engine/type/cast.h"
#include "engine/type/compare.h"

enum { ALTERNATIVES_MAX = 10000 };

/* One alternative: per key column its value's expression, or NULL while it is open. */
struct alternative {
    const struct expr **values;  /* of the key's width */
    const struct expr *repeated; /* binds a column once more; NULL: none does */
};

typedef VEC(struct alternative) alternative_list;

struct key_search {
    struct pull_query *q;
    struct arena *arena;
    uint32_t width;
    struct error *err;
};

static struct alternative make_open(const struct key_search *s)
{
    return (struct alternative){ arena_array(s->arena, const struct expr *, s->width), NULL };
}

/* Whether different values stay different: an equality behind the cast names one key. */
static bool keeps_values_apart(const struct sql_type *from, const struct sql_type *to)
{
    switch (to->id) {
    case T_BIGINT:
    case T_DOUBLE:
        return from->id == T_INTEGER;
    case T_DECIMAL:
        return from->id == T_INTEGER || from->id == T_BIGINT;
    default: /* any other conversion may join values */
        return false;
    }
}

/* The key column that the expression is, perhaps widened; NULL: none. */
static const struct expr *key_column_of(const struct key_search *s, const struct expr *e)
{
    while (e->kind == EXPR_CAST && keeps_values_apart(e->arguments[0]->type, e->type)) {
        e = e->arguments[0];
    }
    return e->kind == EXPR_COLUMN && e->column.index < s->width ? e : NULL;
}

/* column = constant, either way around; otherwise everything stays open. */
static void add_equal(struct key_search *s, const struct expr *left, const struct expr *right,
                      alternative_list *out)
{
    struct alternative one = make_open(s);
    const struct expr *column = key_column_of(s, left);

    if (!column) {
        const struct expr *swapped = left;

        left = right;
        right = swapped;
        column = key_column_of(s, left);
    }
    if (column && expr_is_constant(right)) {
        one.values[column->column.index] = right;
    }
    *vec_push(s->arena, out) = one;
}

static int find_alternatives(struct key_search *s, const struct expr *e, alternative_list *out);

static int too_many(struct key_search *s, const struct expr *e)
{
    return error_set(s->err, ERR_TOO_LARGE, e->at, "WHERE has more than %d alternatives",
                     (int)ALTERNATIVES_MAX);
}

/* Both at once: what one leaves open the other may bind. */
static struct alternative join(const struct key_search *s, const struct alternative *a,
                               const struct alternative *b)
{
    struct alternative both = make_open(s);

    both.repeated = a->repeated ? a->repeated : b->repeated;
    for (uint32_t i = 0; i < s->width; i++) {
        both.values[i] = a->values[i] ? a->values[i] : b->values[i];
        if (a->values[i] && b->values[i]) {
            both.repeated = b->values[i];
        }
    }
    return both;
}

static int add_and(struct key_search *s, const struct expr *e, alternative_list *out)
{
    alternative_list product = { 0 };

    *vec_push(s->arena, &product) = make_open(s);
    for (uint32_t i = 0; i < e->argument_count; i++) {
        alternative_list factor = { 0 };
        alternative_list next = { 0 };

        TRY(find_alternatives(s, e->arguments[i], &factor));
        if ((uint64_t)product.count * factor.count > ALTERNATIVES_MAX) {
            return too_many(s, e);
        }
        for (uint32_t a = 0; a < product.count; a++) {
            for (uint32_t b = 0; b < factor.count; b++) {
                *vec_push(s->arena, &next) = join(s, &product.items[a], &factor.items[b]);
            }
        }
        product = next;
    }
    for (uint32_t i = 0; i < product.count; i++) {
        *vec_push(s->arena, out) = product.items[i];
    }
    return 0;
}

/* Recursion is as deep as the expression, which the parser limits. */
static int find_alternatives(struct key_search *s, const struct expr *e, alternative_list *out)
{
    if (e->kind == EXPR_AND) {
        return add_and(s, e, out);
    }
    if (e->kind == EXPR_OR) {
        for (uint32_t i = 0; i < e->argument_count; i++) {
            TRY(find_alternatives(s, e->arguments[i], out));
        }
    } else if (e->kind == EXPR_COMPARE && e->compare == OP_EQUAL) {
        add_equal(s, e->arguments[0], e->arguments[1], out);
    } else if (e->kind == EXPR_IN) {
        for (uint32_t i = 1; i < e->argument_count; i++) {
            add_equal(s, e->arguments[0], e->arguments[i], out);
        }
    } else {
        *vec_push(s->arena, out) = make_open(s);
    }
    return out->count > ALTERNATIVES_MAX ? too_many(s, e) : 0;
}

/* --- from constants to key bytes --- */

/*
 * The key that equals the value in the type of the comparison. *none: there is no such key, as
 * for INT_COLUMN = 5000000000.
 */
static int narrow(struct key_search *s, const struct value *in, const struct sql_type *from,
                  const struct sql_type *to, struct value *out, bool *none)
{
    cast_function down = cast_find(from, to);
    cast_function up = cast_find(to, from);
    struct value back;

    if (coerce_strictly(in, from, to, s->arena, out, NULL) == 0) {
        return 0;
    }
    *none = !down || !up || down(in, from, to, s->arena, out, NULL) != 0 ||
            up(out, to, from, s->arena, &back, NULL) != 0 || !compare_equal(in, &back, from);
    return 0;
}

static int key_value(struct key_search *s, const struct alternative *one, uint32_t key,
                     struct value *out, bool *none)
{
    const struct expr *e = one->values[key];
    const struct sql_type *type = s->q->key->columns[key].type;
    struct value value = value_null();

    TRY(expr_evaluate_constant(e, s->arena, &value, s->err));
    if (value_is_null(&value)) {
        return error_set(s->err, ERR_PULL_KEY, e->at, "A primary key is never NULL: %s",
                         plan_text_of(s->arena, e));
    }
    return narrow(s, &value, e->type, type, out, none);
}

static int encode_key(struct key_search *s, struct encoder *encoder, const struct value *cells,
                      struct bytes *out)
{
    struct row_banks row = { { cells, NULL, NULL, NULL } };
    struct buffer text = { 0 };
    bool is_null = false;
    int code = encoder->kind->encode_row(encoder, &row, &text, &is_null, s->err);

    if (!code) {
        *out = arena_copy(s->arena, buffer_bytes(&text));
    }
    buffer_fini(&text);
    return code;
}

static void keep_key(struct key_search *s, struct bytes key, struct bytes *keys)
{
    struct pull_lookup *lookup = s->q->lookup;

    for (uint32_t i = 0; i < lookup->key_count; i++) {
        if (bytes_equal(keys[i], key)) {
            return;
        }
    }
    keys[lookup->key_count++] = key;
}

static int encode_alternatives(struct key_search *s, struct encoder *encoder,
                               const alternative_list *list)
{
    struct bytes *keys = arena_array(s->arena, struct bytes, list->count);
    struct value *cells = arena_array(s->arena, struct value, s->width);

    s->q->lookup->keys = keys;
    for (uint32_t i = 0; i < list->count; i++) {
        bool none = false;
        struct bytes key = { NULL, 0 };

        for (uint32_t at = 0; at < s->width && !none; at++) {
            TRY(key_value(s, &list->items[i], at, &cells[at], &none));
        }
        if (!none) {
            TRY(encode_key(s, encoder, cells, &key));
            keep_key(s, key, keys);
        }
    }
    return 0;
}

static int encode_keys(struct key_search *s, const alternative_list *list)
{
    const struct key_plan *key = s->q->key;
    operand *at = arena_array(s->arena, operand, s->width);
    struct encoder_spec spec = { SIDE_KEY, key->columns, s->width, at, key->format.options };
    struct encoder encoder = { 0 };
    int code;

    for (uint32_t i = 0; i < s->width; i++) {
        at[i] = operand_make(BANK_CELLS, i);
    }
    TRY(encoder_open(&encoder, key->format.kind, &spec, s->err));
    code = encode_alternatives(s, &encoder, list);
    encoder_close(&encoder);
    return code;
}

/* --- what is no lookup --- */

static bool is_lookup(const struct key_search *s, const alternative_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        for (uint32_t at = 0; at < s->width; at++) {
            if (!list->items[i].values[at]) {
                return false;
            }
        }
    }
    return true;
}

static int refuse_repeated(const struct key_search *s, const struct expr *e)
{
    return error_set(s->err, ERR_PULL_KEY, e->at,
                     "A key column can be compared once in each alternative of WHERE while scans "
                     "are switched off (ksql.query.pull.table.scan.enabled): %s",
                     plan_text_of(s->arena, s->q->where));
}

/* A comparison of a key column that names no key. Recursion as in find_alternatives. */
static int check_comparisons(const struct key_search *s, const struct expr *e)
{
    if (e->kind == EXPR_COMPARE) {
        bool is_left = key_column_of(s, e->arguments[0]) != NULL;
        bool is_about_key = is_left || key_column_of(s, e->arguments[1]);

        if (is_about_key && !expr_is_constant(e->arguments[is_left ? 1 : 0])) {
            return error_set(s->err, ERR_PULL_KEY, e->at,
                             "A key column has to be compared with a constant: %s",
                             plan_text_of(s->arena, e));
        }
        if (is_about_key && e->compare != OP_EQUAL) {
            return error_set(s->err, ERR_PULL_KEY, e->at,
                             "A key column has to be compared by = while scans are switched off "
                             "(ksql.query.pull.table.scan.enabled): %s",
                             plan_text_of(s->arena, e));
        }
    }
    for (uint32_t i = 0; (e->kind == EXPR_AND || e->kind == EXPR_OR) && i < e->argument_count;
         i++) {
        TRY(check_comparisons(s, e->arguments[i]));
    }
    return 0;
}

/* Why this cannot be answered without a scan. */
static int refuse_scan(const struct key_search *s, struct position at)
{
    const struct schema *schema = &s->q->lookup->table->schema;
    struct buffer names = { 0 };
    int code;

    if (s->q->where) {
        TRY(check_comparisons(s, s->q->where));
    }
    for (uint32_t i = 0; i < s->width; i++) {
        buffer_printf(&names, "%s%.*s", i ? ", " : "", BYTES_ARG(schema->columns[i].name));
    }
    code = error_set(s->err, ERR_PULL_SCAN, at,
                     "Scans are switched off (ksql.query.pull.table.scan.enabled): every "
                     "alternative of WHERE has to compare all key columns by =: %.*s",
                     (int)names.len, names.data);
    buffer_fini(&names);
    return code;
}

static int check_repeated(const struct key_search *s, const alternative_list *list)
{
    for (uint32_t i = 0; s->q->context->settings->no_table_scans && i < list->count; i++) {
        if (list->items[i].repeated) {
            return refuse_repeated(s, list->items[i].repeated);
        }
    }
    return 0;
}

int pull_keys_find(struct pull_query *q, struct error *err)
{
    struct key_search s = { q, q->context->arena, q->key->column_count, err };
    struct position at = q->where ? q->where->at : q->at;
    alternative_list list = { 0 };

    if (q->where) {
        TRY(find_alternatives(&s, q->where, &list));
    }
    if (q->where && is_lookup(&s, &list)) {
        TRY(check_repeated(&s, &list));
        return encode_keys(&s, &list);
    }
    if (q->context->settings->no_table_scans) {
        return refuse_scan(&s, at);
    }
    q->lookup->access = PULL_SCAN;
    return pull_range_find(q, err);
}

/* --- lists as they are written: text and numbers would adapt to each other --- */

static bool is_number_literal(const struct ast_literal *literal)
{
    return literal->kind == AST_LITERAL_INTEGER || literal->kind == AST_LITERAL_BIGINT ||
           literal->kind == AST_LITERAL_DECIMAL || literal->kind == AST_LITERAL_DOUBLE;
}

/* Text for a column that has no literals of its own is fine. */
static bool fits_key(const struct ast_expr *member, const struct sql_type *type)
{
    if (member->kind != AST_LITERAL) {
        return true;
    }
    if (type->id == T_STRING) {
        return !is_number_literal(&member->literal) && member->literal.kind != AST_LITERAL_BOOLEAN;
    }
    return member->literal.kind != AST_LITERAL_STRING ||
           !(type_is_number(type->id) || type->id == T_BOOLEAN);
}

static int check_list(const struct pull_query *q, const struct ast_expr *in, struct error *err)
{
    const struct schema *schema = &q->lookup->table->schema;
    const struct ast_expr *tested = in->in.operand;
    const struct column *column =
        tested->kind == AST_COLUMN ? schema_find(schema, tested->column.name.text) : NULL;

    for (uint32_t i = 0; column && column->role == COLUMN_KEY && i < in->in.items.count; i++) {
        if (!fits_key(in->in.items.items[i], column->type)) {
            return error_set(err, ERR_PULL_KEY, in->in.items.items[i]->at,
                             "A member of the list is not of the type of the key column %.*s %s",
                             BYTES_ARG(column->name), type_name(column->type->id));
        }
    }
    return 0;
}

/* Recursion is as deep as the syntax, which the parser limits. */
int pull_keys_check_lists(const struct pull_query *q, const struct ast_expr *where,
                          struct error *err)
{
    if (where->kind == AST_IN) {
        return check_list(q, where, err);
    }
    if (where->kind == AST_BINARY && (where->binary.op == AST_AND || where->binary.op == AST_OR)) {
        TRY(pull_keys_check_lists(q, where->binary.left, err));
        return pull_keys_check_lists(q, where->binary.right, err);
    }
    return 0;
}
