# test_errors.sh: what is wrong with a connector is said with where, what and what to do; records
# that cannot be written go to the dead-letter topic alone.
. "$(dirname "$0")/postgres.bash"

table="CREATE STREAM t (id INT KEY, name STRING, n BIGINT)
         WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);"
rows="INSERT INTO t VALUES (1, 'a', 10); INSERT INTO t VALUES (2, 'b', 20);"

refuses() { # NAME 'OPTION'='VALUE'... -- TEXT...: the statement itself
    case_begins "$1"
    shift
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    { echo "$table"; printf 'CREATE SINK CONNECTOR c WITH (%s);\n' "$(IFS=,; echo "${options[*]}")"; } >in.sql
    run 1 -f in.sql
    for text in "$@"; do
        has err "$text"
    done
}

good="'connection.url'='$url'"
refuses 'a URL of another database is refused' "$jdbc" "'topics'='t'" \
    "'connection.url'='jdbc:mysql://h/d'" -- 'only Postgres can be written to' \
    'jdbc:postgresql://HOST:PORT/DATABASE' 'in.sql:3:'
refuses 'a URL is needed' "$jdbc" "'topics'='t'" -- "'connection.url' is missing"
refuses 'topics are needed' "$jdbc" "$good" -- 'Must configure one of topics or topics.regex'
refuses 'topics and a pattern exclude each other' "$jdbc" "$good" "'topics'='t'" \
    "'topics.regex'='t.*'" -- 'mutually exclusive'
refuses 'a slip in the name of a property is told' "$jdbc" "$good" "'topics'='t'" \
    "'auto.craete'=true" -- "did you mean 'auto.create'?"
refuses 'a value that a property does not take is told' "$jdbc" "$good" "'topics'='t'" \
    "'insert.mode'='merge'" -- "'insert.mode' is one of insert,upsert,update, not 'merge'"
refuses 'an upsert needs a key' "$jdbc" "$good" "'topics'='t'" "'insert.mode'='upsert'" -- \
    "set 'pk.mode' to record_key"
refuses 'deletes of JDBC need the key of the record' "$jdbc" "$good" "'topics'='t'" \
    "'delete.enabled'=true" -- "'delete.enabled' needs 'pk.mode' = 'record_key'"
refuses 'a pattern with what is not supported is refused' "$jdbc" "$good" "'topics.regex'='(?i)t'" -- \
    "'topics.regex' is not a regular expression, or has lookaround, flags"
refuses 'the dead-letter topic may not be read' "$jdbc" "$good" "'topics'='t'" \
    "'errors.deadletterqueue.topic.name'='t'" -- 'dead-letter topic t is among'
refuses 'a class that is not there is named' "'connector.class'='x.Y'" -- \
    'Failed to find any class that implements Connector and which name matches x.Y'

refuses 'what would change the rows and is missing is not ignored' "$jdbc" "$good" "'topics'='t'" \
    "'transforms'='key'" "'transforms.key.type'='x'" -- "'transforms' is not supported: let a query"

case_begins 'unknown properties, and those of Connect alone, are warned of'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" "'rest.advertised.host.name'='x'" \
    "'my.own'='y'" "'value.converter'='z'"; } >in.sql
run 0 -f in.sql
has out "WARNING: 'rest.advertised.host.name' has no effect here"
has out "WARNING: There is no property 'my.own'"
has out "WARNING: 'value.converter' has no effect here"

case_begins 'a name that is taken is refused, in any case; IF NOT EXISTS warns'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'"; } >one.sql
connector '`c`' "$jdbc" "$create" "'topics'='t'" >two.sql
run 1 -f one.sql -f two.sql
has err 'Connector C already exists (ERR_CONNECTOR_EXISTS)'
sed 's/CONNECTOR `c`/CONNECTOR IF NOT EXISTS `c`/' two.sql >three.sql
run 0 -f one.sql -f three.sql
has out 'WARNING: Connector C already exists'

case_begins 'a connector is dropped; IF EXISTS warns of one that is not there'
echo 'DROP CONNECTOR c; SHOW CONNECTORS; DROP CONNECTOR IF EXISTS c;' >drop.sql
run 0 -f one.sql -f drop.sql
lacks out 'JdbcSink'
has out "Connector 'C' does not exist."

case_begins 'passwords are never printed'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" "'connection.password'='sluice'"
  echo 'DESCRIBE CONNECTOR c; SHOW CONNECTORS;'; } >in.sql
run 0 --output json -f in.sql
lacks out "password'='sluice"
lacks out 'password=sluice'
has out "'connection.password'='[string]'"

fails() { # NAME TEXT...: the connector of in.sql stops
    case_begins "$1"
    shift
    echo "$rows" >>in.sql
    run 1 -f in.sql
    for text in "$@"; do
        has err "$text"
    done
}

