#!/bin/sh
# install_packages.sh PACKAGE...: installs the Debian packages that are missing.
#
# Quiet and quick when nothing is. Package lists are fetched only when needed.
set -eu
missing=
for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    case $state in
    ii*) ;;
    *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    exit 0
fi
echo "  INSTALL$missing"
as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # a list of words
if ! { $as_root apt-get update -q &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing; } \
    >"$log" 2>&1; then
    cat "$log" >&2
    echo "could not install:$missing" >&2
    exit 1
fi
