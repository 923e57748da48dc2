#!/bin/bash
# run_cli.sh SCRIPT...: runs shell tests of the program $SLUICE (tests/cli/check.bash), each in
# an empty directory of its own, and ends with the sum "N passed, N failed".
set -u
root=$(pwd)
export SLUICE=$root/${SLUICE:?the program to test}
export CHECK=$root/tests/cli/check.bash
export SERVER_BASH=$root/tests/http/server.bash
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for script in "$@"; do
    mkdir "$dir/$(basename "$script")"
    (cd "$dir/$(basename "$script")" && timeout 300 bash "$root/$script") >"$dir/out" 2>&1 </dev/null
    status=$?
    grep -v '^[0-9]* passed, [0-9]* failed$' "$dir/out"
    if ! grep '^[0-9]* passed, [0-9]* failed$' "$dir/out" >>"$dir/counts"; then
        echo "$script: ended with status $status before its last case"
        echo '0 passed, 1 failed' >>"$dir/counts"
    fi
done
awk '{ passed += $1; failed += $3 } END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }' \
    /dev/null $([ -f "$dir/counts" ] && echo "$dir/counts")
