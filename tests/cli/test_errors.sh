# test_errors.sh: errors name file, line and column, show the place and say what to do; no text
# breaks the program, and no record breaks a query.
. "$CHECK"

case_begins 'an error names its place in the text and points at it'
printf 'SHOW STREAMS;\n  SELECT a FROM nowhere\n  EMIT CHANGES;\n' >bad.sql
run 1 -f bad.sql
is err <<'END'
bad.sql:2:17: There is no stream or table NOWHERE (ERR_UNKNOWN_SOURCE)
  SELECT a FROM nowhere
                ^
SHOW STREAMS; and SHOW TABLES; list what there is. An engine in memory starts empty: CREATE comes first.
END
is out </dev/null

case_begins 'the place in standard input and on the command line'
run 1 <<<'FOO;'
has err 'stdin:1:1: '
run 1 -e 'SHOW FOO'
has err '-e:1:6: '

reject() { # NAME CODE STATEMENTS
    case_begins "$1"
    run 1 -e "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON',
              PARTITIONS=1); $3"
    has err "($2)"
    is out </dev/null
}

reject 'an unknown topic' ERR_UNKNOWN_TOPIC \
    "CREATE STREAM x (a INT) WITH (KAFKA_TOPIC='nowhere', VALUE_FORMAT='JSON');"
reject 'an unknown column' ERR_UNKNOWN_COLUMN 'CREATE STREAM x AS SELECT k, w FROM s;'
reject 'an unknown type' ERR_UNKNOWN_TYPE \
    "CREATE STREAM x (a NUMBER) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');"
reject 'an unknown format' ERR_UNKNOWN_FORMAT \
    "CREATE STREAM x (a INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='XML');"
reject 'an unknown function' ERR_UNKNOWN_FUNCTION 'SELECT nope(v) FROM s EMIT CHANGES;'
reject 'an unknown query' ERR_UNKNOWN_QUERY 'TERMINATE nope;'
reject 'an unknown property' ERR_UNKNOWN_PROPERTY "SET 'nope'='1';"
reject 'a name in use' ERR_NAME_TAKEN \
    "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');"
reject 'the wrong kind of source' ERR_WRONG_KIND 'DROP TABLE s;'
reject 'a value of the wrong type' ERR_INSERT_VALUE "INSERT INTO s VALUES ('a', 'b');"
reject 'values that do not match the columns' ERR_INSERT_COLUMNS "INSERT INTO s VALUES ('a');"
reject 'a setting of the server' ERR_INVALID_PROPERTY "SET 'bootstrap.servers'='b:1';"
reject 'fewer than no milliseconds' ERR_INVALID_PROPERTY "SET 'commit.interval.ms'='-1';"
reject 'a property that was not set' ERR_INVALID_PROPERTY "UNSET 'auto.offset.reset';"

for statement in \
    'ASSERT SCHEMA SUBJECT t' \
    'ASSERT VALUES s (v) VALUES (1)' 'ASSERT NULL VALUES s (k) KEY (1)' 'ASSERT STREAM s' \
    "ALTER SYSTEM 'a'='b'" 'EXPLAIN SHOW STREAMS' \
    "CREATE SOURCE CONNECTOR c WITH ('connector.class'='MqttSource')"; do
    reject "refused by name: $statement" ERR_UNSUPPORTED "$statement;"
done

reject 'a column that is there already' ERR_DUPLICATE_COLUMN 'ALTER STREAM s ADD COLUMN v INT;'
reject 'a type that the format cannot hold' ERR_FORMAT_SCHEMA \
    "CREATE STREAM d (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='DELIMITED'); ALTER STREAM d ADD COLUMN a ARRAY<INT>;"
reject 'the wrong kind to alter' ERR_WRONG_KIND 'ALTER TABLE s ADD COLUMN w INT;'
reject 'nothing to alter' ERR_UNKNOWN_SOURCE 'ALTER STREAM z ADD COLUMN w INT;'
reject 'a result cannot be altered' ERR_WRONG_KIND \
    'CREATE STREAM o AS SELECT * FROM s; ALTER STREAM o ADD COLUMN w INT;'
reject 'a source that is read only cannot be altered' ERR_WRONG_KIND \
    "CREATE SOURCE STREAM r (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON'); ALTER STREAM r ADD COLUMN w INT;"
reject 'no such connector to drop' ERR_UNKNOWN_CONNECTOR 'DROP CONNECTOR c;'
reject 'no such connector to describe' ERR_UNKNOWN_CONNECTOR 'DESCRIBE CONNECTOR c;'
reject 'a connector without a class' ERR_MISSING_PROPERTY "CREATE SINK CONNECTOR c WITH ('a'='b');"
reject 'a class that does not exist' ERR_INVALID_PROPERTY \
    "CREATE SINK CONNECTOR c WITH ('connector.class'='x.Y');"

