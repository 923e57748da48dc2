#!/bin/sh
# check_readmes.sh [ROOT]: each folder with sources has a README.md.
set -eu
cd "${1:-.}"
find base parser engine sinks cli bench -name '*.[chy]' -o -name '*.re' 2>/dev/null |
    sed 's|/[^/]*$||' | sort -u | {
    status=0
    while read -r folder; do
        if [ ! -f "$folder/README.md" ]; then
            echo "$folder: has no README.md"
            status=1
        fi
    done
    exit $status
}
