#!/bin/bash
# run_suites.sh TARGET...: runs make targets as test suites, all of them whatever
# fails, and ends with the sum "N passed, N failed".
#
# A suite counts by its own lines "N passed, N failed[, N skipped]"; one without such a
# line is a single step. A suite that breaks counts at least one failure. The
# output stays in build/results/<suite>.log, the count in <suite>.count.
set -u
results=build/results
# Suites run one after another, each with all processors; the job server of a make
# around this one does not reach this far.
jobs=${JOBS:-$(nproc)}
flags=$(sed -E 's/(^| )-j[0-9]*//; s/ ?--jobserver-auth=[^ ]*//' <<<"${MAKEFLAGS:-}")
mkdir -p "$results"
counts=()
for suite in "$@"; do
    log=$results/$suite.log
    start=$SECONDS
    MAKEFLAGS=$flags make -j"$jobs" --no-print-directory "$suite" >"$log" 2>&1 </dev/null
    status=$?
    read -r passed failed < <(awk '
        /^[0-9]+ passed, [0-9]+ failed/ { passed += $1; failed += $3; counted = 1 }
        END { print counted ? passed + 0 : -1, failed + 0 }' "$log")
    if [ "$passed" -lt 0 ]; then
        passed=$((status == 0))
    fi
    if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
        failed=1
    fi
    if [ "$failed" -ne 0 ]; then
        sed 's/^/    /' "$log" | grep -vE '^      (CC|AR|LINK|RE2C|LEMON) ' | tail -n 200
    fi
    echo "$passed $failed" >"$results/$suite.count"
    counts+=("$results/$suite.count")
    printf '  %-14s %5d passed, %d failed (%d s)\n' "$suite" "$passed" "$failed" $((SECONDS - start))
done
exec tools/summary.sh "${counts[@]}"
