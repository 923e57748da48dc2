# check.bash: what the scripts here share: runs $SLUICE and compares. A case is a run and the
# checks behind it; it fails when one of them does. Sourced, never run.
passed=0
failed=0
current=
broken=0

# case NAME: the last case is over, the next begins. Names state rules.
case_begins() {
    case_ends
    current=$1
    broken=0
}

case_ends() {
    [ -n "$current" ] || return 0
    if [ "$broken" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    current=
}

# run STATUS ARGUMENTS...: output in ./out and ./err. Standard input is the caller's.
run() {
    local expected=$1 status
    shift
    timeout 60 "$SLUICE" "$@" >out 2>err
    status=$?
    [ "$status" -eq "$expected" ] || fail "exit status $status, expected $expected"
}

fail() {
    broken=1
    echo "$(basename "$0"): $current: $1"
    sed 's/^/    out: /' out | cut -c1-200 | head -n 20
    sed 's/^/    err: /' err | cut -c1-200 | head -n 20
}

# has FILE TEXT: the file holds this text, perhaps over several lines.
has() {
    [[ "$(cat "$1")" == *"$2"* ]] || fail "$1 lacks: $2"
}

lacks() {
    [[ "$(cat "$1")" != *"$2"* ]] || fail "$1 must not have: $2"
}

# is FILE: the file is what stands on standard input.
is() {
    local wanted
    wanted=$(cat)
    [ "$(cat "$1")" == "$wanted" ] || fail "$1 is not: $wanted"
}

# A port below the range that the system gives to outgoing connections.
free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)) && (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

report_and_exit() {
    case_ends
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}
