-- Aggregating a table: a row that changes is taken back from its old group. Run:
--   build/sluice -f statements/aggregate_table.sql
CREATE TABLE employees (id INT PRIMARY KEY, team STRING, salary INT)
  WITH (KAFKA_TOPIC = 'employees', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

CREATE TABLE teams AS
  SELECT team, COUNT(*) AS members, SUM(salary) AS cost
  FROM employees
  GROUP BY team;

INSERT INTO employees VALUES (1, 'red', 100);
INSERT INTO employees VALUES (2, 'red', 150);
INSERT INTO employees VALUES (3, 'blue', 200);
SELECT * FROM teams WHERE team IN ('red', 'blue');

-- 2 moves to another team, 1 gets a raise.
INSERT INTO employees VALUES (2, 'blue', 150);
INSERT INTO employees VALUES (1, 'red', 120);
SELECT * FROM teams WHERE team IN ('red', 'blue');
