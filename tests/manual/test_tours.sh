# test_tours.sh: what README.md and docs/*.md show on a terminal is what happens. In a block
# "console", lines behind "$ " are commands, the rest is what they print; "```sql FILE" and the
# like are files that the reader makes. Blanks at line ends do not count.
. "$CHECK"
root=${CHECK%/tests/cli/check.bash}

# play PAGE: splits the page into files and numbered commands with what they print.
play() {
    mkdir page page/build
    ln -s "$SLUICE" page/build/sluice
    ln -s "$root/statements" page/statements
    awk '
    inside && /^```$/ { inside = 0; next }
    inside == "file" { print > ("page/" name) }
    inside == "console" && /^\$ / { n++; print substr($0, 3) > ("command" n); printf "" > ("shown" n); next }
    inside == "console" { sub(/[ \t]+$/, ""); print > ("shown" n) }
    /^```console$/ { inside = "console" }
    /^```[a-z]+ [^ ]+$/ { inside = "file"; name = $2 }' "$1"
    for ((n = 1; ; n++)); do
        [ -f "command$n" ] || break
        case_begins "$(basename "$1"): $(cat "command$n")"
        (cd page && timeout 60 bash "../command$n") >out 2>err.all </dev/null 2>&1
        sed -i 's/[ \t]*$//' out
        : >err
        diff "shown$n" out >difference || fail "shown and printed differ: $(cat difference)"
    done
    rm -rf page command* shown*
}

for page in "$root"/README.md "$root"/docs/*.md; do
    play "$page"
done
report_and_exit
