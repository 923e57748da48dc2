/*
 * plan_internal.h: what the files of the planner share: the analysis of a query, the
 * logical steps, and the small questions several of them ask.
 *
 * Expressions of an analysis are bound to one of two rows: the source's (columns of its schema
 * by number) or, once rows are grouped, the aggregate's (group columns, then results).
 */
#ifndef SLUICE_ENGINE_PLAN_PLAN_INTERNAL_H
#define SLUICE_ENGINE_PLAN_PLAN_INTERNAL_H

#include "base/vec.h"
#include "engine/plan/plan.h"
#include "engine/plan/source_properties.h"

/* --- names: names.c --- */

/* Gives unnamed select items their names (expressions.md 14). */
struct item_namer {
    struct arena *arena;
    const struct schema *taken; /* of the source */
    VEC(struct bytes) given;    /* to earlier items */
};
struct bytes namer_name(struct item_namer *namer, const struct ast_expr *syntax);
/* An alias was written: later items do not get that name. */
void namer_keep(struct item_namer *namer, struct bytes name);

struct bytes name_application(struct plan_context *context, enum query_kind kind,
                              struct bytes query_id);
/* "<application>-<context>-repartition" and "<application>-<store>-changelog". */
struct bytes name_repartition(struct arena *arena, struct bytes application, struct bytes context);
struct bytes name_changelog(struct arena *arena, struct bytes application, struct bytes store);
struct bytes name_upper(struct arena *arena, struct bytes name); /* ASCII */
bool name_is_reserved(struct bytes name); /* ROWTIME and its kind, in any case */
/* The statement's canonical text. */
struct bytes plan_statement_text(struct arena *arena, const struct ast_statement *statement);

/* --- the row of a join: relation.c --- */

/*
 * What a query with joins is over. Column 0 is the key: the value that was joined on. Behind it are
 * the sources' columns, source by source, each source's pseudo columns last.
 */
enum { RELATION_KEY = 0, RELATION_SOURCES_MAX = 64, RELATION_PSEUDO_COLUMNS = 3 };

struct relation_column {
    struct bytes name;  /* ALIAS_COL; of the key: ROWKEY, or the first column it is equal to */
    struct bytes plain; /* as its source calls it */
    const struct sql_type *type;
    uint32_t source; /* not for the key */
    uint32_t index;  /* in its source's schema */
    enum pseudo_column pseudo;
};

struct relation_source {
    const struct source *source;
    struct bytes alias;
    uint32_t first;        /* of its columns */
    uint32_t column_count; /* with pseudo columns */
};

struct join_analysis {
    const struct ast_join *syntax;
    const struct expr *left; /* the sides of ON, over the relation */
    const struct expr *right;
    bool rekeys_left;              /* what stands before is not by the left side yet */
    struct side_format key_format; /* of the rows that meet, and of what comes out */
    struct bytes key_name;         /* of the first column that is the key; absent: synthetic */
};
typedef VEC(const struct expr *) expr_list;

struct relation {
    struct arena *arena;
    VEC(struct relation_source) sources; /* the number 0 is FROM's */
    VEC(struct relation_column) columns;
    VEC(struct join_analysis) joins; /* number i adds source i + 1 */
    expr_list equal; /* expressions that are the key; those that are columns may stand for it */
    bool has_synthetic_key;
};

void relation_init(struct relation *relation, struct arena *arena);
void relation_add(struct relation *relation, const struct source *source, struct bytes alias);
/* The key's type and name, once all joins are known. */
void relation_settle_key(struct relation *relation);
const struct expr *relation_expr(const struct relation *relation, uint32_t column,
                                 struct position at);
/* A column's own name where no other source has it, else ALIAS_COL. */
struct bytes relation_plain_name(const struct relation *relation, uint32_t column);
/* The columns as a schema, so that names made up avoid them. */
const struct schema *relation_schema(const struct relation *relation);
int relation_resolve(const struct relation *relation, const char *clause, struct bytes qualifier,
                     const struct ast_name *name, const struct expr **out, struct error *err);
/* Which sources an expression uses: a bit each. */
uint64_t relation_sources_of(const struct relation *relation, const struct expr *e);
/* Whether the column may stand for the key in a result. */
bool relation_is_key(const struct relation *relation, uint32_t column);
/* "L.ID, R.ID or T.ID"; "ROWKEY" */
const char *relation_key_text(const struct relation *relation);

/* --- where names of a query come from: scope.c --- */

/* A column of a key that the query makes: by GROUP BY or PARTITION BY. */
struct key_column {
    struct bytes name;
    const struct expr *value;      /* over the source */
    const struct ast_expr *syntax; /* NULL: the one group of a query without GROUP BY */
};
typedef VEC(struct key_column) key_list;

