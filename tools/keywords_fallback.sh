#!/bin/sh
# keywords_fallback.sh: writes a lemon grammar with its keywords declared.
#
#   keywords_fallback.sh GRAMMAR KEYWORDS > OUTPUT
#
# Every keyword becomes a %token, and those that are not RESERVED fall back to
# NAME where the grammar has no use for them. The line numbers of the grammar
# stay true, because the declarations replace the line "%keywords".
set -eu

if [ $# -ne 2 ]; then
    echo "usage: keywords_fallback.sh GRAMMAR KEYWORDS" >&2
    exit 2
fi
grammar=$1
keywords=$2

rows=$(sed -n 's/^KEYWORD("[A-Z]*", *\([A-Z_]*\), *\([A-Z]*\)).*/\1 \2/p' "$keywords")
tokens=$(echo "$rows" | cut -d' ' -f1 | tr '\n' ' ')
names=$(echo "$rows" | sed -n '/ RESERVED$/!s/ .*//p' | tr '\n' ' ')

if [ -z "$names" ] || ! grep -q '^%keywords$' "$grammar"; then
    echo "keywords_fallback.sh: no rows in $keywords, or no %keywords line in $grammar" >&2
    exit 1
fi
sed "s/^%keywords\$/%token $tokens. %fallback NAME $names./" "$grammar"
