# test_modes.sh: insert, upsert, update and deletes; where the key comes from.
. "$(dirname "$0")/postgres.bash"

table="CREATE TABLE t (id INT PRIMARY KEY, name STRING, n BIGINT)
         WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);"
rows="INSERT INTO t VALUES (1, 'a', 10); INSERT INTO t VALUES (2, 'b', 20);
      INSERT INTO t VALUES (1, 'c', 30);"

case_begins 'insert writes a row per record, in order'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'"; echo "$rows"; } >in.sql
run 0 -f in.sql
query 'SELECT "NAME", "N" FROM t'
is rows <<'END'
a|10
b|20
c|30
END

case_begins 'a topic in memory is another one in each run'
run 0 -f in.sql
query 'SELECT count(*) FROM t'
is rows <<<6

case_begins 'upsert leaves the last record of each key'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" "'table.name.format'='u'" \
    "'insert.mode'='upsert'" "'pk.mode'='record_key'" "'pk.fields'='ID'"; echo "$rows"; } >in.sql
run 0 -f in.sql
query 'SELECT "ID", "NAME", "N" FROM u ORDER BY 1'
is rows <<'END'
1|c|30
2|b|20
END
query "SELECT conkey::text || contype::text FROM pg_constraint WHERE conrelid = 'u'::regclass"
is rows <<<'{3}p'

case_begins 'the key column may have another name than in the stream'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" "'table.name.format'='k'" \
    "'insert.mode'='upsert'" "'pk.mode'='record_key'" "'pk.fields'='key id'"; echo "$rows"; } >in.sql
run 0 -f in.sql
query 'SELECT "key id", "N" FROM k ORDER BY 1'
is rows <<'END'
1|30
2|20
END

case_begins 'a key may come from the value'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" "'table.name.format'='v'" \
    "'insert.mode'='upsert'" "'pk.mode'='record_value'" "'pk.fields'='NAME'"; echo "$rows"; } >in.sql
run 0 -f in.sql
query 'SELECT * FROM v ORDER BY 1'
is rows <<'END'
a|10
b|20
c|30
END

case_begins 'a key may be the place in the log'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" "'table.name.format'='p'" \
    "'pk.mode'='kafka'"; echo "$rows"; } >in.sql
run 0 -f in.sql
query 'SELECT * FROM p ORDER BY "__connect_offset"'
is rows <<'END'
t|0|0|a|10
t|0|1|b|20
t|0|2|c|30
END

case_begins 'update changes rows that are there, and makes none'
psql -c 'CREATE TABLE w ("ID" int PRIMARY KEY, "NAME" text, "N" bigint, own text)' \
    -c "INSERT INTO w VALUES (1, 'x', 0, 'kept')"
{ echo "$table"; connector c "$jdbc" "'topics'='t'" "'table.name.format'='w'" \
    "'insert.mode'='update'" "'pk.mode'='record_key'" "'pk.fields'='ID'"; echo "$rows"; } >in.sql
run 0 -f in.sql
query 'SELECT * FROM w'
is rows <<<'1|c|30|kept'

case_begins 'a record without a value deletes the row of its key'
cat >deletes.sql <<'END'
CREATE STREAM s (id INT KEY, gone BOOLEAN, name STRING, n BIGINT)
  WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE TABLE live AS SELECT id, COUNT(*) AS n FROM s GROUP BY id HAVING COUNT(*) < 2;
END
{ cat deletes.sql; connector c "$ours" "'topics'='LIVE'" "'table.name.format'='live'"
  echo "INSERT INTO s (id) VALUES (1); INSERT INTO s (id) VALUES (2); INSERT INTO s (id) VALUES (1);"
} >in.sql
run 0 -f in.sql
query 'SELECT "ID", "N" FROM live'
is rows <<<'2|1'

case_begins 'fields.whitelist leaves columns out, table.name.format names schema and table'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" "'fields.whitelist'='N'" \
    "'table.name.format'='$schema.only_\${topic}'"; echo "$rows"; } >in.sql
run 0 -f in.sql
query 'SELECT * FROM only_t ORDER BY 1'
is rows <<'END'
10
20
30
END

report_and_exit
