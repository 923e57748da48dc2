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
    const key_list *partitions; /* PARTITION BY: * begins with these; NULL: none */
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
int select_list_name(select_list *list, struct arena *arena, const struct source *source,
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
    const struct source *source;
    const struct expr *where; /* over the source; NULL: none */
    bool partitioned;         /* PARTITION BY gives another key; none if the list is empty */
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
/* PARTITION BY, in front of the select list; the names, behind it. */
int analyze_partition(struct analysis *a, struct source_scope *scope, struct error *err);
void analyze_partition_names(struct analysis *a);
/* A column's or field's own name, else the alias of the same expression in SELECT (3.4). */
struct bytes name_key(const struct analysis *a, const key_list *others, const struct expr *value,
                      const struct ast_expr *syntax);
/* GROUP BY, aggregates, HAVING: rewrites columns and having over the aggregate's row. */
int analyze_grouping(struct analysis *a, struct source_scope *scope, struct error *err);
bool type_holds_map(const struct sql_type *type);

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
void analysis_schema(const struct analysis *a, struct arena *arena, struct schema *out);

/* --- logical steps: logical.c --- */

enum logical_tag {
    LOGICAL_SOURCE,
    LOGICAL_FILTER,
    LOGICAL_SELECT,
    LOGICAL_PARTITION_BY,
    LOGICAL_GROUP_BY,
    LOGICAL_AGGREGATE,
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
    bool is_table;                    /* what comes out are changes of a table */
    uint32_t number;                  /* first of its numbers in Kafka Streams' count */
    uint32_t number_count;
    struct schema schema; /* what comes out */
    union {
        const struct source *source;
        const struct expr *condition;
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

int physical_build(const struct analysis *a, const struct logical_node *last,
                   struct physical_plan *plan, struct error *err);
/* Whether rows of the table source are remembered: old images or pull queries ask for them. */
bool physical_keeps_table(const struct analysis *a);

/* --- strict coercion: coerce.c --- */

/* INSERT VALUES (statements.md 6): ERR_INSERT_VALUE, without place. */
int coerce_strictly(const struct value *in, const struct sql_type *from, const struct sql_type *to,
                    struct arena *arena, struct value *out, struct error *err);

#endif
