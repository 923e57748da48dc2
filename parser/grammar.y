/*
 * grammar.y: tokens -> one constructor call per rule.
 *
 * One statement at a time: the start symbol does not recurse, a script is a loop
 * in parse.c. lemon runs with -c (no default actions): a keyword that may be a
 * name falls back to NAME only where the grammar has no use for the keyword, and
 * a wrong token is found before anything is reduced, so that the list of what
 * would fit is true. Where a state has both (ARRAY[..] and a column called
 * array), parse.c tells them apart by the next token and renames the keyword.
 *
 * The line "keywords" with a percent sign is filled in from keywords.def by
 * tools/keywords_fallback.sh.
 */
%name yygrammar
%token_prefix TOKEN_
%token_type { struct token }
%extra_context { struct ast_build *b }
%stack_size 8192
%start_symbol input

%include {
#include <stdlib.h>

#include "base/memory.h"
#include "parser/ast_build.h"
#include "parser/grammar_run.h"

#undef NDEBUG
#define NDEBUG 1 /* neither trace output nor its writable globals */
#define YYNOERRORRECOVERY 1
}

%keywords
%token VARIABLE.
%fallback NAME ARRAY_TYPE ARRAY_VALUE MAP_TYPE MAP_VALUE STRUCT_TYPE STRUCT_VALUE.

%left CONCAT.
%left PLUS MINUS.
%left STAR SLASH PERCENT.
%right SIGN.
%left AT.
%nonassoc NUMBER.
%nonassoc SIGNED_NUMBER.

%syntax_error {
    b->failed = ERR_SYNTAX;
    b->unexpected = true;
}
%stack_overflow { ast_fail_depth(b, b->position); }

input ::= START_STATEMENT statement(S) SEMICOLON(E). { ast_finish_statement(b, S, E); }
input ::= START_EXPRESSION expr(E). { b->expr = E; }
input ::= START_TYPE type(T). { b->type = T; }

%type statement { struct ast_statement * }
%type plain_statement { struct ast_statement * }
statement(A) ::= plain_statement(S). { A = S; }
statement(A) ::= EXPLAIN(T) plain_statement(S). { A = ast_explain_statement(b, T, S); }
statement(A) ::= EXPLAIN(T) name(N). { A = ast_explain_query(b, T, N); }
statement(A) ::= EXPLAIN(T) statement_word(N). { A = ast_explain_query(b, T, ast_name(b, N)); }

/* --- names --- */

%type name { struct ast_name }
%type source { struct ast_name }
%type topic { struct ast_name }
%type name_list { struct ast_name_list }
name(A) ::= NAME(T). { A = ast_name(b, T); }
source(A) ::= NAME(T). { A = ast_source_name(b, T); }
topic(A) ::= NAME(T). { A = ast_topic_name(b, T); }
topic(A) ::= TEXT(T). { A = ast_topic_name(b, T); }
name_list(A) ::= name(N). { A = ast_add_name(b, AST_NO_NAMES, N); }
name_list(A) ::= name_list(L) COMMA name(N). { A = ast_add_name(b, L, N); }

/* Keywords that begin a statement and may still name a query. */
statement_word(A) ::= ALTER(T). { A = T; }
statement_word(A) ::= ASSERT(T). { A = T; }
statement_word(A) ::= DEFINE(T). { A = T; }
statement_word(A) ::= EXPLAIN(T). { A = T; }
statement_word(A) ::= SET(T). { A = T; }
statement_word(A) ::= SHOW(T). { A = T; }
statement_word(A) ::= UNDEFINE(T). { A = T; }

/* --- CREATE --- */

%type source_kind { enum ast_source_kind }
source_kind(A) ::= STREAM. { A = AST_STREAM; }
source_kind(A) ::= TABLE. { A = AST_TABLE; }

%type create { struct ast_create_head }
create(A) ::= CREATE(T) source_kind(K). { A = ast_create_head(T, K, 0); }
create(A) ::= CREATE(T) OR REPLACE source_kind(K). { A = ast_create_head(T, K, AST_OR_REPLACE); }
create(A) ::= CREATE(T) SOURCE source_kind(K). { A = ast_create_head(T, K, AST_READ_ONLY); }
create(A) ::= CREATE(T) OR REPLACE SOURCE source_kind(K). {
    A = ast_create_head(T, K, AST_OR_REPLACE | AST_READ_ONLY);
}

%type if_not_exists { bool }
if_not_exists(A) ::= . { A = false; }
if_not_exists(A) ::= IF NOT EXISTS. { A = true; }

plain_statement(A) ::= create(C) if_not_exists(F) source(N) columns(L) with(P). {
    A = ast_create_source(b, C, F, N, L, P);
}
plain_statement(A) ::= create(C) if_not_exists(F) source(N) with(P). {
    A = ast_create_source(b, C, F, N, AST_NO_COLUMNS, P);
}
plain_statement(A) ::= create(C) if_not_exists(F) source(N) with(P) AS(T) query(Q). {
    A = ast_create_as(b, C, F, N, P, T, Q);
}
plain_statement(A) ::= CREATE(T) SOURCE CONNECTOR if_not_exists(F) name(N) with(P). {
    A = ast_create_connector(b, T, AST_SOURCE_CONNECTOR, F, N, P);
}
plain_statement(A) ::= CREATE(T) SINK CONNECTOR if_not_exists(F) name(N) with(P). {
    A = ast_create_connector(b, T, AST_SINK_CONNECTOR, F, N, P);
}
plain_statement(A) ::= CREATE(T) TYPE if_not_exists(F) name(N) AS type(Y). {
    A = ast_create_type(b, T, F, N, Y);
}

