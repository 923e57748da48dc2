/*
 * relation.c: the row that a query with joins is over, and which column of it a name means.
 *
 *     0     1 ..           ..                 ..
 *     key   L's columns    L's ROWTIME, ...   R's columns   R's ROWTIME, ...
 *
 * The key is a column of its own, because it has a value where the side that it came from
 * has none: the row of a RIGHT join without a left row still has its key (queries.md 6.2).
 */
#include "base/near.h"
#include "engine/plan/plan_internal.h"

static const enum pseudo_column pseudo_columns[RELATION_PSEUDO_COLUMNS] = { PSEUDO_ROWTIME,
                                                                            PSEUDO_ROWPARTITION,
                                                                            PSEUDO_ROWOFFSET };

void relation_init(struct relation *relation, struct arena *arena)
{
    *relation = (struct relation){ .arena = arena };
    *vec_push(arena, &relation->columns) = (struct relation_column){ 0 };
}

static void add_column(struct relation *relation, struct bytes alias, struct bytes plain,
                       const struct relation_column *column)
{
    struct relation_column *added = vec_push(relation->arena, &relation->columns);

    *added = *column;
    added->plain = plain;
    added->name = arena_printf(relation->arena, "%.*s_%.*s", BYTES_ARG(alias), BYTES_ARG(plain));
}

void relation_add(struct relation *relation, const struct source *source, struct bytes alias)
{
    uint32_t number = relation->sources.count;
    uint32_t first = relation->columns.count;

    for (uint32_t i = 0; i < source->schema.column_count; i++) {
        const struct column *column = &source->schema.columns[i];

        add_column(relation, alias, column->name,
                   &(struct relation_column){ .type = column->type, .source = number, .index = i });
    }
    for (uint32_t i = 0; i < RELATION_PSEUDO_COLUMNS; i++) {
        enum pseudo_column pseudo = pseudo_columns[i];

        add_column(relation, alias, bytes_of(pseudo_column_name(pseudo)),
                   &(struct relation_column){
                       .type = pseudo_column_type(pseudo), .source = number, .pseudo = pseudo });
    }
    *vec_push(relation->arena, &relation->sources) =
        (struct relation_source){ source, alias, first, relation->columns.count - first };
}

/* --- the key --- */

static bool has_plain(const struct relation *relation, struct bytes name)
{
    for (uint32_t i = RELATION_KEY + 1; i < relation->columns.count; i++) {
        if (bytes_equal(relation->columns.items[i].plain, name)) {
            return true;
        }
    }
    return false;
}

static struct bytes synthetic_name(const struct relation *relation)
{
    struct bytes name = BYTES("ROWKEY");

    for (unsigned i = 1; has_plain(relation, name); i++) {
        name = arena_printf(relation->arena, "ROWKEY_%u", i);
    }
    return name;
}

void relation_settle_key(struct relation *relation)
{
    const struct join_analysis *last = &relation->joins.items[relation->joins.count - 1];
    struct relation_column *key = &relation->columns.items[RELATION_KEY];

    relation->has_synthetic_key = !last->key_name.data;
    key->name = last->key_name.data ? last->key_name : synthetic_name(relation);
    key->plain = key->name;
    key->type = last->left->type;
}

bool relation_is_key(const struct relation *relation, uint32_t column)
{
    if (column == RELATION_KEY) {
        return true;
    }
    for (uint32_t i = 0; i < relation->equal.count; i++) {
        const struct expr *equal = relation->equal.items[i];

        if (equal->kind == EXPR_COLUMN && equal->column.index == column) {
            return true;
        }
    }
    return false;
}

