#!/bin/sh
# summary.sh FILE...: adds up files of "passed failed" and prints
# "N passed, N failed"; fails when one failed or when there is nothing to add.
set -eu
exec awk '
{ passed += $1; failed += $2 }
END {
    if (NR == 0) {
        failed = 1
    }
    printf "%d passed, %d failed\n", passed, failed
    exit failed > 0
}' /dev/null "$@"
