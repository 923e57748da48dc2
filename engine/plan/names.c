/*
 * names.c: names that the planner makes up: of unnamed columns, and of what Kafka Streams
 * would create, so that a ksqlDB query taken over finds its topics (queries.md 10.2).
 */
#include "engine/plan/plan_internal.h"
#include "parser/ast_print.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "F_12" -> "F" and 12; false when the name has no such ending. */
static bool split_number(struct bytes name, struct bytes *base, uint64_t *number)
{
    size_t digits = 0;

    while (digits < name.len && is_digit(name.data[name.len - 1 - digits])) {
        digits++;
    }
    if (digits == 0 || digits > 9 || digits + 2 > name.len ||
        name.data[name.len - 1 - digits] != '_') {
        return false;
    }
    *number = 0;
    for (size_t i = name.len - digits; i < name.len; i++) {
        *number = *number * 10 + (uint64_t)(name.data[i] - '0');
    }
    *base = (struct bytes){ name.data, name.len - digits - 1 };
    return true;
}

static bool is_taken(const struct item_namer *namer, struct bytes name)
{
    if (schema_find(namer->taken, name)) {
        return true;
    }
    for (uint32_t i = 0; i < namer->given.count; i++) {
        if (bytes_equal(namer->given.items[i], name)) {
            return true;
        }
    }
    return false;
}

void namer_keep(struct item_namer *namer, struct bytes name)
{
    *vec_push(namer->arena, &namer->given) = name;
}

/* base, base_1, base_2, ...: the first that is free. */
static struct bytes name_of_field(struct item_namer *namer, struct bytes field)
{
    struct bytes base = field;
    struct bytes name;
    uint64_t ignored;

    (void)split_number(field, &base, &ignored); /* no number: the field is the base */
    name = base;
    for (unsigned i = 1; is_taken(namer, name); i++) {
        name = arena_printf(namer->arena, "%.*s_%u", BYTES_ARG(base), i);
    }
    return name;
}

static struct bytes name_of_expression(struct item_namer *namer)
{
    struct bytes bare = BYTES("KSQL_COL");
    unsigned first = schema_find(namer->taken, bare) ? 1 : 0; /* it counts as number 0 */
    struct bytes name = arena_printf(namer->arena, "KSQL_COL_%u", first);

    for (unsigned i = first + 1; is_taken(namer, name); i++) {
        name = arena_printf(namer->arena, "KSQL_COL_%u", i);
    }
    return name;
}

struct bytes namer_name(struct item_namer *namer, const struct ast_expr *syntax)
{
    struct bytes name;

    if (syntax->kind == AST_COLUMN) {
        name = syntax->column.name.text;
    } else if (syntax->kind == AST_FIELD) {
        name = name_of_field(namer, syntax->field.name.text);
    } else {
        name = name_of_expression(namer);
    }
    namer_keep(namer, name);
    return name;
}

static bool is_key_name(const key_list *keys, struct bytes name)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        if (keys->items[i].name.data && bytes_equal(keys->items[i].name, name)) {
            return true;
        }
    }
    return false;
}

struct bytes name_key(const struct analysis *a, const key_list *others, const struct expr *value,
                      const struct ast_expr *syntax)
{
    struct bytes name = { NULL, 0 };

    if (syntax->kind == AST_COLUMN) {
        name = syntax->column.name.text;
    } else if (syntax->kind == AST_FIELD) {
        name = syntax->field.name.text;
    }
    for (uint32_t i = 0; !name.data && i < a->columns.count; i++) {
        if (expr_equal(a->columns.items[i].value, value)) {
            name = a->columns.items[i].name;
        }
    }
    for (uint32_t i = 0; !name.data || is_key_name(others, name); i++) {
        name = arena_printf(a->context->arena, "KSQL_COL_%u", i);
    }
    return name;
}

struct bytes name_application(struct plan_context *context, enum query_kind kind,
                              struct bytes query_id)
{
    bool persistent = kind == QUERY_PERSISTENT;
    struct bytes prefix =
        persistent ? context->settings->persistent_prefix : context->settings->transient_prefix;

    if (!prefix.data) {
        prefix = bytes_of(persistent ? "query_" : "transient_");
    }
    return arena_printf(context->arena, "_confluent-ksql-%s%.*s%.*s", context->settings->service_id,
                        BYTES_ARG(prefix), BYTES_ARG(query_id));
}

struct bytes name_repartition(struct arena *arena, struct bytes application, struct bytes context)
{
    return arena_printf(arena, "%.*s-%.*s-repartition", BYTES_ARG(application), BYTES_ARG(context));
}

struct bytes name_changelog(struct arena *arena, struct bytes application, struct bytes store)
{
    return arena_printf(arena, "%.*s-%.*s-changelog", BYTES_ARG(application), BYTES_ARG(store));
}

struct bytes name_upper(struct arena *arena, struct bytes name)
{
    char *upper = arena_copy_text(arena, name);

    for (size_t i = 0; i < name.len; i++) {
        upper[i] = (char)(upper[i] >= 'a' && upper[i] <= 'z' ? upper[i] - 'a' + 'A' : upper[i]);
    }
    return (struct bytes){ upper, name.len };
}

bool name_is_generated_query(struct bytes id)
{
    static const char *const prefixes[] = { "CSAS_", "CTAS_", "CST_", "INSERTQUERY_" };

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (bytes_starts_with(id, bytes_of(prefixes[i]))) {
            return true;
        }
    }
    return false;
}

bool name_is_reserved(struct bytes name)
{
    static const enum pseudo_column pseudo[] = { PSEUDO_ROWTIME, PSEUDO_ROWPARTITION,
                                                 PSEUDO_ROWOFFSET, PSEUDO_WINDOWSTART,
                                                 PSEUDO_WINDOWEND };

    for (size_t i = 0; i < sizeof pseudo / sizeof pseudo[0]; i++) {
        if (bytes_equal_text_nocase(name, pseudo_column_name(pseudo[i]))) {
            return true;
        }
    }
    return false;
}

struct bytes plan_statement_text(struct arena *arena, const struct ast_statement *statement)
{
    struct buffer text = { 0 };
    struct bytes copy;

    ast_print_statement(&text, statement);
    copy = arena_copy(arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}
