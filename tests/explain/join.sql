CREATE STREAM S (ID INT KEY, F INT, A STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
CREATE TABLE T (ID INT PRIMARY KEY, B STRING) WITH (KAFKA_TOPIC='t', PARTITIONS=2, VALUE_FORMAT='JSON');
CREATE TABLE U (ID INT PRIMARY KEY, C STRING) WITH (KAFKA_TOPIC='u', PARTITIONS=2, VALUE_FORMAT='JSON');
CREATE TABLE W (ID INT PRIMARY KEY, D STRING)
  WITH (KAFKA_TOPIC='w', PARTITIONS=2, KEY_FORMAT='DELIMITED', VALUE_FORMAT='JSON');
--@test: a stream joined on its key is not repartitioned
CREATE STREAM BY_KEY AS SELECT S.ID AS ID, A, B FROM S JOIN T ON S.ID = T.ID;
--@test: a stream joined on a value is, once for equal values, and the filter stands above the join
CREATE STREAM BY_VALUE AS SELECT F, A, B, C FROM S LEFT JOIN T ON F = T.ID JOIN U ON T.ID = U.ID WHERE B <> C;
--@test: a table with another key format goes through a topic
CREATE STREAM REKEYED AS SELECT S.ID AS ID, A, D FROM S JOIN W ON S.ID = W.ID;
--@test: tables are joined in place, and the result is materialised
CREATE TABLE TABLES AS SELECT ROWKEY AS ID, B, C FROM T FULL OUTER JOIN U ON T.ID = U.ID;
--@test: a group above a join of tables
CREATE TABLE GROUPED AS SELECT B, COUNT(*) AS N FROM T JOIN U ON T.ID = U.ID GROUP BY B;
--@test: PARTITION BY above a join: the numbers of the aggregate's topic count on
CREATE STREAM PARTITIONED AS SELECT S.ID AS ID, A, B FROM S JOIN T ON F = T.ID PARTITION BY B;
