# test_program.sh: shells and servers on a Kafka cluster, as their users and operators see them.
. "$(dirname "$CHECK")/../kafka/nodes.bash"
service="shop_${unique}_"

# It takes its time to give up, so it has it beside the other cases.
timeout 60 "$SLUICE" --bootstrap 127.0.0.1:1 -e 'SHOW TOPICS' >far.out 2>far.err &
far=$!

case_begins 'a shell makes, fills and reads streams, and ends when its statements are through'
shell 0 --set "ksql.service.id=$service" -e "
CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='in$unique', VALUE_FORMAT='JSON', PARTITIONS=1);
$(inserts 1 3)
CREATE STREAM c AS SELECT k, v * 10 AS w FROM s;"
has out 'Created query with ID CSAS_C_0'
shell 0 --set "ksql.service.id=$service" --output json -e 'SELECT v FROM s EMIT CHANGES LIMIT 3;'
has out '[3]'
shell 0 --set "ksql.service.id=$service" -e 'SHOW STREAMS; SHOW QUERIES;'
has out "in$unique"
has out CSAS_C_0

case_begins 'a shell has its own service unless it is told another'
shell 0 -e 'SHOW STREAMS; SHOW PROPERTIES;'
lacks out "in$unique"
has out "cli_$(id -un | tr -c 'A-Za-z0-9\n' _)_"

case_begins 'the environment chooses the cluster'
SLUICE_BOOTSTRAP_SERVERS=$SLUICE_TEST_KAFKA run 0 -e 'SHOW TOPICS'
has out "in$unique"

case_begins 'kafka. properties reach the client'
shell 1 --set kafka.message.max.bytes=1000 --set "ksql.service.id=$service" \
    -e "INSERT INTO s VALUES ('$(printf '%2000s' x)', 1);"
has err ERR_RECORD_REFUSED

case_begins 'a server goes on with the queries of its service, over restarts and crashes'
# A node that is back within its session has the address that the group knows.
one=(--set "ksql.service.id=$service" --set ksql.advertised.listener=http://one.test:1
    --data one.data)
node one "${one[@]}"
ksql one "CREATE STREAM r (k STRING KEY, w INT) WITH (KAFKA_TOPIC='C', VALUE_FORMAT='JSON');"
has answer SUCCESS
ksql one "$(inserts 4 20 | tr -d '\n')"
end one TERM
shell 0 --set "ksql.service.id=$service" -e "$(inserts 21 30)"
node one "${one[@]}"
ksql one "$(inserts 31 35 | tr -d '\n')"
end one KILL
shell 0 --set "ksql.service.id=$service" -e "$(inserts 36 40)"
node one "${one[@]}"
shell 0 --set "ksql.service.id=$service" --output json -e 'SELECT w FROM r EMIT CHANGES LIMIT 40;'
grep -o '^ *\[[0-9]*\]\|"columns":\[[0-9]*\]' out | grep -o '[0-9]*' >seen
seq 10 10 400 | cmp -s - seen || fail "lost or repeated: $(tr '\n' ' ' <seen)"

case_begins 'what comes right behind the first query of a service is in it, though it reads the latest'
node first --set "ksql.service.id=first${unique}_" --set log.level=info --data first.data
came() {
    grep 'slots have come' first.err >answer || true
}
until_has 20 slots came
ask first /ksql "{\"ksql\":\"CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='first$unique', VALUE_FORMAT='JSON', PARTITIONS=4); CREATE TABLE early WITH (KAFKA_TOPIC='early$unique') AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;\"}"
has answer SUCCESS
ask first /ksql "{\"ksql\":\"$(inserts 1 3 | tr -d '\n')\"}"
until_has 20 '["k",3]' ask first /query-stream "{\"sql\":\"SELECT k, n FROM early WHERE k = 'k';\"}"
end first TERM

case_begins 'a data directory in use is refused with the process that has it'
run 255 server --data one.data --bootstrap "$SLUICE_TEST_KAFKA" --listeners http://127.0.0.1:0
has err "in use by process ${node_pid[one]}"

case_begins 'a statement that one node takes starts, pauses and ends queries on the others'
node two --set "ksql.service.id=$service" --set ksql.heartbeat.enable=true \
    --set ksql.advertised.listener=http://two.test:1
ksql two 'SHOW QUERIES;'
has answer CSAS_C_0
ksql one 'CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;'
has answer CTAS_N_
until_has 5 CTAS_N_ ksql two 'SHOW QUERIES;'
query=$(grep -o 'CTAS_N_[0-9]*' answer | head -n 1)
status() { # NODE
    exec 7<>"/dev/tcp/127.0.0.1/${node_port[$1]}"
    printf 'GET /clusterStatus HTTP/1.1\r\nConnection: close\r\n\r\n' >&7
    timeout 60 cat <&7 >answer
    exec 7>&-
}
node alone --set "ksql.service.id=${service}alone_" --set ksql.heartbeat.enable=true \
    --set ksql.advertised.listener=http://alone.test:1