says() { # NAME STATEMENTS TEXT
    case_begins "$1"
    run 1 -e "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON',
              PARTITIONS=1); $2"
    has err "$3"
}

says 'two letters of a keyword are swapped' 'SELECT k FORM s EMIT CHANGES;' \
    'Did you mean FROM instead of FORM?'
says 'a keyword where another is meant' 'SHOW TABLE;' 'Did you mean TABLES instead of TABLE?'
says 'a reserved word as a name' 'SELECT k AS at FROM s EMIT CHANGES;' 'back quotes: `at`'
says 'text in double quotes' 'SELECT k FROM s WHERE k = "x" EMIT CHANGES;' \
    'S has no column x (text goes in single quotes)'
says 'a setting without quotes' "SET auto.offset.reset = 'latest';" 'a string in single quotes'
says 'a function that is nearly there' 'SELECT COUTN(*) FROM s GROUP BY k EMIT CHANGES;' \
    'There is no function COUTN (did you mean COUNT?)'
says 'what other dialects have: ORDER BY' 'SELECT v FROM s ORDER BY v EMIT CHANGES;' \
    'There is no ORDER BY'
says 'what other dialects have: UPDATE' 'UPDATE s SET v = 1;' 'There is no UPDATE'
says 'what other dialects have: DELETE' 'DELETE FROM s;' 'a record without a value deletes'
says 'a unit that does not exist lists those that do' 'ASSERT TOPIC t TIMEOUT 1 FORTNIGHT;' \
    'DAYS, HOURS, MINUTES, SECONDS, MILLISECONDS'
says 'an array of nothing' \
    "CREATE STREAM x (a ARRAY) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');" 'ARRAY<INT>'
says 'a type that is nearly there' \
    "CREATE STREAM x (a STRIN) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');" \
    'There is no type STRIN (did you mean STRING?)'
says 'too few values: the columns are listed' "INSERT INTO s VALUES ('a');" \
    '1 value for 2 columns: S needs K, V'
says 'a value of the wrong type' "INSERT INTO s VALUES ('a', 'b');" \
    'Column V: expected INTEGER but got STRING b'
says 'a WITH property that is nearly there: where they are listed' \
    "CREATE STREAM x (a INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITION=1);" \
    'sluice help with'

case_begins 'a file without statements is told'
printf -- '-- nothing here\n' >empty.sql
run 0 -f empty.sql
has err 'empty.sql holds no statements'

case_begins 'a byte order mark does not count'
printf '\357\273\277SHOW FOO;' >mark.sql
run 1 -f mark.sql
has err 'mark.sql:1:6: '

case_begins 'a file where a command should be: how to run it'
run 255 empty.sql
has err 'to run the file: -f FILE'

case_begins 'a test file without cases is told'
run 255 test empty.sql
has err 'empty.sql: no cases; each begins with --@test: name'

case_begins 'an expression without a value is told with its record'
run 0 -e "CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);
    INSERT INTO s VALUES (NULL); SET 'auto.offset.reset' = 'earliest';
    SELECT v + 1 AS w FROM s EMIT CHANGES LIMIT 1;"
has err ' at t-0@0: Error computing expression (V + 1)'
has err 'WARNING: 1 record or row had errors'

case_begins 'a setting without an effect is told'
run 0 -e "SET 'max.task.idle.ms' = '5'"
has out "WARNING: 'max.task.idle.ms' has no effect yet"
run 0 --set compression.type=lz4 -e 'SHOW STREAMS'
has err "'compression.type' has no effect yet"

case_begins 'a text of 10 MB is refused, not read'
{ echo -n "SELECT '"; head -c 10485760 /dev/zero | tr '\0' x; echo "' FROM s EMIT CHANGES;"; } >big.sql
run 1 -f big.sql
has err ERR_TOO_LARGE
run 1 <big.sql
has err ERR_TOO_LARGE

repeat() { # TEXT TIMES
    head -c "$2" /dev/zero | sed "s/\x0/$1/g"
}

case_begins 'nesting of 100,000 levels is refused'
{ echo -n 'SELECT '; repeat '(' 100000; echo -n 1; repeat ')' 100000; echo ' FROM s EMIT CHANGES;'; } >deep.sql
run 1 -f deep.sql
has err ERR_TOO_DEEP
{ echo -n 'SELECT '; repeat 'a->' 100000; echo 'b FROM s EMIT CHANGES;'; } >deep.sql
run 1 -f deep.sql
has err ERR_TOO_DEEP
{ echo -n 'SELECT '; repeat '1 + ' 100000; echo '1 FROM s EMIT CHANGES;'; } >deep.sql
run 1 -f deep.sql
has err ERR_TOO_DEEP
{ echo -n 'CREATE STREAM s (a '; repeat 'ARRAY<' 100000; echo -n INT; repeat '>' 100000; echo ');'; } >deep.sql
run 1 -f deep.sql
has err ERR_TOO_DEEP

