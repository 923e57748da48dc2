#!/bin/sh
# check_format.sh [ROOT]: sources look as clang-format makes them.
set -eu
cd "${1:-.}"
find base parser engine sinks cli tests bench -name '*.[ch]' 2>/dev/null | sort |
    xargs -r -n 16 -P "$(nproc)" "${CLANG_FORMAT:-clang-format-14}" --dry-run -Werror 2>&1 |
    grep -E 'error:|warning:' | sed 's/ \[-Wclang-format-violations\]//' | {
    status=0
    while read -r line; do
        echo "$line"
        status=1
    done
    exit $status
}