struct source_scope {
    struct expr_scope base;
    const struct source *source;
    const key_list *partitions;      /* PARTITION BY: * begins with these; NULL: none */
    const struct relation *relation; /* NULL: the source alone */
    struct bytes alias;
    const char *clause;
    enum query_kind kind; /* QUERY_PULL: ROWPARTITION and ROWOFFSET are refused */
};
void source_scope_init(struct source_scope *scope, const struct source *source,
                       const struct ast_relation *from, enum query_kind kind);
/* Binds within a clause; flags as of struct expr_binder. */
int scope_bind(struct source_scope *scope, struct arena *arena, const char *clause, unsigned flags,
               const struct ast_expr *syntax, const struct expr **out, struct error *err);
int scope_bind_condition(struct source_scope *scope, struct arena *arena, const char *clause,
                         unsigned flags, const struct ast_expr *syntax, const struct expr **out,
                         struct error *err);
/* ERR_UNKNOWN_SOURCE with the near name. */
int plan_find_source(struct plan_context *context, const struct ast_name *name,
                     const struct source **out, struct error *err);
/* The canonical text of an expression, in the arena. */
const char *plan_text_of(struct arena *arena, const struct expr *e);
/* As EXPLAIN has a column: its name, or "(A + 1) AS A1". */
void plan_print_column(const struct expr *value, struct bytes name, struct buffer *out);

/* --- the SELECT list: select_list.c --- */

struct select_column {
    struct bytes name;
    const struct expr *value;
    struct position at;
    const struct ast_expr *syntax; /* NULL: a column or field out of * */
    bool has_alias;
    bool is_partition; /* what PARTITION BY put into * */
};
typedef VEC(struct select_column) select_list;

/* Expands stars, binds; unnamed columns are named by select_list_name. */
int select_list_bind(struct source_scope *scope, struct arena *arena, unsigned flags,
                     const struct ast_query *query, select_list *out, struct error *err);
/* for_sink: the columns become columns of a stream or table. */
int select_list_name(select_list *list, struct arena *arena, const struct source_scope *scope,
                     bool for_sink, struct error *err);
int select_list_check_distinct(const select_list *list, struct error *err);

/* --- analysis: analyze.c, analyze_partition.c, analyze_group.c --- */

struct call_analysis {
    const struct aggregate_plan *plan;
    const struct expr *const *arguments; /* over the source */
    struct bytes name;                   /* KSQL_AGG_VARIABLE_n */
};

struct analysis {
    struct plan_context *context;
    enum query_kind kind;
    const struct ast_query *query;
    const struct source *source;     /* the leftmost */
    const struct relation *relation; /* joined: what expressions are over; NULL: the source */
    const struct expr *where;        /* over the source; NULL: none */
    bool partitioned;                /* PARTITION BY gives another key; none if the list is empty */
    key_list partitions;
    bool grouped;      /* the rest is over the aggregate's row */
    bool group_is_key; /* by exactly the single key column */
    key_list groups;
    VEC(struct call_analysis) calls;
    const struct expr *having; /* NULL: none */
    select_list columns;       /* of the result, in SELECT order until analyze_keys */
    uint32_t key_count;        /* how many of them are the key; 0 for push queries */
    bool result_is_table;
    int64_t limit; /* -1: none */
};

int analyze_query(struct plan_context *context, enum query_kind kind, const struct ast_query *query,
                  struct analysis *out, struct error *err);
/* A persistent query's key: its columns come first then, in the parent's order (queries.md 3.2). */
int analyze_keys(struct analysis *a, struct error *err);
/*
 * Of the columns that are equal to the key of a join, the first in the order of `equal` that is
 * selected; RELATION_KEY where none is.
 */
uint32_t analysis_join_key(const struct analysis *a);
/* PARTITION BY, once the select list is known; if it gives another key, that has to be bound anew.
 */
int analyze_partition(struct analysis *a, struct source_scope *scope, struct error *err);
void analyze_partition_names(struct analysis *a);
/* A column's or field's own name, else the alias of the same expression in SELECT (3.4). */
struct bytes name_key(const struct analysis *a, const key_list *others, const struct expr *value,
                      const struct ast_expr *syntax);
/* GROUP BY, aggregates, HAVING: rewrites columns and having over the aggregate's row. */
int analyze_grouping(struct analysis *a, struct source_scope *scope, struct error *err);
bool type_holds_map(const struct sql_type *type);
/* The joins of the query, if it has any: analyze_join.c. */
int analyze_joins(struct analysis *a, struct source_scope *scope, struct error *err);

/* --- formats of a source: source_formats.c --- */

int plan_find_format(struct arena *arena, const struct property_value *name,
                     const struct format_kind **out, struct error *err);
/* FORMAT, KEY_FORMAT, VALUE_FORMAT; what is not said stays as it is. */
int source_formats_read(struct arena *arena, const struct source_properties *with,
                        struct source *source, struct error *err);
/* KEY_DELIMITER and VALUE_DELIMITER, once the kinds are known. */
int source_delimiters_read(const struct source_properties *with, struct source *source,
                           struct error *err);
/* Wrapping, once kinds and columns are known; tests that the columns fit. */
int source_formats_finish(struct plan_context *context, const struct source_properties *with,
                          struct source *source, struct error *err);
