# test_usage.sh: options, commands, exit statuses.
. "$CHECK"

case_begins 'help names every command and option'
run 0 help
for word in server test datagen migrate check --execute --file --output --set --data --bootstrap; do
    has out "$word"
done
run 0 --help
has out usage:

case_begins 'help of one command shows its arguments'
run 0 help server
has out 'sluice server'
run 255 help nonsense
has err 'nonsense is no command'

case_begins 'the version is printed'
run 0 --version
has out 'sluice '

case_begins 'unknown options and missing values are usage errors'
run 255 --nonsense
has err '--nonsense is no option'
run 255 -f
has err '-f needs a value'
run 255 -e 'SHOW STREAMS' -e 'SHOW TABLES'
has err 'twice'

case_begins 'what is not built is refused by name'
for what in server datagen migrate check; do
    run 255 $what
    has err "$what is not built yet"
done
run 255 --data here -e 'SHOW STREAMS'
has err '--data is not built yet'
run 255 --bootstrap localhost:9092
has err '--bootstrap is not built yet'
run 255 --define a=b
has err '--define is not built yet'
run 255 http://localhost:8088
has err 'server is not built yet'

case_begins 'option values are checked'
run 255 --output xml -e 'SHOW STREAMS'
has err 'tabular or json'
for limit in 0 -1 x; do
    run 255 --query-row-limit $limit
    has err 'at least 1'
    run 255 --query-timeout $limit
    has err 'at least 1'
done
run 255 --set nonsense
has err 'name=value'

case_begins 'a property of --set must be known and its value fit'
run 255 --set auto.ofset.reset=earliest -e 'SHOW STREAMS'
has err 'ERR_UNKNOWN_PROPERTY'
has err 'did you mean auto.offset.reset?'
run 255 --set auto.offset.reset=none -e 'SHOW STREAMS'
has err 'earliest or latest'

case_begins '--set sets a property for all statements, short names too'
run 0 --set persistence.default.format.value=JSON --set ksql.streams.auto.offset.reset=earliest \
    --output json -e "CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1);
                      INSERT INTO s VALUES (1); SELECT v FROM s EMIT CHANGES"
has out '{"row":{"columns":[1]}}'

case_begins 'the service id is in the names of internal topics'
run 0 --set ksql.service.id=mine_ -e "CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='t',
    PARTITIONS=1, VALUE_FORMAT='JSON'); SHOW ALL TOPICS;"
has out '_sluice-mine_-statements'

report_and_exit
