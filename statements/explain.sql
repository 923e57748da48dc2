-- What a query will do, before it does it. Run: build/sluice -f statements/explain.sql
CREATE STREAM clicks (user_id STRING KEY, page STRING, ms INT)
  WITH (KAFKA_TOPIC = 'clicks', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

EXPLAIN SELECT page, ms FROM clicks WHERE ms > 500 EMIT CHANGES;
EXPLAIN CREATE TABLE views AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page;
