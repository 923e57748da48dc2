#!/bin/sh
# check_sizes.sh [ROOT]: files up to 1000 lines, functions under 80, READMEs of
# folders under 60. Tables are excepted: *.def and *_data.[ch] files, and rules of
# re2c inside a function.
set -eu
cd "${1:-.}"
status=0
files=$(find base parser engine sinks cli tests bench -name '*.[chy]' -o -name '*.re' 2>/dev/null | sort)
for file in $files; do
    case $file in
    *_data.[ch]) continue ;;
    esac
    lines=$(wc -l <"$file")
    if [ "$lines" -gt 1000 ]; then
        echo "$file: $lines lines, at most 1000"
        status=1
    fi
done
for readme in $(find base parser engine sinks cli tests bench tools statements -name README.md 2>/dev/null); do
    lines=$(wc -l <"$readme")
    if [ "$lines" -ge 60 ]; then
        echo "$readme: $lines lines, must be under 60"
        status=1
    fi
done
[ -n "$files" ] || exit $status
# A function body starts and ends with a brace in the first column.
# shellcheck disable=SC2086 # a list of words
awk '
FNR == 1 { inside = 0; rules = 0 }
/\/\*!re2c/ { rules = 1 }
/^\{/ { inside = 1; start = FNR; skipped = 0; next }
inside && rules { skipped++ }
/\*\// { rules = 0 }
/^\}/ && inside {
    length_now = FNR - start - 1 - skipped
    if (length_now >= 80) {
        print FILENAME ":" start ": function of " length_now " lines, must be under 80"
        bad = 1
    }
    inside = 0
}
END { exit bad }' $files || status=1
exit $status
