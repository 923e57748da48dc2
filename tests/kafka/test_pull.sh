# test_pull.sh: a table is spread over the nodes of a service, and each of them answers for all.
. "$(dirname "$CHECK")/../kafka/nodes.bash"
service="pull_${unique}_"
rows=40
declare -A place

# Others know a node by its port.
spread() { # NAME
    place[$1]=${place[$1]:-$(free_port)}
    node "$1" --set "ksql.service.id=$service" --set "listeners=http://127.0.0.1:${place[$1]}" \
        --set session.timeout.ms=2000 --data "$1.data"
}

query() { # NAME SQL [MORE OF THE BODY]
    ask "$1" /query "{\"ksql\":\"$2\"$3}"
}

# found: the numbers of the answer's rows, sorted.
found() {
    grep -o '"columns":\[[0-9]*' answer | grep -o '[0-9]*$' | sort -n
}

whole() { # NAME
    query "$1" 'SELECT n FROM latest;'
    [ "$(found)" = "$(seq "$rows")" ] && echo whole >answer
}

owners() { # how many slots the group's members have, least first
    ask one /query '{"ksql":"SELECT n FROM latest;","requestProperties":{"request.ksql.query.pull.skip.forwarding":true}}'
}

case_begins 'each node tells all rows of a table, of which it has a part'
spread one
ksql one "CREATE TABLE t (k STRING PRIMARY KEY, n INT, d DECIMAL(8,2), day DATE, ts TIMESTAMP, items ARRAY<INT>) WITH (KAFKA_TOPIC='in$unique', VALUE_FORMAT='JSON', PARTITIONS=8);"
ksql one "CREATE TABLE latest WITH (KAFKA_TOPIC='latest$unique') AS SELECT * FROM t;"
has answer CTAS_LATEST_0
spread two
until_has 20 CTAS_LATEST_0 ksql two 'SHOW QUERIES;'
until_has 30 'is at another node' owners
for ((i = 1; i <= rows; i++)); do
    printf "INSERT INTO t VALUES ('k%s', %s, %s.25, '2024-02-03', '2024-02-03T04:05:06.789', ARRAY[%s, 7]);" $i $i $i $i
done >rows.sql
ksql one "$(cat rows.sql)"
for name in one two; do
    until_has 30 whole whole $name
done

case_begins 'values keep their types on the way'
for name in one two; do
    for key in 1 2 3 4 5 6; do
        query $name "SELECT * FROM latest WHERE k = 'k$key';"
        has answer "[\"k$key\",$key,$key.25,\"2024-02-03\",\"2024-02-03T04:05:06.789\",[$key,7]]"
    done
done

case_begins 'a list of keys, a condition and a projection hold at all nodes'
query one "SELECT n, d FROM latest WHERE k IN ('k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'nobody');"
[ "$(found)" = "$(seq 6)" ] || fail "keys: $(found)"
query two 'SELECT n FROM latest WHERE n > 30;'
[ "$(found)" = "$(seq 31 $rows)" ] || fail "condition: $(found)"
query two 'SELECT n FROM latest WHERE n > 1000;'
has answer '"header"'
[ -z "$(found)" ] || fail "rows of nobody: $(found)"

case_begins 'LIMIT counts the rows of all nodes'
for limit in 1 $((rows - 1)) $((rows + 1)); do
    query one "SELECT n FROM latest LIMIT $limit;"
    [ "$(found | wc -l)" -eq $((limit < rows ? limit : rows)) ] || fail "$limit: $(found | wc -l) rows"
done

case_begins 'a request that may not be passed on is answered from here or not at all'
only=',"requestProperties":{"request.ksql.query.pull.skip.forwarding":true,"request.ksql.query.pull.partition":"%s"}'
: >parts
for partition in 0 1 2 3 4 5 6 7; do
    for name in one two; do
        # shellcheck disable=SC2059 # it is a format
        query $name 'SELECT n FROM latest;' "$(printf "$only" $partition)"
        found >>parts
        [[ "$(cat answer)" == *'"header"'* ]] && echo $name >>answered
    done
done
[ "$(wc -l <answered)" -eq 8 ] || fail "$(wc -l <answered) partitions were answered, not 8"
[ "$(sort -n parts)" = "$(seq $rows)" ] || fail "parts: $(sort -n parts | tr '\n' ' ')"

case_begins 'a node that is gone is named; when another one has its part all is told again'
end two KILL
query one 'SELECT n FROM latest;'
has answer "The node http://127.0.0.1:${place[two]} has part of the table"
until_has 30 whole whole one
spread two
until_has 30 whole whole two

end one TERM
end two TERM
report_and_exit
