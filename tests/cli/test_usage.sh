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
run 0 help test
has out --crash-every
run 0 test --help
has out --crash-every
run 255 help nonsense
has err 'nonsense is no command, topic, statement or function'

case_begins 'help of a statement shows it alone; of a word, all statements of that name'
run 0 help select
has out 'SELECT (* | expression'
lacks out 'INSERT INTO SELECT'
run 0 help create stream
has out 'CREATE STREAM/TABLE AS SELECT'
lacks out 'CREATE TYPE'
run 0 help join
has out JOIN
run 0 help alter system
has out 'Not built yet'
run 0 help assert values
has out 'sluice test'
lacks out 'Not built yet'

case_begins 'help of a function shows its variants and examples'
run 0 help len
has out 'LEN(VARCHAR input)  The length'
has out 'LEN(BYTES input)    The number'
has out "LEN('a😀') -> 3"
run 0 help sum
has out 'SUM(INT val)
    SUM(BIGINT val)'

case_begins 'help fits into 80 characters'
for topic in command-line with errors keywords; do
    run 0 help $topic
    wide=$(awk "length > 80" out | head -n 1)
    [ -z "$wide" ] || fail "too wide: $wide"
done

case_begins 'the version is printed'
run 0 --version
has out 'sluice '
run 0 version
has out 'sluice '

case_begins 'unknown options and missing values are usage errors'
run 255 --nonsense
has err '--nonsense is no option'
run 255 -f
has err '-f needs a value'
run 255 -e 'SHOW STREAMS' -e 'SHOW TABLES'
has err 'twice'

case_begins 'what is not built is refused by name'
for what in datagen migrate check; do
    run 255 $what
    has err "$what is not built yet"
done
run 255 --define a
has err '--define takes name=value'
run 255 --define a=b=c -e ''
has err '--define takes name=value'
run 255 --define 1a=b -e ''
has err "'1a' is no name of a variable"

case_begins 'a server that does not answer is named'
run 255 http://127.0.0.1:1 -e 'SHOW STREAMS'
has err 'http://127.0.0.1:1/info'
run 255 http://127.0.0.1:1 http://127.0.0.1:2
has err 'second server'

case_begins 'settings of the Kafka client are checked before a broker is looked for'
run 255 --bootstrap 127.0.0.1:1 --set kafka.lingerms=5 -e 'SHOW STREAMS'
has err 'kafka.lingerms'
has err 'did you mean kafka.linger.ms?'
run 255 --bootstrap 127.0.0.1:1 --set kafka.linger.ms=soon -e 'SHOW STREAMS'
has err 'kafka.linger.ms: '
run 255 --bootstrap 127.0.0.1:1 --set kafka.enable.idempotence=false -e 'SHOW STREAMS'
has err 'kafka.enable.idempotence cannot be set'
run 255 --bootstrap 127.0.0.1:1 --set kafka.group.id=mine -e 'SHOW STREAMS'
has err 'kafka.group.id cannot be set'

case_begins 'with files and statements the files come first'
echo "CREATE STREAM first_one (a INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);" >first.sql
run 0 -e 'SHOW STREAMS' -f first.sql
has out FIRST_ONE

case_begins 'the environment chooses a cluster, and the command line counts more'
SLUICE_BOOTSTRAP_SERVERS=127.0.0.1:1 run 255 --set kafka.lingerms=5 -e 'SHOW STREAMS'
has err 'did you mean kafka.linger.ms?'
SLUICE_BOOTSTRAP_SERVERS=127.0.0.1:1 run 0 server --help

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
