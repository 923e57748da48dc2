# postgres.bash: what the scripts here share: $CHECK, and connectors into the server of
# tests/services/with_postgres. Each script has a schema of its own. Sourced, never run.
. "$CHECK"

schema=s_$(basename "$0" .sh)_$$
url="$SLUICE_TEST_POSTGRES&currentSchema=$schema"

# psql OPTIONS...: in the schema of this script.
psql() {
    PGOPTIONS="-c search_path=$schema" "$POSTGRES" psql "$@"
}

# query SQL: its rows are in ./rows, columns separated by "|".
query() {
    psql -c "$1" >rows 2>&1 || fail "psql: $(cat rows)"
}

# connector NAME 'OPTION'='VALUE'...: CREATE SINK CONNECTOR into the server.
connector() {
    local name=$1
    shift
    printf "CREATE SINK CONNECTOR %s WITH ('connection.url'='%s'" "$name" "$url"
    printf ', %s' "$@"
    printf ');\n'
}

jdbc="'connector.class'='JdbcSinkConnector'"
ours="'connector.class'='PostgresSink'"
create="'auto.create'=true"

"$POSTGRES" psql -c "CREATE SCHEMA $schema"
