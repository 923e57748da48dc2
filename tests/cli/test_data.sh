# test_data.sh: --data keeps everything in a directory, for one process at a time.
. "$CHECK"

create="CREATE STREAM s (id INT KEY, v INT) WITH (kafka_topic='s', value_format='json', partitions=2);
CREATE TABLE t AS SELECT id, SUM(v) AS total FROM s GROUP BY id;"

case_begins 'what one process has done the next one goes on with'
run 0 --data kept -e "$create INSERT INTO s VALUES (1, 10); INSERT INTO s VALUES (2, 5);"
run 0 --data kept --output json -e 'INSERT INTO s VALUES (1, 100); SELECT * FROM t WHERE id = 1;'
has out 110
run 0 --data kept -e 'SHOW QUERIES;'
has out CTAS_T_0

case_begins 'a source table is asked by key, over restarts, and its query lives as long as it does'
run 0 --data sources -e "CREATE TABLE w (id INT PRIMARY KEY, v INT) WITH (kafka_topic='w', value_format='json', partitions=2);
CREATE SOURCE TABLE r (id INT PRIMARY KEY, v INT) WITH (kafka_topic='w', value_format='json');
INSERT INTO w VALUES (1, 10); INSERT INTO w VALUES (2, 20); INSERT INTO w VALUES (1, 11);"
has out 'Created query with ID CST_R_0'
run 0 --data sources --output json -e 'INSERT INTO w VALUES (2, 21); SELECT * FROM r WHERE id = 2; SELECT v FROM r; DESCRIBE r EXTENDED;'
has out '{"row":{"columns":[2,21]}}'
has out '{"row":{"columns":[11]}}'
has out 'Queries that read from this source'
lacks out 'Queries that write to this source'
run 1 --data sources -e 'PAUSE CST_R_0;'
has err '(ERR_WRONG_KIND)'
run 1 --data sources -e 'INSERT INTO r VALUES (1, 1);'
has err 'R is read-only'
run 1 --data sources -e 'DROP TABLE r DELETE TOPIC;'
has err 'cannot be deleted with it'
run 1 --data sources -e "CREATE OR REPLACE TABLE r (id INT PRIMARY KEY, v INT) WITH (kafka_topic='w', value_format='json');"
has err 'OR REPLACE is not for such'
run 0 --data sources --output json -e 'TERMINATE ALL; SELECT v FROM r WHERE id = 1; DROP TABLE r; SHOW QUERIES; SHOW ALL TOPICS;'
has out '{"row":{"columns":[11]}}'
lacks out 'changelog'
run 1 --data sources -e 'SELECT v FROM r;'
has err '(ERR_UNKNOWN_SOURCE)'

case_begins 'columns that were added are there for new queries, and after a restart'
run 0 --data altered -e "CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='s', value_format='json', partitions=1);
CREATE STREAM old AS SELECT * FROM s;
INSERT INTO s VALUES ('a', 1); ALTER STREAM s ADD COLUMN w DOUBLE, ADD x STRING;
INSERT INTO s VALUES ('b', 2, 2.5, 'y');"
has out 'Stream altered'
run 0 --data altered --output json -e "CREATE OR REPLACE STREAM s (k STRING KEY, v INT, w DOUBLE, x STRING, z DATE) WITH (kafka_topic='s', value_format='json');
SELECT * FROM s; SELECT * FROM old; DESCRIBE s;"
has out '{"row":{"columns":["a",1,null,null,null]}}'
has out '{"row":{"columns":["b",2,2.5,"y",null]}}'
has out '{"row":{"columns":["b",2]}}'
run 0 --data altered --output json -e "INSERT INTO s (k, z) VALUES ('c', '2020-01-02'); SELECT k, z FROM s; SELECT * FROM old;"
has out '{"row":{"columns":["c","2020-01-02"]}}'
has out '{"row":{"columns":["c",null]}}'
run 1 --data altered -e "SET 'ksql.create.or.replace.enabled'='false';
CREATE OR REPLACE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='s', value_format='json');"
has err 'OR REPLACE is switched off'

case_begins 'OR REPLACE of a query makes it where there is none yet, once'
new="CREATE OR REPLACE STREAM o AS SELECT * FROM s;"
run 0 --data replaced -e "CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='s', value_format='json', partitions=1);
$new INSERT INTO s VALUES ('a', 1);"
has out 'Created query with ID CSAS_O_'
run 0 --data replaced --output json -e 'SELECT * FROM o;'
has out '{"row":{"columns":["a",1]}}'
run 1 --data replaced -e "$new"
has err 'OR REPLACE of such is not supported'
run 1 --data replaced -e "SET 'ksql.create.or.replace.enabled'='false'; CREATE OR REPLACE STREAM p AS SELECT * FROM s;"
has err 'OR REPLACE is switched off'

