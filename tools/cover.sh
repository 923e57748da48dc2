#!/bin/bash
# cover.sh DIR: line coverage by folder and in all, from the counters below DIR.
set -u
find "$1" -name '*.gcda' -not -path '*/tests/*' -not -path '*/gen/*' | sort | while read -r counters; do
    gcov -n -o "$(dirname "$counters")" "$counters" 2>/dev/null
done | awk '
/^File / {
    file = substr($0, 7)
    sub(/'"'"'$/, "", file)
}
/^Lines executed:/ {
    if (file !~ /^(base|parser|engine|sinks|cli)\// || file !~ /\.c$/ || file in seen) {
        next
    }
    seen[file] = 1
    split(substr($0, 16), part, "% of ")
    folder = file
    sub(/\/[^\/]*$/, "", folder)
    lines[folder] += part[2]
    hit[folder] += part[1] * part[2] / 100
}
END {
    for (folder in lines) {
        printf "%-24s %6d lines %6.1f %%\n", folder, lines[folder], 100 * hit[folder] / lines[folder] | "sort"
        all += lines[folder]
        all_hit += hit[folder]
    }
    close("sort")
    if (all) {
        printf "%-24s %6d lines %6.1f %%\n", "all", all, 100 * all_hit / all
    }
}'
