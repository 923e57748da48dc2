--@test: grouping by the key stays in place
CREATE STREAM S (K STRING KEY, V INT, W INT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
CREATE TABLE BY_KEY AS SELECT K, COUNT(*) AS C, SUM(V) AS S FROM S GROUP BY K;
--@test: grouping by another column goes through a repartition topic
CREATE TABLE BY_V AS SELECT V, COUNT(*) AS C FROM S WHERE W > 0 GROUP BY V;
--@test: several group columns need a key format that holds them; internally it is JSON
CREATE TABLE BY_TWO WITH (KEY_FORMAT='JSON')
  AS SELECT V, W, COUNT(*) AS C FROM S GROUP BY W, V;
--@test: a grouped expression gives the key its alias
CREATE TABLE BY_SUM AS SELECT V + W AS VW, SUM(V + W) AS S, COUNT(V) FROM S GROUP BY V + W;
--@test: HAVING filters the table of groups, and equal aggregates are computed once
CREATE TABLE MANY AS SELECT K, COUNT(*) * 2 AS C2 FROM S GROUP BY K HAVING COUNT(*) > 1;