{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" "'connection.password'='wrong'"; } >in.sql
fails 'a wrong password stops the connector' 'password authentication failed' 'SQLSTATE 28P01' \
    "check 'connection.user' and 'connection.password'" 'Postgres at 127.0.0.1:'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" | sed 's|/sluice?|/nowhere?|'; } >in.sql
fails 'a database that is not there stops the connector' 'database "nowhere" does not exist' \
    'create the database'
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" "'max.retries'=1" \
    "'retry.backoff.ms'=1" | sed 's|127.0.0.1:[0-9]*/|127.0.0.1:1/|'; } >in.sql
fails 'a server that is not there is tried again, then the connector stops' \
    'gave up after 1 retries' 'Postgres at 127.0.0.1:1, database sluice' 'check that it runs'
{ echo "$table"; connector c "$jdbc" "'topics'='t'" "'table.name.format'='missing'"; } >in.sql
fails 'a table that is not there stops the connector' 'Table "missing" is missing' \
    "set 'auto.create' = 'true'"
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='t'" "'table.name.format'='no.t'"; } >in.sql
fails 'a schema that is not there stops the connector' 'schema "no" does not exist' \
    'create the schema'
psql -c 'CREATE TABLE few ("ID" int)'
{ echo "$table"; connector c "$jdbc" "'topics'='t'" "'table.name.format'='few'"; } >in.sql
fails 'columns that are not there stop the connector' 'is missing field(s)' 'NAME, N' \
    "set 'auto.evolve' = 'true'"
{ echo "$table"; connector c "$jdbc" "$create" "'topics'='nothing'"; } >in.sql
fails 'a topic that nothing declares is told' 'waits for nothing' 'CREATE STREAM'
psql -c 'CREATE TABLE plain ("ID" int, "NAME" text, "N" bigint)'
{ echo "$table"; connector c "$ours" "'topics'='t'" "'table.name.format'='plain'"; } >in.sql
fails 'an upsert without a unique index is told' 'SQLSTATE 42P10' 'unique index'

case_begins 'auto.evolve adds the columns that are missing'
{ echo "$table"; connector c "$jdbc" "'topics'='t'" "'table.name.format'='few'" \
    "'auto.evolve'=true"; echo "$rows"; } >in.sql
run 0 -f in.sql
query 'SELECT * FROM few ORDER BY "N"'
is rows <<'END'
|a|10
|b|20
END

# --- records that cannot be written ---

psql -c 'CREATE TABLE r ("NAME" text CHECK ("NAME" <> $$bad$$), "N" bigint UNIQUE)'
letters="'errors.deadletterqueue.topic.name'='dead', 'errors.deadletterqueue.context.headers.enable'=true"
dead="CREATE STREAM d (id INT KEY, name STRING, h ARRAY<STRUCT<key STRING, value BYTES>> HEADERS)
        WITH (KAFKA_TOPIC='dead', VALUE_FORMAT='JSON', PARTITIONS=1);"
many() {
    local i
    for ((i = 1; i <= 40; i++)); do
        case $i in
        17 | 31) echo "INSERT INTO t VALUES ($i, 'bad', $i);" ;;
        25) echo "INSERT INTO t VALUES ($i, 'twice', 1);" ;;
        *) echo "INSERT INTO t VALUES ($i, 'good', $i);" ;;
        esac
    done
}

case_begins 'rows that are refused go to the dead-letter topic, all others to the table'
{ echo "$table"; echo "$dead"; many; connector c "$jdbc" "'topics'='t'" "'table.name.format'='r'" \
    "'errors.tolerance'='all'" "$letters"; } >in.sql
cat >after.sql <<'END'
CREATE TABLE counted AS SELECT name, COUNT(*) AS n FROM d GROUP BY name;
END
cat after.sql >>in.sql
run 0 -f in.sql
query 'SELECT count(*), sum("N") FROM r'
is rows <<<"37|$((820 - 17 - 31 - 25))"

case_begins 'they are there with their reason'
psql -c 'TRUNCATE r'
run 0 --data kept -f in.sql

cat >read.sql <<'END'
SET 'auto.offset.reset'='earliest';
SELECT id, name, h[1]->key, h[1]->value, h[3]->key, h[3]->value FROM d EMIT CHANGES LIMIT 3;
END
run 0 --data kept --output json -f read.sql
has out '[17,"bad","__connect.errors.topic","dA==","__connect.errors.offset","MTY="]'
has out '[25,"twice",'
has out '[31,"bad",'
run 0 --data kept --output json -e "SET 'auto.offset.reset'='earliest';
    SELECT id, h[11]->key, h[12]->key, h[13]->key, h[11]->value, h[12]->value
    FROM d EMIT CHANGES LIMIT 2;"
has out '"__connect.errors.sqlstate","__connect.errors.table","__connect.errors.constraint",'
has out "\"$(printf 23514 | base64)\",\"$(printf r | base64)\"]"
has out "\"$(printf 23505 | base64)\",\"$(printf r | base64)\"]"

case_begins 'without tolerance what lies before the record is written, then the connector stops'
psql -c 'TRUNCATE r'
{ echo "$table"; many; connector c "$jdbc" "'topics'='t'" "'table.name.format'='r'"; } >in.sql
run 1 -f in.sql
has err 'Connector C stopped: t-0@16: '
has err 'violates check constraint'
query 'SELECT count(*), sum("N") FROM r'
is rows <<<"16|136"

case_begins 'a record that cannot be read is a dead letter too'
psql -c 'TRUNCATE r'
{ cat <<'END'
CREATE STREAM text (v STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='KAFKA', PARTITIONS=1);
INSERT INTO text VALUES ('no JSON');
CREATE STREAM late (name STRING, n BIGINT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE STREAM raw (v STRING) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='KAFKA', PARTITIONS=1);
INSERT INTO raw VALUES ('no JSON'); INSERT INTO late VALUES ('x', 5);
END
  connector c "$jdbc" "'topics'='l'" "'table.name.format'='r'" "'errors.tolerance'='all'"; } >in.sql
run 0 -f in.sql
query 'SELECT * FROM r'
is rows <<<'x|5'

report_and_exit
