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

own=$(free_port)
serve --set "connect.listeners=http://127.0.0.1:$own"
base=http://127.0.0.1:$port
sql "CREATE STREAM t (k STRING KEY, n INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);"

case_begins 'the port of Connect tells who answers there, and that it does'
base=http://127.0.0.1:$own
call 200 GET /
has out '{"version":"'
has out '"kafka_cluster_id":"'
call 200 GET /health
has out '{"status":"healthy","message":"'
call 200 GET /connectors
is out <<<'[]'

case_begins 'what is not there is said in JSON'
call 404 GET /nothing
has out '{"error_code":404,"message":"HTTP 404 Not Found"}'
call 404 POST /ksql '{"ksql":"SHOW STREAMS;"}'
call 405 DELETE /health
status=$(curl -s -o out -w '%{http_code}' -H 'Content-Type: text/plain' -d '{}' "$base/connectors")
[ "$status" = 415 ] || fail "status $status, expected 415"
has out '{"error_code":415,"message":"HTTP 415 Unsupported Media Type"}'

case_begins 'who makes a connector is told where it is, and what had no effect'
curl -s -i -X POST -H 'Content-Type: application/json' -d \
    "{\"name\":\"where it is\",\"config\":{$config},\"initial_state\":\"STOPPED\"}" "$base/connectors" >out
has out 'Location: /connectors/where%20it%20is'
has out "\"warnings\":[\"'rest.advertised.host.name' has no effect here"
call 204 DELETE /connectors/where%20it%20is
base=http://127.0.0.1:$port

case_begins 'POST makes a connector, whose rows arrive'
call 201 POST /connectors "{\"name\":\"jdbc-sink\",\"config\":{$config}}"
has out '{"name":"jdbc-sink","config":{'
has out '"auto.create":"true"'
has out '"tasks.max":"1"'
has out '"connection.password":"[hidden]"'
has out '"name":"jdbc-sink"},"tasks":[],"type":"sink","warnings":["'
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
call 200 GET '/connector-plugins?connectorsOnly=false'
has out '{"class":"PostgresSink","type":"sink","version":'

case_begins 'a kind tells what it can be told'
call 200 GET /connector-plugins/JdbcSinkConnector/config
has out '{"name":"insert.mode","type":"STRING","required":false,"default_value":"insert","importance":"MEDIUM","documentation":'
has out '{"name":"connection.password","type":"PASSWORD","required":false,"default_value":null,'
call 200 GET /connector-plugins/PostgresSink/config
has out '{"name":"insert.mode","type":"STRING","required":false,"default_value":"upsert",'
call 404 GET /connector-plugins/no.Such/config
has out 'Unknown plugin no.Such'

case_begins 'a configuration is validated without making a connector'
call 200 PUT /connector-plugins/JdbcSinkConnector/config/validate "{\"name\":\"v\",$config}"
has out '{"name":"JdbcSinkConnector","error_count":0,"groups":[],"configs":[{"definition":{"name":"name",'
has out '"value":{"name":"connection.password","value":"[hidden]","recommended_values":[],"errors":[],"visible":true}'
has out '"value":{"name":"insert.mode","value":"insert","recommended_values":["insert","upsert","update"],"errors":[],"visible":true}'
bad='"connector.class":"JdbcSink","insert.mode":"merge","batch.size":"-1","auto.craete":"true"'
call 200 PUT /connector-plugins/JdbcSinkConnector/config/validate "{$bad}"
has out '"error_count":4,'
has out "\"name\":\"insert.mode\",\"value\":\"merge\",\"recommended_values\":[\"insert\",\"upsert\",\"update\"],\"errors\":[\"'insert.mode' is one of insert,upsert,update, not 'merge'\"]"
has out 'whole number from 0 on, not '
has out "did you mean 'auto.create'?"
has out '"errors":["Must configure one of topics or topics.regex"]'
call 400 PUT /connector-plugins/JdbcSinkConnector/config/validate '{}'
call 400 PUT /connector-plugins/JdbcSinkConnector/config/validate '{"connector.class":"no.Such"}'
call 404 PUT /connector-plugins/no.Such/config/validate '{}'
call 200 GET /connectors
lacks out '"v"'

