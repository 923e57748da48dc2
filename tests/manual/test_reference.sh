# test_reference.sh: docs/reference/ is what the program prints about itself; its examples run,
# and what it calls not built is refused.
. "$CHECK"
root=${CHECK%/tests/cli/check.bash}
pages=$root/docs/reference

run 0 help --markdown
topics=$(cat out)

for topic in $topics; do
    case_begins "the page $topic is up to date"
    run 0 help --markdown "$topic"
    diff "$pages/$topic.md" out >difference 2>&1 ||
        fail "docs/reference/$topic.md differs (make docs writes it): $(head -n 5 difference)"
done

case_begins 'there is a page for each topic, and no other'
[ "$(cd "$pages" && echo *.md | tr ' ' '\n' | sed 's/\.md$//' | sort)" = "$(sort <<<"$topics")" ] ||
    fail 'docs/reference/ has other pages than the program'

case_begins 'every statement and the first function are found by name'
while read -r heading; do
    run 0 help ${heading//[\/]/ }
    has out "$heading"
done < <(sed -n 's/^## //p' "$pages/statements.md")
run 0 help "$(sed -n 's/^### //p' "$pages/functions.md" | head -n 1)"

# The first SQL of the page makes what the others read.
awk '/^```sql$/ { n++; inside = 1; next } /^```$/ { inside = 0 } inside { print > ("example" n) }' \
    "$pages/statements.md"
setup=$(cat example1)
[ -n "$setup" ] || fail 'the page of statements has no examples'
for ((n = 2; ; n++)); do
    [ -f "example$n" ] || break
    case_begins "this example runs: $(head -n 1 "example$n")"
    run 0 -e "$setup $(cat "example$n")"
    is err </dev/null
done

while IFS='|' read -r _ what statement _; do
    statement=$(sed 's/^ *`//; s/` *$//; s/\\$//' <<<"$statement")
    case_begins "it is refused as not built:$what"
    run 1 -e "$setup $statement"
    has err '(ERR_UNSUPPORTED)'
done < <(awk '/^\| Not built yet/ { inside = 1; next } !/^\|/ { inside = 0 }
    inside && !/^\|---/' "$pages/statements.md")

report_and_exit
