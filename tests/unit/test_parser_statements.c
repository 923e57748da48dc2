/*
 * test_parser_statements.c: every form of statement: what is read, and that its
 * text reads back the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "parser/ast_print.h"
#include "parser/parse.h"

static struct ast_script parse(struct arena *arena, struct bytes text)
{
    struct ast_script script = { 0 };
    struct error err = { 0 };

    if (parse_script(arena, text, &script, &err)) {
        fail_msg("%u:%u %s in: %.*s", err.at.line, err.at.column, err.message, BYTES_ARG(text));
    }
    return script;
}

static const struct ast_statement *parse_one(struct arena *arena, const char *text)
{
    struct ast_script script = parse(arena, bytes_of(text));

    assert_int_equal(script.statements.count, 1);
    return script.statements.items[0];
}

static void assert_text(struct bytes actual, const char *expected)
{
    if (!bytes_equal_text(actual, expected)) {
        fail_msg("expected: %s\n  actual: %.*s", expected, BYTES_ARG(actual));
    }
}

/* The text prints as expected (NULL: as it is), and that prints as itself. */
static void assert_prints(const char *text, const char *expected)
{
    struct arena arena;
    struct buffer first = { 0 };
    struct buffer second = { 0 };

    arena_init(&arena, 0);
    ast_print_statement(&first, parse_one(&arena, text));
    assert_text(buffer_bytes(&first), expected ? expected : text);
    ast_print_statement(&second, parse(&arena, buffer_bytes(&first)).statements.items[0]);
    assert_true(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    buffer_fini(&first);
    buffer_fini(&second);
    arena_fini(&arena);
}

struct print_case {
    const char *text;
    const char *printed; /* NULL: the text itself */
};

static void assert_all_print(const struct print_case *cases)
{
    for (; cases->text; cases++) {
        assert_prints(cases->text, cases->printed);
    }
}

static void create_source_prints_folded_and_in_order(void **state)
{
    static const struct print_case cases[] = {
        { "create stream s;", "CREATE STREAM S;" },
        { "create stream s (id int key, `Name` varchar(10)) with (value_format='json', "
          "kafka_topic='t', partitions=1, \"x\"=true);",
          "CREATE STREAM S (ID INTEGER KEY, `Name` STRING) WITH (KAFKA_TOPIC='t', PARTITIONS=1, "
          "VALUE_FORMAT='json', 'x'=true);" },
        { "CREATE OR REPLACE SOURCE TABLE IF NOT EXISTS `t-1` (K STRING PRIMARY KEY, H BYTES "
          "HEADER('x''y')) WITH (FORMAT='avro');",
          NULL },
        { "CREATE SOURCE STREAM S (H ARRAY<STRUCT<KEY STRING, VALUE BYTES>> HEADERS);", NULL },
        { "CREATE OR REPLACE STREAM S (A INTEGER);", NULL },
        { "CREATE STREAM S (D DECIMAL(4, 2), M MAP<STRING, ARRAY<DOUBLE>>, E STRUCT< >);", NULL },
        { "CREATE STREAM S (d dec(4,2), e double array array, f struct<>);",
          "CREATE STREAM S (D DECIMAL(4, 2), E ARRAY<ARRAY<DOUBLE>>, F STRUCT< >);" },
        { NULL, NULL },
    };

    assert_all_print(cases);
}

static void queries_print_one_item_per_line(void **state)
{
    static const struct print_case cases[] = {
        { "select * from a;", "SELECT\n  *\nFROM A;" },
        { "SELECT\n  A.*,\n  B.ID X,\n  COUNT(*),\n  S->*,\n  B.S->F[1]->*\nFROM A B;", NULL },
        { "SELECT\n  (-S)->*\nFROM A;", "SELECT\n  (-S)->*\nFROM A;" },
        { "select a from x as y join z on x.a=z.a left join `w` v within 3 days on 1=2 right outer "
          "join q within (1 hour, 2 minutes) grace period 3 seconds on true full join r on x;",
          "SELECT\n  A\nFROM X Y\nINNER JOIN Z ON (X.A = Z.A)\n"
          "LEFT OUTER JOIN `w` V WITHIN (3 DAYS, 3 DAYS) ON (1 = 2)\n"
          "RIGHT OUTER JOIN Q WITHIN (1 HOURS, 2 MINUTES) GRACE PERIOD 3 SECONDS ON true\n"
          "FULL OUTER JOIN R ON X;" },
        { "SELECT\n  A\nFROM X\nWINDOW TUMBLING (SIZE 5 MILLISECONDS)\nWHERE (A = 1)\nGROUP BY A\n"
          "HAVING (COUNT(*) > 1)\nEMIT FINAL;",
          NULL },
        { "select a from x window w hopping (size 1 day, advance by 1 hour, retention 2 days, "
          "grace "
          "period 0 second) group by a, b emit changes limit 5;",
          "SELECT\n  A\nFROM X\nWINDOW W HOPPING (SIZE 1 DAYS, ADVANCE BY 1 HOURS, RETENTION 2 "
          "DAYS, GRACE PERIOD 0 SECONDS)\nGROUP BY (A, B)\nEMIT CHANGES\nLIMIT 5;" },
        { "SELECT\n  A\nFROM X\nWINDOW SESSION (5 MINUTES, GRACE PERIOD -1 DAYS)\nGROUP BY ();",
          NULL },
        { "SELECT\n  A\nFROM X\nPARTITION BY (A, B[1]);", NULL },
        { "select a from x partition by (a);", "SELECT\n  A\nFROM X\nPARTITION BY A;" },
        { NULL, NULL },
    };

    assert_all_print(cases);
}

static void sources_made_by_queries_round_trip(void **state)
{
    static const struct print_case cases[] = {
        { "CREATE OR REPLACE TABLE IF NOT EXISTS O WITH (KAFKA_TOPIC='x') AS SELECT\n  *\nFROM I;",
          NULL },
        { "create stream o as select * from i emit changes;",
          "CREATE STREAM O AS SELECT\n  *\nFROM I\nEMIT CHANGES;" },
        { "INSERT INTO O WITH (QUERY_ID='q') SELECT\n  *\nFROM I;", NULL },
        { "INSERT INTO O VALUES ();", NULL },
        { "INSERT INTO O (A, `b`) VALUES (-1, ARRAY[1, null]);", NULL },
        { NULL, NULL },
    };

    assert_all_print(cases);
}

static void other_definitions_round_trip(void **state)
{
    static const struct print_case cases[] = {
        { "CREATE SINK CONNECTOR IF NOT EXISTS `my-c` WITH ('connector.class'='x', 'k'=1.5);",
          NULL },
        { "CREATE SOURCE CONNECTOR C WITH (A=null);", NULL },
        { "CREATE TYPE IF NOT EXISTS ADDRESS AS STRUCT<STREET STRING, `no` INTEGER>;", NULL },
        { "DROP STREAM IF EXISTS S DELETE TOPIC;", NULL },
        { "DROP TABLE T;", NULL },
        { "DROP CONNECTOR IF EXISTS C;", NULL },
        { "DROP TYPE IF EXISTS T;", NULL },
        { "alter stream s add a int, add column b string;",
          "ALTER STREAM S ADD COLUMN A INTEGER, ADD COLUMN B STRING;" },
        { "alter table t add column int, add column column date;",
          "ALTER TABLE T ADD COLUMN `COLUMN` INTEGER, ADD COLUMN `COLUMN` DATE;" },
        { "ALTER SYSTEM 'a'='b';", NULL },
        { NULL, NULL },
    };

    assert_all_print(cases);
}

static void requests_round_trip(void **state)
{
    static const struct print_case cases[] = {
        { "TERMINATE ALL;", NULL },
        { "terminate ctas_x_1;", "TERMINATE CTAS_X_1;" },
        { "PAUSE `transient_X_1`;", NULL },
        { "RESUME ALL;", NULL },
        { "EXPLAIN Q;", NULL },
        { "explain show;", "EXPLAIN `SHOW`;" },
        { "EXPLAIN CREATE STREAM S AS SELECT\n  *\nFROM X;", NULL },
        { "DESCRIBE S;", NULL },
        { "DESCRIBE S EXTENDED;", NULL },
        { "DESCRIBE STREAMS EXTENDED;", NULL },
        { "DESCRIBE TABLES;", NULL },
        { "DESCRIBE `TABLES`;", NULL },
        { "DESCRIBE FUNCTION F;", NULL },
        { "describe function extended;", "DESCRIBE `FUNCTION` EXTENDED;" },
        { "DESCRIBE CONNECTOR C;", NULL },
        { "SHOW PROPERTIES;", NULL },
        { "SHOW TOPICS;", NULL },
        { "list all topics extended;", "SHOW ALL TOPICS EXTENDED;" },
        { "SHOW STREAMS;", NULL },
        { "SHOW TABLES EXTENDED;", NULL },
        { "SHOW QUERIES EXTENDED;", NULL },
        { "SHOW FUNCTIONS;", NULL },
        { "SHOW TYPES;", NULL },
        { "SHOW VARIABLES;", NULL },
        { "SHOW CONNECTORS;", NULL },
        { "SHOW SOURCE CONNECTORS;", NULL },
        { "SHOW SINK CONNECTORS;", NULL },
        { "SHOW CONNECTOR PLUGINS;", NULL },
        { "print Topic_a from beginning sample 3 limit 2;",
          "PRINT 'Topic_a' FROM BEGINNING INTERVAL 3 LIMIT 2;" },
        { "PRINT 'a.b';", NULL },
        { "SET 'a'='b''c';", NULL },
        { "UNSET 'a';", NULL },
        { "DEFINE X='''x''';", NULL },
        { "UNDEFINE `x`;", NULL },
        { "RUN SCRIPT '/a b.sql';", NULL },
        { NULL, NULL },
    };

    assert_all_print(cases);
}

static void assertions_round_trip(void **state)
{
    static const struct print_case cases[] = {
        { "assert topic Abc with (partitions=1) timeout 3 seconds;",
          "ASSERT TOPIC 'Abc' WITH (PARTITIONS=1) TIMEOUT 3 SECONDS;" },
        { "ASSERT NOT EXISTS TOPIC 'x';", NULL },
        { "assert schema subject Abc id 3 timeout 1 minute;",
          "ASSERT SCHEMA SUBJECT 'Abc' ID 3 TIMEOUT 1 MINUTES;" },
        { "ASSERT NOT EXISTS SCHEMA ID 4;", NULL },
        { "ASSERT VALUES S (A, ROWTIME) VALUES (1, 2);", NULL },
        { "ASSERT VALUES S VALUES (1);", NULL },
        { "ASSERT NULL VALUES S (A) KEY (1);", NULL },
        { "ASSERT STREAM S (A INTEGER KEY) WITH (KAFKA_TOPIC='x');", NULL },
        { "ASSERT TABLE T;", NULL },
        { NULL, NULL },
    };

    assert_all_print(cases);
}

/* --- what the trees hold --- */

static void create_stream_holds_columns_and_properties(void **state)
{
    struct arena arena;
    const struct ast_create_source *create;

    arena_init(&arena, 0);
    create = &parse_one(&arena, "CREATE STREAM s (id INT KEY, h BYTES HEADER('k'), v STRING)\n"
                                "  WITH (kafka_topic='T', partitions=2, \"Own\"=false);")
                  ->create_source;
    assert_int_equal(create->kind, AST_STREAM);
    assert_false(create->or_replace || create->read_only || create->if_not_exists);
    assert_text(create->name.text, "S");
    assert_false(create->name.quoted);
    assert_int_equal(create->columns.count, 3);
    assert_int_equal(create->columns.items[0].role, AST_ROLE_KEY);
    assert_int_equal(create->columns.items[0].type->kind, AST_TYPE_NAME);
    assert_text(create->columns.items[0].type->name.text, "INTEGER");
    assert_int_equal(create->columns.items[1].role, AST_ROLE_HEADER);
    assert_text(create->columns.items[1].header_key, "k");
    assert_int_equal(create->columns.items[2].role, AST_ROLE_VALUE);
    assert_int_equal(create->properties.count, 3);
    assert_text(create->properties.items[0].name.text, "KAFKA_TOPIC");
    assert_text(create->properties.items[0].value.string, "T");
    assert_int_equal(create->properties.items[1].value.integer, 2);
    assert_int_equal(create->properties.items[1].value.at.line, 2);
    assert_int_equal(create->properties.items[1].value.at.column, 37);
    assert_text(create->properties.items[2].name.text, "Own");
    assert_true(create->properties.items[2].name.quoted);
    arena_fini(&arena);
}

static void query_holds_joins_in_order(void **state)
{
    struct arena arena;
    const struct ast_query *query;

    arena_init(&arena, 0);
    query = parse_one(&arena, "SELECT a.x AS y, * FROM s a JOIN t WITHIN 2 MINUTES ON a.i = t.i "
                              "LEFT JOIN u b ON a.i = b.i EMIT FINAL LIMIT 7;")
                ->select;
    assert_int_equal(query->items.count, 2);
    assert_int_equal(query->items.items[0].kind, AST_ITEM_EXPR);
    assert_text(query->items.items[0].alias.text, "Y");
    assert_int_equal(query->items.items[1].kind, AST_ITEM_ALL);
    assert_null(query->items.items[1].alias.text.data);
    assert_text(query->from.source.text, "S");
    assert_text(query->from.alias.text, "A");
    assert_int_equal(query->joins.count, 2);
    assert_int_equal(query->joins.items[0].kind, AST_JOIN_INNER);
    assert_null(query->joins.items[0].right.alias.text.data);
    assert_int_equal(query->joins.items[0].before.ms, 120000);
    assert_int_equal(query->joins.items[0].after.ms, 120000);
    assert_int_equal(query->joins.items[0].grace.unit, AST_UNIT_NONE);
    assert_int_equal(query->joins.items[1].kind, AST_JOIN_LEFT);
    assert_int_equal(query->joins.items[1].before.unit, AST_UNIT_NONE);
    assert_null(query->window);
    assert_null(query->where);
    assert_null(query->group_by);
    assert_int_equal(query->emit, AST_EMIT_FINAL);
    assert_true(query->limit.given);
    assert_int_equal(query->limit.value, 7);
    arena_fini(&arena);
}

static void empty_group_by_differs_from_none(void **state)
{
    struct arena arena;
    const struct ast_query *query;

    arena_init(&arena, 0);
    query = parse_one(&arena, "SELECT a FROM s GROUP BY ();")->select;
    assert_non_null(query->group_by);
    assert_int_equal(query->group_by->count, 0);
    assert_null(query->partition_by);
    arena_fini(&arena);
}

static void window_durations_are_in_milliseconds(void **state)
{
    struct arena arena;
    const struct ast_window *window;

    arena_init(&arena, 0);
    window = parse_one(&arena, "SELECT a FROM s WINDOW HOPPING (SIZE 1 DAY, ADVANCE BY 2 HOURS, "
                               "RETENTION 3 MINUTES, GRACE PERIOD 4 SECOND) GROUP BY a;")
                 ->select->window;
    assert_int_equal(window->kind, AST_WINDOW_HOPPING);
    assert_int_equal(window->size.ms, 86400000);
    assert_int_equal(window->advance.ms, 7200000);
    assert_int_equal(window->retention.ms, 180000);
    assert_int_equal(window->grace.ms, 4000);
    assert_int_equal(window->grace.unit, AST_UNIT_SECONDS);
    assert_int_equal(window->grace.count, 4);
    arena_fini(&arena);
}

static void topics_keep_their_case(void **state)
{
    struct arena arena;

    arena_init(&arena, 0);
    assert_text(parse_one(&arena, "PRINT myTopic;")->print.topic.text, "myTopic");
    assert_text(parse_one(&arena, "PRINT 'my.topic';")->print.topic.text, "my.topic");
    assert_text(parse_one(&arena, "ASSERT TOPIC Date;")->assert_topic.topic.text, "Date");
    assert_text(parse_one(&arena, "ASSERT SCHEMA SUBJECT s_v;")->assert_schema.subject.text, "s_v");
    arena_fini(&arena);
}

static void describe_tables_means_all_tables_unless_quoted(void **state)
{
    struct arena arena;

    arena_init(&arena, 0);
    assert_int_equal(parse_one(&arena, "DESCRIBE tables;")->describe.what, AST_DESCRIBE_TABLES);
    assert_int_equal(parse_one(&arena, "DESCRIBE `TABLES`;")->describe.what, AST_DESCRIBE_SOURCE);
    arena_fini(&arena);
}

/* --- scripts, texts, places --- */

static void a_script_has_any_number_of_statements(void **state)
{
    struct arena arena;

    arena_init(&arena, 0);
    assert_int_equal(parse(&arena, bytes_of("")).statements.count, 0);
    assert_int_equal(parse(&arena, bytes_of(" -- nothing\n /* at all */ --")).statements.count, 0);
    assert_int_equal(
        parse(&arena, bytes_of("--\nSHOW TYPES;--x\nSHOW TOPICS; /***/")).statements.count, 2);
    arena_fini(&arena);
}

static void statements_know_their_own_text(void **state)
{
    struct arena arena;
    struct ast_script script;

    arena_init(&arena, 0);
    script = parse(&arena, bytes_of("/* a */ SHOW TYPES ; -- b\n  select 1 -- c\n from s;\n"
                                    "EXPLAIN /* d */ SELECT a FROM b /* e */ ;"));
    assert_int_equal(script.statements.count, 3);
    assert_text(script.statements.items[0]->text, "SHOW TYPES ;");
    assert_text(script.statements.items[1]->text, "select 1 -- c\n from s;");
    assert_int_equal(script.statements.items[1]->at.line, 2);
    assert_int_equal(script.statements.items[1]->at.column, 3);
    assert_text(script.statements.items[2]->text, "EXPLAIN /* d */ SELECT a FROM b /* e */ ;");
    assert_text(script.statements.items[2]->explain.statement->text, "SELECT a FROM b");
    arena_fini(&arena);
}

/* --- keywords as names --- */

static void usable_keywords_name_sources_columns_and_aliases(void **state)
{
    static const char *const words[] = {
        "ADD",     "ALTER",     "ANALYZE",    "ARRAY",    "ASSERT",   "CHANGES",   "COLUMN",
        "COLUMNS", "DATE",      "DAY",        "DEFINE",   "EMIT",     "ESCAPE",    "EXPLAIN",
        "FINAL",   "FUNCTION",  "FUNCTIONS",  "GRACE",    "HEADER",   "HEADERS",   "HOUR",
        "ID",      "IF",        "INTEGER",    "INTERVAL", "KEY",      "MAP",       "MINUTE",
        "MONTH",   "PARTITION", "PARTITIONS", "PERIOD",   "PLUGINS",  "PRIMARY",   "REPLACE",
        "RESET",   "SCHEMA",    "SECOND",     "SESSION",  "SET",      "SHOW",      "SINK",
        "SOURCE",  "STRING",    "STRUCT",     "SUBJECT",  "SYSTEM",   "TABLES",    "TIME",
        "TIMEOUT", "TIMESTAMP", "TYPE",       "TYPES",    "UNDEFINE", "VARIABLES", "YEAR",
        "ZONE",
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct arena arena;
        const struct ast_query *query;
        const char *w = words[i];
        struct bytes text;

        arena_init(&arena, 0);
        text = arena_printf(&arena,
                            "SELECT %s, %s.%s, s->%s %s, 1 + %s AS %s FROM %s AS %s "
                            "JOIN %s %s ON %s < %s[1] WHERE %s AND %s IS NULL "
                            "GROUP BY %s, %s LIMIT 1;",
                            w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w);
        query = parse(&arena, text).statements.items[0]->select;
        assert_int_equal(query->items.count, 4);
        assert_text(query->items.items[2].alias.text, w);
        assert_text(query->joins.items[0].right.alias.text, w);
        text = arena_printf(&arena,
                            "CREATE STREAM %s (%s %s, %s ARRAY<INT> KEY) WITH (%s=1); "
                            "DROP STREAM %s; TERMINATE %s; EXPLAIN %s; INSERT INTO %s (%s) "
                            "VALUES (%s); PRINT %s; DEFINE %s = ''; DESCRIBE FUNCTION %s;",
                            w, w, w, w, w, w, w, w, w, w, w, w, w, w);
        assert_int_equal(parse(&arena, text).statements.count, 8);
        arena_fini(&arena);
    }
}

static void a_bare_alias_does_not_swallow_a_clause(void **state)
{
    struct arena arena;
    const struct ast_query *query;

    arena_init(&arena, 0);
    query = parse_one(&arena, "SELECT a FROM s PARTITION BY b EMIT CHANGES;")->select;
    assert_null(query->from.alias.text.data);
    assert_int_equal(query->partition_by->count, 1);
    assert_int_equal(query->emit, AST_EMIT_CHANGES);
    query = parse_one(&arena, "SELECT a FROM s partition EMIT CHANGES;")->select;
    assert_text(query->from.alias.text, "PARTITION");
    query = parse_one(&arena, "SELECT a FROM s emit EMIT FINAL;")->select;
    assert_text(query->from.alias.text, "EMIT");
    assert_int_equal(query->emit, AST_EMIT_FINAL);
    arena_fini(&arena);
}

static void if_session_and_column_are_told_apart_by_what_follows(void **state)
{
    struct arena arena;

    arena_init(&arena, 0);
    assert_text(parse_one(&arena, "DROP STREAM IF;")->drop_source.name.text, "IF");
    assert_true(parse_one(&arena, "DROP STREAM IF EXISTS if;")->drop_source.if_exists);
    assert_true(
        parse_one(&arena, "CREATE TYPE IF NOT EXISTS if AS if;")->create_type.if_not_exists);
    assert_text(parse_one(&arena, "SELECT a FROM s WINDOW session SESSION (1 DAY) GROUP BY a;")
                    ->select->window->name.text,
                "SESSION");
    assert_text(parse_one(&arena, "ALTER STREAM s ADD COLUMN column INT;")
                    ->alter_source.columns.items[0]
                    .name.text,
                "COLUMN");
    assert_text(parse_one(&arena, "ALTER STREAM s ADD COLUMN DECIMAL(3,1);")
                    ->alter_source.columns.items[0]
                    .name.text,
                "COLUMN");
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_source_prints_folded_and_in_order),
        cmocka_unit_test(queries_print_one_item_per_line),
        cmocka_unit_test(sources_made_by_queries_round_trip),
        cmocka_unit_test(other_definitions_round_trip),
        cmocka_unit_test(requests_round_trip),
        cmocka_unit_test(assertions_round_trip),
        cmocka_unit_test(create_stream_holds_columns_and_properties),
        cmocka_unit_test(query_holds_joins_in_order),
        cmocka_unit_test(empty_group_by_differs_from_none),
        cmocka_unit_test(window_durations_are_in_milliseconds),
        cmocka_unit_test(topics_keep_their_case),
        cmocka_unit_test(describe_tables_means_all_tables_unless_quoted),
        cmocka_unit_test(a_script_has_any_number_of_statements),
        cmocka_unit_test(statements_know_their_own_text),
        cmocka_unit_test(usable_keywords_name_sources_columns_and_aliases),
        cmocka_unit_test(a_bare_alias_does_not_swallow_a_clause),
        cmocka_unit_test(if_session_and_column_are_told_apart_by_what_follows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