case_begins 'all that is wrong with a configuration is said at once'
call 400 POST /connectors "{\"name\":\"v\",\"config\":{$bad}}"
has out 'Connector configuration is invalid and contains the following 4 error(s):\n'
has out "did you mean 'auto.create'?"
has out 'Must configure one of topics or topics.regex\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`'
call 400 POST /connectors "{\"name\":\"v\",\"config\":{$config},\"more\":1}"
has out 'The body has \"more\" beside'
call 400 POST /connectors "{\"name\":\"v\",\"config\":{$config},\"initial_state\":\"AWAY\"}"
has out 'one of RUNNING, PAUSED and STOPPED'

case_begins 'tasks are told about and begin anew one by one'
call 200 GET /connectors/other/tasks/0/status
has out '{"id":0,"state":"RUNNING","worker_id":'
call 404 GET /connectors/other/tasks/9/status
is out <<<'{"error_code":404,"message":"No status found for task other-9"}'
call 204 POST /connectors/other/tasks/0/restart
call 404 POST /connectors/other/tasks/x/restart
is out <<<'{"error_code":404,"message":"Unknown task: other-x"}'
call 202 POST '/connectors/other/restart?includeTasks=true'
has out '"connector":{"state":"RESTARTING"'
has out '"tasks":[{"id":0,"state":"RESTARTING"'
call 202 POST '/connectors/other/restart?includeTasks=true&onlyFailed=true'
has out '"connector":{"state":"RUNNING"'
call 404 POST '/connectors/none/restart?includeTasks=true'
has out 'Unknown connector: none'
call 202 PUT /connectors/other/topics/reset

until_answer() { # PATH TEXT
    local i
    for ((i = 0; i < 200; i++)); do
        call 200 GET "$1"
        [[ $(cat out) == *"$2"* ]] && return
        sleep 0.02
    done
    fail "never: $2"
}

offset() { # N
    echo '{"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":'"$1"'}}]}'
}

case_begins 'offsets are told; of a connector that is stopped they can be set'
until_answer /connectors/other/offsets '"kafka_offset":3}'
is out <<<"$(offset 3)"
call 400 PATCH /connectors/other/offsets "$(offset 1)"
has out 'Connectors must be in the STOPPED state before their offsets can be modified'
call 400 DELETE /connectors/other/offsets
call 204 PUT /connectors/other/stop
call 200 PATCH /connectors/other/offsets "$(offset 1)"
is out <<<'{"message":"The offsets for this connector have been altered successfully"}'
call 200 GET /connectors/other/offsets
is out <<<"$(offset 1)"
call 202 PUT /connectors/other/resume
until_rows 'SELECT count(*) FROM o' 5

case_begins 'offsets can be forgotten: all is read again'
call 204 PUT /connectors/other/stop
call 200 DELETE /connectors/other/offsets
is out <<<'{"message":"The offsets for this connector have been reset successfully"}'
call 200 GET /connectors/other/offsets
is out <<<'{"offsets":[]}'
call 202 PUT /connectors/other/resume
until_rows 'SELECT count(*) FROM o' 8

case_begins 'offsets that cannot be are refused'
call 204 PUT /connectors/other/stop
call 400 PATCH /connectors/other/offsets "$(offset 99)"
has out 't-0 holds offsets 0 to 3, not 99'
call 400 PATCH /connectors/other/offsets "$(offset 1 | sed 's/"t"/"u"/')"
has out 'reads no such partition'
call 400 PATCH /connectors/other/offsets '{"offsets":[]}'
call 400 PATCH /connectors/other/offsets "$(offset -1)"
call 404 GET /connectors/none/offsets
has out 'Connector none not found'
call 404 DELETE /connectors/none/offsets

case_begins 'a connector may be made stopped or paused; what one was before says nothing'
call 204 DELETE /connectors/other
call 201 POST /connectors "{\"name\":\"other\",\"config\":{${config//\"t\"/\"t\",\"table.name.format\":\"o\"}},\"initial_state\":\"PAUSED\"}"
call 200 GET /connectors/other/status
has out '"state":"PAUSED"'
call 204 PUT /connectors/other/stop
call 204 DELETE /connectors/other
call 201 PUT /connectors/other/config "{${config//\"t\"/\"t\",\"table.name.format\":\"o\"}}"
call 200 GET /connectors/other/status
has out '"connector":{"state":"RUNNING"'

case_begins 'DELETE ends it; the rows stay'
call 204 DELETE /connectors/jdbc-sink
call 404 DELETE /connectors/jdbc-sink
query 'SELECT count(*) FROM t'
is rows <<<3

stop TERM 0
report_and_exit