%type columns { struct ast_column_def_list }
%type column_list { struct ast_column_def_list }
%type column { struct ast_column_def }
columns(A) ::= LPAREN column_list(L) RPAREN. { A = L; }
column_list(A) ::= column(C). { A = ast_add_column(b, AST_NO_COLUMNS, C); }
column_list(A) ::= column_list(L) COMMA column(C). { A = ast_add_column(b, L, C); }
column(A) ::= name(N) type(Y). { A = ast_column_def(N, Y, AST_ROLE_VALUE); }
column(A) ::= name(N) type(Y) KEY. { A = ast_column_def(N, Y, AST_ROLE_KEY); }
column(A) ::= name(N) type(Y) PRIMARY KEY. { A = ast_column_def(N, Y, AST_ROLE_PRIMARY_KEY); }
column(A) ::= name(N) type(Y) HEADERS. { A = ast_column_def(N, Y, AST_ROLE_HEADERS); }
column(A) ::= name(N) type(Y) HEADER LPAREN TEXT(K) RPAREN. { A = ast_header_def(b, N, Y, K); }

%type with { struct ast_property_list }
%type property_list { struct ast_property_list }
%type property { struct ast_property }
with(A) ::= . { A = AST_NO_PROPERTIES; }
with(A) ::= WITH LPAREN property_list(L) RPAREN. { A = L; }
property_list(A) ::= property(P). { A = ast_add_property(b, AST_NO_PROPERTIES, P); }
property_list(A) ::= property_list(L) COMMA property(P). { A = ast_add_property(b, L, P); }
property(A) ::= name(N) EQUAL literal(V). { A = ast_property(N, V); }
property(A) ::= TEXT(N) EQUAL literal(V). { A = ast_property(ast_text_name(b, N), V); }

/* --- INSERT, DROP, ALTER --- */

plain_statement(A) ::= INSERT(T) INTO source(N) with(P) query(Q). {
    A = ast_insert_select(b, T, N, P, Q);
}
plain_statement(A) ::= INSERT(T) INTO source(N) name_row(C) VALUES expr_row(V). {
    A = ast_insert_values(b, T, AST_INSERT_VALUES, N, C, V);
}

%type name_row { struct ast_name_list }
%type expr_row { struct ast_expr_list }
name_row(A) ::= . { A = AST_NO_NAMES; }
name_row(A) ::= LPAREN name_list(L) RPAREN. { A = L; }
expr_row(A) ::= LPAREN RPAREN. { A = AST_NO_EXPRS; }
expr_row(A) ::= LPAREN expr_list(L) RPAREN. { A = L; }

%type if_exists { bool }
if_exists(A) ::= . { A = false; }
if_exists(A) ::= IF EXISTS. { A = true; }

%type delete_topic { bool }
delete_topic(A) ::= . { A = false; }
delete_topic(A) ::= DELETE TOPIC. { A = true; }

plain_statement(A) ::= DROP(T) source_kind(K) if_exists(F) source(N) delete_topic(D). {
    A = ast_drop_source(b, T, K, F, N, D);
}
plain_statement(A) ::= DROP(T) CONNECTOR if_exists(F) name(N). {
    A = ast_drop(b, T, AST_DROP_CONNECTOR, F, N);
}
plain_statement(A) ::= DROP(T) TYPE if_exists(F) name(N). {
    A = ast_drop(b, T, AST_DROP_TYPE, F, N);
}

%type added_list { struct ast_column_def_list }
%type added { struct ast_column_def }
plain_statement(A) ::= ALTER(T) source_kind(K) source(N) added_list(L). {
    A = ast_alter_source(b, T, K, N, L);
}
plain_statement(A) ::= ALTER(T) SYSTEM TEXT(N) EQUAL TEXT(V). {
    A = ast_setting(b, T, AST_ALTER_SYSTEM, ast_text(b, N), ast_text(b, V));
}
added_list(A) ::= added(C). { A = ast_add_column(b, AST_NO_COLUMNS, C); }
added_list(A) ::= added_list(L) COMMA added(C). { A = ast_add_column(b, L, C); }
added(A) ::= ADD name(N) type(Y). { A = ast_column_def(N, Y, AST_ROLE_VALUE); }
added(A) ::= ADD COLUMN name(N) type(Y). { A = ast_column_def(N, Y, AST_ROLE_VALUE); }
/* A column that is itself called COLUMN. */
added(A) ::= ADD COLUMN(N) type(Y). { A = ast_column_def(ast_name(b, N), Y, AST_ROLE_VALUE); }

