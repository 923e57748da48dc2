# test_tours.sh: what README.md and docs/*.md show on a terminal is what happens. In a block
# "console", lines behind "$ " are commands, the rest is what they print; "```sql FILE" and the
# like are files that the reader makes. Blanks at line ends do not count. With EXPECTED=write
# the pages are written anew with what was printed, to be read before they are committed.
. "$CHECK"
root=${CHECK%/tests/cli/check.bash}

# Splits the page into files below page/, and numbered commands with what they print.
split_page() {
    awk '
    inside && /^```$/ { inside = 0; next }
    inside == "file" { print > ("page/" name) }
    inside == "console" && /^\$ / { n++; print substr($0, 3) > ("command" n); printf "" > ("shown" n); next }
    inside == "console" { sub(/[ \t]+$/, ""); print > ("shown" n) }
    /^```console$/ { inside = "console" }
    /^```[a-z]+ [^ ]+$/ { inside = "file"; name = $2 }' "$1"
}

# The page with what was printed in place of what it shows.
fill_page() {
    awk '
    /^```$/ { inside = 0 }
    inside && /^\$ / { n++; print; while ((getline line < ("printed" n)) > 0) print line; next }
    !inside { print }
    /^```console$/ { inside = 1 }' "$1"
}

play() { # PAGE
    mkdir page page/build
    ln -s "$SLUICE" page/build/sluice
    ln -s "$root/statements" page/statements
    split_page "$1"
    : >err
    for ((n = 1; ; n++)); do
        [ -f "command$n" ] || break
        case_begins "$(basename "$1"): $(cat "command$n")"
        (cd page && timeout 60 bash "../command$n") </dev/null 2>&1 | sed 's/[ \t]*$//' >"printed$n"
        cp "printed$n" out
        diff "shown$n" out >difference || fail "shown and printed differ: $(cat difference)"
    done
    if [ "${EXPECTED:-}" = write ]; then
        fill_page "$1" >filled && cp filled "$1"
    fi
    rm -rf page command* shown* printed*
}

for page in "$root"/README.md "$root"/docs/*.md; do
    play "$page"
done
report_and_exit
