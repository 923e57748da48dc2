# test_client.sh: statements of -e and -f sent to a server.
. "$SERVER_BASH"

serve
url=http://127.0.0.1:$port

case_begins 'statements run on the server, rows come back with their types'
run 0 "$url/" -e "CREATE STREAM a (id INT KEY, v STRING, d DECIMAL(5,2), t TIMESTAMP, x DOUBLE, l ARRAY<BIGINT>)
  WITH (KAFKA_TOPIC='a', PARTITIONS=1, VALUE_FORMAT='JSON');
INSERT INTO a VALUES (1, 'é\"|', 1.50, '2020-01-02T03:04:05', 1e7, ARRAY[1, 9223372036854775807]);
CREATE TABLE c AS SELECT id, COUNT(*) AS n FROM a GROUP BY id;
SET 'auto.offset.reset'='earliest';
SELECT * FROM a EMIT CHANGES LIMIT 1;" --output json
has out '"message":"Created query with ID CTAS_C_0"'
has out '[1,"é\"|",1.50,"2020-01-02T03:04:05.000",1.0E7,[1,9223372036854775807]]'
has out 'Limit Reached'

case_begins 'listings and descriptions look as those of an engine in the process'
run 0 "$url" -e 'SHOW STREAMS; DESCRIBE a; SHOW QUERIES; EXPLAIN CTAS_C_0; SHOW TOPICS'
has out ' A           | a           | KAFKA      | JSON         | false    '
has out ' ID    | INTEGER          (key) '
has out ' D     | DECIMAL(5, 2) '
has out ' CTAS_C_0 | PERSISTENT | RUNNING:1 | C         | C '
has out '[ SOURCE ]'

run 0 "$url" -e 'DESCRIBE FUNCTION sum; SHOW QUERIES EXTENDED; SHOW TOPICS EXTENDED; ASSERT TOPIC a;'
has out 'Variation   : SUM(val INT)'
has out 'Host Query Status    : {'
has out '[ SOURCE ]'
has out ' a           | 1          | 1                  | 1         | 1 '
has out 'Topic a exists.'

case_begins 'a table without rows ends, and is told'
run 0 "$url" -e 'SELECT * FROM c WHERE id = 77;'
has out '|ID '
has out 'Query terminated'

case_begins 'a statement that the server refuses has its place in the text that was sent'
printf 'SHOW TABLES; -- fine\n\n  DESCRIBE nothing;\n' >script.sql
run 1 "$url" -f script.sql
has err 'script.sql:3:12: '
has err '  DESCRIBE nothing;'
has err '           ^'

case_begins 'a query that the server refuses likewise'
run 1 "$url" -e 'SHOW TABLES; SELECT nope FROM a EMIT CHANGES;'
has err '-e:1:21: '

case_begins 'a syntax error is found here, before anything is sent'
run 1 "$url" -e "CREATE STREAM b AS SELECT * FROM a; SHOW STREEMS;"
has err '-e:1:42: '
run 0 "$url" -e 'SHOW STREAMS;'
lacks out ' B '

case_begins 'PRINT is told line by line'
run 0 "$url" -e "PRINT a FROM BEGINNING LIMIT 1;"
[ "$(sed -n '2p' out)" = 'Value format: JSON or KAFKA_STRING' ] || fail "$(cat out)"
[ "$(sed -n '4p' out)" = 'Topic printing ceased' ] || fail "$(cat out)"

case_begins 'variables are kept here and replaced before anything is sent'
run 0 "$url" -d source=A -e "DEFINE n = '1'; DESCRIBE \${source}; SELECT * FROM c WHERE id = \${n}; SHOW VARIABLES;"
has out ' ID    | INTEGER          (key) '
has out '|N '
has out ' SOURCE        | A '

case_begins 'properties of a server are not set from here'
run 255 "$url" --set ksql.service.id=x -e 'SHOW TABLES;'
has err 'does not go with'

case_begins 'a server that is not there is named'
stop TERM 0
run 255 "$url" -e 'SHOW TABLES;'
has err "$url/info"
report_and_exit
