# test_faults.sh: credentials, a broker that does not answer, a node that is there twice. The
# broker is its own: nobody else's work waits for it.
. "$(dirname "$CHECK")/../kafka/nodes.bash"
services=$(dirname "$CHECK")/../services
export SERVICE_NAME=faults-$$ SERVICE_SASL=alice:secret
SLUICE_TEST_KAFKA=$("$services/kafka" start) || exit 1
trap 'kill -KILL "${node_pid[@]}" 2>/dev/null; "$services/kafka" stop' EXIT
service="faults_${unique}_"

case_begins 'wrong credentials are told at once, with what the broker says'
sasl=(--bootstrap "$("$services/kafka" sasl)" --set kafka.security.protocol=sasl_plaintext
    --set kafka.sasl.mechanism=PLAIN --set kafka.sasl.username=alice)
began=$SECONDS
run 255 "${sasl[@]}" --set kafka.sasl.password=guess -e 'SHOW TOPICS'
has err 'Invalid username or password'
[ $((SECONDS - began)) -lt 10 ] || fail "it took $((SECONDS - began)) s"

case_begins 'with the right ones it works, and nobody is shown the password'
run 0 "${sasl[@]}" --set kafka.sasl.password=secret -e 'SHOW TOPICS; SHOW PROPERTIES;'
has out 'kafka.sasl.username'
lacks out secret

case_begins 'the settings of a Java client do, too, and nobody is shown what they hold'
jaas='org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="secret";'
run 0 --bootstrap "$("$services/kafka" sasl)" --set security.protocol=SASL_PLAINTEXT \
    --set sasl.mechanism=PLAIN --set "sasl.jaas.config=$jaas" -e 'SHOW TOPICS; SHOW PROPERTIES;'
has out 'sasl.mechanism'
lacks out secret

case_begins 'while the broker does not answer statements fail with the reason, and later all goes on'
node one --set "ksql.service.id=$service" --data one.data
ksql one "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON', PARTITIONS=1);"
ksql one 'CREATE STREAM c AS SELECT k, v * 10 AS w FROM s;'
has answer CSAS_C_0
ksql one "CREATE STREAM r (k STRING KEY, w INT) WITH (KAFKA_TOPIC='C', VALUE_FORMAT='JSON');"
ksql one "CREATE STREAM other (v INT) WITH (KAFKA_TOPIC='other', VALUE_FORMAT='JSON', PARTITIONS=1);"
ksql one "$(inserts 1 5 | tr -d '\n')"
"$services/kafka" hang
ksql one 'SHOW STREAMS;'
has answer '"name":"C"'
ksql one "CREATE STREAM s2 (k STRING KEY, v INT) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON');"
"$services/kafka" wake
lacks answer SUCCESS
has answer '"@type":"statement_error"'
until_has 120 SUCCESS ksql one "CREATE STREAM s3 (k STRING KEY, v INT) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON');"
until_has 120 'HTTP/1.1 200' ksql one 'INSERT INTO other VALUES (1);' # rows are taken again
ksql one "$(inserts 6 10 | tr -d '\n')"
shell 0 --set "ksql.service.id=$service" --output json -e 'SELECT w FROM r EMIT CHANGES LIMIT 10;'
grep -o '^ *\[[0-9]*\]\|"columns":\[[0-9]*\]' out | grep -o '[0-9]*' >seen
seq 10 10 100 | cmp -s - seen || fail "lost or repeated: $(tr '\n' ' ' <seen)"

end one TERM

# A service of their own, whose nodes no shell joins: what is seen was done by the node that is asked.
service="pair_${unique}_"

# paired NAME DATA ARGUMENTS...: a node of the pair.
paired() {
    local name=$1 data=$2
    shift 2
    node "$name" --set "ksql.service.id=$service" --data "$data" "$@"
}

# sees NAME COUNT: that many rows have come out, each once, in order.
sees() {
    ask "$1" /query "{\"ksql\":\"SELECT w FROM r EMIT CHANGES LIMIT $2;\",\"streamsProperties\":{\"auto.offset.reset\":\"earliest\"}}"
    grep -o '"columns":\[[0-9]*\]' answer | grep -o '[0-9]*' >seen
    seq 10 10 "$2"0 | cmp -s - seen || fail "lost or repeated: $(tr '\n' ' ' <seen)"
}

# says NAME TEXT: on its standard error, within two minutes.
says() {
    local deadline=$((SECONDS + 120))
    until grep -q "$2" "$1.err" || [ $SECONDS -gt $deadline ]; do
        read -r -t 0.1 _ <> <(:) || true
    done
    cp "$1.err" err
    has err "$2"
}

case_begins 'of two nodes with one node id the first is fenced and says so; nothing is lost or repeated'
paired first first.data --set session.timeout.ms=2000
ksql first "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='in2', VALUE_FORMAT='JSON', PARTITIONS=1);"
ksql first "CREATE STREAM c WITH (KAFKA_TOPIC='out2') AS SELECT k, v * 10 AS w FROM s;"
ksql first "CREATE STREAM r (k STRING KEY, w INT) WITH (KAFKA_TOPIC='out2', VALUE_FORMAT='JSON');"
ksql first "$(inserts 1 5 | tr -d '\n')"
sees first 5
cp -r first.data second.data
paired second second.data --set session.timeout.ms=2000
says first "another process has the node id $(cat first.data/node-id)"
ksql second "$(inserts 6 10 | tr -d '\n')"
sees second 10
end first TERM

case_begins 'a node that was away while another one came under its id does not take it back'
kill -STOP "${node_pid[second]}"
cp -r second.data third.data
paired third third.data
ksql third "$(inserts 11 15 | tr -d '\n')"
sees third 15
kill -CONT "${node_pid[second]}"
says second 'another process has the node id'
ksql third "$(inserts 16 20 | tr -d '\n')"
sees third 20
cp third.err err
lacks err 'another process'

case_begins 'once the other one is gone it goes on'
end third TERM
until_has 60 'HTTP/1.1 200' ksql second "$(inserts 21 21)" # its writer was fenced, too
ksql second "$(inserts 22 25 | tr -d '\n')"
sees second 25
end second TERM

report_and_exit
