#!/bin/bash
# test_checks.sh: each check must be able to fail. Every case makes a small tree
# with one file in it and says whether the check refuses it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0
failed=0

guard() {
    printf '#ifndef %s\n#define %s\n\n#endif\n' "$1" "$1"
}

# expect VERDICT CHECK PATH CASE < text of the file
expect() {
    local verdict=$1 check=$2 path=$3 what=$4 got=accepted output
    rm -rf "${dir:?}/tree"
    mkdir -p "$dir/tree/$(dirname "$path")" "$dir/tree/base" "$dir/tree/parser" "$dir/tree/sinks"
    guard SLUICE_BASE_BYTES_H >"$dir/tree/base/bytes.h"
    guard SLUICE_PARSER_AST_H >"$dir/tree/parser/ast.h"
    guard SLUICE_SINKS_SINK_H >"$dir/tree/sinks/sink.h"
    cp "$here/../.clang-format" "$dir/tree/"
    cat >"$dir/tree/$path"
    if ! output=$("$here/check_$check.sh" "$dir/tree" 2>&1); then
        got=refused
    fi
    if [ "$got" = "$verdict" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$check: $what: $got, expected $verdict"
        echo "$output"
    fi
}

for call in 'strcpy(a, b)' 'strcat(a, b)' 'sprintf(a, "x")' 'strncpy(a, b, 1)' 'strtok(a, b)' 'atoi(a)' \
    'atof(a)' 'gmtime(&t)' 'localtime(&t)' 'alloca(9)' 'system("ls")' 'setjmp(env)'; do
    expect refused banned base/a.c "call of $call" <<<"int f(void) { return $call; }"
done
expect accepted banned base/a.c "names in comments, strings and longer names" <<'EOF'
/* strcpy(a, b) is not used */
int f(void)
{
    log("system(1) atoi(2) // no comment");
    my_strcpy(a, '"', "\"");
    return gmtime_r(&t, &tm) && a->time(3) && stream_time(4);
}
EOF
expect refused banned base/a.c "a call behind a comment" <<<'int f(void) { /* a */ return atoi(/* b */ a); }'
expect refused banned engine/state/a.c "wall clock outside base/clock" <<<'int f(void) { return clock_gettime(0, &t); }'
expect accepted banned base/clock.c "wall clock inside base/clock" <<<'int f(void) { return clock_gettime(0, &t); }'
expect refused banned tests/unit/test_a.c "sleep in a unit test" <<<'int f(void) { usleep(10); }'
expect refused banned base/a.c "line comment" <<<'int f(void); // says f'
expect refused banned base/a.c "open end without a number" <<<'/* TODO: more */'
expect accepted banned base/a.c "open end with a number" <<<'/* TODO(#12): more */'

expect refused layers base/a.c "base includes parser" <<<'#include "parser/ast.h"'
expect accepted layers parser/a.c "parser includes base" <<<'#include "base/bytes.h"'
expect refused layers engine/expr/a.c "include not from the root" <<<'#include "a.h"'
expect refused layers engine/expr/a.h "header includes a layer to its right" <<<'#include "sinks/sink.h"'
expect accepted layers cli/a.c "cli includes anything" <<<'#include "parser/ast.h"'

expect refused homes engine/plan/a.c "librdkafka outside engine/log" <<<'#include <librdkafka/rdkafka.h>'
expect accepted homes engine/log/log_kafka_admin.c "librdkafka at home" <<<'#include <librdkafka/rdkafka.h>'
expect refused homes engine/log/log_disk.c "librdkafka next door" <<<'#include <librdkafka/rdkafka.h>'
expect refused homes base/a.c "unknown library" <<<'#include <zlib.h>'
expect accepted homes base/a.c "C library" <<<'#include <string.h>'
expect refused homes sinks/postgres/sink.h "library header in our header" <<<'#include <libpq-fe.h>'
expect accepted homes sinks/postgres/sink_internal.h "library header in an internal header" <<<'#include <libpq-fe.h>'
expect refused homes engine/log/log.h "library type in our header" <<<'struct a { struct rd_kafka_s *x; rd_kafka_topic_t *t; };'

expect refused headers base/a.h "header that needs another" <<'EOF'
#ifndef SLUICE_BASE_A_H
#define SLUICE_BASE_A_H
size_t f(void);
#endif
EOF
expect refused headers base/a.h "header with a foreign guard" <<'EOF'
#ifndef A_H
#define A_H
int f(void);
#endif
EOF
expect accepted headers base/a.h "header that stands alone" <<'EOF'
#ifndef SLUICE_BASE_A_H
#define SLUICE_BASE_A_H
int f(void);
#endif
EOF

lines() { # COUNT: statements
    yes '    f();' | head -n "$1"
}
expect refused sizes base/a.c "file of 1001 lines" < <(yes '' | head -n 1001)
expect accepted sizes base/a.def "table of 1001 lines" < <(yes '' | head -n 1001)
expect refused sizes base/a.c "function of 80 lines" < <(echo 'int g(void)'; echo '{'; lines 80; echo '}')
expect accepted sizes base/a.c "function of 79 lines" < <(echo 'int g(void)'; echo '{'; lines 79; echo '}')
expect refused sizes base/README.md "README of 60 lines" < <(yes 'x' | head -n 60)

expect refused format base/a.c "two spaces" <<'EOF'
int f(void)
{
  return 1;
}
EOF
expect accepted format base/a.c "four spaces" <<'EOF'
int f(void)
{
    return 1;
}
EOF
expect refused readmes engine/log/a.c "folder without README" <<<'int a;'

# clang-tidy reads files given to it; the settings come from the tree around them.
tidy() { # VERDICT CASE < text
    local got=accepted
    mkdir -p "$dir/tidy/base"
    cp "$here/../.clang-tidy" "$dir/tidy/"
    cat >"$dir/tidy/base/a.c"
    (cd "$dir/tidy" && "$here/check_tidy.sh" base/a.c >"$dir/tidy.out" 2>&1) || got=refused
    if [ "$got" = "$1" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "tidy: $2: $got, expected $1"
        cat "$dir/tidy.out"
    fi
}
tidy refused "if without braces" <<<'int f(int a);
int f(int a)
{
    if (a)
        return 1;
    return 0;
}'
tidy refused "use after free" <<<'#include <stdlib.h>
int f(void);
int f(void)
{
    int *p = malloc(sizeof *p);
    free(p);
    return *p;
}'
tidy accepted "clean function" <<<'int f(int a);
int f(int a)
{
    return a + 1;
}'

# Warnings that stop the build.
builds() { # VERDICT CASE < text
    local got=accepted
    rm -rf "$dir/make"
    mkdir -p "$dir/make/base"
    cp -r "$here" "$here/../Makefile" "$dir/make/"
    cat >"$dir/make/base/a.c"
    MAKEFLAGS='' make -C "$dir/make" lib >"$dir/make.out" 2>&1 || got=refused
    if [ "$got" = "$1" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "build: $2: $got, expected $1"
        cat "$dir/make.out"
    fi
}
builds accepted "clean function" <<<'int f(int a); int f(int a) { return a; }'
builds refused "array of variable length" <<<'int f(int a); int f(int a) { char b[a]; b[0] = 1; return b[0]; }'
builds refused "narrowing" <<<'char f(int a); char f(int a) { return a; }'
builds refused "function without prototype" <<<'int f(int a) { return a; }'
builds refused "switch that misses a value" <<<'enum e { A, B }; int f(enum e a); int f(enum e a) { switch (a) { case A: return 1; } return 0; }'

expect accepted settings engine/command/properties.def "a setting that nobody reads, as it says" \
    <<<'PROPERTY("a.b", INT, "1", SESSION, UNUSED, "doc")'
expect refused settings engine/command/properties.def "a setting that is said to be read" <<'END'
PROPERTY("a.b", INT, "1", SESSION, UNUSED, "doc")
PROPERTY("a.c", STRING, "a,b"
         "c", SERVER, USED, "doc")
END

# The counting itself.
count() { # EXPECTED STATUS LINE...
    local expected=$1 status=$2 got got_status
    shift 2
    printf '%s\n' "$@" >"$dir/a.count"
    got=$("$here/summary.sh" "$dir/a.count")
    got_status=$?
    if [ "$got" = "$expected" ] && [ "$got_status" -eq "$status" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "summary: got '$got' ($got_status), expected '$expected' ($status)"
    fi
}
count '7 passed, 0 failed' 0 '3 0' '4 0'
count '7 passed, 2 failed' 1 '3 2' '4 0'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