status alone
has answer '{"clusterStatus":{"alone.test:1":{"hostAlive":true'
end alone TERM
node wide --set "ksql.service.id=${service}wide_" --set ksql.heartbeat.enable=true \
    --set ksql.advertised.listener=http://0.0.0.0:7
status wide
has answer "{\"clusterStatus\":{\"$(uname -n):7\":" # nobody is at 0.0.0.0
end wide TERM
until_has 20 '"one.test:1":{"hostAlive":true' status two
has answer '"two.test:1":{"hostAlive":true'
until_has 20 "\"$query#Aggregate-Aggregate-Materialize\":{\"lagByPartition\":{\"" status two
ksql two "PAUSE $query;"
has answer SUCCESS
until_has 5 '"PAUSED":1' ksql one 'SHOW QUERIES;'
ksql one "RESUME $query;"
# One of them has the key; the names that they advertise here lead the other one nowhere.
counted() {
    ask one /query "{\"ksql\":\"SELECT c FROM n WHERE k = 'k';\"}"
    [[ "$(cat answer)" == *'40]'* ]] || ask two /query "{\"ksql\":\"SELECT c FROM n WHERE k = 'k';\"}"
}
until_has 20 '40]' counted
# Whichever of them reads it, both tell where the query stands; and both are of the same cluster.
summary() { # NODE
    ksql "$1" 'DESCRIBE n EXTENDED;'
    echo "positions: $(grep -o '"consumerOffset":[0-9]' answer | wc -l)" \
        "of $(grep -o '"consumerOffset":' answer | wc -l)" >>answer
}
for name in one two; do
    until_has 20 'positions: 1 of 1' summary $name
done
info() { # NODE
    exec 7<>"/dev/tcp/127.0.0.1/${node_port[$1]}"
    printf 'GET /info HTTP/1.1\r\nConnection: close\r\n\r\n' >&7
    timeout 60 cat <&7 | grep -o '"kafkaClusterId":"[^"]*"'
    exec 7>&-
}
cluster=$(info one)
[ ${#cluster} -gt 30 ] && [ "$cluster" = "$(info two)" ] || fail "the cluster is '$cluster'"
ksql two 'DROP TABLE n DELETE TOPIC;'
until_has 5 '"tables":[]' ksql one 'SHOW TABLES;'

case_begins 'nodes that take statements at the same moment have all of them, and no name twice'
for name in one two; do
    mkdir "$name.writes"
    (
        cd "$name.writes" || exit
        for i in 1 2 3 4 5 6; do
            ksql $name "CREATE STREAM ${name}_$i AS SELECT * FROM s WHERE v = $i;"
            cat answer
            ksql $name "CREATE STREAM same_$i (v INT) WITH (KAFKA_TOPIC='C', VALUE_FORMAT='JSON');"
            cat answer
        done >"../$name.said"
    ) &
    writers[${#writers[@]}]=$!
done
wait "${writers[@]}"
created=$(cat one.said two.said | grep -o 'Created query with ID CSAS_[A-Z0-9_]*' | sort -u | wc -l)
[ "$created" -eq 12 ] || fail "$created queries were created, not 12"
names=$(cat one.said two.said | grep -o '"message":"Stream created"' | wc -l)
[ "$names" -eq 6 ] || fail "same_n was created $names times, not 6"
for name in one two; do
    until_has 5 CSAS_ONE_6 ksql $name 'SHOW QUERIES;'
    until_has 5 CSAS_TWO_6 ksql $name 'SHOW QUERIES;'
    count=$(grep -o '"id":"CSAS_[A-Z0-9_]*"' answer | sort -u | wc -l)
    [ "$count" -eq 13 ] || fail "node $name knows $count queries, not 13"
done

case_begins 'a query that lost its node goes on at another, and nothing is lost or repeated'
end one KILL
ksql two "$(inserts 41 45 | tr -d '\n')"
shell 0 --set "ksql.service.id=$service" --output json -e 'SELECT w FROM r EMIT CHANGES LIMIT 45;'
grep -o '^ *\[[0-9]*\]\|"columns":\[[0-9]*\]' out | grep -o '[0-9]*' >seen
seq 10 10 450 | cmp -s - seen || fail "lost or repeated: $(tr '\n' ' ' <seen)"
end two TERM

case_begins 'a broker that cannot be reached at the start is told with the reason'
wait $far
status=$?
cp far.err err
cp far.out out
[ $status -eq 255 ] || fail "exit status $status, expected 255"
has err "cannot reach the Kafka broker '127.0.0.1:1'"
has err 'Connection refused'
has err ERR_LOG_UNAVAILABLE

report_and_exit
