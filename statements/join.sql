-- Joins by key: a stream's row meets what the table has at its turn. Run:
--   build/sluice -f statements/join.sql
CREATE STREAM orders (customer INT KEY, item STRING)
  WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
CREATE TABLE customers (id INT PRIMARY KEY, name STRING)
  WITH (KAFKA_TOPIC = 'customers', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
CREATE TABLE limits (id INT PRIMARY KEY, amount INT)
  WITH (KAFKA_TOPIC = 'limits', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO customers (ROWTIME, id, name) VALUES (10, 1, 'Ada');
INSERT INTO orders (ROWTIME, customer, item) VALUES (20, 1, 'lamp');
INSERT INTO customers (ROWTIME, id, name) VALUES (30, 1, 'Ada King');
INSERT INTO orders (ROWTIME, customer, item) VALUES (40, 1, 'desk');
INSERT INTO orders (ROWTIME, customer, item) VALUES (50, 2, 'chair');

-- Rows meet in the order of their times, however they were written.
SET 'auto.offset.reset' = 'earliest';
SELECT o.customer, item, name FROM orders o LEFT JOIN customers c ON o.customer = c.id EMIT CHANGES;

-- Tables are joined on their keys; a change of either is a change of the result.
CREATE TABLE credit AS
  SELECT c.id AS id, name, amount FROM customers c LEFT JOIN limits l ON c.id = l.id;
INSERT INTO customers (id, name) VALUES (2, 'Bob');
INSERT INTO limits (id, amount) VALUES (1, 500);
SELECT * FROM credit WHERE id IN (1, 2);
