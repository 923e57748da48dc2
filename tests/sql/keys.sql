-- Which keys a query may have, and how it must select them (queries.md 3).

--@test: a_key_must_be_selected
--@expected.error: ERR_KEY_MISSING
CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM X AS SELECT V FROM S;

--@test: every_key_column_must_be_selected
--@expected.error: ERR_KEY_MISSING
CREATE STREAM S (A INT KEY, B INT KEY, V INT) WITH (KAFKA_TOPIC='s', FORMAT='JSON');
CREATE STREAM X AS SELECT A, V FROM S;

--@test: a_value_of_the_keys_name_is_not_the_key
--@expected.error: ERR_KEY_MISSING
CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM X AS SELECT V AS K, V + 1 AS W FROM S;

--@test: a_key_is_selected_once
--@expected.error: ERR_KEY_REPEATED
CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM X AS SELECT K, K AS K2, V FROM S;

--@test: as_value_copies_a_key_into_the_value
CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM X AS SELECT K AS ID, AS_VALUE(K) AS COPY FROM S;
INSERT INTO S (K, V) VALUES ('a', 1);
ASSERT VALUES X (ID, COPY) VALUES ('a', 'a');

--@test: a_projection_needs_a_value_column
--@expected.error: ERR_NO_VALUE_COLUMNS
CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM X AS SELECT K FROM S;

--@test: a_grouping_expression_must_be_selected
--@expected.error: ERR_KEY_MISSING
CREATE STREAM S (K STRING KEY, A INT, B INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE TABLE X AS SELECT COUNT(*) AS N FROM S GROUP BY A;

--@test: what_is_selected_must_be_grouped
--@expected.error: ERR_NOT_GROUPED
CREATE STREAM S (K STRING KEY, A INT, B INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE TABLE X AS SELECT A, B, COUNT(*) AS N FROM S GROUP BY A;

--@test: a_grouped_query_makes_a_table
--@expected.error: ERR_RESULT_KIND
CREATE STREAM S (K STRING KEY, A INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM X AS SELECT A, COUNT(*) AS N FROM S GROUP BY A;

--@test: a_query_over_a_stream_makes_a_stream
--@expected.error: ERR_RESULT_KIND
CREATE STREAM S (K STRING KEY, A INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE TABLE X AS SELECT K, A FROM S;

--@test: a_key_that_the_format_cannot_hold_is_refused
--@expected.error: ERR_FORMAT_SCHEMA
CREATE STREAM S (K STRING KEY, A INT, B INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE TABLE X AS SELECT A, B, COUNT(*) AS N FROM S GROUP BY A, B;

--@test: a_rejected_statement_leaves_nothing_behind
--@expected.error: ERR_UNKNOWN_SOURCE
CREATE STREAM S (K STRING KEY, A INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM X AS SELECT K, A FROM S WHERE A > 0;
DROP STREAM X;
ASSERT STREAM X (K STRING KEY, A INT) WITH (KAFKA_TOPIC='X', VALUE_FORMAT='JSON');
