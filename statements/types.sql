-- A value of each type, written and read. Run: build/sluice -f statements/types.sql
CREATE STREAM everything (
    yes BOOLEAN, small INT, big BIGINT, approximate DOUBLE, exact DECIMAL(6, 3),
    text STRING, raw BYTES, at_time TIME, at_date DATE, at_moment TIMESTAMP)
  WITH (KAFKA_TOPIC = 'everything', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO everything VALUES (TRUE, 42, 5000000000, 1.5e3, 12.345,
  'it''s', 'YWI=', '13:45:10', '2026-01-31', '2026-01-31T13:45:00.250');
INSERT INTO everything (small, exact) VALUES (7, 7);

SET 'auto.offset.reset' = 'earliest';
SELECT yes, small, big, approximate, exact FROM everything EMIT CHANGES LIMIT 2;
SELECT text, raw, at_time, at_date, at_moment FROM everything EMIT CHANGES LIMIT 2;
SELECT CAST(exact AS INT) AS cut, CAST(small AS STRING) || '!' AS said,
       CAST(at_moment AS DATE) AS on_day
  FROM everything EMIT CHANGES LIMIT 2;