/* --- queries at work, EXPLAIN, DESCRIBE, SHOW, PRINT --- */

%type query_verb { struct ast_verb }
query_verb(A) ::= TERMINATE(T). { A = ast_verb(T, AST_TERMINATE); }
query_verb(A) ::= PAUSE(T). { A = ast_verb(T, AST_PAUSE); }
query_verb(A) ::= RESUME(T). { A = ast_verb(T, AST_RESUME); }
plain_statement(A) ::= query_verb(V) ALL. { A = ast_query_verb_all(b, V); }
plain_statement(A) ::= query_verb(V) name(N). { A = ast_query_verb(b, V, N); }

%type extended { bool }
extended(A) ::= . { A = false; }
extended(A) ::= EXTENDED. { A = true; }

plain_statement(A) ::= DESCRIBE(T) name(N) extended(X). {
    A = ast_describe(b, T, AST_DESCRIBE_SOURCE, N, X);
}
/* A source that is itself called FUNCTION. */
plain_statement(A) ::= DESCRIBE(T) FUNCTION(N) extended(X). {
    A = ast_describe(b, T, AST_DESCRIBE_SOURCE, ast_name(b, N), X);
}
plain_statement(A) ::= DESCRIBE(T) STREAMS extended(X). {
    A = ast_describe(b, T, AST_DESCRIBE_STREAMS, AST_NO_NAME, X);
}
plain_statement(A) ::= DESCRIBE(T) TABLES extended(X). {
    A = ast_describe(b, T, AST_DESCRIBE_TABLES, AST_NO_NAME, X);
}
plain_statement(A) ::= DESCRIBE(T) FUNCTION name(N). {
    A = ast_describe(b, T, AST_DESCRIBE_FUNCTION, N, false);
}
plain_statement(A) ::= DESCRIBE(T) CONNECTOR name(N). {
    A = ast_describe(b, T, AST_DESCRIBE_CONNECTOR, N, false);
}

show(A) ::= SHOW(T). { A = T; }
show(A) ::= LIST(T). { A = T; }
plain_statement(A) ::= show(T) PROPERTIES. { A = ast_show(b, T, AST_SHOW_PROPERTIES, 0); }
plain_statement(A) ::= show(T) TOPICS extended(X). {
    A = ast_show(b, T, AST_SHOW_TOPICS, X ? AST_SHOW_EXTENDED : 0);
}
plain_statement(A) ::= show(T) ALL TOPICS extended(X). {
    A = ast_show(b, T, AST_SHOW_TOPICS, AST_SHOW_ALL | (X ? AST_SHOW_EXTENDED : 0));
}
plain_statement(A) ::= show(T) STREAMS extended(X). {
    A = ast_show(b, T, AST_SHOW_STREAMS, X ? AST_SHOW_EXTENDED : 0);
}
plain_statement(A) ::= show(T) TABLES extended(X). {
    A = ast_show(b, T, AST_SHOW_TABLES, X ? AST_SHOW_EXTENDED : 0);
}
plain_statement(A) ::= show(T) QUERIES extended(X). {
    A = ast_show(b, T, AST_SHOW_QUERIES, X ? AST_SHOW_EXTENDED : 0);
}
plain_statement(A) ::= show(T) FUNCTIONS. { A = ast_show(b, T, AST_SHOW_FUNCTIONS, 0); }
plain_statement(A) ::= show(T) TYPES. { A = ast_show(b, T, AST_SHOW_TYPES, 0); }
plain_statement(A) ::= show(T) VARIABLES. { A = ast_show(b, T, AST_SHOW_VARIABLES, 0); }
plain_statement(A) ::= show(T) CONNECTORS. { A = ast_show(b, T, AST_SHOW_CONNECTORS, 0); }
plain_statement(A) ::= show(T) SOURCE CONNECTORS. {
    A = ast_show(b, T, AST_SHOW_SOURCE_CONNECTORS, 0);
}
plain_statement(A) ::= show(T) SINK CONNECTORS. { A = ast_show(b, T, AST_SHOW_SINK_CONNECTORS, 0); }
plain_statement(A) ::= show(T) CONNECTOR PLUGINS. {
    A = ast_show(b, T, AST_SHOW_CONNECTOR_PLUGINS, 0);
}

%type from_beginning { bool }
%type print_interval { struct ast_number }
%type limit { struct ast_number }
plain_statement(A) ::= PRINT(T) topic(N) from_beginning(F) print_interval(I) limit(L). {
    A = ast_print_topic(b, T, N, F, I, L);
}
from_beginning(A) ::= . { A = false; }
from_beginning(A) ::= FROM BEGINNING. { A = true; }
print_interval(A) ::= . { A = AST_NO_NUMBER; }
print_interval(A) ::= INTERVAL number(N). { A = ast_integer(b, N); }
print_interval(A) ::= SAMPLE number(N). { A = ast_integer(b, N); }
limit(A) ::= . { A = AST_NO_NUMBER; }
limit(A) ::= LIMIT number(N). { A = ast_integer(b, N); }

/* --- settings and test statements --- */

