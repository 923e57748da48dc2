# test_refusals.sh: rows that Postgres cannot hold, and tables that do not fit: what is refused,
# what is written all the same, and what is said.
. "$(dirname "$0")/postgres.bash"

all="'errors.tolerance'='all'"
letters="'errors.deadletterqueue.topic.name'='dead', 'errors.deadletterqueue.context.headers.enable'=true"
dead="CREATE STREAM dead (k STRING KEY, h ARRAY<STRUCT<key STRING, value BYTES>> HEADERS)
        WITH (KAFKA_TOPIC='dead', VALUE_FORMAT='JSON', PARTITIONS=1);"
# stream COLUMNS: over the topic t.
stream() {
    echo "CREATE STREAM t (k STRING KEY, $1) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);"
}

# keyed TABLE OPTIONS...: an upsert by the column K.
keyed() {
    local table=$1
    shift
    connector "$table" "$jdbc" "'topics'='t'" "'table.name.format'='$table'" \
        "'insert.mode'='upsert'" "'pk.mode'='record_key'" "'pk.fields'='K'" "$@"
}

# refused NAME COUNT: in.sql leaves out so many rows; each one's key and reason are in ./why.
refused() {
    local key why
    case_begins "$1"
    { echo "$dead"; cat in.sql; } >both.sql
    rm -rf kept
    run 0 --data kept --set log.fsync=never -f both.sql
    run 0 --data kept --set log.fsync=never --output json -e "SET 'auto.offset.reset'='earliest';
        SELECT k, h[9]->value AS why FROM dead EMIT CHANGES LIMIT $2;"
    sed -n 's/.*"columns":\["\(.*\)","\(.*\)"\].*/\1 \2/p' out | while read -r key why; do
        echo "$key: $(base64 -d <<<"$why")"
    done >why
}

psql -c 'CREATE TABLE n ("K" text PRIMARY KEY, "V" text NOT NULL)'
{ stream 'v STRING'; keyed n "$all" "$letters"
  echo "INSERT INTO t VALUES ('a', 'x'); INSERT INTO t (k) VALUES ('b'); INSERT INTO t VALUES ('c', 'y');"
} >in.sql
refused 'NULL for a column that is NOT NULL is a dead letter where errors are tolerated' 1
has why 'b: Postgres at 127.0.0.1'
has why 'violates not-null constraint'
query 'SELECT * FROM n ORDER BY 1'
is rows <<'END'
a|x
c|y
END

case_begins 'else it stops the connector behind the rows before it'
psql -c 'TRUNCATE n'
sed "s/'errors.tolerance'='all'/'errors.tolerance'='none'/" in.sql >none.sql
run 1 -f none.sql
has err 'Connector N stopped: t-0@1: '
has err 'violates not-null constraint'
query 'SELECT * FROM n'
is rows <<<'a|x'

psql -c 'CREATE TABLE z ("K" text PRIMARY KEY, "V" text, "A" text[], "J" jsonb)'
zero=$'\\u0000'
{ stream 'v STRING, a ARRAY<STRING>, j STRUCT<x STRING>'
  echo "CREATE STREAM raw (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='KAFKA', PARTITIONS=1);"
  keyed z "$all" "$letters"
  echo "INSERT INTO raw VALUES ('a', '{\"V\":\"x${zero}y\"}');
        INSERT INTO raw VALUES ('b', '{\"A\":[\"p\",\"x${zero}y\"]}');
        INSERT INTO raw VALUES ('c', '{\"J\":{\"X\":\"x${zero}y\"}}');
        INSERT INTO raw VALUES ('d', '{\"V\":\"good\"}');
        INSERT INTO raw VALUES ('e${zero}', '{\"V\":\"good\"}');"
} >in.sql
refused 'U+0000 in a text, in an array and in JSON is a dead letter' 3
for key in a b c; do
    has why "$key: "
done
query 'SELECT "K", "V" FROM z WHERE "K" = $$d$$'
is rows <<<'d|good'

psql -c 'CREATE TABLE r ("K" text PRIMARY KEY, "S" smallint, "I" int, "N" numeric(5,2), "F" real, "C" varchar(3), "U" uuid)'
{ stream 's BIGINT, i BIGINT, n DECIMAL(20,4), f DOUBLE, c STRING, u STRING'; keyed r "$all" "$letters"
  echo "INSERT INTO t (k, s) VALUES ('a', 32768); INSERT INTO t (k, i) VALUES ('b', -2147483649);
        INSERT INTO t (k, n) VALUES ('c', 1000.00); INSERT INTO t (k, n) VALUES ('d', 999.9940);
        INSERT INTO t (k, f) VALUES ('e', 1e300); INSERT INTO t (k, c) VALUES ('f', 'abcd');
        INSERT INTO t (k, u) VALUES ('g', 'no uuid'); INSERT INTO t (k, s, i) VALUES ('h', -32768, 2147483647);"
} >in.sql
refused 'what is out of range, too long or no such thing is a dead letter each' 6
for key in a b c e f g; do
    has why "$key: "
