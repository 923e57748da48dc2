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

case_begins 'while the broker does not answer statements fail with the reason, and later all goes on'
node one --set "ksql.service.id=$service" --data one.data
ksql one "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON', PARTITIONS=1);"
ksql one 'CREATE STREAM c AS SELECT k, v * 10 AS w FROM s;'
has answer CSAS_C_0
ksql one "CREATE STREAM r (k STRING KEY, w INT) WITH (KAFKA_TOPIC='C', VALUE_FORMAT='JSON');"
ksql one "$(inserts 1 5 | tr -d '\n')"
"$services/kafka" hang
ksql one 'SHOW STREAMS;'
has answer '"name":"C"'
ksql one "CREATE STREAM s2 (k STRING KEY, v INT) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON');"
"$services/kafka" wake
lacks answer SUCCESS
has answer '"@type":"statement_error"'
until_has 30 SUCCESS ksql one "CREATE STREAM s3 (k STRING KEY, v INT) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON');"
ksql one "$(inserts 6 10 | tr -d '\n')"
shell 0 --set "ksql.service.id=$service" --output json -e 'SELECT w FROM r EMIT CHANGES LIMIT 10;'
grep -o '^ *\[[0-9]*\]\|"columns":\[[0-9]*\]' out | grep -o '[0-9]*' >seen
seq 10 10 100 | cmp -s - seen || fail "lost or repeated: $(tr '\n' ' ' <seen)"

case_begins 'of two nodes with one node id the first is fenced and says so; nothing is lost or repeated'
cp -r one.data copy.data
node two --set "ksql.service.id=$service" --data copy.data
ksql two "$(inserts 11 15 | tr -d '\n')"
shell 0 --set "ksql.service.id=$service" --output json -e 'SELECT w FROM r EMIT CHANGES LIMIT 15;'
grep -o '^ *\[[0-9]*\]\|"columns":\[[0-9]*\]' out | grep -o '[0-9]*' >seen
seq 10 10 150 | cmp -s - seen || fail "lost or repeated: $(tr '\n' ' ' <seen)"
for ((i = 0; i < 300; i++)); do # it hears of it with a heartbeat
    grep -q 'another process' one.err && break
    read -r -t 0.1 _ <> <(:) || true
done
cp one.err err
has err "another process has the node id $(cat one.data/node-id)"
end one TERM
end two TERM

report_and_exit
