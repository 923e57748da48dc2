-- Conditions, CASE and arithmetic. Run: build/sluice -f statements/expressions.sql
CREATE STREAM goods (name STRING, price DECIMAL(6, 2), stock INT)
  WITH (KAFKA_TOPIC = 'goods', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO goods VALUES ('Tea', 2.50, 12);
INSERT INTO goods VALUES ('Milk', 1.10, 0);
INSERT INTO goods VALUES ('Coffee', NULL, 3);

SET 'auto.offset.reset' = 'earliest';
SELECT UCASE(name) AS name, stock * 2 AS two, stock % 5 AS rest,
       CASE WHEN stock = 0 THEN 'sold out' WHEN stock < 5 THEN 'few' ELSE 'many' END AS left_over
  FROM goods EMIT CHANGES LIMIT 3;
-- A comparison with NULL is not true; IS NULL asks for it.
SELECT name, name LIKE '_e%' AS e_second, price BETWEEN 1 AND 2 AS cheap, stock IN (0, 3) AS listed
  FROM goods WHERE price > 1 OR price IS NULL EMIT CHANGES LIMIT 3;
