-- The same bytes read in several formats. Run: build/sluice -f statements/formats.sql
-- KAFKA with one STRING column is the text itself.
CREATE STREAM lines (line STRING)
  WITH (KAFKA_TOPIC = 'lines', VALUE_FORMAT = 'KAFKA', PARTITIONS = 1);
CREATE STREAM parts (name STRING, price DECIMAL(6, 2), note STRING)
  WITH (KAFKA_TOPIC = 'lines', VALUE_FORMAT = 'DELIMITED', VALUE_DELIMITER = ';');

-- A query may write another format than it reads.
CREATE STREAM parts_json WITH (KAFKA_TOPIC = 'parts_json', VALUE_FORMAT = 'JSON') AS
  SELECT * FROM parts;
CREATE STREAM json_text (text STRING)
  WITH (KAFKA_TOPIC = 'parts_json', VALUE_FORMAT = 'KAFKA');

INSERT INTO lines VALUES ('bolt;0.15;zinc');
INSERT INTO lines VALUES ('nut;1.20;"wide; M8"');

SET 'auto.offset.reset' = 'earliest';
SELECT * FROM parts EMIT CHANGES LIMIT 2;
SELECT text FROM json_text EMIT CHANGES LIMIT 2;
