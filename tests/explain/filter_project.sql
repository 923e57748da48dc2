--@test: a filter and a projection are one stage in front of the sink
CREATE STREAM S (K STRING KEY, A INT, B BIGINT, C DOUBLE)
  WITH (KAFKA_TOPIC='s', PARTITIONS=3, VALUE_FORMAT='JSON');
CREATE STREAM O AS SELECT K, A + 1 AS A1, B FROM S WHERE A > 5 EMIT CHANGES;
--@test: everything is passed on without a stage
CREATE STREAM ALL_OF AS SELECT * FROM S;
--@test: the key may be renamed and stands first, whatever the order of SELECT
CREATE STREAM RENAMED WITH (KAFKA_TOPIC='other', VALUE_FORMAT='DELIMITED', PARTITIONS=1)
  AS SELECT B, K AS ID, AS_VALUE(K) AS K2 FROM S X;
--@test: unnamed columns are numbered
CREATE STREAM NAMED AS SELECT S.K, A + 1, B * 2, S.C AS KSQL_COL_2, C + 1 FROM S;
--@test: pseudo columns have to be named
CREATE STREAM PSEUDO AS SELECT K, ROWTIME AS T, ROWPARTITION AS P, ROWOFFSET AS O FROM S;
