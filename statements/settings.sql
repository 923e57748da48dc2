-- Where a query begins to read, and other settings. Run: build/sluice -f statements/settings.sql
CREATE STREAM s (v INT) WITH (KAFKA_TOPIC = 's', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
INSERT INTO s VALUES (1);

-- A query over a stream begins with what comes after it.
CREATE STREAM late AS SELECT v FROM s;
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM early AS SELECT v FROM s;
INSERT INTO s VALUES (2);

SELECT * FROM late EMIT CHANGES;
SELECT * FROM early EMIT CHANGES;
UNSET 'auto.offset.reset';
