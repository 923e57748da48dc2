# test_commands.sh: what the server knows of commands and of itself after a restart.
. "$SERVER_BASH"

case_begins 'commands keep their ids and outcomes over a restart'
serve --data state
request GET /info
cluster=$(sed -n 's/.*"kafkaClusterId":"\([^"]*\)".*/\1/p' answer)
[ "${#cluster}" -eq 32 ] || fail "the cluster id is '$cluster'"
request POST /ksql "{\"ksql\":\"CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON'); CREATE TYPE y AS INT; CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;\"}"
has answer '"commandSequenceNumber":2'
request POST /ksql '{"ksql":"PAUSE CTAS_N_0; TERMINATE CTAS_N_0; DROP TABLE n; DROP STREAM IF EXISTS gone;"}'
has answer '"commandSequenceNumber":5'
request GET /status
has answer '"stream/GONE/drop":"SUCCESS"'
stop TERM 0
serve --data state
request GET /info
has answer "\"kafkaClusterId\":\"$cluster\""
request GET /v1/metadata/id
has answer "\"kafka-cluster\":\"$cluster\""
request GET /status
has answer '{"commandStatuses":{"pause/CTAS_N_0/execute":"SUCCESS","stream/`S`/create":"SUCCESS","table/N/drop":"SUCCESS","table/`N`/create":"SUCCESS","terminate/CTAS_N_0/execute":"SUCCESS","type/Y/create":"SUCCESS"}}'
request GET '/status/table/%60N%60/create'
has answer '{"status":"SUCCESS","message":"Created query with ID CTAS_N_0","queryId":"CTAS_N_0"}'
request GET '/status/terminate/CTAS_N_0/execute'
has answer '{"status":"SUCCESS","message":"Query terminated.","queryId":null}'

case_begins 'a sequence number from before the restart is applied, one that was never given is not'
request POST /ksql '{"ksql":"SHOW STREAMS;","commandSequenceNumber":5}'
has answer '"name":"S"'
request POST /ksql '{"ksql":"SHOW STREAMS;","commandSequenceNumber":6}'
has answer '503 Service Unavailable'
has answer '{"@type":"generic_error","error_code":50301,'
stop TERM 0

case_begins 'POST /ksql/terminate ends all that was made, deletes topics and then refuses everything'
serve --data cluster
request POST /ksql "{\"ksql\":\"CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON'); CREATE TABLE keep AS SELECT k, COUNT(*) AS c FROM s GROUP BY k; CREATE STREAM gone WITH (KAFKA_TOPIC='gone-1') AS SELECT * FROM s; CREATE STREAM more AS SELECT * FROM gone; CREATE TYPE y AS INT;\"}"
has answer '"commandSequenceNumber":4'
exec 8<>"/dev/tcp/127.0.0.1/$port"
body='{"sql":"SELECT * FROM s EMIT CHANGES;"}'
printf 'POST /query-stream HTTP/1.1\r\nAccept: application/vnd.ksql.v1+json\r\nContent-Length: %s\r\n\r\n%s' "${#body}" "$body" >&8
while read -r -t 20 line <&8 && [[ "$line" != *'"header"'* ]]; do :; done
for body in 'nonsense' '[]' '{"deleteTopicList":"t"}' '{"deleteTopicList":[1]}'; do
    request POST /ksql/terminate "$body"
    has answer '400 Bad Request'
    has answer '{"@type":"generic_error","error_code":40000,"message":"Invalid JSON in request'
done
request POST /ksql/terminate '{"deleteTopicList":["t","(a"]}'
has answer '"error_code":40000,'
has answer 'is no regular expression'
request POST /ksql '{"ksql":"SHOW QUERIES;"}'
has answer 'CTAS_KEEP_0'
request POST /ksql/terminate '{"deleteTopicList":["t","gone-.*","kee"]}'
has answer '200 OK'
has answer '[{"@type":"currentStatus","statementText":"TERMINATE CLUSTER;","commandId":"cluster/TerminateCluster/terminate","commandStatus":{"status":"SUCCESS",'
read -r -d '' -t 20 rest <&8
[[ "$rest" == *'"finalMessage":"Query Completed"'* ]] || fail "the push query did not end: $rest"
exec 8>&-
for path in 'GET /info' 'GET /healthcheck' 'POST /ksql' 'POST /query' 'POST /ksql/terminate' 'GET /status'; do
    request $path '{"ksql":"SHOW STREAMS;"}'
    has answer '503 Service Unavailable'
    has answer '"error_code":50304,'
