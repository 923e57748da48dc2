# test_connectors.sh: statements about connectors have the entities that clients know.
. "$SERVER_BASH"

# statement SQL: by POST /ksql; single quotes and no double ones.
statement() {
    request POST /ksql "{\"ksql\":\"$1\"}"
}

sink="WITH ('connector.class'='PostgresSink', 'connection.url'='postgresql://127.0.0.1:1/x', 'topics'='t')"
case_begins 'connectors are made, listed, described and dropped'
serve
statement "CREATE STREAM s (id STRING KEY, v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON'); CREATE SINK CONNECTOR c $sink;"
has answer '{"@type":"connector_info","statementText":"CREATE SINK CONNECTOR C WITH ('
has answer '"info":{"name":"C","config":{'
has answer '"tasks":[{"connector":"C","task":0}],"type":"sink"},"warnings":[]}]'
statement 'SHOW CONNECTORS;'
has answer '"connectors":[{"name":"C","type":"SINK","className":"PostgresSink","state":"RUNNING (1/1 tasks RUNNING)"}]'
statement 'DESCRIBE CONNECTOR c;'
has answer '"connectorClass":"PostgresSink","status":{"name":"C","connector":{"state":"RUNNING"'
has answer '"sources":[{"name":"S",'
has answer '"topics":["t"],"warnings":[]}]'

case_begins 'a connector that is there is a conflict, or a warning'
statement "CREATE SINK CONNECTOR c $sink;"
has answer '409 Conflict'
has answer '"error_code":40900'
statement "CREATE SINK CONNECTOR IF NOT EXISTS c $sink;"
has answer '"@type":"warning_entity"'
statement 'DROP CONNECTOR c;'
has answer '"@type":"drop_connector","statementText":"DROP CONNECTOR c;","connectorName":"C","warnings":[]}]'
statement 'DROP CONNECTOR c;'
has answer '400 Bad Request'
has answer '"error_code":40001'
has answer 'There is no connector'
statement 'DROP CONNECTOR IF EXISTS c;'
has answer '"@type":"warning_entity"'

case_begins 'a shell tells the same in words'
run 0 "http://127.0.0.1:$port" -e "CREATE SINK CONNECTOR c $sink; DROP CONNECTOR c;"
has out 'Created connector C'
has out 'Dropped connector C'
stop TERM 0

case_begins 'of several statements one that fails leaves those before it, and tells them'
serve
statement "CREATE STREAM a (v INT) WITH (KAFKA_TOPIC='a', PARTITIONS=1, VALUE_FORMAT='JSON'); CREATE TYPE n AS INT; ASSERT TOPIC nothing TIMEOUT 1 MILLISECOND; CREATE TYPE m AS INT; SHOW TYPES;"
has answer '417 '
has answer '"error_code":41700'
has answer '"entities":[{"@type":"currentStatus","statementText":"CREATE STREAM A '
has answer '"commandId":"type/N/create"'
lacks answer 'type/M/create'
statement 'SHOW TYPES; SHOW STREAMS;'
has answer '"types":{"N":'
has answer '"name":"A"'
statement "CREATE TYPE l AS INT; CREATE TYPE k AS INT; CREATE TYPE n AS INT; SHOW TYPES;"
has answer '"error_code":40001'
has answer '"entities":[]'
statement 'SHOW TYPES;'
lacks answer '"K":'
stop TERM 0

report_and_exit
