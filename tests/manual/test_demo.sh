# test_demo.sh: the demo shows what it promises, and leaves nothing behind.
. "$CHECK"
root=${CHECK%/tests/cli/check.bash}

case_begins 'the demo shows the odds as bets come in, then the tables in Postgres'
SLUICE=$SLUICE timeout 120 "$root/tools/demo.sh" >out 2>err || fail "it ended with status $?"
has out '|20             |5              |0.0            |10.0           |0.0            |'
has out '|10             |3              |50.0           |200.0          |4.0            |'
has out ' RUNNER_ID | RACE_ID | AMOUNT'
has out '      10 |         2 |          50 |       200 |    4'
has out '      20 |         5 |           0 |        10 |    0'
[ "$(grep -c '^ *[12]0 | ' out)" -eq 9 ] || fail 'the table of odds has not nine rows'

case_begins 'it ends what it started'
ls -d "$root"/build/demo-* >left 2>/dev/null && fail "it left $(cat left)"
report_and_exit