case_begins 'bytes of no meaning are refused with their place'
for seed in 1 2 3 4 5 6 7 8; do
    awk -v seed=$seed 'BEGIN { srand(seed); for (i = 0; i < 2000; i++) printf "%c", int(rand() * 255) + 1 }' >noise.sql
    run 1 -f noise.sql
    has err 'noise.sql:'
done
printf 'SHOW \0 STREAMS;' >nul.sql
run 1 -f nul.sql
has err 'nul.sql:1:6'

case_begins 'a bad record beside good ones: queries on it and on others run on'
run 0 --output json -e "CREATE STREAM raw (k STRING KEY, v STRING)
      WITH (KAFKA_TOPIC='t', VALUE_FORMAT='KAFKA', PARTITIONS=1);
    CREATE STREAM j (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
    CREATE TABLE total AS SELECT k, SUM(v) AS sum FROM j GROUP BY k;
    CREATE STREAM other (k STRING KEY, v INT)
      WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON', PARTITIONS=1);
    CREATE TABLE others AS SELECT k, COUNT(*) AS n FROM other GROUP BY k;
    INSERT INTO other VALUES ('a', 1);
    INSERT INTO raw VALUES ('a', '{\"V\":1}');
    INSERT INTO raw VALUES ('a', '{\"V\":');
    INSERT INTO raw VALUES ('a', '{\"V\":\"x\"}');
    INSERT INTO raw VALUES ('a', '{\"V\":5}');
    INSERT INTO other VALUES ('a', 2);
    SELECT sum FROM total WHERE k = 'a';
    SELECT n FROM others WHERE k = 'a';
    SHOW QUERIES;"
has out '{"row":{"columns":[6]}}'
has out '{"row":{"columns":[2]}}'
lacks out ERROR
has err 'CTAS_TOTAL_0 skipped value of t-0@1'
has err 'CTAS_TOTAL_0 skipped value of t-0@2'
lacks err CTAS_OTHERS
has err 'WARNING: 2 records or rows had errors'

case_begins 'joins are told of with the names as they were written'
tables="CREATE TABLE t (k INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);
        CREATE TABLE u (k INT PRIMARY KEY, w INT) WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON', PARTITIONS=1);"
run 1 -e "$tables SELECT * FROM t JOIN u ON t.k = u.w EMIT CHANGES;"
has err 'the table U can only be joined on its primary key, not on U.W ('
run 1 -e "$tables SELECT * FROM t JOIN u ON t.v = u.k EMIT CHANGES;"
has err 'A foreign-key JOIN is not supported: T.V is not the key of the left side'
run 1 -e "$tables SELECT x.* FROM t JOIN u ON t.k = u.k EMIT CHANGES;"
has err 'X is not among what is joined here'

case_begins 'a query that must not skip records stops at the first bad one, and says so'
bad="CREATE STREAM raw (v STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='KAFKA', PARTITIONS=1);
     CREATE STREAM s (v INT, t BIGINT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', TIMESTAMP='t');
     SET 'auto.offset.reset'='earliest';"
row="INSERT INTO raw VALUES ('{\"v\":1,\"t\":1}');"
strict="SET 'ksql.fail.on.deserialization.error'='true'; CREATE STREAM o AS SELECT * FROM s;"
run 0 -e "$bad $strict $row INSERT INTO raw VALUES ('?'); INSERT INTO raw VALUES ('{\"v\":2,\"t\":2}'); SELECT v, 'kept' AS k FROM o; SHOW QUERIES;"
lacks err 'skipped'
has err 'CSAS_O_0 stopped, and is tried again in 30 s: value of t-0@1: '
has out 'ERROR:1'
has out '|1                                      |kept '
lacks out '|2 '
run 1 -e "$bad $row INSERT INTO raw VALUES ('{}'); SET 'ksql.timestamp.throw.on.invalid'='true'; SELECT * FROM s EMIT CHANGES;"
has out '|1 '
has err 'value of t-0@1: '
run 1 -e "$bad $row INSERT INTO raw VALUES ('?'); SET 'ksql.fail.on.deserialization.error'='true'; SELECT * FROM s;"
has err 'value of t-0@1: '
run 0 -e "$bad $row INSERT INTO raw VALUES ('?'); SET 'ksql.timestamp.throw.on.invalid'='true'; SELECT * FROM s;"
has err 'skipped value of t-0@1'

report_and_exit
