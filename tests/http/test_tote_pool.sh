# test_tote_pool.sh: bets of the tote pool by INSERT VALUES, by files in shuffled batches and in one
# request: the odds of each bet come from pools of bets that include it, and never go back.
. "$SERVER_BASH"
pool=$(dirname "$CHECK")/../../statements/tote-pool
bets=60

# make_bets SEED: "runner race amount" lines in ./bets; runners 3n to 3n + 2 run in race n.
make_bets() {
    awk -v seed="$1" -v bets=$bets 'BEGIN {
        srand(seed)
        for (i = 0; i < bets; i++) {
            runner = int(rand() * 9)
            print runner, int(runner / 3), i == 0 ? 0 : int(rand() * 100)
        }
    }' >bets
}

as_statement() {
    echo "INSERT INTO tote_win_bets (runner_id, race_id, amount) VALUES ($1, $2, $3.0);"
}

# Rows of ./out in the order of the bets; a pool is a sum of the bets up to this one or a later one.
check_odds() {
    sed -n 's/.*"columns":\[\([^]]*\)\].*/\1/p' out | tr , ' ' >odds
    awk '
        function is_pool(sums, id, bet, pool, i) {
            for (i = bet; i <= count; i++)
                if (sums[i, id] == pool) return 1
            return 0
        }
        FNR == NR {
            count = FNR
            runner[count] = $1; race[count] = $2
            of_runner[$1] += $3; of_race[$2] += $3
            for (r in of_runner) by_runner[count, r] = of_runner[r]
            for (r in of_race) by_race[count, r] = of_race[r]
            next
        }
        {
            seen = FNR
            if ($1 != race[FNR] || $2 != runner[FNR]) wrong = "another bet"
            else if (!is_pool(by_runner, $2, FNR, $3)) wrong = "runner pool " $3
            else if (!is_pool(by_race, $1, FNR, $4)) wrong = "race pool " $4
            else if ($3 < last_runner[$2] || $4 < last_race[$1]) wrong = "a pool that went back"
            else if ($3 == 0 ? $5 != 0 : ($5 - $4 / $3) ^ 2 > 1e-18) wrong = "odds " $5
            if (wrong) { print "bet " FNR ": " wrong; exit }
            last_runner[$2] = $3; last_race[$1] = $4
        }
        END {
            if (!wrong && seen != count) print seen + 0 " odds of " count " bets"
            for (r in last_runner)
                if (!wrong && last_runner[r] != of_runner[r]) print "last pool of runner " r
            for (r in last_race)
                if (!wrong && last_race[r] != of_race[r]) print "last pool of race " r
        }' bets odds >told
    [ ! -s told ] || fail "$(cat told)"
}

watch="SELECT race_id, runner_id, runner_pool, race_pool, odds
    FROM tote_win_bet_race_runners_odds EMIT CHANGES LIMIT $bets;"

case_begins 'bets in files, in a hundred shuffled batchings'
for ((seed = 1; seed <= 100; seed++)); do
    make_bets $seed
    rm -f batch-*
    RANDOM=$seed
    batch=0
    while read -r runner race amount; do
        as_statement "$runner" "$race" "$amount" >>"batch-$(printf %03d $batch)"
        batch=$((batch + (RANDOM % 8 == 0)))
    done <bets
    files=()
    for file in batch-*; do
        files+=(-f "$file")
    done
    before=$((RANDOM % (${#files[@]} / 2 + 1) * 2)) # so many words before the queries are there
    echo "$watch" >watch.sql
    run 0 --output json -f "$pool/sources.sql" "${files[@]:0:before}" -f "$pool/queries.sql" \
        "${files[@]:before}" -f watch.sql
    check_odds
done

# Those of the server come as they are made.
watch_odds() {
    exec 8<>"/dev/tcp/127.0.0.1/$port"
    body="{\"ksql\":\"${watch//$'\n'/ }\",\"streamsProperties\":{\"auto.offset.reset\":\"earliest\"}}"
    printf 'POST /query HTTP/1.1\r\nContent-Length: %s\r\n\r\n%s' "${#body}" "$body" >&8
    : >out
    while read -r -t 20 line <&8; do
        echo "$line" >>out
        [[ "$line" != *finalMessage* ]] || break
    done
    exec 8>&-
}

# play NAME: a new server with the queries.
play() {
    serve --set ksql.streams.auto.offset.reset=earliest
    for file in sources queries; do
        request POST /ksql "{\"ksql\":\"$(grep -v '^--' "$pool/$file.sql" | tr '\n' ' ')\"}"
        lacks answer '"error_code"'
    done
}

case_begins 'bets one at a time, each by a statement'
make_bets 101
play
while read -r runner race amount; do
    request POST /ksql "{\"ksql\":\"$(as_statement "$runner" "$race" "$amount")\"}"
    lacks answer '"error_code"'
done <bets
watch_odds
check_odds
stop TERM 0

case_begins 'bets all at once, as rows of one request'
make_bets 102
play
{
    printf '{"target":"tote_win_bets"}\n'
    while read -r runner race amount; do
        printf '{"runner_id":%s,"race_id":%s,"amount":%s}\n' "$runner" "$race" "$amount"
    done <bets
} >rows
exec 7<>"/dev/tcp/127.0.0.1/$port"
{
    printf 'POST /inserts-stream HTTP/1.1\r\nConnection: close\r\nContent-Length: %s\r\n\r\n' \
        "$(wc -c <rows)"
    cat rows
} >&7
cat <&7 >answer
exec 7>&-
has answer "{\"status\":\"ok\",\"seq\":$((bets - 1))}"
watch_odds
check_odds
stop TERM 0

report_and_exit
