# test_at_least_once.sh: without transactions nothing is lost when nodes are killed under load.
. "$(dirname "$CHECK")/../kafka/nodes.bash"
service="least_${unique}_"
rows=900
kills=4

lasting() { # NAME
    node "$1" --set "ksql.service.id=$service" --set processing.guarantee=at_least_once \
        --set session.timeout.ms=2000 --data "$1.data"
}

# out_to N: waits until node $survivor has seen so many rows come out.
out_to() {
    ask "$survivor" /query "{\"ksql\":\"SELECT n FROM r EMIT CHANGES LIMIT $1;\",\"streamsProperties\":{\"auto.offset.reset\":\"earliest\"}}"
}

# all_in STREAM COLUMN: every number has come out of it, once or more often.
all_in() {
    ask "$survivor" /query "{\"ksql\":\"SELECT $2 FROM $1;\",\"streamsProperties\":{\"auto.offset.reset\":\"earliest\"}}"
    grep -o '"columns":\[[0-9]*\]' answer | grep -o '[0-9]*' | sort -un >seen
    seq "$rows" | cmp -s - seen && echo complete >answer
}

case_begins 'every row comes out at least once, whoever is killed while it is on its way'
lasting one
ksql one "CREATE STREAM s (k STRING KEY, n INT) WITH (KAFKA_TOPIC='in$unique', VALUE_FORMAT='JSON', PARTITIONS=4);"
ksql one "CREATE STREAM c WITH (KAFKA_TOPIC='out$unique') AS SELECT * FROM s;"
has answer CSAS_C_0
ksql one "CREATE STREAM r (k STRING KEY, n INT) WITH (KAFKA_TOPIC='out$unique', VALUE_FORMAT='JSON');"
ksql one "CREATE TABLE counts AS SELECT n, COUNT(*) AS times FROM r GROUP BY n;"
has answer CTAS_COUNTS_
lasting two
until_has 20 CTAS_COUNTS_ ksql two 'SHOW QUERIES;'
echo "CREATE STREAM s (k STRING KEY, n INT) WITH (KAFKA_TOPIC='in$unique', VALUE_FORMAT='JSON');" >rows.sql
for ((i = 1; i <= rows; i++)); do
    echo "INSERT INTO s VALUES ('k$((i % 40))', $i);"
done >>rows.sql
"$SLUICE" --bootstrap "$SLUICE_TEST_KAFKA" --set "ksql.service.id=writer_${unique}_" \
    -f rows.sql >writer.out 2>writer.err &
writer=$!
names=(one two)
for ((kill = 1; kill <= kills; kill++)); do
    survivor=${names[kill % 2]}
    victim=${names[1 - kill % 2]}
    out_to $((kill * rows / (kills + 2)))
    end "$victim" KILL
    out_to $((kill * rows / (kills + 2) + 20))
    lasting "$victim"
done
wait $writer || fail "the writer ended with $?: $(cat writer.err)"
until_has 60 complete all_in r n

case_begins 'and is in the state, whose owners were killed'
end one TERM
survivor=two
until_has 60 complete all_in counts n

end two TERM
report_and_exit
