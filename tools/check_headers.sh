#!/bin/sh
# check_headers.sh [ROOT]: each header compiles alone and is guarded by the name
# of its path. CC_FLAGS adds compiler flags.
set -eu
cd "${1:-.}"
headers=$(find base parser engine sinks cli tests bench -name '*.h' 2>/dev/null | sort)
[ -n "$headers" ] || exit 0
status=0
for header in $headers; do
    guard=SLUICE_$(printf '%s' "$header" | tr 'a-z/.-' 'A-Z___')
    if ! grep -q "^#ifndef $guard\$" "$header" || ! grep -q "^#define $guard\$" "$header"; then
        echo "$header: the guard must be $guard"
        status=1
    fi
done
# shellcheck disable=SC2086 # flags are words
printf '%s\n' $headers | xargs -P "$(nproc)" -I{} sh -c '
    printf "#include \"%s\"\n" "$1" |
        ${CC:-gcc} -std=c11 -D_POSIX_C_SOURCE=200809L -I. -Ibuild/gen ${CC_FLAGS:-} -Wall -Wextra \
            -Wno-unused-parameter -Werror -fsyntax-only -x c - ||
        { echo "$1: does not compile alone"; exit 1; }' _ {} || status=1
exit $status
