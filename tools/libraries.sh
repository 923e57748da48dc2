#!/bin/sh
# libraries.sh: what the sources use of tools/libraries.txt.
#
#   libraries.sh used DIR...      names of the libraries that are included there
#   libraries.sh flags NAME       linker flags; names the Debian package if it is missing
#   libraries.sh cflags NAME      compiler flags
#   libraries.sh packages NAME... Debian packages
set -eu
table=$(dirname "$0")/libraries.txt

field() { # NAME COLUMN
    awk -v name="$1" -v column="$2" -F ' [|] ' '!/^#/ && $1 == name { print $column }' "$table"
}

case $1 in
used)
    shift
    included=$(grep -rhoE '^#include <[^>]+>' --include='*.[chy]' --include='*.re' "$@" 2>/dev/null |
        sed 's/^#include <//; s/>$//' | sort -u)
    awk -F ' [|] ' '!/^#/ && NF { print $1, $2 }' "$table" | while read -r name pattern; do
        if printf '%s\n' "$included" | grep -qE "^($pattern)"; then
            echo "$name"
        fi
    done
    ;;
flags | cflags)
    modules=$(field "$2" 3)
    case $modules in
    -l*)
        if [ "$1" = flags ]; then
            echo "$modules"
        fi
        ;;
    *)
        option=--libs
        if [ "$1" = cflags ]; then
            option=--cflags
        fi
        # shellcheck disable=SC2086 # several modules are several words
        if ! pkg-config $option $modules 2>/dev/null; then
            echo "missing library $2: install the Debian package $(field "$2" 4) (or: make deps)" >&2
            exit 1
        fi
        ;;
    esac
    ;;
packages)
    shift
    for name in "$@"; do
        field "$name" 4
    done
    ;;
*)
    echo "usage: libraries.sh used|flags|cflags|packages ..." >&2
    exit 2
    ;;
esac
