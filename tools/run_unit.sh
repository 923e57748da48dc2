#!/bin/bash
# run_unit.sh PROGRAM...: runs unit test programs, as many at a time as there are
# processors, prints the output of those that fail and ends with the count
# "N passed, N failed". A program that dies or never ends is a failure.
set -u
jobs=${JOBS:-$(nproc)}
limit=${UNIT_TIMEOUT:-120}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Leaves NAME.out and NAME.count ("passed failed") in the directory.
run_one() {
    local program=$1 dir=$2 limit=$3 name out status passed failed
    name=$(basename "$program")
    out=$dir/$name.out
    timeout "$limit" "$program" >"$out" 2>&1
    status=$?
    passed=$(grep -c '^\[       OK \]' "$out")
    failed=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p' "$out" | tail -n 1)
    failed=${failed:-0}
    if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
        failed=1
    fi
    if [ "$status" -eq 0 ] && [ "$passed" -eq 0 ]; then
        echo "$name: ran no test" >>"$out"
        failed=1
    fi
    echo "$passed $failed" >"$dir/$name.count"
    if [ "$failed" -ne 0 ]; then
        { echo "--- $name (exit status $status)"; grep -v '^\[ RUN\|^\[       OK' "$out"; } >"$dir/$name.report"
        cat "$dir/$name.report"
    fi
}
export -f run_one

if [ "$#" -gt 0 ]; then
    printf '%s\0' "$@" | xargs -0 -P "$jobs" -I{} bash -c 'run_one "$@"' _ {} "$dir" "$limit"
fi
awk '{ passed += $1; failed += $2 } END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }' \
    /dev/null $(find "$dir" -name '*.count')
