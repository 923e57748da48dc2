#!/bin/bash
# check_settings.sh [ROOT]: a row of properties.def says USED where its name is read in
# engine/command or cli, and UNUSED where it is not. A family "x.*" is read as "x.", but not where
# the whole name has a row of its own; show.c, which hides some families, does not count for these.
set -u
cd "${1:-.}" || exit 1
table=engine/command/properties.def
[ -f "$table" ] || exit 0
status=0
# is_read NAME: a family ends in "*".
is_read() {
    local name prefix=${1%\*}
    if [ "${1%\*}" = "$1" ]; then
        grep -rqF --include='*.c' -- "\"$1" engine/command cli 2>/dev/null
        return
    fi
    while read -r name; do
        grep -qF "PROPERTY($name," "$table" || return 0
    done < <(grep -rhoE --include='*.c' --exclude=show.c -- "\"${prefix//./\\.}[^\"]*\"" \
        engine/command cli 2>/dev/null)
    return 1
}
while read -r line name effect; do
    is=UNUSED
    ! is_read "$name" || is=USED
    if [ "$effect" != "$is" ]; then
        echo "$table:$line: $name is $is, the row says $effect"
        status=1
    fi
done < <(awk '
    /^PROPERTY\(/ { line = FNR; split($0, part, "\""); name = part[2] }
    match($0, /(SESSION|SERVER), (USED|UNUSED),/) {
        split(substr($0, RSTART, RLENGTH), word, /[ ,]+/)
        print line, name, word[2]
    }' "$table")
exit $status