/* Whether two sides write a key in the same bytes. */
bool side_format_equal(const struct side_format *a, const struct side_format *b);
/* The key of internal topics and stores: as asked for, or JSON when that cannot hold it. */
struct side_format internal_key_format(const struct side_format *wanted,
                                       const struct column *columns, uint32_t count);

/* --- topics and timestamps of a source: source_topic.c --- */

/* Partitions of the topic of a source that is read: the topic exists or PARTITIONS says. */
int source_topic_settle(struct plan_context *context, const struct source_properties *with,
                        uint32_t inherited_partitions, struct source *source, struct error *err);
/* TIMESTAMP and TIMESTAMP_FORMAT against the schema. */
int source_timestamp_settle(struct arena *arena, const struct source_properties *with,
                            struct source *source, struct error *err);

/* The stream or table that a query makes, and the keys of the analysis: sink.c. */
int plan_sink(struct plan_context *context, const struct ast_statement *statement,
              struct analysis *analysis, struct bytes query_id, const struct source **out,
              struct error *err);
/* INSERT INTO ... SELECT: analyses the query; the stream that it writes: insert_select.c. */
int plan_insert_sink(struct plan_context *context, const struct ast_insert_select *insert,
                     struct analysis *analysis, const struct source **out, struct error *err);
/* The result's columns with their roles. */
/* Whether the column of the projection is a key column of what it is computed from. */
bool analysis_is_key(const struct analysis *a, uint32_t column);
/* --- CREATE OR REPLACE, ALTER: replace.c --- */

/* Whether OR REPLACE may be said of what there is by the name, and of what is to be. */
int plan_check_replaced(const struct plan_context *context, const struct ast_name *name,
                        bool read_only, struct error *err);
/* Whether the source goes on with the records of the one of its name, if there is one. */
int plan_check_upgrade(const struct plan_context *context, const struct source *source,
                       struct error *err);
void analysis_schema(const struct analysis *a, struct arena *arena, struct schema *out);

/* --- logical steps: logical.c --- */

enum logical_tag {
    LOGICAL_SOURCE,
    LOGICAL_REKEY, /* a side of a join: its key made anew */
    LOGICAL_JOIN,
    LOGICAL_FILTER,
    LOGICAL_SELECT,
    LOGICAL_PARTITION_BY,
    LOGICAL_GROUP_BY,
    LOGICAL_AGGREGATE,
    LOGICAL_KEEP, /* remembers the rows of a table that is asked */
    LOGICAL_SINK,
    LOGICAL_CLIENT
};

struct logical_column {
    struct bytes name;
    const struct expr *value; /* over the input's schema */
    enum column_role role;
    const char *what;     /* of program_add_value */
    bool needs_row_value; /* null for a row of a stream that has no value */
};

struct logical_node {
    enum logical_tag tag;
    struct bytes context;
    const struct logical_node *input; /* NULL: a source */
    const struct logical_node *right; /* JOIN */
    struct bytes through;             /* REKEY: the context of its topic */
    struct bytes keeps; /* SOURCE, REKEY, KEEP: the store that remembers the table's rows */
    bool is_table;      /* what comes out are changes of a table */
    uint32_t number;    /* first of its numbers in Kafka Streams' count */
    uint32_t number_count;
    struct schema schema; /* what comes out */
    union {
        struct {
            const struct source *source;
            uint32_t source_number; /* in the relation */
        };
        const struct expr *condition;
        struct {
            const struct join_analysis *join;
            uint32_t join_number;
            const struct expr *key; /* REKEY of a stream */
        };
        struct {
            const struct logical_column *columns;
            uint32_t count;
            bool rekeys; /* the key is another than the input's, even where it has its columns */
        } select;
        bool repartition; /* GROUP_BY */
    };
};

/* The last step; its inputs lead to the source. */
const struct logical_node *logical_build(const struct analysis *a, struct arena *arena,
                                         const struct source *sink);

/* --- physical.c --- */

/* A table that is only kept: its source and no more. */
void physical_build_table(const struct analysis *a, const struct logical_node *source,
                          struct physical_plan *plan);
int physical_build(const struct analysis *a, const struct logical_node *last,
                   struct physical_plan *plan, struct error *err);
/* Whether rows of the table source are remembered: old images or pull queries ask for them. */
bool physical_keeps_table(const struct analysis *a);

/* --- strict coercion: coerce.c --- */

/* INSERT VALUES (statements.md 6): ERR_INSERT_VALUE, without place. */
int coerce_strictly(const struct value *in, const struct sql_type *from, const struct sql_type *to,
                    struct arena *arena, struct value *out, struct error *err);

/* --- plan.c --- */

/* A query whose rows go to a client: QUERY_PUSH, QUERY_PULL. */
int plan_client(struct plan_context *context, enum query_kind kind,
                const struct ast_statement *statement, struct bytes query_id,
                const struct physical_plan **out, struct error *err);

#endif
