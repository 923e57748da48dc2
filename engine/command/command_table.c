/*
 * command_table.c: a row per kind of statement: what does it, and what the manual says. What
 * has no handler is refused by name.
 */
#include "engine/command/command_internal.h"

static const char tests_only[] = "is for the .sql files of `sluice test` alone";

const char manual_setup[] =
    "CREATE STREAM clicks (user_id STRING KEY, page STRING, ms INT)\n"
    "  WITH (KAFKA_TOPIC = 'clicks', VALUE_FORMAT = 'JSON', PARTITIONS = 1);\n"
    "CREATE TABLE views AS\n"
    "  SELECT page, COUNT(*) AS n FROM clicks GROUP BY page;";

/* clang-format off: texts as they are read */
static const struct command_kind commands[AST_STATEMENT_KINDS] = {
    [AST_CREATE_SOURCE] = { .change = create_source_change,
                            .manual = { .syntax = "CREATE [OR REPLACE] [SOURCE] STREAM [IF NOT "
                                                  "EXISTS] name\n"
                                                  "  [(column type [KEY | HEADERS | "
                                                  "HEADER('key')], ...)]\n"
                                                  "  WITH (property = literal, ...);\n"
                                                  "CREATE [OR REPLACE] [SOURCE] TABLE [IF NOT "
                                                  "EXISTS] name\n"
                                                  "  [(column type [PRIMARY KEY], ...)]\n"
                                                  "  WITH (property = literal, ...);",
                                        .doc =
                                            "Declares the records of a topic as a stream (every "
                                            "record is an event) or "
                                            "as a table (a record is the newest row of its key; "
                                            "one without a value "
                                            "deletes it). PARTITIONS makes the topic if it is not "
                                            "there. A SOURCE is "
                                            "read-only; a SOURCE TABLE is kept by a query of its "
                                            "own, so pull queries can ask it. "
                                            "OR REPLACE adds columns to one that is there, as "
                                            "ALTER does. The properties are on the page about WITH.",
                                        .example = "CREATE STREAM orders (id INT KEY, item STRING, "
                                                   "price DECIMAL(8, 2))\n"
                                                   "  WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = "
                                                   "'JSON', PARTITIONS = 4);" } },
    [AST_CREATE_AS] = { .change = create_as_change,
                        .manual = { .syntax = "CREATE [OR REPLACE] (STREAM | TABLE) [IF NOT "
                                              "EXISTS] name\n"
                                              "  [WITH (property = literal, ...)]\n"
                                              "  AS SELECT ...;",
                                    .doc = "Starts a persistent query and makes the stream or "
                                           "table of its results, with "
                                           "a topic of its own. A query that groups makes a table; "
                                           "one over a stream "
                                           "that does not makes a stream. What WITH leaves out is "
                                           "taken from the source. "
                                           "The query runs until TERMINATE or DROP, over restarts "
                                           "too. OR REPLACE makes it where there is none yet.",
                                    .example =
                                        "CREATE STREAM slow AS\n"
                                        "  SELECT user_id, page, ms FROM clicks WHERE ms > 500;",
                                    .gaps = { { "OR REPLACE of what is there",
                                                "CREATE OR REPLACE TABLE views AS SELECT page, "
                                                "COUNT(*) AS n FROM clicks GROUP BY page;" } } } },
    [AST_CREATE_CONNECTOR] = { .change = create_connector_change,
                               .manual = { .syntax = "CREATE (SOURCE | SINK) CONNECTOR [IF NOT "
                                                     "EXISTS] name\n"
                                                     "  WITH ('property' = literal, ...);",
                                           .doc = "Makes a connector between topics and another "
                                                  "system, and starts it. A sink writes the "
                                                  "records of its topics, as the streams and "
                                                  "tables over them declare them. Properties are "
                                                  "those of Kafka Connect.",
                                           .gaps = { { "SOURCE", "CREATE SOURCE CONNECTOR x WITH "
                                                                 "('connector.class' = "
                                                                 "'MqttSource');" } } } },
    [AST_CREATE_TYPE] = { .change = create_type_change,
                          .manual = { .syntax = "CREATE TYPE [IF NOT EXISTS] name AS type;",
                                      .doc = "Gives a type a name, to be used in column lists "
                                             "and CAST. What uses it has the type itself, and "
                                             "keeps it when the name is dropped.",
                                      .example = "CREATE TYPE place AS STRUCT<street STRING, "
                                                 "town STRING>;" } },
    [AST_INSERT_VALUES] = { .check = insert_values_check,
                            .run = insert_values_run,
                            .manual = { .syntax = "INSERT INTO name [(column, ...)] VALUES "
                                                  "(expression, ...);",
                                        .doc = "Writes one record to the topic of a stream or "
                                               "table. Without a list of "
                                               "columns the values are those of all columns, keys "
                                               "first. Columns that are "
                                               "left out are NULL; ROWTIME may be given, and is "
                                               "now otherwise. "
                                               "Expressions are constant: functions, casts and "
                                               "arithmetic, no columns.",
                                        .example = "INSERT INTO clicks (user_id, page, ms) VALUES "
                                                   "('ada', '/home', 100 + 20);" } },
    [AST_INSERT_SELECT] = { .change = insert_select_change,
                            .manual = { .syntax =
                                            "INSERT INTO name [WITH (QUERY_ID = 'id')] SELECT ...;",
                                        .doc = "Starts a persistent query that writes into a "
                                               "stream that is there, "
                                               "beside the others that do. The columns of SELECT "
                                               "are those of the "
                                               "stream, in its order; numbers widen to its types. "
                                               "TERMINATE ends it.",
                                        .example =
                                            "CREATE STREAM slow AS\n"
                                            "  SELECT user_id, page FROM clicks WHERE ms > 500;\n"
                                            "INSERT INTO slow WITH (QUERY_ID = 'searches')\n"
                                            "  SELECT user_id, page FROM clicks\n"
                                            "  WHERE page LIKE '/search%';" } },
    [AST_SELECT] = { .check = select_check,
                     .run = select_run,
                     .manual = { .syntax = "SELECT (* | expression [[AS] name]), ...\n"
                                           "  FROM source [[AS] alias]\n"
                                           "  {[INNER | (LEFT | RIGHT | FULL) [OUTER]] JOIN source "
                                           "[[AS] alias]\n"
                                           "    [WITHIN (n unit | (n unit, n unit)) [GRACE PERIOD "
                                           "n unit]] ON condition}\n"
                                           "  [WINDOW (TUMBLING (SIZE n unit ...)\n"
                                           "    | HOPPING (SIZE n unit, ADVANCE BY n unit ...) | "
                                           "SESSION (n unit ...))]\n"
                                           "  [WHERE condition] [GROUP BY expression, ...]\n"
                                           "  [PARTITION BY expression, ...] [HAVING condition]\n"
                                           "  [EMIT (CHANGES | FINAL)] [LIMIT n];",
                                 .doc = "With EMIT a push query: rows keep coming as the source "
                                        "changes, until LIMIT or "
                                        "until it is ended; where the log is in memory, until "
                                        "everything in it was "
                                        "read. Without EMIT a pull query: the rows that a table of "
                                        "CREATE TABLE AS "
                                        "holds now, looked up by key where WHERE names it, or "
                                        "that a stream holds. A push query starts with the newest "
                                        "records unless SET 'auto.offset.reset' = 'earliest'.",
                                 .example = "SET 'auto.offset.reset' = 'earliest';\n"
                                            "INSERT INTO clicks VALUES ('ada', '/home', 120);\n"
                                            "SELECT user_id, ms / 1000e0 AS sec FROM clicks "
                                            "EMIT CHANGES LIMIT 1;\n"
                                            "SELECT n FROM views WHERE page = '/home';",
                                 .gaps = { { "JOIN of two streams",
                                             "CREATE STREAM likes AS SELECT * FROM clicks; "
                                             "SELECT * FROM clicks c JOIN likes l WITHIN 1 HOUR "
                                             "ON c.user_id = l.user_id EMIT CHANGES;" },
                                           { "JOIN on a foreign key",
                                             "CREATE TABLE links (id INT PRIMARY KEY, page STRING) "
                                             "WITH (KAFKA_TOPIC = 'links', VALUE_FORMAT = 'JSON', "
                                             "PARTITIONS = 1); "
                                             "SELECT * FROM links l JOIN views v ON l.page = "
                                             "v.page EMIT CHANGES;" },
                                           { "WINDOW", "SELECT page, COUNT(*) FROM clicks WINDOW "
                                                       "TUMBLING (SIZE 1 HOUR) "
                                                       "GROUP BY page EMIT CHANGES;" },
                                           { "CASE value WHEN",
                                             "SELECT CASE ms WHEN 1 THEN 'a' "
                                             "END FROM clicks EMIT CHANGES;" } } } },
    [AST_DROP_SOURCE] = { .change = drop_change,
                          .manual = { .syntax =
                                          "DROP (STREAM | TABLE) [IF EXISTS] name [DELETE TOPIC];",
                                      .doc = "Forgets a stream or table, and ends the query that "
                                             "makes it. Its topic stays "
                                             "unless DELETE TOPIC. Refused while other queries "
                                             "read or write it.",
                                      .example = "DROP TABLE views DELETE TOPIC;" } },
    [AST_DROP_CONNECTOR] = { .change = drop_connector_change,
                             .manual = { .syntax = "DROP CONNECTOR [IF EXISTS] name;",
                                         .doc = "Ends a connector. What it wrote stays; one of "
                                                "the same name goes on where it ended.",
                                         .example = "DROP CONNECTOR IF EXISTS pages;" } },
    [AST_DROP_TYPE] = { .change = drop_type_change,
                        .manual = { .syntax = "DROP TYPE [IF EXISTS] name;",
                                    .doc = "Forgets the name that CREATE TYPE gave.",
                                    .example = "CREATE TYPE place AS STRUCT<town STRING>;\n"
                                               "DROP TYPE place;" } },
    [AST_ALTER_SOURCE] = { .change = alter_change,
                           .manual = { .syntax =
                                           "ALTER (STREAM | TABLE) name ADD [COLUMN] column type\n"
                                           "  {, ADD [COLUMN] column type};",
                                       .doc = "Adds value columns at the end of a stream or "
                                              "table that was declared. Records written before "
                                              "have NULL there; queries that run go on with "
                                              "the columns they know.",
                                       .example = "ALTER STREAM clicks ADD COLUMN browser STRING;" } },
    [AST_ALTER_SYSTEM] = { .manual = { .syntax = "ALTER SYSTEM 'setting' = 'value';",
                                       .doc = "Changes a setting of the whole cluster." } },
    [AST_TERMINATE] = { .change = terminate_change,
                        .manual = { .syntax = "TERMINATE (query_id | ALL);",
                                    .doc = "Ends persistent queries for good. Their streams, "
                                           "tables and topics stay. "
                                           "SHOW QUERIES lists the ids.",
                                    .example = "TERMINATE CTAS_VIEWS_0;" } },
    [AST_PAUSE] = { .change = pause_change,
                    .manual = { .syntax = "PAUSE (query_id | ALL);",
                                .doc = "Stops persistent queries until RESUME, over restarts too. "
                                       "They keep their place and what they hold, and answer pull "
                                       "queries.",
                                .example = "PAUSE CTAS_VIEWS_0;" } },
    [AST_RESUME] = { .change = resume_change,
                     .manual = { .syntax = "RESUME (query_id | ALL);",
                                 .doc = "Lets paused queries go on where they stopped.",
                                 .example = "RESUME ALL;" } },
    [AST_EXPLAIN] = { .check = explain_check,
                      .run = explain_run,
                      .manual = { .syntax =
                                      "EXPLAIN (query_id | SELECT ... | CREATE ... AS SELECT ...\n"
                                      "  | INSERT INTO ... SELECT ...);",
                                  .doc = "Shows the plan of a query, without running it: steps, "
                                         "topics, stores. The plan "
                                         "shown is the one that runs. Of a pull query on a table "
                                         "it says which query's state is asked, and whether keys "
                                         "are looked up or scanned.",
                                  .example = "EXPLAIN CTAS_VIEWS_0;\n"
                                             "EXPLAIN SELECT page FROM clicks WHERE ms > 500 EMIT "
                                             "CHANGES;\n"
                                             "EXPLAIN SELECT n FROM views WHERE page = '/home';" } },
    [AST_DESCRIBE] = { .check = describe_check,
                       .run = describe_run,
                       .manual = { .syntax = "DESCRIBE (name | STREAMS | TABLES) [EXTENDED];\n"
                                             "DESCRIBE FUNCTION name;\n"
                                             "DESCRIBE CONNECTOR name;",
                                   .doc = "Shows the columns of a stream or table; with EXTENDED "
                                          "also its topic, formats "
                                          "and the queries that read or write it. Or what a "
                                          "function does.",
                                   .example = "DESCRIBE clicks EXTENDED;\n"
                                              "DESCRIBE FUNCTION CONCAT;",
                                   } },
    [AST_SHOW] = { .run = show_run,
                   .manual = { .syntax =
                                   "(SHOW | LIST) (STREAMS | TABLES | QUERIES) [EXTENDED];\n"
                                   "(SHOW | LIST) [ALL] TOPICS [EXTENDED];\n"
                                   "(SHOW | LIST) (FUNCTIONS | TYPES | PROPERTIES | VARIABLES);\n"
                                   "(SHOW | LIST) ([SOURCE | SINK] CONNECTORS | CONNECTOR "
                                   "PLUGINS);",
                               .doc = "Lists what there is. EXTENDED describes each; of topics it counts "
                                      "the consumers among this service's queries and connectors. "
                                      "ALL TOPICS lists internal ones too.",
                               .example = "SHOW STREAMS;\n"
                                          "SHOW QUERIES;" } },
    [AST_PRINT] = { .check = print_check,
                    .run = print_run,
                    .manual = { .syntax = "PRINT topic [FROM BEGINNING] [(INTERVAL | SAMPLE) n] "
                                          "[LIMIT n];",
                                .doc = "Shows the records of a topic as they come, new ones "
                                       "unless FROM BEGINNING, in the format that they all seem "
                                       "to be in. With INTERVAL n every n-th of them, with LIMIT "
                                       "no more than n. The case of the topic's name counts.",
                                .example = "INSERT INTO clicks VALUES ('ada', '/home', 120);\n"
                                           "PRINT clicks FROM BEGINNING LIMIT 1;" } },
    [AST_SET] = { .check = set_check,
                  .run = set_run,
                  .manual = { .syntax = "SET 'setting' = 'value';",
                              .doc = "Changes a setting of this session, for the statements "
                                     "behind. Queries keep "
                                     "the settings that they were started with.",
                              .example = "SET 'auto.offset.reset' = 'earliest';" } },
    [AST_UNSET] = { .check = unset_check,
                    .run = unset_run,
                    .manual = { .syntax = "UNSET 'setting';",
                                .doc = "Takes SET back: the setting is the server's again.",
                                .example = "SET 'commit.interval.ms' = '500';\n"
                                           "UNSET 'commit.interval.ms';" } },
    [AST_DEFINE] = { .run = define_run,
                     .manual = { .syntax = "DEFINE variable = 'text';",
                                 .doc = "Gives ${variable} a text for the statements behind, in "
                                        "this session. Where a name or a literal stands it has "
                                        "to be one, a string with its quotes; inside of a "
                                        "string it is a part of the text, and $${variable} "
                                        "stays ${variable}.",
                                 .example = "DEFINE format = '''JSON''';\n"
                                            "DEFINE env = 'qa';\n"
                                            "DEFINE name = '${env}_clicks';\n"
                                            "CREATE STREAM ${name} (id INT KEY, page "
                                            "STRING) WITH (\n"
                                            "  KAFKA_TOPIC = '${env}_clicks', VALUE_FORMAT = "
                                            "${format}, PARTITIONS = 1);" } },
    [AST_UNDEFINE] = { .run = undefine_run,
                       .manual = { .syntax = "UNDEFINE variable;",
                                   .doc = "Forgets a variable.",
                                   .example = "DEFINE env = 'qa';\n"
                                              "UNDEFINE env;" } },
    [AST_RUN_SCRIPT] = { .manual = { .refusal = "is for those who have files: the shell, "
                                                "-e, -f and the .sql files of `sluice test`",
                                     .syntax = "RUN SCRIPT 'file';",
                                     .doc = "Runs the statements of a file, as a text of its "
                                            "own: what stands before it in a text has "
                                            "run when it is read. The file is the client's." } },
    [AST_ASSERT_TOPIC] = { .check = assert_topic_check,
                           .run = assert_topic_run,
                           .manual = { .syntax = "ASSERT [NOT EXISTS] TOPIC topic [WITH (property "
                                                 "= n, ...)] [TIMEOUT n unit];",
                                       .doc = "Waits until a topic exists, with the PARTITIONS "
                                              "and REPLICAS that WITH gives, or until it does "
                                              "not. After the timeout, one second unless given, "
                                              "it is an error. An engine that runs only within "
                                              "statements does not wait.",
                                       .example = "ASSERT TOPIC clicks WITH (PARTITIONS = 1) "
                                                  "TIMEOUT 5 SECONDS;\n"
                                                  "ASSERT NOT EXISTS TOPIC orders;" } },
    [AST_ASSERT_SCHEMA] = { .manual = { .refusal = "needs a schema registry, and that is not "
                                                   "built yet",
                                        .syntax = "ASSERT [NOT EXISTS] SCHEMA [SUBJECT subject] "
                                                  "[ID n] [TIMEOUT n unit];",
                                        .doc = "Waits until a schema is registered, or is not." } },
    [AST_ASSERT_VALUES] = { .manual = { .refusal = tests_only,
                                        .syntax = "ASSERT VALUES name [(column, ...)] VALUES "
                                                  "(expression, ...);",
                                        .doc =
                                            "Takes the next record of the topic of a stream or "
                                            "table and compares the "
                                            "columns that are named; ROWTIME is one of them." } },
    [AST_ASSERT_NULL_VALUES] = { .manual = { .refusal = tests_only,
                                             .syntax = "ASSERT NULL VALUES name [(key_column, "
                                                       "...)] KEY (expression, ...);",
                                             .doc = "Takes the next record and checks that it "
                                                    "deletes this key." } },
    [AST_ASSERT_SOURCE] = { .manual = { .refusal = tests_only,
                                        .syntax = "ASSERT (STREAM | TABLE) name [(column type [KEY "
                                                  "| PRIMARY KEY], ...)]\n"
                                                  "  [WITH (property = literal, ...)];",
                                        .doc =
                                            "Compares a stream or table with this declaration." } },
};
/* clang-format on */

const struct command_kind *command_find(enum ast_statement_kind kind)
{
    return manual_is_built(kind) ? &commands[kind] : NULL;
}

const struct statement_manual *manual_find(enum ast_statement_kind kind)
{
    return &commands[kind].manual;
}

bool manual_is_built(enum ast_statement_kind kind)
{
    return commands[kind].change || commands[kind].run;
}
