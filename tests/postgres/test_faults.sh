# test_faults.sh: whatever dies in whichever step, every row is there once.
. "$(dirname "$0")/postgres.bash"

rows=400
{
    echo "CREATE STREAM t (id INT KEY, n BIGINT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=2);"
    for ((i = 1; i <= rows; i++)); do
        echo "INSERT INTO t VALUES ($i, $i);"
    done
} >rows.sql
fast='--set log.fsync=never'
# shellcheck disable=SC2086 # two words
"$SLUICE" --data base $fast -f rows.sql >out 2>err || fail 'the rows were not written'

# What a commit covers is small, so that there are many to be killed in.
small="'batch.bytes'=300, 'linger.ms'=0, 'retry.backoff.ms'=20, 'max.retries'=-1"

# begin NAME OPTIONS...: a copy of the rows, and a connector over them; its process is $pid.
begin() {
    local name=$1
    shift
    cp -r base "$name"
    connector "$name" "$jdbc" "'topics'='t'" "'table.name.format'='$name'" "$small" "$@" >"$name.sql"
    # shellcheck disable=SC2086 # two words
    "$SLUICE" --data "$name" $fast -f "$name.sql" >out 2>err &
    pid=$!
}

# go_on NAME: what was defined goes on, in a new process.
go_on() {
    # shellcheck disable=SC2086 # two words
    "$SLUICE" --data "$1" $fast -e '' >out 2>err &
    pid=$!
}

crash() {
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

ends_well() {
    wait "$pid" || fail "ended with $?"
}

# until SQL: it says true.
until_true() {
    local i
    for ((i = 0; i < 400; i++)); do
        if [ "$(psql -c "$1" 2>/dev/null)" = t ]; then
            return
        fi
        sleep 0.02
    done
    fail "never true: $1"
}

complete() { # TABLE
    query "SELECT count(*), count(DISTINCT \"N\"), sum(\"N\") FROM $1"
    is rows <<<"$rows|$rows|$((rows * (rows + 1) / 2))"
}

# hold SQL: a transaction that keeps what it locks until release.
hold() {
    coproc HOLDER { PGOPTIONS="-c search_path=$schema" "$POSTGRES" psql; }
    holder=$HOLDER_PID
    echo "BEGIN; $1; SELECT 'held';" >&"${HOLDER[1]}"
    read -r -t 20 answer <&"${HOLDER[0]}" || fail "cannot lock: $1"
}
release() {
    echo 'ROLLBACK; \q' >&"${HOLDER[1]}"
    wait "$holder" 2>/dev/null
}

waiting="SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'sluice'
           AND wait_event_type = 'Lock' AND query LIKE '%WHAT%')"

killed_at() { # NAME OF THE RULE, table, lock, query it waits in
    case_begins "$1"
    psql -c "CREATE TABLE $2 (\"N\" bigint)"
    hold "$3"
    begin "$2"
    until_true "${waiting/WHAT/$4}"
    crash
    release
    go_on "$2"
    ends_well
    complete "$2"
}

killed_at 'killed while it sends rows' in_rows 'LOCK TABLE in_rows IN SHARE MODE' 'COPY'
killed_at 'killed while it moves its positions' in_offsets \
    'LOCK TABLE sluice_sink_offsets IN EXCLUSIVE MODE' 'sluice_sink_offsets'

case_begins 'killed while Postgres commits: the commit whose answer nobody heard counts'
psql -c 'CREATE TABLE in_commit ("N" bigint)' -c 'CREATE TABLE gate (n int)' \
    -c "CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN LOCK TABLE gate IN ACCESS SHARE MODE; RETURN NULL; END'" \
    -c 'CREATE CONSTRAINT TRIGGER late AFTER INSERT ON in_commit DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION pass()'
hold 'LOCK TABLE gate'
begin in_commit
until_true "${waiting/WHAT/COMMIT}"
crash
release
until_true 'SELECT count(*) > 0 FROM in_commit'
go_on in_commit
ends_well
complete in_commit

case_begins 'killed at any moment, many times'
psql -c 'CREATE TABLE at_random ("N" bigint)'
begin at_random
for ((round = 1; round <= 8; round++)); do
    until_true "SELECT count(*) >= $((round * 40 - 30)) FROM at_random"
    crash
    go_on at_random
done
ends_well
complete at_random

case_begins 'Postgres killed and started again under load loses and repeats nothing'
psql -c 'CREATE TABLE outage ("N" bigint)'
begin outage
for round in 1 2 3; do
    until_true "SELECT count(*) >= $((round * 100 - 90)) FROM outage"
    "$POSTGRES" kill
    "$POSTGRES" restart
done
ends_well
complete outage

case_begins 'Postgres stopped in good order does no harm either; upserts'
psql -c 'CREATE TABLE calm ("ID" int PRIMARY KEY, "N" bigint)'
begin calm "'insert.mode'='upsert'" "'pk.mode'='record_key'" "'pk.fields'='ID'"
until_true 'SELECT count(*) >= 10 FROM calm'
"$POSTGRES" restart
ends_well
complete calm