plain_statement(A) ::= SET(T) TEXT(N) EQUAL TEXT(V). {
    A = ast_setting(b, T, AST_SET, ast_text(b, N), ast_text(b, V));
}
plain_statement(A) ::= UNSET(T) TEXT(N). {
    A = ast_setting(b, T, AST_UNSET, ast_text(b, N), AST_NO_TEXT);
}
plain_statement(A) ::= DEFINE(T) name(N) EQUAL TEXT(V). {
    A = ast_setting(b, T, AST_DEFINE, ast_name_text(N), ast_text(b, V));
}
plain_statement(A) ::= UNDEFINE(T) name(N). {
    A = ast_setting(b, T, AST_UNDEFINE, ast_name_text(N), AST_NO_TEXT);
}
plain_statement(A) ::= RUN(T) SCRIPT TEXT(P). { A = ast_run_script(b, T, ast_text(b, P)); }

%type not_exists { bool }
%type timeout { struct ast_duration }
%type subject { struct ast_name }
%type schema_id { struct ast_literal }
not_exists(A) ::= . { A = false; }
not_exists(A) ::= NOT EXISTS. { A = true; }
timeout(A) ::= . { A = AST_NO_DURATION; }
timeout(A) ::= TIMEOUT duration(D). { A = D; }
subject(A) ::= . { A = AST_NO_NAME; }
subject(A) ::= SUBJECT topic(N). { A = N; }
schema_id(A) ::= . { A = AST_NO_LITERAL; }
schema_id(A) ::= ID literal(V). { A = V; }
plain_statement(A) ::= ASSERT(T) not_exists(F) TOPIC topic(N) with(P) timeout(D). {
    A = ast_assert_topic(b, T, F, N, P, D);
}
plain_statement(A) ::= ASSERT(T) not_exists(F) SCHEMA subject(N) schema_id(I) timeout(D). {
    A = ast_assert_schema(b, T, F, N, I, D);
}
plain_statement(A) ::= ASSERT(T) VALUES source(N) name_row(C) VALUES expr_row(V). {
    A = ast_insert_values(b, T, AST_ASSERT_VALUES, N, C, V);
}
plain_statement(A) ::= ASSERT(T) NULL VALUES source(N) name_row(C) KEY expr_row(V). {
    A = ast_insert_values(b, T, AST_ASSERT_NULL_VALUES, N, C, V);
}
plain_statement(A) ::= ASSERT(T) source_kind(K) source(N) columns(L) with(P). {
    A = ast_assert_source(b, T, K, N, L, P);
}
plain_statement(A) ::= ASSERT(T) source_kind(K) source(N) with(P). {
    A = ast_assert_source(b, T, K, N, AST_NO_COLUMNS, P);
}

/* --- queries --- */

%type query { struct ast_query * }
%type query_from { struct ast_query * }
%type query_filter { struct ast_query * }
%type query_group { struct ast_query * }
%type query_emit { struct ast_query * }
plain_statement(A) ::= query(Q). { A = ast_select(b, Q); }
query(A) ::= query_emit(Q) limit(L). { A = ast_set_limit(Q, L); }
query_emit(A) ::= query_group(Q). { A = Q; }
query_emit(A) ::= query_group(Q) EMIT(T) CHANGES. { A = ast_set_emit(Q, AST_EMIT_CHANGES, T); }
query_emit(A) ::= query_group(Q) EMIT(T) FINAL. { A = ast_set_emit(Q, AST_EMIT_FINAL, T); }
query_group(A) ::= query_filter(Q) group_by(G) partition_by(P) having(H). {
    A = ast_set_grouping(Q, G, P, H);
}
query_filter(A) ::= query_from(Q) window(W) where(E). { A = ast_set_filter(Q, W, E); }
query_from(A) ::= SELECT(T) select_list(I) FROM relation(R) join_list(J). {
    A = ast_query(b, T, I, R, J);
}

%type select_list { struct ast_select_item_list }
%type select_item { struct ast_select_item }
select_list(A) ::= select_item(I). { A = ast_add_item(b, AST_NO_ITEMS, I); }
select_list(A) ::= select_list(L) COMMA select_item(I). { A = ast_add_item(b, L, I); }
select_item(A) ::= STAR(T). { A = ast_item_all(T); }
select_item(A) ::= name(N) DOT STAR. { A = ast_item_source_all(N); }
select_item(A) ::= primary(E) ARROW STAR. { A = ast_item_struct_all(E); }
select_item(A) ::= expr(E). { A = ast_item_expr(E, AST_NO_NAME); }
select_item(A) ::= expr(E) name(N). { A = ast_item_expr(E, N); }
select_item(A) ::= expr(E) AS name(N). { A = ast_item_expr(E, N); }

%type relation { struct ast_relation }
relation(A) ::= source(N). { A = ast_relation(N, AST_NO_NAME); }
relation(A) ::= source(N) source(L). { A = ast_relation(N, L); }
relation(A) ::= source(N) AS source(L). { A = ast_relation(N, L); }

