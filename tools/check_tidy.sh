#!/bin/bash
# check_tidy.sh [FILE...]: clang-tidy over the files given, else over what differs
# from the commit before and what is not committed. CC_FLAGS adds compiler flags.
#
# The time is bounded (TIDY_SECONDS, 240): files not reached are named, not failed.
set -u
tidy=${CLANG_TIDY:-clang-tidy-14}
limit=${TIDY_SECONDS:-240}
if [ "$#" -gt 0 ]; then
    files=("$@")
else
    base=$(git rev-parse -q --verify HEAD~ || git rev-parse -q --verify HEAD) || exit 0
    mapfile -t files < <({
        git diff --name-only --diff-filter=d "$base"
        git ls-files --others --exclude-standard
    } | grep -E '^(base|parser|engine|sinks|cli)/.*\.c$' | sort -u)
fi
if [ "${#files[@]}" -eq 0 ]; then
    exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tools=$(cd "$(dirname "$0")" && pwd)
export tidy dir tools
check_one() {
    local out=$dir/${1//\//_} prelude=
    if [ -e base/error.h ] && [ "$1" != base/error.c ]; then
        prelude="-include $tools/tidy_prelude.h"
    fi
    # shellcheck disable=SC2086 # flags are words
    "$tidy" --quiet --warnings-as-errors='*' "$1" -- -std=c11 -D_POSIX_C_SOURCE=200809L -I. -Ibuild/gen \
        $prelude ${CC_FLAGS:-} >"$out.out" 2>"$out.err" && touch "$out.ok"
    touch "$out.done"
}
export -f check_one
timeout "$limit" xargs -0 -P "$(nproc)" -I{} bash -c 'check_one "$1"' _ {} < <(printf '%s\0' "${files[@]}")
status=0
for file in "${files[@]}"; do
    out=$dir/${file//\//_}
    if [ ! -e "$out.done" ]; then
        echo "$file: not reached within $limit s"
    elif [ ! -e "$out.ok" ]; then
        cat "$out.out"
        grep -E 'error:' "$out.err"
        status=1
    fi
done
exit $status
