-- Queries that read each other's results, and taking them apart. Run:
--   build/sluice -f statements/pipeline.sql
CREATE STREAM clicks (user_id STRING KEY, page STRING, ms INT)
  WITH (KAFKA_TOPIC = 'clicks', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
CREATE STREAM slow AS SELECT * FROM clicks WHERE ms > 500;
CREATE TABLE slow_pages AS SELECT page, COUNT(*) AS n FROM slow GROUP BY page;

INSERT INTO clicks VALUES ('ada', '/home', 700);
INSERT INTO clicks VALUES ('bob', '/home', 800);
SELECT * FROM slow_pages WHERE page = '/home';

SHOW QUERIES;
DESCRIBE slow_pages;

-- From the end: what others read cannot be dropped.
DROP TABLE slow_pages;
TERMINATE CSAS_SLOW_0;
DROP STREAM slow DELETE TOPIC;
SHOW STREAMS;
SHOW TABLES;