%type join_list { struct ast_join_list }
%type join_kind { struct ast_join_head }
%type within { struct ast_within }
%type grace { struct ast_duration }
join_list(A) ::= . { A = AST_NO_JOINS; }
join_list(A) ::= join_list(L) join_kind(K) relation(R) within(W) ON expr(E). {
    A = ast_add_join(b, L, K, R, W, E);
}
join_kind(A) ::= JOIN(T). { A = ast_join_head(T, AST_JOIN_INNER); }
join_kind(A) ::= INNER(T) JOIN. { A = ast_join_head(T, AST_JOIN_INNER); }
join_kind(A) ::= LEFT(T) outer JOIN. { A = ast_join_head(T, AST_JOIN_LEFT); }
join_kind(A) ::= RIGHT(T) outer JOIN. { A = ast_join_head(T, AST_JOIN_RIGHT); }
join_kind(A) ::= FULL(T) outer JOIN. { A = ast_join_head(T, AST_JOIN_FULL); }
outer ::= .
outer ::= OUTER.
within(A) ::= . { A = AST_NO_WITHIN; }
within(A) ::= WITHIN duration(D) grace(G). { A = ast_within(D, D, G); }
within(A) ::= WITHIN LPAREN duration(B) COMMA duration(D) RPAREN grace(G). {
    A = ast_within(B, D, G);
}
grace(A) ::= . { A = AST_NO_DURATION; }
grace(A) ::= GRACE PERIOD duration(D). { A = D; }

%type window { struct ast_window * }
%type window_spec { struct ast_window * }
%type window_tail { struct ast_window_tail }
window(A) ::= . { A = NULL; }
window(A) ::= WINDOW window_spec(W). { A = W; }
window(A) ::= WINDOW name(N) window_spec(W). { A = ast_name_window(W, N); }
window_spec(A) ::= TUMBLING(T) LPAREN SIZE duration(S) window_tail(L) RPAREN. {
    A = ast_window(b, T, AST_WINDOW_TUMBLING, S, AST_NO_DURATION, L);
}
window_spec(A) ::=
    HOPPING(T) LPAREN SIZE duration(S) COMMA ADVANCE BY duration(D) window_tail(L) RPAREN. {
    A = ast_window(b, T, AST_WINDOW_HOPPING, S, D, L);
}
window_spec(A) ::= SESSION(T) LPAREN duration(S) window_tail(L) RPAREN. {
    A = ast_window(b, T, AST_WINDOW_SESSION, S, AST_NO_DURATION, L);
}
window_tail(A) ::= . { A = AST_NO_TAIL; }
window_tail(A) ::= COMMA RETENTION duration(R). { A = ast_window_tail(R, AST_NO_DURATION); }
window_tail(A) ::= COMMA GRACE PERIOD duration(G). { A = ast_window_tail(AST_NO_DURATION, G); }
window_tail(A) ::= COMMA RETENTION duration(R) COMMA GRACE PERIOD duration(G). {
    A = ast_window_tail(R, G);
}

%type where { struct ast_expr * }
%type having { struct ast_expr * }
%type group_by { struct ast_expr_list * }
%type partition_by { struct ast_expr_list * }
%type key_list { struct ast_expr_list * }
where(A) ::= . { A = NULL; }
where(A) ::= WHERE expr(E). { A = E; }
having(A) ::= . { A = NULL; }
having(A) ::= HAVING expr(E). { A = E; }
group_by(A) ::= . { A = NULL; }
group_by(A) ::= GROUP BY key_list(L). { A = L; }
partition_by(A) ::= . { A = NULL; }
partition_by(A) ::= PARTITION BY key_list(L). { A = L; }
key_list(A) ::= value_list(L). { A = ast_key_list(b, L); }
key_list(A) ::= LPAREN RPAREN. { A = ast_key_list(b, AST_NO_EXPRS); }
key_list(A) ::= LPAREN expr(E) COMMA expr_list(L) RPAREN. {
    A = ast_key_list(b, ast_prepend_expr(b, E, L));
}

/* --- conditions, loosest first --- */

%type expr { struct ast_expr * }
%type conjunction { struct ast_expr * }
%type negation { struct ast_expr * }
%type predicate { struct ast_expr * }
%type value { struct ast_expr * }
%type primary { struct ast_expr * }
expr(A) ::= conjunction(E). { A = E; }
expr(A) ::= expr(L) OR(T) conjunction(R). { A = ast_binary(b, AST_OR, L, R, T.at); }
conjunction(A) ::= negation(E). { A = E; }
conjunction(A) ::= conjunction(L) AND(T) negation(R). { A = ast_binary(b, AST_AND, L, R, T.at); }
negation(A) ::= predicate(E). { A = E; }
negation(A) ::= NOT(T) negation(E). { A = ast_unary(b, AST_NOT, E, T.at); }

%type comparison { struct ast_operator }
comparison(A) ::= EQUAL(T). { A = ast_operator(AST_EQUAL, T.at); }
comparison(A) ::= NOT_EQUAL(T). { A = ast_operator(AST_NOT_EQUAL, T.at); }
comparison(A) ::= LESS(T). { A = ast_operator(AST_LESS, T.at); }
comparison(A) ::= LESS_EQUAL(T). { A = ast_operator(AST_LESS_EQUAL, T.at); }
comparison(A) ::= GREATER(T). { A = ast_operator(AST_GREATER, T.at); }
comparison(A) ::= GREATER_EQUAL(T). { A = ast_operator(AST_GREATER_EQUAL, T.at); }

