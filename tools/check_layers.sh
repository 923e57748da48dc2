#!/bin/sh
# check_layers.sh [ROOT]: an include points to its own layer or to one further
# left in tools/layers.txt, and is written from the root.
set -eu
cd "${1:-.}"
here=$(cd "$(dirname "$0")" && pwd)
find base parser engine sinks cli tests bench -name '*.[chy]' -o -name '*.re' -o -name '*.def' 2>/dev/null |
    sort | xargs -r grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' /dev/null |
    awk -v table="$here/layers.txt" '
function layer_of(path,    i) {
    for (i = 1; i <= count; i++) {
        if (index(path, folder[i]) == 1) {
            return i
        }
    }
    return 0
}
function exists(path,    line, found) {
    found = (getline line < path) >= 0
    close(path)
    return found
}
function generated(path) { # parser/grammar.h comes from parser/grammar.y, others from a .re
    return path ~ /\.h$/ &&
           (exists(substr(path, 1, length(path) - 1) "y") || exists(substr(path, 1, length(path) - 1) "re"))
}
function refuse(why) {
    print file ":" number ": " why
    bad = 1
}
BEGIN {
    while ((getline line < table) > 0) {
        if (line !~ /^#/ && line != "") {
            folder[++count] = line
        }
    }
}
{
    split($0, part, ":")
    file = part[1]
    number = part[2]
    match($0, /"[^"]*"/)
    target = substr($0, RSTART + 1, RLENGTH - 2)
    if (!exists(target) && !generated(target)) {
        refuse("\"" target "\" is not a path from the root")
        next
    }
    from = layer_of(file)
    to = layer_of(target)
    if (from && !to) {
        refuse("includes \"" target "\", which is in no layer")
    } else if (from && to > from) {
        refuse(folder[from] " must not know " folder[to] " (\"" target "\")")
    }
}
END { exit bad }'
