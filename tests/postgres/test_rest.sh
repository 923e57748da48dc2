# test_rest.sh: Kafka Connect's REST API: the same connectors, made and commanded with JSON.
. "$(dirname "$0")/postgres.bash"
. "$SERVER_BASH"

# call STATUS METHOD PATH [BODY]: the answer is in ./out.
call() {
    local status
    status=$(curl -s -o out -w '%{http_code}' -X "$2" -H 'Content-Type: application/json' \
        ${4:+--data-binary "$4"} "$base$3")
    : >err
    [ "$status" = "$1" ] || fail "status $status, expected $1: $2 $3"
}

sql() {
    call 200 POST /ksql "$(printf '{"ksql":"%s"}' "$1")"
}

until_rows() { # SQL EXPECTED
    local i
    for ((i = 0; i < 100; i++)); do
        [ "$(psql -c "$1" 2>/dev/null)" = "$2" ] && return
        sleep 0.02
    done
    fail "never $2: $1"
}

config="\"connector.class\":\"io.confluent.connect.jdbc.JdbcSinkConnector\",\"connection.url\":\"${url%%\?*}?currentSchema=$schema\",
  \"connection.user\":\"sluice\",\"connection.password\":\"sluice\",\"topics\":\"t\",\"auto.create\":true,\"tasks.max\":1,
  \"rest.advertised.host.name\":\"x\""

serve --set connect.listeners=http://127.0.0.1:0
base=http://127.0.0.1:$port
sql "CREATE STREAM t (k STRING KEY, n INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);"

case_begins 'POST makes a connector, whose rows arrive'
call 201 POST /connectors "{\"name\":\"jdbc-sink\",\"config\":{$config}}"
has out '{"name":"jdbc-sink","config":{'
has out '"auto.create":"true"'
has out '"tasks.max":"1"'
has out '"connection.password":"[hidden]"'
has out '"name":"jdbc-sink"},"tasks":[],"type":"sink"}'
sql "INSERT INTO t VALUES ('a', 1);"
until_rows 'SELECT "N" FROM t' 1

case_begins 'it is listed, with what is asked for'
call 200 GET /connectors
is out <<<'["jdbc-sink"]'
call 200 GET '/connectors?expand=status'
has out '{"jdbc-sink":{"status":{"name":"jdbc-sink","connector":{"state":"RUNNING"'
call 200 GET /connectors/jdbc-sink
has out '"tasks":[{"connector":"jdbc-sink","task":0}],"type":"sink"}'
call 200 GET /connectors/jdbc-sink/status
has out '"tasks":[{"id":0,"state":"RUNNING","worker_id":'
has out "'rest.advertised.host.name' has no effect here"
call 200 GET /connectors/jdbc-sink/tasks
has out '[{"id":{"connector":"jdbc-sink","task":0},"config":{'
call 200 GET /connectors/jdbc-sink/topics
is out <<<'{"jdbc-sink":{"topics":["t"]}}'

case_begins 'one of the same name is refused'
call 409 POST /connectors "{\"name\":\"jdbc-sink\",\"config\":{$config}}"
has out '{"error_code":409,"message":"Connector jdbc-sink already exists"}'

case_begins 'paused it writes nothing, resumed it goes on'
call 202 PUT /connectors/jdbc-sink/pause
call 200 GET /connectors/jdbc-sink/status
has out '"state":"PAUSED"'
sql "INSERT INTO t VALUES ('b', 2);"
call 202 PUT /connectors/jdbc-sink/resume
until_rows 'SELECT count(*) FROM t' 2

case_begins 'stopped it has no tasks'
call 204 PUT /connectors/jdbc-sink/stop
call 200 GET /connectors/jdbc-sink/status
has out '"connector":{"state":"STOPPED"'
has out '"tasks":[]'
call 202 PUT /connectors/jdbc-sink/resume
call 204 POST /connectors/jdbc-sink/restart

case_begins 'a configuration is replaced, a hidden secret stays; nothing is written twice'
call 200 GET /connectors/jdbc-sink/config
sed 's/"tasks.max":"1"/"tasks.max":"2"/' out >changed
call 200 PUT /connectors/jdbc-sink/config "$(cat changed)"
has out '"tasks.max":"2"'
sql "INSERT INTO t VALUES ('c', 3);"
until_rows 'SELECT count(*) FROM t' 3
call 200 PATCH /connectors/jdbc-sink/config '{"tasks.max":null}'
lacks out tasks.max
call 201 PUT /connectors/other/config "{${config//\"t\"/\"t\",\"table.name.format\":\"o\"}}"
until_rows 'SELECT count(*) FROM o' 3

case_begins 'SQL sees the same connectors'
sql 'SHOW CONNECTORS;'
has out '{"name":"jdbc-sink","type":"SINK","className":"io.confluent.connect.jdbc.JdbcSinkConnector","state":"RUNNING (1/1 tasks RUNNING)"}'

case_begins 'what is wrong is said'
call 400 POST /connectors '{'
call 400 POST /connectors '{"name":"x"}'
call 400 POST /connectors '{"name":"x","config":{"connector.class":"no.Such"}}'
has out 'Failed to find any class that implements Connector and which name matches no.Such'
call 400 PUT /connectors/x/config '{"name":"y"}'
call 404 GET /connectors/none
has out '{"error_code":404,"message":"Connector none not found"}'
call 404 GET /connectors/none/status
has out 'No status found for connector none'
call 404 PUT /connectors/none/pause
has out 'Unknown connector none'
call 404 GET /connectors/none/what
call 405 DELETE /connectors

case_begins 'the kinds of connectors are listed'
call 200 GET /connector-plugins
has out '{"class":"io.confluent.connect.jdbc.JdbcSinkConnector","type":"sink","version":'
call 405 POST /connector-plugins '{}'

case_begins 'DELETE ends it; the rows stay'
call 204 DELETE /connectors/jdbc-sink
call 404 DELETE /connectors/jdbc-sink
query 'SELECT count(*) FROM t'
is rows <<<3

stop TERM 0
report_and_exit