done
has why 'column S: the number does not fit the type SMALLINT'
has why 'numeric field overflow'
query 'SELECT "K", "S", "I", "N" FROM r ORDER BY 1'
is rows <<'END'
d|||999.99
h|-32768|2147483647|
END

psql -c 'CREATE TABLE f ("K" text PRIMARY KEY, "V" float8)' \
    -c 'CREATE TABLE g ("K" text PRIMARY KEY, "V" numeric)' \
    -c 'CREATE TABLE h ("K" text PRIMARY KEY, "V" real)'
for table in f g h; do
    case_begins "NaN and the infinities are numbers, table $table"
    { for name in t u; do stream 'v DOUBLE' | sed "s/STREAM t/STREAM $name/; s/'t'/'$name'/; s/'JSON'/'KAFKA'/"; done
      keyed $table
      echo "INSERT INTO t SELECT k, 1e308 * v - 1e308 * 10 AS v FROM u EMIT CHANGES;
            INSERT INTO u VALUES ('a', 10e0); INSERT INTO u VALUES ('b', 0e0);"
    } >in.sql
    run 0 -f in.sql
    query "SELECT * FROM $table ORDER BY 1"
    is rows <<'END'
a|NaN
b|-Infinity
END
done

case_begins 'names with capitals, spaces, quotes, dots and other letters are kept'
{ echo "CREATE STREAM t (\`key Ä\` STRING KEY, \`a \"b\"\` INT, \`SELECT\` INT, \`x.y\` INT)
          WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);"
  connector c "$ours" "'topics'='t'" "'table.name.format'='Zürich o''clock; --'"
  echo "INSERT INTO t VALUES ('a', 1, 2, 3);"
} >in.sql
run 0 -f in.sql
query "SELECT \"key Ä\", \"a \"\"b\"\"\", \"SELECT\", \"x.y\" FROM \"Zürich o'clock; --\""
is rows <<<'a|1|2|3'

case_begins 'a name in quotes may hold dots and, twice, quotes'
sed -i "s/'table.name.format'='[^,]*'/'table.name.format'='\"$schema\".\"a \"\"b\"\".c\"'/" in.sql
run 0 -f in.sql
query 'SELECT "SELECT" FROM "a ""b"".c"'
is rows <<<2

columns=1000
case_begins 'a table may have a thousand columns'
{ stream "$(for ((i = 1; i <= columns; i++)); do printf '%sc%d INT' "${comma:-}" "$i"; comma=', '; done)"
  connector c "$ours" "'topics'='t'" "'table.name.format'='wide'"
  echo "INSERT INTO t (k, c1, c$columns) VALUES ('a', 1, 2); INSERT INTO t (k, c500) VALUES ('b', 3);"
} >in.sql
run 0 -f in.sql
query "SELECT \"K\", \"C1\", \"C500\", \"C$columns\" FROM wide ORDER BY 1"
is rows <<'END'
a|1||2
b||3|
END

hundred=v$(printf ', v%.0s' {2..100})
case_begins 'a value may have twenty million bytes'
{ for name in t u v w; do stream 'v STRING' | sed "s/STREAM t/STREAM $name/; s/'t'/'$name'/"; done
  connector c "$ours" "'topics'='w'" "'table.name.format'='large'"
  echo "INSERT INTO u SELECT k, CONCAT($hundred) AS v FROM t EMIT CHANGES;
        INSERT INTO v SELECT k, CONCAT($hundred) AS v FROM u EMIT CHANGES;
        INSERT INTO w SELECT k, CONCAT($hundred) AS v FROM v EMIT CHANGES;
        INSERT INTO t VALUES ('a', 'twenty bytes of text');"
} >in.sql
run 0 -f in.sql
query 'SELECT length("V"), right("V", 4) FROM large'
is rows <<<'20000000|text'

case_begins 'two connectors may write to one table'
psql -c 'CREATE TABLE shared ("K" text PRIMARY KEY, "V" text)'
{ stream 'v STRING'; echo "CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);"
  keyed shared
  keyed shared | sed "s/CONNECTOR shared/CONNECTOR d/; s/'topics'='t'/'topics'='s'/"
  echo "INSERT INTO t VALUES ('a', '1'); INSERT INTO s VALUES ('b', '2');"
} >in.sql
run 0 -f in.sql
query 'SELECT * FROM shared ORDER BY 1'
is rows <<'END'
a|1
b|2
END

case_begins 'the key column that a table lacks is not added'
psql -c 'CREATE TABLE keyless ("V" text)'
{ stream 'v STRING'; keyed keyless "'auto.evolve'=true"; echo "INSERT INTO t VALUES ('a', 'x');"; } >in.sql
run 1 -f in.sql
has err 'Table keyless lacks the key column K'

case_begins 'a key that is null is refused'
psql -c 'CREATE TABLE nokey ("K" text PRIMARY KEY, "V" text)'
{ stream 'v STRING'; keyed nokey; echo "INSERT INTO t (v) VALUES ('x');"; } >in.sql
run 1 -f in.sql
has err 't-0@0: '
has err 'the key column K is null'

report_and_exit