predicate(A) ::= value(E). { A = E; }
predicate(A) ::= value(L) comparison(O) value(R). { A = ast_binary(b, O.op, L, R, O.at); }
predicate(A) ::= value(E) BETWEEN(T) value(L) AND value(H). { A = ast_between(b, E, L, H, T.at); }
predicate(A) ::= value(E) NOT(N) BETWEEN(T) value(L) AND value(H). {
    A = ast_unary(b, AST_NOT, ast_between(b, E, L, H, T.at), N.at);
}
predicate(A) ::= value(E) IN(T) LPAREN expr_list(L) RPAREN. { A = ast_in(b, E, L, T.at); }
predicate(A) ::= value(E) NOT(N) IN(T) LPAREN expr_list(L) RPAREN. {
    A = ast_unary(b, AST_NOT, ast_in(b, E, L, T.at), N.at);
}
predicate(A) ::= value(E) LIKE(T) value(P) escape(X). { A = ast_like(b, E, P, X, T.at); }
predicate(A) ::= value(E) NOT(N) LIKE(T) value(P) escape(X). {
    A = ast_unary(b, AST_NOT, ast_like(b, E, P, X, T.at), N.at);
}
predicate(A) ::= value(E) IS(T) NULL. { A = ast_is_null(b, E, T.at); }
predicate(A) ::= value(E) IS(T) NOT NULL. { A = ast_is_not_null(b, E, T.at); }
predicate(A) ::= value(L) IS(T) DISTINCT FROM value(R). {
    A = ast_binary(b, AST_IS_DISTINCT, L, R, T.at);
}
predicate(A) ::= value(L) IS(T) NOT(N) DISTINCT FROM value(R). {
    A = ast_unary(b, AST_NOT, ast_binary(b, AST_IS_DISTINCT, L, R, T.at), N.at);
}

%type escape { struct ast_text }
escape(A) ::= . { A = AST_NO_TEXT; }
escape(A) ::= ESCAPE TEXT(T). { A = ast_text(b, T); }

/* --- values --- */

value(A) ::= primary(E). { A = E; }
value(A) ::= value(L) CONCAT(T) value(R). { A = ast_concat(b, L, R, T.at); }
value(A) ::= value(L) PLUS(T) value(R). { A = ast_binary(b, AST_ADD, L, R, T.at); }
value(A) ::= value(L) MINUS(T) value(R). { A = ast_binary(b, AST_SUBTRACT, L, R, T.at); }
value(A) ::= value(L) STAR(T) value(R). { A = ast_binary(b, AST_MULTIPLY, L, R, T.at); }
value(A) ::= value(L) SLASH(T) value(R). { A = ast_binary(b, AST_DIVIDE, L, R, T.at); }
value(A) ::= value(L) PERCENT(T) value(R). { A = ast_binary(b, AST_MODULO, L, R, T.at); }
value(A) ::= MINUS(T) value(E). [SIGN] { A = ast_unary(b, AST_NEGATE, E, T.at); }
value(A) ::= PLUS(T) value(E). [SIGN] { A = ast_unary(b, AST_PLUS, E, T.at); }
value(A) ::= value(E) AT(T) TIME ZONE primary. { A = ast_time_zone(b, E, T.at); }

primary(A) ::= literal(V). { A = ast_literal(b, V); }
primary(A) ::= name(N) TEXT(T). { A = ast_typed_literal(b, N, T); }
primary(A) ::= name(N). { A = ast_column(b, AST_NO_NAME, N); }
primary(A) ::= name(Q) DOT name(N). { A = ast_column(b, Q, N); }
primary(A) ::= primary(E) ARROW(T) name(N). { A = ast_field(b, E, N, T.at); }
primary(A) ::= primary(E) LBRACKET(T) value(I) RBRACKET. { A = ast_subscript(b, E, I, T.at); }
primary(A) ::= LPAREN expr(E) RPAREN. { A = E; }
primary(A) ::= name(N) LPAREN RPAREN. { A = ast_call(b, N, AST_NO_EXPRS); }
primary(A) ::= name(N) LPAREN STAR RPAREN. { A = ast_call(b, N, AST_NO_EXPRS); }
primary(A) ::= name(N) LPAREN argument_list(L) RPAREN. { A = ast_call(b, N, L); }
primary(A) ::= CASE(T) when_list(W) otherwise(E) END. { A = ast_case(b, NULL, W, E, T.at); }
primary(A) ::= CASE(T) value(V) when_list(W) otherwise(E) END. { A = ast_case(b, V, W, E, T.at); }
primary(A) ::= CAST(T) LPAREN expr(E) AS type(Y) RPAREN. { A = ast_cast(b, E, Y, T.at); }
primary(A) ::= ARRAY_VALUE(T) LBRACKET RBRACKET. { A = ast_array(b, AST_NO_EXPRS, T.at); }
primary(A) ::= ARRAY_VALUE(T) LBRACKET expr_list(L) RBRACKET. { A = ast_array(b, L, T.at); }
primary(A) ::= MAP_VALUE(T) LPAREN RPAREN. { A = ast_map(b, AST_NO_ENTRIES, T.at); }
primary(A) ::= MAP_VALUE(T) LPAREN entry_list(L) RPAREN. { A = ast_map(b, L, T.at); }
primary(A) ::= STRUCT_VALUE(T) LPAREN RPAREN. { A = ast_struct(b, AST_NO_FIELDS, T.at); }
primary(A) ::= STRUCT_VALUE(T) LPAREN field_list(L) RPAREN. { A = ast_struct(b, L, T.at); }

