-- A stream of records, filtered and projected. Run: build/sluice -f statements/filter.sql
CREATE STREAM clicks (user_id STRING KEY, page STRING, ms INT)
  WITH (KAFKA_TOPIC = 'clicks', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

-- A persistent query: it runs from now on and writes the topic SLOW_CLICKS.
CREATE STREAM slow_clicks AS
  SELECT user_id, page, ms / 1000e0 AS took
  FROM clicks
  WHERE ms > 500 AND page LIKE '/%';

INSERT INTO clicks VALUES ('ada', '/home', 120);
INSERT INTO clicks VALUES ('bob', '/search', 870);
INSERT INTO clicks VALUES ('ada', 'javascript:', 900);
INSERT INTO clicks VALUES ('eve', '/search', 1500);

-- A push query tells rows as they come; it begins with the newest unless told otherwise.
SET 'auto.offset.reset' = 'earliest';
SELECT * FROM slow_clicks EMIT CHANGES LIMIT 2;
