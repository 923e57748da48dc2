#!/bin/sh
# check_banned.sh [ROOT]: calls that must not occur, and the one clock.
#
# Also refused: TODO and its like without an issue number, comments that are not
# of the block form, sleeping in unit tests.
set -eu
cd "${1:-.}"
here=$(cd "$(dirname "$0")" && pwd)
files=$(find base parser engine sinks cli tests bench -name '*.[chy]' -o -name '*.re' -o -name '*.def' 2>/dev/null | sort)
[ -n "$files" ] || exit 0

# shellcheck disable=SC2086 # a list of words, here and below
awk -f "$here/code_lines.awk" $files | awk '
function refuse(why) {
    print file ":" number ": " why
    bad = 1
}
{
    first = index($0, ":")
    file = substr($0, 1, first - 1)
    rest = substr($0, first + 1)
    second = index(rest, ":")
    number = substr(rest, 1, second - 1)
    code = " " substr(rest, second + 1)
    if (match(code, /[^A-Za-z0-9_](strcpy|strcat|sprintf|vsprintf|strncpy|strtok|atoi|atof|atol|gets|gmtime|localtime|alloca|system|setjmp|longjmp)[ ]*\(/)) {
        refuse("banned call:" substr(code, RSTART, RLENGTH))
    }
    if (file != "base/clock.c" && file !~ /^tests\/(services|fault|e2e)\// &&
        match(code, /[^A-Za-z0-9_.>](clock_gettime|gettimeofday|time|ftime|timespec_get)[ ]*\(/)) {
        refuse("only base/clock reads a clock:" substr(code, RSTART, RLENGTH))
    }
    if (file ~ /^tests\/(unit|fuzz)\// && match(code, /[^A-Za-z0-9_](sleep|usleep|nanosleep)[ ]*\(/)) {
        refuse("tests do not sleep")
    }
    if (code ~ /\/\//) {
        refuse("comments are /* */")
    }
}
END { exit bad }' || status=1

# shellcheck disable=SC2086
if grep -nE '(TODO|FIXME|XXX)' $files | grep -vE '(TODO|FIXME|XXX) ?\(?#[0-9]+'; then
    echo "^ an open end needs an issue number"
    status=1
fi
exit "${status:-0}"
