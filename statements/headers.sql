-- Columns that show a record's headers; records that INSERT writes have none. Run:
--   build/sluice -f statements/headers.sql
CREATE STREAM s (v INT, trace BYTES HEADER('trace-id'))
  WITH (KAFKA_TOPIC = 's', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
INSERT INTO s (v) VALUES (1);

SET 'auto.offset.reset' = 'earliest';
SELECT v, trace, ROWPARTITION AS part, ROWOFFSET AS off FROM s EMIT CHANGES LIMIT 1;
