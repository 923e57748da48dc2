# nodes.bash: what the scripts here share: shells and servers on the broker $SLUICE_TEST_KAFKA.
. "$CHECK"
declare -A node_pid node_port
unique=$$
trap 'kill -KILL "${node_pid[@]}" 2>/dev/null' EXIT

# begin NAME ARGUMENTS...: starts a server; it need not come up. What a former one of the name
# said is gone before it is looked at.
begin() {
    local name=$1
    shift
    : >"$name.out"
    "$SLUICE" server --listeners http://127.0.0.1:0 "$@" >"$name.out" 2>"$name.err" &
    node_pid[$name]=$!
}

# up NAME: waits until it tells its port.
up() {
    while kill -0 "${node_pid[$1]}" 2>/dev/null && ! grep -q '^listening on port' "$1.out"; do
        read -r -t 0.05 _ <> <(:) || true
    done
    node_port[$1]=$(sed -n 's/^listening on port //p' "$1.out")
}

node() {
    begin "$@" --bootstrap "$SLUICE_TEST_KAFKA"
    up "$1"
}

# end NAME SIGNAL
end() {
    kill "-$2" "${node_pid[$1]}"
    wait "${node_pid[$1]}" 2>/dev/null
    unset "node_pid[$1]"
}

# ask NAME PATH BODY: the answer, with its head, in ./answer.
ask() {
    exec 7<>"/dev/tcp/127.0.0.1/${node_port[$1]}" || return
    printf 'POST %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %s\r\n\r\n%s' \
        "$2" "${#3}" "$3" >&7
    timeout 60 cat <&7 >answer
    exec 7>&-
}

ksql() { # NAME STATEMENTS
    ask "$1" /ksql "{\"ksql\":\"$2\",\"streamsProperties\":{\"auto.offset.reset\":\"earliest\"}}"
}

# until_has SECONDS TEXT COMMAND...: again and again, until ./answer has the text.
until_has() {
    local deadline=$((SECONDS + $1)) text=$2
    shift 2
    while "$@"; [[ "$(cat answer)" != *"$text"* ]]; do
        if [ $SECONDS -gt "$deadline" ]; then
            cp answer out
            fail "no answer of $* has: $text"
            return
        fi
        read -r -t 0.02 _ <> <(:) || true
    done
}

# shell STATUS ARGUMENTS...: results in ./out and ./err.
shell() {
    local status=$1
    shift
    run "$status" --bootstrap "$SLUICE_TEST_KAFKA" --set auto.offset.reset=earliest "$@"
}

# inserts FROM TO: rows with these numbers.
inserts() {
    local i
    for ((i = $1; i <= $2; i++)); do
        echo "INSERT INTO s VALUES ('k', $i);"
    done
}
