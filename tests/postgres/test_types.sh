# test_types.sh: every type, as its own column and into columns that were there before.
. "$(dirname "$0")/postgres.bash"

stream="CREATE STREAM s (k STRING KEY, bo BOOLEAN, i INT, l BIGINT, d DOUBLE, de DECIMAL(20,6), st STRING,
          bt BYTES, da DATE, ti TIME, ts TIMESTAMP, ai ARRAY<INT>, a ARRAY<STRING>)
          WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);"
rows="INSERT INTO s VALUES ('a', true, -2147483648, 9223372036854775807, 0.1e0, -12345678901234.567890, 'ä \" \\ x', 'AAH/',
        '0001-01-01', '23:59:59.999', '1969-12-31T23:59:59.999', ARRAY[1, NULL, -3], ARRAY['', 'NULL', 'a,b', 'q\"\\']);
      INSERT INTO s (k) VALUES ('b');
      INSERT INTO s (k, de, d) VALUES ('c', 0.000100, 1e300);
      INSERT INTO s (k, de, d) VALUES ('d', 10000, -0e0);"

for mode in insert upsert; do
    case_begins "$mode keeps every value of every type"
    { echo "$stream"; connector c "$jdbc" "$create" "'topics'='s'" "'table.name.format'='$mode'" \
        "'insert.mode'='$mode'" "'pk.mode'='record_key'" "'pk.fields'='K'"; echo "$rows"; } >in.sql
    run 0 -f in.sql
    query "SELECT \"K\", \"BO\", \"I\", \"L\", \"D\", \"DE\", \"ST\", \"BT\", \"DA\", \"TI\", \"TS\", \"AI\", \"A\" FROM \"$mode\" ORDER BY 1"
    is rows <<'END'
a|t|-2147483648|9223372036854775807|0.1|-12345678901234.567890|ä " \ x|\x0001ff|0001-01-01|23:59:59.999|1969-12-31 23:59:59.999|{1,NULL,-3}|{"","NULL","a,b","q\"\\"}
b||||||||||||
c||||1e+300|0.000100|||||||
d||||0|10000.000000|||||||
END
done

case_begins 'the types of the table that is made are those of the stream'
query "SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = 'upsert'::regclass AND attnum > 0"
is rows <<<'boolean, integer, bigint, double precision, numeric, text, bytea, date, time without time zone, timestamp without time zone, integer[], text[], text'

case_begins 'structs and maps become JSONB where the class is ours'
{ cat <<'END'
CREATE STREAM n (k STRING KEY, st STRUCT<x INT, y ARRAY<STRING>>, m MAP<STRING, INT>, a ARRAY<STRUCT<z INT>>)
  WITH (KAFKA_TOPIC='n', VALUE_FORMAT='JSON', PARTITIONS=1);
END
  connector c "$ours" "'topics'='n'"
  echo "INSERT INTO n VALUES ('a', STRUCT(x := 1, y := ARRAY['p']), MAP('q' := 2), ARRAY[STRUCT(z := 3)]);"
} >in.sql
run 0 -f in.sql
query 'SELECT * FROM n'
is rows <<<'{"X": 1, "Y": ["p"]}|{"q": 2}|[{"Z": 3}]|a'

case_begins 'they are refused by name where it is JDBC'
sed 's/PostgresSink/JdbcSinkConnector/' in.sql | sed "s/'topics'='n'/'topics'='n','auto.create'=true,'table.name.format'='jn'/" >jdbc.sql
run 1 -f jdbc.sql
has err 'Column ST is a STRUCT<'
has err "'connector.class' = 'PostgresSink' makes it JSONB"

case_begins 'the type of a column that is there counts'
psql -c "CREATE TYPE mood AS ENUM ('sad', 'ok')" \
    -c 'CREATE DOMAIN small AS int CHECK (VALUE < 100)' \
    -c 'CREATE TABLE o (id uuid PRIMARY KEY, i smallint, l numeric, d real, m mood, j jsonb, v varchar(9), ts timestamptz, sm small, ip inet, tags text[], c timestamptz DEFAULT now())'
{ cat <<'END'
CREATE STREAM o (`id` STRING KEY, `i` BIGINT, `l` BIGINT, `d` DOUBLE, `m` STRING, `j` STRING, `v` STRING, `ts` TIMESTAMP, `sm` INT, `ip` STRING, `tags` ARRAY<STRING>)
  WITH (KAFKA_TOPIC='o', VALUE_FORMAT='JSON', PARTITIONS=1);
END
  connector c "$ours" "'topics'='o'" "'pk.fields'='id'" "'insert.mode'='MODE'"
  cat <<'END'
INSERT INTO o VALUES ('0d7a5f5e-0b5b-4f5c-9d3a-0123456789ab', 7, 123456789012, 0.5e0, 'ok', '{"a": 1}', 'abc', '2024-02-29T12:00:00', 5, '10.0.0.1/32', ARRAY['x']);
INSERT INTO o (`id`, `m`) VALUES ('1d7a5f5e-0b5b-4f5c-9d3a-0123456789ab', 'sad');
END
} >any.sql
for mode in insert upsert update; do
    sed "s/MODE/$mode/" any.sql >in.sql
    run 0 -f in.sql
    query "SELECT id, i, l, d, m, j, v, ts AT TIME ZONE 'UTC', sm, ip, tags FROM o ORDER BY id"
    is rows <<'END'
0d7a5f5e-0b5b-4f5c-9d3a-0123456789ab|7|123456789012|0.5|ok|{"a": 1}|abc|2024-02-29 12:00:00|5|10.0.0.1|{x}
1d7a5f5e-0b5b-4f5c-9d3a-0123456789ab||||sad||||||
END
    [ $mode != insert ] || psql -c "UPDATE o SET m = NULL"
done

case_begins 'a type that does not fit is refused, both named'
psql -c 'CREATE TABLE misfit ("BO" date)'
{ echo "CREATE STREAM m (bo BOOLEAN) WITH (KAFKA_TOPIC='misfit', VALUE_FORMAT='JSON', PARTITIONS=1);"
  connector c "$jdbc" "'topics'='misfit'"; echo "INSERT INTO m VALUES (true);"; } >in.sql
run 1 -f in.sql
has err 'Column BO of table misfit is date, and a BOOLEAN cannot be written to it'

report_and_exit
