#!/bin/bash
# run_fuzz.sh SECONDS|replay PROGRAM...: fuzzes each program for a time, or feeds
# it what is kept: tests/fuzz/corpus/<name>/ and tests/fuzz/regress/<name>/.
#
# An input that fails while fuzzing is stored in regress/ and fails every replay
# until it is mended. Inputs found on the way grow build/fuzz/corpus/<name>/.
# Ends with "N passed, N failed", counting programs.
set -u
mode=$1
shift
passed=0
failed=0
for program in "$@"; do
    name=$(basename "$program")
    name=${name#fuzz_}
    seeds=tests/fuzz/corpus/$name
    regress=tests/fuzz/regress/$name
    log=$(mktemp)
    if [ "$mode" = replay ]; then
        find "$seeds" "$regress" -type f ! -name 'README*' -print0 2>/dev/null | sort -z |
            xargs -0 -r timeout 120 "$program" >"$log" 2>&1
        status=$?
    else
        own=build/fuzz/corpus/$name
        mkdir -p "$own" "$regress"
        kept=()
        if [ -d "$seeds" ]; then
            kept=("$seeds")
        fi
        "$program" -max_total_time="$mode" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
            -artifact_prefix="$regress/" "$own" "${kept[@]}" "$regress" >"$log" 2>&1
        status=$?
        rmdir --ignore-fail-on-non-empty "$regress" tests/fuzz/regress
        echo "  $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
    fi
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "--- fuzz_$name (exit status $status)"
        tail -n 60 "$log"
    fi
    rm -f "$log"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