case_begins 'types with names outlive a process, and columns outlive the names'
run 0 --data typed -e "CREATE TYPE place AS STRUCT<town STRING>; CREATE STREAM s (p place) WITH (kafka_topic='s', value_format='json', partitions=1);"
run 0 --data typed -e 'SHOW TYPES; DROP TYPE place;'
has out 'PLACE'
run 0 --data typed -e 'SHOW TYPES; DESCRIBE s;'
lacks out 'PLACE'
has out 'STRUCT<`TOWN` STRING>'

case_begins 'another directory knows nothing of it'
run 0 --data other -e 'SHOW TABLES;'
lacks out CTAS_T_0
lacks out json

case_begins 'the directory and all in it are for its user alone'
run 0 --data kept -e 'SHOW TABLES;'
[ "$(find kept -perm /077 | wc -l)" -eq 0 ] || fail "$(find kept -perm /077)"
[ "$(cat kept/VERSION)" = 1 ] || fail 'VERSION'

case_begins 'a second process is refused, with the first one named, and disturbs nothing'
mkfifo gate
"$SLUICE" --data kept <gate >first 2>&1 &
first=$!
exec 9>gate
printf "INSERT INTO s VALUES (3, 1);" >&9
while [ ! -s kept/LOCK ] || ! grep -q "$first" kept/LOCK; do read -r -t 0.05 _ <> <(:) || true; done
run 255 --data kept -e 'SHOW TABLES;'
has err "in use by process $first"
exec 9>&-
wait "$first" || fail 'the first process failed'
run 0 --data kept --output json -e 'SELECT * FROM t WHERE id = 3;'
has out '3'

case_begins 'a damaged directory is refused and left as it is'
cp -r kept damaged
echo nonsense >damaged/db/CURRENT
cp -r damaged before
run 255 --data damaged -e 'SHOW TABLES;'
has err damaged/db
[ "$(cat damaged/db/CURRENT)" = nonsense ] || fail 'CURRENT was changed'

case_begins 'a directory that cannot be made is named'
run 255 --data no/such/parent -e 'SHOW TABLES;'
has err no/such/parent

case_begins 'log.fsync is checked'
run 255 --data kept --set log.fsync=sometimes -e 'SHOW TABLES;'
has err 'commit, interval or never'
for mode in interval never; do
    run 0 --data kept --set log.fsync=$mode -e 'SHOW TABLES;'
done

case_begins 'log.level is checked'
run 255 --set log.level=loud -e 'SHOW TABLES;'
has err 'error, warn, info or debug'
run 0 --set log.level=debug -e 'SHOW TABLES;'

case_begins 'internal topics are named by ksql.persistent.prefix, which a query keeps for its life'
run 0 --data named --set ksql.persistent.prefix=mine_ -e "
CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE TABLE t AS SELECT v, COUNT(*) AS n FROM s GROUP BY v; SHOW ALL TOPICS;"
has out _confluent-ksql-default_mine_CTAS_T_0-Aggregate-GroupBy-repartition
has out _confluent-ksql-default_mine_CTAS_T_0-Aggregate-Aggregate-Materialize-changelog
run 0 --data named -e 'SHOW QUERIES;'
has err 'CTAS_T_0 would no longer fit its state'
run 0 --data named --set ksql.persistent.prefix=mine_ --output json \
    -e "INSERT INTO s VALUES ('a', 7); SELECT v, n FROM t;"
has out '[7,1]'

case_begins 'a query cannot ask an at-least-once server for more'
alos=(--set processing.guarantee=at_least_once)
stream="CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON', PARTITIONS=1);"
run 1 "${alos[@]}" -e "$stream SET 'processing.guarantee'='exactly_once_v2';
CREATE STREAM c AS SELECT v FROM s;"
has err 'processing.guarantee=at_least_once'
run 1 "${alos[@]}" -e "$stream CREATE STREAM c (v INT) WITH (KAFKA_TOPIC='c', VALUE_FORMAT='JSON', PARTITIONS=1);
SET 'processing.guarantee'='exactly_once'; INSERT INTO c SELECT v FROM s;"
has err 'processing.guarantee=at_least_once'
run 0 "${alos[@]}" -e "$stream SET 'processing.guarantee'='at_least_once';
CREATE STREAM c AS SELECT v FROM s;"
run 0 -e "$stream SET 'processing.guarantee'='at_least_once'; CREATE STREAM c AS SELECT v FROM s;"

case_begins 'cases of the test runner give the same on disk'
cat >case.sql <<'END'
--@test: sum on disk
CREATE STREAM s (id INT KEY, v INT) WITH (kafka_topic='s', value_format='json');
CREATE TABLE t AS SELECT id, SUM(v) AS total FROM s GROUP BY id;
INSERT INTO s (id, v) VALUES (1, 10);
INSERT INTO s (id, v) VALUES (1, 5);
ASSERT VALUES t (id, total) VALUES (1, 10);
ASSERT VALUES t (id, total) VALUES (1, 15);
END
run 0 test --store disk case.sql
has out '1 passed, 0 failed'
run 255 test --store paper case.sql
has err paper

report_and_exit
