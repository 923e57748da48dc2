#!/bin/bash
# run_checks.sh [ROOT]: runs each tools/check_<name>.sh that reads the whole tree
# and ends with "N passed, N failed". clang-tidy has its own target.
set -u
here=$(cd "$(dirname "$0")" && pwd)
passed=0
failed=0
for check in format layers homes headers sizes readmes banned settings; do
    if output=$("$here/check_$check.sh" "${1:-.}" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "--- $check"
        echo "$output"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
