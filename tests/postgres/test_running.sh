# test_running.sh: what happens around a connector while it runs: its table, its topics, its rights
# and its server change; it is told of what stops it, and it can always be ended.
. "$(dirname "$0")/postgres.bash"
. "$SERVER_BASH"

call() { # METHOD PATH [BODY]: the answer is in ./out
    curl -s --max-time 20 -o out -X "$1" -H 'Content-Type: application/json' \
        ${3:+--data-binary "$3"} "http://127.0.0.1:$port$2" || fail "no answer: $1 $2"
}

sql() {
    local text=${1//$'\n'/ }
    call POST /ksql "$(printf '{"ksql":"%s"}' "${text//\"/\\\"}")"
    lacks out error_code
}

# until TEXT COMMAND...: its output in ./out has the text, within seconds.
until_has() {
    local text=$1 i
    shift
    for ((i = 0; i < 150; i++)); do
        "$@" >out 2>&1
        [[ $(cat out) == *"$text"* ]] && return
        sleep 0.02
    done
    fail "never: $text"
}

status() {
    curl -s --max-time 20 "http://127.0.0.1:$port/connectors/$1/status"
}

rows() {
    psql -c "SELECT count(*) FROM $1"
}

stream() { # NAME
    sql "CREATE STREAM $1 (k STRING KEY, n INT) WITH (KAFKA_TOPIC='$1', VALUE_FORMAT='JSON', PARTITIONS=1);"
}

# made NAME OPTIONS...: over the topic of that name, impatient.
made() {
    local name=$1
    shift
    sql "$(connector "$name" "$jdbc" "'table.name.format'='$name'" "'retry.backoff.ms'=10" \
        "'max.retries'=-1" "$@")"
}

ours_running() { # COUNT: connections of connectors
    until_has "$1" psql -c "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sluice'"
}

serve --set connect.listeners=http://127.0.0.1:0

case_begins 'a table that is dropped is made again where it may be'
stream gone
made gone "'topics'='gone'" "$create"
sql "INSERT INTO gone VALUES ('a', 1);"
until_has 1 rows gone
psql -c 'DROP TABLE IF EXISTS gone'
sql "INSERT INTO gone VALUES ('b', 2);"
until_has 2 psql -c 'SELECT "N" FROM gone'

case_begins 'else the connector stops, and goes on when it is there again and restarted'
stream lost
psql -c 'CREATE TABLE lost ("N" int)'
made lost "'topics'='lost'"
sql "INSERT INTO lost VALUES ('a', 1);"
until_has 1 rows lost
psql -c 'DROP TABLE lost'
sql "INSERT INTO lost VALUES ('b', 2);"
until_has 'auto-creation is disabled' status LOST
has out '"state":"FAILED"'
has out '"connector":{"state":"RUNNING"'
psql -c 'CREATE TABLE lost ("N" int)'
call POST /connectors/LOST/restart
until_has 2 psql -c 'SELECT "N" FROM lost'

case_begins 'a right that is taken away stops it, and says what to do'
psql -c "CREATE ROLE r_$$ LOGIN PASSWORD 'p'; GRANT USAGE, CREATE ON SCHEMA $schema TO r_$$;
         CREATE TABLE rights (\"N\" int); GRANT INSERT ON rights TO r_$$;"
stream rights
made rights "'topics'='rights'" "'connection.user'='r_$$'" "'connection.password'='p'" \
    "'offset.table'='rights_offsets'"
sql "INSERT INTO rights VALUES ('a', 1);"
until_has 1 rows rights
psql -c "REVOKE INSERT ON rights FROM r_$$"
sql "INSERT INTO rights VALUES ('b', 2);"
until_has 'permission denied for table rights' status RIGHTS
has out '(SQLSTATE 42501); GRANT what is missing'
psql -c "GRANT INSERT ON rights TO r_$$"
call POST /connectors/RIGHTS/restart
until_has 2 rows rights

case_begins 'a column that is added to the stream is added to the table'
stream wider
made wider "'topics'='wider'" "$create" "'auto.evolve'=true"
sql "INSERT INTO wider VALUES ('a', 1);"
until_has 1 rows wider
sql 'DROP STREAM wider;'
sql "CREATE STREAM wider (k STRING KEY, n INT, more STRING)
       WITH (KAFKA_TOPIC='wider', VALUE_FORMAT='JSON', PARTITIONS=1);"
sql "INSERT INTO wider VALUES ('b', 2, 'x');"
until_has '2|x' psql -c 'SELECT "N", "MORE" FROM wider'

case_begins 'topics that come later and match are read too'
made later "'topics.regex'='late_.*'" "$create" "'table.name.format'='\${topic}'"
stream late_one
sql "INSERT INTO late_one VALUES ('a', 1);"
until_has 1 rows late_one
stream late_two
stream not_late
sql "INSERT INTO not_late VALUES ('a', 1); INSERT INTO late_two VALUES ('a', 1);"
until_has 1 rows late_two
until_has 'does not exist' rows not_late

case_begins 'patterns are those of Java'
made digits "'topics.regex'='(?:no_)?digits\\\\d+'" "$create" "'table.name.format'='\${topic}'"
stream no_digits12
sql "INSERT INTO no_digits12 VALUES ('a', 1);"
until_has 1 rows no_digits12

case_begins 'a topic that is deleted and made again is read from its start'
stream anew
made anew "'topics'='anew'" "$create"
sql "INSERT INTO anew VALUES ('a', 1); INSERT INTO anew VALUES ('b', 2);"
until_has 2 rows anew
sql 'DROP STREAM anew DELETE TOPIC;'
stream anew
sql "INSERT INTO anew VALUES ('c', 3);"
until_has 3 rows anew

case_begins 'a connector that tries again for ever can be dropped'
stream away
sql "$(connector away "$jdbc" "'topics'='away'" "'retry.backoff.ms'=60000" "'max.retries'=-1" |
    sed 's|127.0.0.1:[0-9]*/|127.0.0.1:1/|')"
until_has 'cannot be reached' status AWAY
sql 'DROP CONNECTOR away;'
until_has 'No status found' status AWAY

case_begins 'while Postgres does not answer connectors are told about, paused, dropped and made'
ours_running 7
"$POSTGRES" freeze
sql "INSERT INTO gone VALUES ('c', 3);"
until_has '"state":"RUNNING"' status GONE
call PUT /connectors/GONE/pause
until_has '"state":"PAUSED"' status GONE
sql 'DROP CONNECTOR lost;'
stream cold
made cold "'topics'='cold'" "$create"
sql "INSERT INTO cold VALUES ('a', 1);"
call PUT /connectors/GONE/resume
"$POSTGRES" thaw
until_has 1 rows cold
until_has 3 psql -c 'SELECT "N" FROM gone'

case_begins 'the server ends within seconds all the same'
"$POSTGRES" freeze
sql "INSERT INTO gone VALUES ('d', 4);"
sql "INSERT INTO anew VALUES ('d', 4);"
began=$SECONDS
stop TERM 0
[ $((SECONDS - began)) -le 10 ] || fail "it took $((SECONDS - began)) seconds"
"$POSTGRES" thaw

report_and_exit
