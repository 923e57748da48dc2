# test_connectors.sh: connectors of a service with several nodes: each task runs on one of them.
. "$(dirname "$CHECK")/../kafka/nodes.bash"
POSTGRES=$(dirname "$CHECK")/../services/postgres
export SERVICE_NAME=connectors-$$
url=$("$POSTGRES" start) || exit 1
trap 'kill -KILL "${node_pid[@]}" 2>/dev/null; "$POSTGRES" remove' EXIT
service="connectors_${unique}_"

# keyed FROM TO: rows with these numbers as keys and values.
keyed() {
    local i
    for ((i = $1; i <= $2; i++)); do
        printf "INSERT INTO s VALUES ('k%s', %s);" "$i" "$i"
    done
}

server() { # NAME
    node "$1" --set "ksql.service.id=$service" --set connect.listeners= --data "$1.data"
}

call() { # NAME METHOD PATH
    exec 7<>"/dev/tcp/127.0.0.1/${node_port[$1]}" || return
    printf '%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' "$2" "$3" >&7
    timeout 60 cat <&7 >answer
    exec 7>&-
}

count() { # SQL
    "$POSTGRES" psql -c "$1" >answer 2>&1
    tr -d '\n' <answer >line
    echo "<$(cat line)>" >answer
}

# count_nodes TASK: how many nodes say that they run it.
count_nodes() {
    local name nodes=0
    for name in "${!node_pid[@]}"; do
        call "$name" GET /connectors/PG/status
        if grep -q "{\"id\":$1,\"state\":\"RUNNING\"" answer; then
            nodes=$((nodes + 1))
        fi
    done
    echo "on $nodes nodes" >answer
}

case_begins 'of two nodes each runs tasks of a connector, and no task runs on both'
server one
ksql one "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='in$unique', VALUE_FORMAT='JSON', PARTITIONS=4);"
ksql one "CREATE SINK CONNECTOR pg WITH ('connector.class'='JdbcSink', 'connection.url'='$url', 'topics'='in$unique', 'table.name.format'='rows', 'auto.create'=true, 'tasks.max'=4);"
has answer '200 OK'
ksql one "$(keyed 1 40)"
until_has 60 '<40>' count 'SELECT count(*) FROM rows'
server two
until_has 60 'UNASSIGNED' call one GET /connectors/PG/status
for task in 0 1 2 3; do
    until_has 60 'on 1 nodes' count_nodes "$task"
done
ksql two "$(keyed 41 80)"
until_has 60 '<80|80>' count 'SELECT count(*), count(DISTINCT "V") FROM rows'

case_begins 'a pause and a restart that one node is told hold on the others'
call one PUT /connectors/PG/pause
has answer 202
until_has 30 '"connector":{"state":"PAUSED"' call two GET /connectors/PG/status
call two PUT /connectors/PG/resume
until_has 30 '"connector":{"state":"RUNNING"' call one GET /connectors/PG/status

case_begins 'what a killed node ran runs on the other, and no row is lost or written twice'
ksql two "$(keyed 81 120)"
end one KILL
ksql two "$(keyed 121 160)"
until_has 60 '<160|160>' count 'SELECT count(*), count(DISTINCT "V") FROM rows'
call two GET /connectors/PG/status
lacks answer UNASSIGNED
end two TERM

report_and_exit
