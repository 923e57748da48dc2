-- Counting and summing a stream into a table. Run: build/sluice -f statements/aggregate_stream.sql
CREATE STREAM sales (shop STRING, amount DECIMAL(8, 2))
  WITH (KAFKA_TOPIC = 'sales', VALUE_FORMAT = 'JSON', PARTITIONS = 2);

CREATE TABLE turnover AS
  SELECT shop, COUNT(*) AS sales, SUM(amount) AS total
  FROM sales
  GROUP BY shop
  HAVING COUNT(*) > 1;

INSERT INTO sales VALUES ('north', 10.50);
INSERT INTO sales VALUES ('south', 3.25);
INSERT INTO sales VALUES ('north', 4.00);
INSERT INTO sales VALUES ('north', NULL);

-- Pull queries: the rows as they are now. SOUTH has one sale only, so HAVING leaves it out.
SELECT * FROM turnover WHERE shop = 'north';
SELECT * FROM turnover WHERE shop = 'south';
