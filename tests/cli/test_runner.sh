# test_runner.sh: `sluice test`: what is wrong must fail, whatever it is.
. "$CHECK"

# case_file EXTRA...: c.json with one case over a small stream; EXTRA replaces the outputs.
case_file() {
    cat >c.json <<END
{ "tests": [ { "name": "copy",
  "statements": ["CREATE STREAM S (K STRING KEY, V INT, D DOUBLE, X DECIMAL(5,2)) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');",
                 "CREATE STREAM C AS SELECT * FROM S;"],
  "inputs": [ { "topic": "s", "key": "a", "value": { "V": 1, "D": 0.5, "X": 1.5 }, "timestamp": 5 },
              { "topic": "s", "key": "b", "value": null, "timestamp": 6,
                "headers": [ { "KEY": "h", "VALUE": "AQ==" } ] } ],
  $1 } ] }
END
}
first='{ "topic": "C", "key": "a", "value": { "V": 1, "D": 0.5, "X": 1.50 }, "timestamp": 5 }'
second='{ "topic": "C", "key": "b", "value": null, "timestamp": 6, "headers": [ { "KEY": "h", "VALUE": "AQ==" } ] }'

case_begins 'the records that are expected pass'
case_file "\"outputs\": [ $first, $second ]"
run 0 test c.json
is out <<<'1 passed, 0 failed, 0 skipped'

case_begins 'names are any case, doubles are near, decimals equal by value'
case_file "\"outputs\": [ { \"topic\": \"C\", \"key\": \"a\", \"value\": { \"v\": 1, \"d\": 0.50000000001, \"x\": \"1.5\" } }, $second ]"
run 0 test c.json

# fails NAME OUTPUTS: these outputs are not what there is.
fails() {
    case_begins "$1"
    case_file "\"outputs\": [ $2 ]"
    run 1 test c.json
    has out 'FAILED c - copy'
    has out '0 passed, 1 failed, 0 skipped'
}

fails 'a missing record fails' "$first, $second, $second"
fails 'a record too many fails' "$first"
fails 'another order fails' "$second, $first"
fails 'another value fails' "${first/\"V\": 1/\"V\": 2}, $second"
fails 'another decimal fails' "${first/1.50/1.51}, $second"
fails 'a double too far off fails' "${first/0.5,/0.50001,}, $second"
fails 'a number is no text' "${first/\"V\": 1/\"V\": \"1\"}, $second"
fails 'a field too few fails' "${first/\"V\": 1, /}, $second"
fails 'another key fails' "${first/\"a\"/\"A\"}, $second"
fails 'another time fails' "${first/: 5/: 6}, $second"
fails 'a null value is no empty row' "$first, ${second/null/\{\}}"
fails 'missing headers fail' "$first, ${second/\"AQ==\"/\"Ag==\"}"
fails 'headers that are not expected fail' "$first, { \"topic\": \"C\", \"key\": \"b\", \"value\": null }"

case_begins 'what must be refused but is accepted fails'
case_file '"expectedException": { "type": "E", "message": "column '"'Q'"' cannot be resolved" }'
run 1 test c.json
has out 'ERR_UNKNOWN_COLUMN'
has out 'nothing was refused'

case_begins 'a refusal for another reason fails'
sed -i 's/SELECT \*/SELECT K, V AS K2, V AS K2/' c.json
run 1 test c.json
has out 'got ERR_DUPLICATE_COLUMN'

case_begins 'a refusal for the reason given passes'
sed -i 's/SELECT K, V AS K2, V AS K2/SELECT K, Q/' c.json
run 0 test c.json

case_begins 'a message of no known kind fails'
sed -i 's/column .Q. cannot be resolved/the moon is full/' c.json
run 1 test c.json
has out 'no condition known for this message: the moon is full'

case_begins 'post conditions are checked'
post() { case_file "\"outputs\": [ $first, $second ], \"post\": { $1 }"; }
post '"sources": [ { "name": "C", "type": "stream", "schema": "K STRING KEY, V INT, D DOUBLE, X DECIMAL(5, 2)" } ]'
run 0 test c.json
post '"sources": [ { "name": "C", "type": "table" } ]'
run 1 test c.json
post '"sources": [ { "name": "C", "type": "stream", "schema": "K STRING KEY, V BIGINT, D DOUBLE, X DECIMAL(5, 2)" } ]'
run 1 test c.json
post '"sources": [ { "name": "C", "type": "stream", "keyFormat": { "format": "JSON" } } ]'
run 1 test c.json
post '"topics": { "blacklist": "C" }'
run 1 test c.json
has out 'there is a topic C'
post '"topics": { "blacklist": "C.+", "topics": [ { "name": "C", "partitions": 2 } ] }'
run 1 test c.json

case_begins 'variants count one each, and lists choose among them'
cat >v.json <<'END'
{ "tests": [ { "name": "both", "format": ["JSON", "DELIMITED"],
  "statements": ["CREATE STREAM S (V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='{FORMAT}');"] } ] }
END
run 0 test --list v.json
is out <<<'v - both - JSON
v - both - DELIMITED'
run 0 test --only DELIM v.json
is out <<<'1 passed, 0 failed, 1 skipped'
run 0 test --write-pass-list names v.json
is names <<<'v - both - JSON
v - both - DELIMITED'
echo 'v - both - XML' >>names
run 1 test --pass-list names v.json
has out 'FAILED v - both - XML'
has out '2 passed, 1 failed, 0 skipped'

case_begins 'a case runs files, and tells an error of one at the statement that runs it'
echo "CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON'); INSERT INTO s VALUES (1);" >s.sql
cat >outer.sql <<'END'
--@test: good
RUN SCRIPT 's.sql';
ASSERT VALUES s (v) VALUES (1);
--@test: bad
SET 'auto.offset.reset' = 'earliest';
RUN SCRIPT 'missing.sql';
END
run 1 test outer.sql
has out 'ERR_IO at 6:1: missing.sql cannot be opened'
has out '1 passed, 1 failed, 0 skipped'

case_begins 'wrong options and files are usage errors'
run 255 test
has err 'no files'
run 255 test --jobs 0 v.json
run 255 test --store paper v.json
has err 'memory'
run 255 test missing.json
has err 'missing.json'
echo '{' >broken.json
run 255 test broken.json
has err 'no JSON'
echo 'SELECT 1;' >broken.sql
run 255 test broken.sql
has err 'first --@test'

report_and_exit
