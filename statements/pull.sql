-- Pull queries: looking up rows of a table by key. Run: build/sluice -f statements/pull.sql
CREATE TABLE prices (item STRING PRIMARY KEY, price DECIMAL(6, 2))
  WITH (KAFKA_TOPIC = 'prices', VALUE_FORMAT = 'JSON', PARTITIONS = 2);

-- A table that is only declared has no state to ask; one that a query keeps has.
CREATE TABLE current_prices AS SELECT * FROM prices;

INSERT INTO prices VALUES ('tea', 2.50);
INSERT INTO prices VALUES ('milk', 1.10);
INSERT INTO prices VALUES ('tea', 2.75);

SELECT * FROM current_prices WHERE item = 'tea';
SELECT price * 2 AS two FROM current_prices WHERE item IN ('milk', 'tea') AND price > 1.20;
SELECT * FROM current_prices WHERE item = 'coffee';
