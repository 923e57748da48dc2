# server.bash: what the scripts here share: a server on a free port, clients in plain bash.
. "$CHECK"
server_pid=

# serve ARGUMENTS...: starts it, and waits until it tells its port. In memory, or --data DIRECTORY.
serve() {
    local storage=--memory
    [[ " $* " != *' --data '* ]] || storage=
    : >out
    "$SLUICE" server $storage --listeners http://127.0.0.1:0 "$@" >out 2>err &
    server_pid=$!
    trap 'kill -KILL $server_pid 2>/dev/null' EXIT
    while kill -0 $server_pid 2>/dev/null && ! grep -q '^listening on port' out; do
        read -r -t 0.05 _ <> <(:) || true
    done
    port=$(sed -n 's/^listening on port //p' out)
}

# request METHOD PATH [BODY]: the answer, with its head, in ./answer.
request() {
    exec 7<>"/dev/tcp/127.0.0.1/$port"
    printf '%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %s\r\n\r\n%s' \
        "$1" "$2" "${#3}" "$3" >&7
    cat <&7 >answer
    exec 7>&-
}

# stop SIGNAL STATUS: ends the server, which must end with this status.
stop() {
    local status
    kill "-$1" "$server_pid"
    wait "$server_pid"
    status=$?
    [ "$status" -eq "$2" ] || fail "the server ended with status $status, expected $2"
}
