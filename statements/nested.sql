-- Structs, arrays and maps in JSON. Run: build/sluice -f statements/nested.sql
CREATE STREAM raw (json STRING)
  WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'KAFKA', PARTITIONS = 1);
CREATE STREAM orders (
    id INT,
    buyer STRUCT<name STRING, address STRUCT<city STRING>>,
    items ARRAY<STRING>,
    tags MAP<STRING, INT>)
  WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON');

INSERT INTO raw VALUES ('{"id": 1, "buyer": {"name": "ada", "address": {"city": "Turin"}},
  "items": ["tea", "milk"], "tags": {"rush": 1}}');
INSERT INTO raw VALUES ('{"id": 2, "buyer": {"name": "bob"}, "items": []}');

SET 'auto.offset.reset' = 'earliest';
-- Items are counted from 1, or from the end below 0; what is not there is NULL.
SELECT id, buyer->name, buyer->address->city AS city, items[1] AS first_item,
       items[-1] AS last_item, tags['rush'] AS rush
  FROM orders EMIT CHANGES LIMIT 2;