case_begins 'a connection that is cut in the middle is made again'
psql -c 'CREATE TABLE cut ("N" bigint)'
begin cut
for round in 1 2 3 4 5; do
    until_true "SELECT count(*) >= $((round * 50 - 40)) FROM cut"
    psql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice'" >/dev/null
done
ends_well
complete cut

case_begins 'a former owner cannot write any more'
psql -c 'CREATE TABLE fenced ("N" bigint)'
hold 'LOCK TABLE fenced IN SHARE MODE'
begin fenced
until_true "${waiting/WHAT/COPY}"
psql -c "UPDATE sluice_sink_offsets SET epoch = epoch + 1 WHERE sink = 'FENCED'"
release
ends_well
complete fenced

case_begins 'dropped and made again it goes on where it ended'
psql -c 'CREATE TABLE again ("N" bigint)'
begin again
ends_well
echo 'DROP CONNECTOR again;' | cat - again.sql >twice.sql
run 0 --data again -f twice.sql
complete again

case_begins 'a topic made anew with fewer records stops it, or is read from its begin'
begin gap "$create"
ends_well
anew="DROP CONNECTOR gap; DROP STREAM t DELETE TOPIC; $(head -n 1 rows.sql) INSERT INTO t VALUES (0, -5);"
echo "$anew $(cat gap.sql)" >anew.sql
# shellcheck disable=SC2086 # two words
run 1 --data gap $fast -f anew.sql
has err "holds offsets 0 to"
has err "'offset.gap' = 'skip' goes on at its begin"
echo "DROP CONNECTOR gap; $(sed "s/'topics'=/'offset.gap'='skip', 'topics'=/" gap.sql)" >skip.sql
# shellcheck disable=SC2086 # two words
run 0 --data gap $fast -f skip.sql
query 'SELECT count(*), min("N") FROM gap'
is rows <<<"$((rows + 1))|-5"
# shellcheck disable=SC2086 # two words
run 0 --data gap $fast -e 'INSERT INTO t VALUES (0, -6);'
query 'SELECT count(*), min("N") FROM gap'
is rows <<<"$((rows + 2))|-6"

# more NAME: a row more, in a process of its own.
more() {
    # shellcheck disable=SC2086 # two words
    "$SLUICE" --data "$1" $fast -e "INSERT INTO t VALUES ($((rows + 1)), $((rows + 1)));" \
        >out 2>err || fail "ended with $?"
}

case_begins 'without positions in the target it goes on where the group on the log says'
begin loose "$create" "'exactly.once'=false"
ends_well
complete loose
more loose
query 'SELECT count(*), count(DISTINCT "N") FROM loose'
is rows <<<"$((rows + 1))|$((rows + 1))"

case_begins 'killed on the way it repeats rows at most, and loses none'
begin torn "$create" "'exactly.once'=false"
until_true 'SELECT count(*) > 50 FROM torn'
crash
go_on torn
ends_well
query 'SELECT count(DISTINCT "N"), count(*) < '"$((2 * rows))"' FROM torn'
is rows <<<"$rows|t"

case_begins 'who may not make the table of positions goes on where the group says'
psql -c "CREATE ROLE $schema LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA $schema TO $schema;
         CREATE TABLE guest (\"N\" bigint); GRANT INSERT ON guest TO $schema;"
begin guest "'offset.table'='none_$$'" "'connection.user'='$schema'" "'connection.password'='p'"
ends_well
complete guest
more guest
query 'SELECT count(*), count(DISTINCT "N") FROM guest'
is rows <<<"$((rows + 1))|$((rows + 1))"

case_begins 'the group mirrors the positions that the target keeps'
begin mirrored "$create" "'offset.table'='kept_$$'"
ends_well
connector mirrored "$jdbc" "'topics'='t'" "'table.name.format'='mirrored'" "'exactly.once'=false" \
    >again.sql
# shellcheck disable=SC2086 # two words
"$SLUICE" --data mirrored $fast -e "DROP CONNECTOR mirrored; $(cat again.sql)" >out 2>err ||
    fail "ended with $?"
complete mirrored

case_begins 'contention and a table that changes are tried again at once'
psql -c 'CREATE TABLE changed ("N" bigint, gone int)'
hold 'LOCK TABLE changed'
begin changed "'retry.backoff.ms'=250000" "'lock.timeout.ms'=60000" "'batch.bytes'=100000"
until_true "${waiting/WHAT/COPY}"
psql -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice'" >/dev/null
release
ends_well
complete changed

case_begins 'what takes too long is cut in halves until it does not'
psql -c 'CREATE TABLE slow ("N" bigint)' \
    -c "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END'" \
    -c 'CREATE TRIGGER dawdles BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION dawdle()'
begin slow "'batch.bytes'=1000000" "'statement.timeout.ms'=250"
ends_well
complete slow

report_and_exit
