-- The time of a row: of its record, or of a column. Run: build/sluice -f statements/timestamps.sql
CREATE STREAM readings (sensor STRING KEY, taken BIGINT, value DOUBLE)
  WITH (KAFKA_TOPIC = 'readings', VALUE_FORMAT = 'JSON', PARTITIONS = 1, TIMESTAMP = 'taken');
-- As text, it needs the pattern that it is written in.
CREATE STREAM letters (sender STRING KEY, sent STRING)
  WITH (KAFKA_TOPIC = 'letters', VALUE_FORMAT = 'JSON', PARTITIONS = 1, TIMESTAMP = 'sent',
    TIMESTAMP_FORMAT = 'd MMM yyyy[ HH:mm[ X]]');
CREATE STREAM arrivals (sensor STRING KEY, value DOUBLE)
  WITH (KAFKA_TOPIC = 'readings', VALUE_FORMAT = 'JSON');

-- ROWTIME sets the time of the record: milliseconds since 1970.
INSERT INTO readings (ROWTIME, sensor, taken, value) VALUES (1000, 'a', 5, 20.5e0);
INSERT INTO readings (ROWTIME, sensor, taken, value) VALUES (2000, 'a', 7, 21.0e0);
INSERT INTO letters (sender, sent) VALUES ('b', '11 May 2020');
INSERT INTO letters (sender, sent) VALUES ('c', '11 May 2020 17:58 +02');

SET 'auto.offset.reset' = 'earliest';
SELECT sensor, ROWTIME AS time_ms, value FROM readings EMIT CHANGES LIMIT 2;
SELECT sensor, ROWTIME AS time_ms, value FROM arrivals EMIT CHANGES LIMIT 2;
SELECT sender, sent, ROWTIME AS time_ms FROM letters EMIT CHANGES LIMIT 2;