%type when_list { struct ast_when_list }
%type otherwise { struct ast_expr * }
when_list(A) ::= WHEN expr(C) THEN expr(R). { A = ast_add_when(b, AST_NO_WHENS, C, R); }
when_list(A) ::= when_list(L) WHEN expr(C) THEN expr(R). { A = ast_add_when(b, L, C, R); }
otherwise(A) ::= . { A = NULL; }
otherwise(A) ::= ELSE expr(E). { A = E; }

%type expr_list { struct ast_expr_list }
%type value_list { struct ast_expr_list }
expr_list(A) ::= expr(E). { A = ast_add_expr(b, AST_NO_EXPRS, E); }
expr_list(A) ::= expr_list(L) COMMA expr(E). { A = ast_add_expr(b, L, E); }
value_list(A) ::= value(E). { A = ast_add_expr(b, AST_NO_EXPRS, E); }
value_list(A) ::= value_list(L) COMMA value(E). { A = ast_add_expr(b, L, E); }

%type entry_list { struct ast_map_entry_list }
%type field_list { struct ast_struct_field_list }
entry_list(A) ::= expr(K) ASSIGN expr(V). { A = ast_add_entry(b, AST_NO_ENTRIES, K, V); }
entry_list(A) ::= entry_list(L) COMMA expr(K) ASSIGN expr(V). { A = ast_add_entry(b, L, K, V); }
field_list(A) ::= name(N) ASSIGN expr(V). { A = ast_add_field(b, AST_NO_FIELDS, N, V); }
field_list(A) ::= field_list(L) COMMA name(N) ASSIGN expr(V). { A = ast_add_field(b, L, N, V); }

/* Arguments, lambdas last and after at least one other. */
%type argument_list { struct ast_expr_list }
%type plain_arguments { struct ast_expr_list }
%type lambda_arguments { struct ast_expr_list }
%type argument { struct ast_expr * }
%type lambda { struct ast_expr * }
argument_list(A) ::= plain_arguments(L). { A = L; }
argument_list(A) ::= lambda_arguments(L). { A = L; }
plain_arguments(A) ::= argument(E). { A = ast_add_expr(b, AST_NO_EXPRS, E); }
plain_arguments(A) ::= plain_arguments(L) COMMA argument(E). { A = ast_add_expr(b, L, E); }
lambda_arguments(A) ::= plain_arguments(L) COMMA lambda(E). { A = ast_add_expr(b, L, E); }
lambda_arguments(A) ::= lambda_arguments(L) COMMA lambda(E). { A = ast_add_expr(b, L, E); }
argument(A) ::= expr(E). { A = E; }
argument(A) ::= unit(U). { A = ast_unit(b, U); }
lambda(A) ::= name(N) LAMBDA(T) expr(E). {
    A = ast_lambda(b, ast_add_name(b, AST_NO_NAMES, N), E, T.at);
}
lambda(A) ::= LPAREN expr(P) RPAREN LAMBDA(T) expr(E). {
    A = ast_lambda(b, ast_parameters(b, P, AST_NO_EXPRS), E, T.at);
}
lambda(A) ::= LPAREN expr(P) COMMA expr_list(L) RPAREN LAMBDA(T) expr(E). {
    A = ast_lambda(b, ast_parameters(b, P, L), E, T.at);
}
unit(A) ::= DAYS(T). { A = T; }
unit(A) ::= HOURS(T). { A = T; }
unit(A) ::= MINUTES(T). { A = T; }
unit(A) ::= SECONDS(T). { A = T; }
unit(A) ::= MILLISECONDS(T). { A = T; }
unit(A) ::= MILLISECOND(T). { A = T; }

/* --- literals, numbers, durations --- */

%type literal { struct ast_literal }
%type number { struct ast_literal }
%type duration { struct ast_duration }
literal(A) ::= NUMBER(T). [NUMBER] { A = ast_number(b, T, AST_NO_TOKEN); }
literal(A) ::= MINUS(M) NUMBER(T). [SIGNED_NUMBER] { A = ast_number(b, T, M); }
literal(A) ::= TEXT(T). { A = ast_string(b, T); }
literal(A) ::= TRUE(T). { A = ast_boolean(true, T.at); }
literal(A) ::= FALSE(T). { A = ast_boolean(false, T.at); }
literal(A) ::= NULL(T). { A = ast_null(T.at); }
number(A) ::= NUMBER(T). { A = ast_number(b, T, AST_NO_TOKEN); }
number(A) ::= MINUS(M) NUMBER(T). { A = ast_number(b, T, M); }
duration(A) ::= number(N) duration_unit(U). { A = ast_duration(b, N, U); }
duration_unit(A) ::= unit(U). { A = U; }
duration_unit(A) ::= DAY(T). { A = T; }
duration_unit(A) ::= HOUR(T). { A = T; }
duration_unit(A) ::= MINUTE(T). { A = T; }
duration_unit(A) ::= SECOND(T). { A = T; }