const char *relation_key_text(const struct relation *relation)
{
    struct buffer text = { 0 };
    uint32_t left = 0;
    const char *copy;

    if (relation->has_synthetic_key) {
        return arena_copy_text(relation->arena, relation->columns.items[RELATION_KEY].name);
    }
    for (uint32_t i = 0; i < relation->equal.count; i++) {
        left += relation->equal.items[i]->kind == EXPR_COLUMN;
    }
    for (uint32_t i = 0; i < relation->equal.count; i++) {
        const struct expr *equal = relation->equal.items[i];
        const struct relation_column *column;

        if (equal->kind != EXPR_COLUMN) {
            continue;
        }
        column = &relation->columns.items[equal->column.index];
        buffer_printf(&text, "%.*s.%.*s", BYTES_ARG(relation->sources.items[column->source].alias),
                      BYTES_ARG(column->plain));
        left--;
        buffer_append_text(&text, left == 0 ? "" : left == 1 ? " or " : ", ");
    }
    copy = arena_copy_text(relation->arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}

/* --- columns --- */

const struct expr *relation_expr(const struct relation *relation, uint32_t column,
                                 struct position at)
{
    const struct relation_column *found = &relation->columns.items[column];

    return expr_column(relation->arena, 0, column, found->name, found->type, at);
}

struct bytes relation_plain_name(const struct relation *relation, uint32_t column)
{
    const struct relation_column *wanted = &relation->columns.items[column];

    for (uint32_t i = RELATION_KEY + 1; column != RELATION_KEY && i < relation->columns.count;
         i++) {
        if (i != column && bytes_equal(relation->columns.items[i].plain, wanted->plain)) {
            return wanted->name;
        }
    }
    return wanted->plain;
}

const struct schema *relation_schema(const struct relation *relation)
{
    uint32_t count = relation->columns.count;
    struct column *columns = arena_array(relation->arena, struct column, count);
    struct schema *schema = arena_new(relation->arena, struct schema);

    for (uint32_t i = 0; i < count; i++) {
        columns[i].name = relation->columns.items[i].name;
        columns[i].type = relation->columns.items[i].type;
        columns[i].role = i == RELATION_KEY ? COLUMN_KEY : COLUMN_VALUE;
    }
    *schema = (struct schema){ columns, count, 1 };
    return schema;
}

struct source_mask {
    const struct relation *relation;
    uint64_t mask;
};

static bool note_source(void *context, const struct expr *node)
{
    struct source_mask *m = context;

    if (node->kind == EXPR_COLUMN) {
        m->mask |= UINT64_C(1) << m->relation->columns.items[node->column.index].source;
    }
    return true;
}

uint64_t relation_sources_of(const struct relation *relation, const struct expr *e)
{
    struct source_mask m = { relation, 0 };

    (void)expr_walk(e, note_source, &m); /* the visitor never stops */
    return m.mask;
}

/* --- names --- */

static int unknown_column(const struct relation *relation, const char *clause,
                          struct bytes qualifier, const struct ast_name *name, struct error *err)
{
    struct near_search search = near_begin(name->text);

    for (uint32_t i = RELATION_KEY + 1; i < relation->columns.count; i++) {
        const struct relation_column *column = &relation->columns.items[i];
        struct bytes alias = relation->sources.items[column->source].alias;

        if (!qualifier.data || bytes_equal(alias, qualifier)) {
            near_offer(&search, column->plain);
        }
    }
    if (qualifier.data) {
        return error_set(err, ERR_UNKNOWN_COLUMN, name->at, "%s: %.*s has no column %.*s%s", clause,
                         BYTES_ARG(qualifier), BYTES_ARG(name->text),
                         near_hint(relation->arena, search.best));
    }
    return error_set(err, ERR_UNKNOWN_COLUMN, name->at, "%s: no joined source has a column %.*s%s",
                     clause, BYTES_ARG(name->text), near_hint(relation->arena, search.best));
}

static int check_qualifier(const struct relation *relation, const char *clause,
                           struct bytes qualifier, const struct ast_name *name, struct error *err)
{
    for (uint32_t i = 0; i < relation->sources.count; i++) {
        if (bytes_equal(relation->sources.items[i].alias, qualifier)) {
            return 0;
        }
    }
    return error_set(err, ERR_UNKNOWN_SOURCE, name->at, "%s: %.*s is not among what is joined here",
                     clause, BYTES_ARG(qualifier));
}

static int ambiguous_column(const struct relation *relation, const char *clause,
                            const struct ast_name *name, uint32_t first, uint32_t second,
                            struct error *err)
{
    const struct relation_column *columns = relation->columns.items;
    const struct relation_source *sources = relation->sources.items;

    return error_set(err, ERR_AMBIGUOUS_COLUMN, name->at,
                     "%s: %.*s is ambiguous: it is %.*s.%.*s or %.*s.%.*s", clause,
                     BYTES_ARG(name->text), BYTES_ARG(sources[columns[first].source].alias),
                     BYTES_ARG(name->text), BYTES_ARG(sources[columns[second].source].alias),
                     BYTES_ARG(name->text));
}

int relation_resolve(const struct relation *relation, const char *clause, struct bytes qualifier,
                     const struct ast_name *name, const struct expr **out, struct error *err)
{
    const struct relation_column *columns = relation->columns.items;
    uint32_t found = RELATION_KEY;

    if (qualifier.data) {
        TRY(check_qualifier(relation, clause, qualifier, name, err));
    } else if (relation->has_synthetic_key && bytes_equal(columns[RELATION_KEY].name, name->text)) {
        *out = relation_expr(relation, RELATION_KEY, name->at);
        return 0;
    }
    for (uint32_t i = RELATION_KEY + 1; i < relation->columns.count; i++) {
        if (!bytes_equal(columns[i].plain, name->text) ||
            (qualifier.data &&
             !bytes_equal(relation->sources.items[columns[i].source].alias, qualifier))) {
            continue;
        }
        if (found != RELATION_KEY) {
            return ambiguous_column(relation, clause, name, found, i, err);
        }
        found = i;
    }
    if (found == RELATION_KEY) {
        return unknown_column(relation, clause, qualifier, name, err);
    }
    *out = relation_expr(relation, found, name->at);
    return 0;
}
