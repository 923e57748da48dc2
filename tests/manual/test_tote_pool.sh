# test_tote_pool.sh: statements/tote-pool, run file by file as its first lines say: however often, the
# same odds. With EXPECTED=write tote-pool.expected is written anew, to be read before it is
# committed.
. "$CHECK"
root=${CHECK%/tests/cli/check.bash}
pool=$root/statements/tote-pool
files=(sources queries bets-1 odds bets-2 odds)

arguments=()
for file in "${files[@]}"; do
    arguments+=(-f "$pool/$file.sql")
done

play() {
    run 0 "${arguments[@]}"
    sed -i 's/ *$//' out
    is err </dev/null
    [ "${EXPECTED:-}" = write ] && cp out "$pool/tote-pool.expected"
    diff "$pool/tote-pool.expected" out >difference 2>&1 ||
        fail "it prints otherwise: $(head -n 20 difference)"
}

for n in 1 2 3; do
    case_begins "the tote pool gives the expected odds, run $n"
    play
done

case_begins 'EXPLAIN names the queries that a bet waits for, or says that it does not wait'
cat >off.sql <<<"SET 'join.causal' = 'false';"
cat >explain.sql <<<'EXPLAIN CSAS_TOTE_WIN_BET_RACE_RUNNERS_ODDS_4;'
run 0 "${arguments[@]:0:4}" -f explain.sql
has out '| Causal: after CSAS_TOTE_WIN_BETS_BY_RUNNER_0, CTAS_TOTE_WIN_BET_RUNNER_POOLS_2'
has out '| Causal: after CSAS_TOTE_WIN_BETS_BY_RACE_1, CTAS_TOTE_WIN_BET_RACE_POOLS_3'
run 0 -f off.sql "${arguments[@]:0:4}" -f explain.sql
has out '| Causal: off'

case_begins 'each file begins with what it is'
for program in "$pool"/*.sql; do
    head -n 1 "$program" | grep -q '^-- ' || fail "$(basename "$program") does not"
done
report_and_exit