done
request GET /connectors
has answer '503 Service Unavailable'
request GET /chc/live
has answer '200 OK'
stop TERM 0
serve --data cluster
request POST /ksql '{"ksql":"SHOW STREAMS; SHOW TABLES; SHOW QUERIES; SHOW TYPES; SHOW TOPICS;"}'
has answer '"streams":[],'
has answer '"tables":[],'
has answer '"queries":[],'
has answer '"types":{},'
has answer '"topics":[{"name":"KEEP","replicaInfo":[1]},{"name":"MORE","replicaInfo":[1]},{"name":"t","replicaInfo":[1]}]'
stop TERM 0

case_begins 'rates and numbers of requests are limited as configured'
create="CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');"
serve --set ksql.server.command.topic.rate.limit=1 --set ksql.query.pull.max.qps=0
request POST /ksql "{\"ksql\":\"$create\"}"
has answer '200 OK'
request POST /ksql "{\"ksql\":\"$create DROP STREAM s;\"}"
has answer '429 Too Many Requests'
has answer '{"@type":"generic_error","error_code":42900,'
request POST /ksql "{\"ksql\":\"SHOW STREAMS; INSERT INTO s VALUES ('a', 1);\"}"
has answer '"name":"S"'
request POST /query '{"ksql":"SELECT * FROM s;"}'
has answer '429 Too Many Requests'
has answer '"error_code":42900,'
request POST /query '{"ksql":"SELECT * FROM s EMIT CHANGES LIMIT 0;"}'
has answer '200 OK'
stop TERM 0
serve --set ksql.query.pull.max.concurrent.requests=0
request POST /ksql "{\"ksql\":\"$create\"}"
request POST /query '{"ksql":"SELECT * FROM s;"}'
has answer '400 Bad Request'
has answer '"error_code":40000,"message":"Host is at concurrency limit'
stop TERM 0
serve --set ksql.query.pull.max.hourly.bandwidth.megabytes=0
request POST /ksql "{\"ksql\":\"$create\"}"
request POST /query-stream '{"sql":"SELECT * FROM s;"}'
has answer '"error_code":40000,"message":"Host is at bandwidth limit'
stop TERM 0

# ask METHOD PATH HEADERS...: as request, without a body.
ask() {
    local method=$1 path=$2
    shift 2
    exec 7<>"/dev/tcp/127.0.0.1/$port"
    { printf '%s %s HTTP/1.1\r\nConnection: close\r\n' "$method" "$path"
      printf '%s\r\n' "$@" ''; } >&7
    cat <&7 >answer
    exec 7>&-
}

case_begins 'pages of other origins may ask only where that is configured'
serve
ask GET /info 'Origin: http://shop.test'
has answer '200 OK'
lacks answer 'Access-Control'
ask OPTIONS /ksql 'Origin: http://shop.test' 'Access-Control-Request-Method: POST'
has answer '404 Not Found'
stop TERM 0
serve --set 'access.control.allow.origin=http://a.test, http://*.shop.test'
ask GET /info 'Origin: http://x.shop.test'
has answer '200 OK'
has answer 'Access-Control-Allow-Origin: http://x.shop.test'
has answer 'Access-Control-Allow-Credentials: true'
lacks answer 'Access-Control-Allow-Methods'
ask GET /nonsense 'Origin: http://a.test'
has answer '404 Not Found'
has answer 'Access-Control-Allow-Origin: http://a.test'
ask OPTIONS /ksql 'Origin: http://a.test' 'Access-Control-Request-Method: POST'
has answer '204 No Content'
lacks answer 'Content-Length'
has answer 'Access-Control-Allow-Methods: GET,POST,HEAD'
has answer 'Access-Control-Allow-Headers: X-Requested-With,Content-Type,Accept,Origin'
for origin in http://shop.test http://a.test.evil.test http://b.test null; do
    ask GET /info "Origin: $origin"
    has answer '403 Forbidden'
    lacks answer 'Access-Control-Allow-Origin'
done
ask GET /info
has answer '200 OK'
lacks answer 'Access-Control'
stop TERM 0

report_and_exit
