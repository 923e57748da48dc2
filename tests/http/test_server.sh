# test_server.sh: the server as its operator sees it.
. "$SERVER_BASH"

case_begins 'the server serves until SIGTERM, and ends with 0'
serve
request GET /info
has answer '"serverStatus":"RUNNING"'
lacks err 'authentication'
stop TERM 0

case_begins 'SIGINT during a push query: the final message, then the end'
serve --set auto.offset.reset=earliest
request POST /ksql "{\"ksql\":\"CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON'); INSERT INTO s (v) VALUES (1);\"}"
has answer '"message":"Stream created"'
exec 8<>"/dev/tcp/127.0.0.1/$port"
body='{"ksql":"SELECT * FROM s EMIT CHANGES;"}'
printf 'POST /query HTTP/1.1\r\nContent-Length: %s\r\n\r\n%s' "${#body}" "$body" >&8
while read -r -t 20 line <&8 && [[ "$line" != *'"columns":[1]'* ]]; do :; done
[[ "$line" == *'"columns":[1]'* ]] || fail 'no row came'
stop INT 0
cat <&8 >answer
has answer '{"finalMessage":"Query Completed"}'
exec 8>&-

case_begins 'a configuration file is read, the command line counts more'
printf '# a comment\nksql.service.id = shop_\nlisteners http://127.0.0.1:1\n' >server.properties
serve -c server.properties
request GET /info
has answer '"ksqlServiceId":"shop_"'
stop TERM 0

case_begins 'what is wrong in a configuration file is told with its line'
printf 'ksql.service.id=x\n\nauto.ofset.reset=earliest\n' >server.properties
run 255 server --memory server.properties
has err 'server.properties:3: There is no property'
has err 'did you mean auto.offset.reset?'
printf 'auto.offset.reset=never\n' >server.properties
run 255 server --memory server.properties
has err 'server.properties:1: '
printf 'a=\\u12\n' >server.properties
run 255 server --memory server.properties
has err 'server.properties:1: \u needs four'
run 255 server --memory nowhere.properties
has err 'nowhere.properties cannot be opened'

case_begins 'a server that cannot listen says why'
run 255 server --memory --listeners ftp://x
has err 'http://HOST:PORT'
run 255 server --memory --listeners http://127.0.0.1:99999
has err 'http://127.0.0.1:99999'
serve
run 255 server --memory --listeners "http://127.0.0.1:$port"
has err 'address already in use'
stop TERM 0

case_begins 'a cluster that is configured is not silently left out'
printf 'bootstrap.servers=127.0.0.1:1\nkafka.lingerms=5\n' >server.properties
run 255 server server.properties
has err 'did you mean kafka.linger.ms?'
run 255 server --memory --bootstrap 127.0.0.1:1
has err '--memory and --bootstrap exclude each other'
serve server.properties
request GET /healthcheck
has answer '"isHealthy":true'
stop TERM 0

case_begins 'a data directory that cannot be made is told with its path'
run 255 server --data nowhere/here --bootstrap 127.0.0.1:1
has err 'nowhere/here cannot be made'

case_begins 'statements of a file run without an endpoint for statements'
printf "CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');\n" >q.sql
serve --queries-file q.sql
request GET /healthcheck
has answer '"isHealthy":true'
request POST /ksql '{"ksql":"SHOW STREAMS;"}'
has answer '404 Not Found'
stop TERM 0
printf "CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='t',\nnonsense;\n" >q.sql
run 255 server --memory --listeners http://127.0.0.1:0 --queries-file q.sql
has err 'q.sql:2:'
printf "SELECT * FROM s EMIT CHANGES;\n" >q.sql
run 255 server --memory --listeners http://127.0.0.1:0 --queries-file q.sql
has err 'nobody to answer'

case_begins 'the cluster is told where that is switched on'
serve
for path in /clusterStatus /heartbeat /lag; do
    request "$([ $path = /clusterStatus ] && echo GET || echo POST)" $path '{}'
    has answer '404 Not Found'
done
stop TERM 0
serve --set ksql.heartbeat.enable=true --set ksql.lag.reporting.enable=true \
    --set ksql.advertised.listener=http://shop.test:8088/ --set auto.offset.reset=earliest
request GET /clusterStatus
has answer '{"clusterStatus":{"shop.test:8088":{"hostAlive":true,"lastStatusUpdateMs":'
has answer '"activeStandbyPerQuery":{},"hostStoreLags":{"stateStoreLags":{},"updateTimeMs":'
request POST /ksql "{\"ksql\":\"CREATE STREAM s (k STRING, v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=2, VALUE_FORMAT='JSON'); CREATE TABLE n AS SELECT v, COUNT(*) AS c FROM s GROUP BY v;\"}"
has answer 'CTAS_N_0'
request GET /clusterStatus
has answer '"CTAS_N_0":{"activeStores":["Aggregate-Aggregate-Materialize"],"activePartitions":['
has answer '{"topic":"t","partition":1}'
has answer '"standByStores":[],"standByPartitions":[]}}'
has answer '"CTAS_N_0#Aggregate-Aggregate-Materialize":{"lagByPartition":{"0":{"currentOffsetPosition":0,"endOffsetPosition":0,"offsetLag":0},"1":'
has answer '},"size":2}}'
request POST /heartbeat '{"hostInfo":"a.test:1","timestamp":5}'
has answer '{"isOk":true}'
request POST /heartbeat '{"hostInfo":"a.test:1"}'
has answer '"error_code":40000'
request POST /lag '{"ksqlHost":"a.test:1","hostStoreLags":{"stateStoreLags":{},"updateTimeMs":1}}'
has answer '{"isOk":true}'
request POST /lag 'nonsense'
has answer 'Invalid JSON in request'
stop TERM 0
serve --set ksql.heartbeat.enable=true --set ksql.internal.listener=http://127.0.0.1:1
request POST /heartbeat '{"hostInfo":"a.test:1","timestamp":5}'
has answer '"error_code":50000'
stop TERM 0

case_begins 'statements of clients and test files are refused by name'
serve
request POST /ksql "{\"ksql\":\"RUN SCRIPT 'x';\"}"
has answer '"error_code":40001,"message":"line 1:1: RUN SCRIPT is for those who have files'
request POST /ksql '{"ksql":"ASSERT VALUES s (v) VALUES (1);"}'
has answer 'ASSERT VALUES is for the .sql files of `sluice test` alone'
request POST /ksql '{"ksql":"ASSERT SCHEMA ID 1;"}'
has answer 'ASSERT SCHEMA needs a schema registry'
stop TERM 0

case_begins 'routes that are not built are refused by name'
serve
request GET /ws/query
has answer 'WebSocket is not built yet'
stop TERM 0

case_begins 'a property that sessions are denied is not valid'
serve --set ksql.properties.overrides.denylist=auto.offset.reset
request GET /is_valid_property/commit.interval.ms
has answer '200 OK'
request GET /is_valid_property/ksql.streams.auto.offset.reset
has answer '400 Bad Request'
has answer '{"@type":"generic_error","error_code":40000,'
request POST /ksql '{"ksql":"SHOW STREAMS;","streamsProperties":{"auto.offset.reset":"latest"}}'
has answer '"error_code":40000,'
stop TERM 0

case_begins 'options are checked'
run 255 server --nonsense
has err '--nonsense is no option'
run 255 server --set nonsense
has err 'name=value'
run 255 server --memory --data here
has err '--memory and --data exclude each other'
run 255 server --listeners
has err 'needs a value'
run 255 server a b
has err 'second configuration file'
run 0 server --help
has out '--queries-file'

report_and_exit
