--@test: a table made from a table remembers its rows, so that it can be asked
CREATE TABLE T (ID BIGINT PRIMARY KEY, R STRING, V INT)
  WITH (KAFKA_TOPIC='t', PARTITIONS=2, VALUE_FORMAT='JSON');
CREATE TABLE COPY AS SELECT * FROM T;
--@test: a table's filter sees old rows
CREATE TABLE BIG AS SELECT ID, V, ROWTIME AS SEEN FROM T WHERE V > 5 AND ROWTIME > 0;
--@test: grouping a table always repartitions, old rows too
CREATE TABLE BY_R AS SELECT R, COUNT(*) AS C, SUM(V) AS S FROM T GROUP BY R;
--@test: even by its own key
CREATE TABLE BY_ID AS SELECT ID, COUNT(*) AS C FROM T GROUP BY ID HAVING COUNT(*) > 0;
