#!/bin/bash
# demo.sh [shell|kafka]: the tote pool (statements/tote-pool), live, into a Postgres of its own.
#
#   (nothing)  on the embedded log; shows the odds as bets come in, then the tables; ends by itself
#   kafka      the same on a Kafka broker of its own
#   shell      leaves it running under a shell, and ends with it
#
# Everything it starts is its own, on free ports, and ends with it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
kind=${1:-embedded}
sluice=${SLUICE:-$root/build/sluice}
statements=$root/statements/tote-pool
home=$root/build/demo-$$
postgres=$root/tests/services/postgres
kafka=$root/tests/services/kafka
export SERVICE_NAME=demo-$$
server=
view=

clean_up() {
    trap - EXIT
    for process in $view $server; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    "$postgres" remove >/dev/null 2>&1 || true
    [ "$kind" != kafka ] || "$kafka" stop >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

fail() {
    echo "demo: $*" >&2
    cat "$home/server.log" >&2
    exit 1
}

# until_true SECONDS COMMAND...
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "this took too long: $*"
        read -r -t 0.05 _ <> <(:) || true
    done
}

serve() {
    local log=(--data "$home/data")
    [ "$kind" != kafka ] || log+=(--bootstrap "$bootstrap")
    "$sluice" server "${log[@]}" --listeners http://127.0.0.1:0 >"$home/server.log" 2>&1 &
    server=$!
    until_true 20 is_listening
    url=http://127.0.0.1:$(sed -n 's/^listening on port //p' "$home/server.log")
}

is_listening() {
    kill -0 "$server" 2>/dev/null || fail "the server has ended"
    grep -q '^listening on port' "$home/server.log"
}

has_rows() { # TABLE COUNT
    [ "$("$postgres" psql -c "SELECT count(*) FROM $1" 2>/dev/null)" = "$2" ]
}

run() { "$sluice" "$url" "$@" >>"$home/answers" || fail "sluice $url $*"; }

show() { # TABLE ORDER
    say "Postgres: SELECT * FROM $1"
    "$postgres" psql -A -P format=aligned -P tuples_only=off -P footer=off -c "SELECT * FROM $1 ORDER BY $2"
}

mkdir -p "$home"
say 'A Postgres server of its own'
jdbc=$("$postgres" start)
echo "${jdbc%%\?*}"
if [ "$kind" = kafka ]; then
    say 'A Kafka broker of its own'
    bootstrap=$("$kafka" start)
    echo "$bootstrap"
fi
serve

say 'The statements: bets, pools, odds, and a connector into Postgres'
cat "$statements/sources.sql" "$statements/queries.sql" "$statements/connector.sql" | sed 's/^--.*//' | grep -v '^$'
run -f "$statements/sources.sql" -f "$statements/queries.sql"
run -d postgres="${jdbc%%\?*}" -d user=sluice -d password=sluice -f "$statements/connector.sql"

if [ "$kind" = shell ]; then
    run -f "$statements/bets-1.sql"
    say "It runs. More bets: run script '$statements/bets-2.sql'"
    echo "Postgres: PGPASSWORD=sluice psql -h 127.0.0.1 -p $(sed 's/.*:\([0-9]*\)\/.*/\1/' <<<"$jdbc") -U sluice sluice"
    "$sluice" "$url"
    exit 0
fi

say 'The odds, as bets come in'
"$sluice" "$url" -e "SET 'auto.offset.reset' = 'earliest';
SELECT race_id, runner_id, runner_pool, race_pool, odds
  FROM tote_win_bet_race_runners_odds EMIT CHANGES LIMIT 9;" | sed -un '/^+/,$p' &
view=$!
run -f "$statements/bets-1.sql"
until_true 20 has_rows tote_win_bet_race_runners_odds 5
echo '-- the second batch of bets'
run -f "$statements/bets-2.sql"
until_true 20 has_rows tote_win_bet_race_runners_odds 9
until_true 20 has_rows tote_win_bets 9
wait "$view" || true
view=

show tote_win_bets '"RACE_ID", "RUNNER_ID", "AMOUNT"'
show tote_win_bet_race_runners_odds '"RACE_ID", "RUNNER_ID", "ODDS" DESC'
say 'That was all. make demo-shell leaves it running under a shell.'
