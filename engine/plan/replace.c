/*
 * replace.c: what may take the place of a stream or table: CREATE OR REPLACE and ALTER
 * (statements.md 4).
 *
 * The records of the old one are those of the new one. So everything that says how they are
 * written stays, and so do the columns, by name, type and place; new ones come behind them, and
 * are null in what was written before.
 */
#include "engine/plan/plan_internal.h"

int plan_check_replaced(const struct plan_context *context, const struct ast_name *name,
                        bool read_only, struct error *err)
{
    const struct source *there = catalog_find_source(context->catalog, name->text);

    if (read_only || (there && there->read_only)) {
        return error_set(err, ERR_WRONG_KIND, name->at,
                         "%.*s is read-only (CREATE SOURCE ...), and OR REPLACE is not for such",
                         BYTES_ARG(name->text));
    }
    if (there && there->query.data) {
        return error_set(err, ERR_UNSUPPORTED, name->at,
                         "%.*s is made by the query %.*s; OR REPLACE of such is not supported",
                         BYTES_ARG(name->text), BYTES_ARG(there->query));
    }
    return 0;
}

static bool is_same(struct bytes a, struct bytes b)
{
    return bytes_equal(a, b); /* both absent, too */
}

/* What differs that must not; NULL: nothing. */
static const char *find_difference(const struct source *from, const struct source *to)
{
    if (from->kind != to->kind) {
        return "kind";
    }
    if (!is_same(from->topic, to->topic)) {
        return "topic";
    }
    if (!side_format_equal(&from->key_format, &to->key_format)) {
        return "key format";
    }
    if (!side_format_equal(&from->value_format, &to->value_format)) {
        return "value format";
    }
    if (!is_same(from->timestamp_column, to->timestamp_column) ||
        !is_same(from->timestamp_format, to->timestamp_format)) {
        return "timestamp column";
    }
    return from->schema.key_count != to->schema.key_count ? "key" : NULL;
}

static int check_columns(const struct source *from, const struct source *to, struct error *err)
{
    for (uint32_t i = 0; i < from->schema.column_count; i++) {
        const struct column *old = &from->schema.columns[i];
        const struct column *column = i < to->schema.column_count ? &to->schema.columns[i] : NULL;

        if (!column || !bytes_equal(column->name, old->name) || column->role != old->role ||
            !type_equal(column->type, old->type)) {
            return error_set(err, ERR_UPGRADE, to->at,
                             "The column %.*s of %.*s has to stay, with its type and in its place; "
                             "new ones go behind",
                             BYTES_ARG(old->name), BYTES_ARG(to->name));
        }
    }
    return 0;
}

int plan_check_upgrade(const struct plan_context *context, const struct source *source,
                       struct error *err)
{
    const struct source *there = catalog_find_source(context->catalog, source->name);
    const char *difference = there ? find_difference(there, source) : NULL;

    if (difference) {
        return error_set(err, ERR_UPGRADE, source->at,
                         "The %s of %.*s cannot be changed; DROP it first, and what reads it",
                         difference, BYTES_ARG(source->name));
    }
    return there ? check_columns(there, source, err) : 0;
}
