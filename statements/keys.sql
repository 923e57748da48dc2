-- Keys of several columns, and grouping by expressions. Run: build/sluice -f statements/keys.sql
CREATE STREAM visits (country STRING KEY, city STRING KEY, guests INT)
  WITH (KAFKA_TOPIC = 'visits', FORMAT = 'JSON', PARTITIONS = 1);

CREATE TABLE by_city AS
  SELECT country, city, SUM(guests) AS guests FROM visits GROUP BY country, city;
CREATE TABLE by_letter AS
  SELECT UCASE(country) AS land, COUNT(*) AS visits FROM visits GROUP BY UCASE(country);

INSERT INTO visits VALUES ('it', 'Turin', 2);
INSERT INTO visits VALUES ('it', 'Turin', 3);
INSERT INTO visits VALUES ('IT', 'Rome', 1);

SELECT * FROM by_city WHERE country = 'it' AND city = 'Turin';
SELECT * FROM by_letter WHERE land = 'IT';
