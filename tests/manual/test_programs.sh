# test_programs.sh: each program in statements/ prints what its .expected file has. With
# EXPECTED=write the files are written anew, to be read before they are committed.
. "$CHECK"
root=${CHECK%/tests/cli/check.bash}

for program in "$root"/statements/*.sql; do
    name=$(basename "$program" .sql)
    case_begins "statements/$name.sql prints what is expected"
    run 0 -f "$program"
    sed -i 's/ *$//' out
    is err </dev/null
    [ "${EXPECTED:-}" = write ] && cp out "$root/statements/$name.expected"
    diff "$root/statements/$name.expected" out >difference 2>&1 ||
        fail "it prints otherwise: $(head -n 20 difference)"
    head -n 1 "$program" | grep -q '^-- ' || fail 'it does not begin with a comment'
done

case_begins 'there is no expected output without a program'
for expected in "$root"/statements/*.expected; do
    [ -f "${expected%.expected}.sql" ] || fail "$(basename "$expected") has none"
done
report_and_exit
