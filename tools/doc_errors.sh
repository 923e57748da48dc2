#!/bin/sh
# doc_errors.sh: the page of error conditions, from base/errors.def.
set -eu
cat <<'EOF'
# Error conditions

Every error has a stable code. The class says what becomes of it: a *statement*
is rejected, a *record* is logged and skipped, a *transient* failure is retried,
a *query* stops while others run on, *usage* ends the command.

| Code | Class | Condition |
|---|---|---|
EOF
sed -n 's/^ERROR(\([A-Z_]*\), ERROR_\([A-Z]*\), "\(.*\)")$/\1|\2|\3/p' base/errors.def |
    awk -F '|' '{ printf "| `%s` | %s | %s |\n", $1, tolower($2), $3 }'