/* --- types --- */

%type type { struct ast_type * }
%type type_field_list { struct ast_type_field_list }
%type parameter_list { struct ast_parameters }
type(A) ::= name(N). { A = ast_named_type(b, N, AST_NO_PARAMETERS); }
type(A) ::= name(N) LPAREN parameter_list(L) RPAREN. { A = ast_named_type(b, N, L); }
type(A) ::= DECIMAL(T) LPAREN number(P) COMMA number(S) RPAREN. {
    A = ast_decimal_type(b, T.at, P, S);
}
type(A) ::= type(E) ARRAY. { A = ast_array_type(b, E, E->at); }
type(A) ::= ARRAY_TYPE(T) LESS type(E) GREATER. { A = ast_array_type(b, E, T.at); }
type(A) ::= MAP_TYPE(T) LESS type(K) COMMA type(V) GREATER. { A = ast_map_type(b, K, V, T.at); }
type(A) ::= STRUCT_TYPE(T) NOT_EQUAL. { A = ast_struct_type(b, AST_NO_TYPE_FIELDS, T.at); }
type(A) ::= STRUCT_TYPE(T) LESS GREATER. { A = ast_struct_type(b, AST_NO_TYPE_FIELDS, T.at); }
type(A) ::= STRUCT_TYPE(T) LESS type_field_list(L) GREATER. { A = ast_struct_type(b, L, T.at); }
type_field_list(A) ::= name(N) type(Y). { A = ast_add_type_field(b, AST_NO_TYPE_FIELDS, N, Y); }
type_field_list(A) ::= type_field_list(L) COMMA name(N) type(Y). {
    A = ast_add_type_field(b, L, N, Y);
}
parameter_list(A) ::= parameter(P). { A = ast_add_parameter(b, AST_NO_PARAMETERS, P); }
parameter_list(A) ::= parameter_list(L) COMMA parameter(P). { A = ast_add_parameter(b, L, P); }
%type parameter { struct ast_literal }
parameter(A) ::= number(N). { A = N; }
parameter(A) ::= STRING. { A = AST_NO_LITERAL; }

%code {
/* --- the engine of lemon as grammar_run.h shows it --- */

struct grammar {
    yyParser parser;
};

struct grammar *grammar_create(struct ast_build *b)
{
    struct grammar *grammar = memory_alloc(sizeof *grammar);

    yygrammarInit(&grammar->parser, b);
    return grammar;
}

void grammar_restart(struct grammar *grammar, struct ast_build *b)
{
    yygrammarFinalize(&grammar->parser);
    yygrammarInit(&grammar->parser, b);
}

void grammar_push(struct grammar *grammar, int kind, struct token token)
{
    yygrammar(&grammar->parser, kind, token);
}

void grammar_destroy(struct grammar *grammar)
{
    yygrammarFinalize(&grammar->parser);
    free(grammar);
}

/* The state's own action for the token: without what keywords fall back to. */
static int own_action(int token, int state)
{
    int index;

    if (state > YY_MAX_SHIFT) {
        return state;
    }
    index = yy_shift_ofst[state] + token;
    return yy_lookahead[index] == token ? yy_action[index] : YY_ERROR_ACTION;
}

/* Runs the reductions that the token would cause on a copy of the states. */
static bool fits(const yyParser *parser, int token, YYACTIONTYPE *states)
{
    int top = (int)(parser->yytos - parser->yystack);

    for (int i = 0; i <= top; i++) {
        states[i] = parser->yystack[i].stateno;
    }
    for (;;) {
        int action = own_action(token, states[top]);
        int rule = action - YY_MIN_REDUCE;

        if (action == YY_ERROR_ACTION || action == YY_NO_ACTION) {
            return false;
        }
        if (action < YY_MIN_REDUCE) {
            return true; /* shifted, or the whole accepted */
        }
        top += yyRuleInfoNRhs[rule]; /* a negative count */
        states[top + 1] = yy_find_reduce_action(states[top], yyRuleInfoLhs[rule]);
        top++;
        if (states[top] == YY_ACCEPT_ACTION) {
            return token == 0;
        }
    }
}

_Static_assert(YYNTOKEN <= GRAMMAR_TOKENS_MAX, "more token kinds than grammar_expected has room for");

void grammar_expected(const struct grammar *grammar, bool *expected)
{
    YYACTIONTYPE *states = memory_alloc((YYSTACKDEPTH + 1) * sizeof *states);

    for (int token = 0; token < YYNTOKEN; token++) {
        expected[token] = fits(&grammar->parser, token, states);
    }
    free(states);
}
}
