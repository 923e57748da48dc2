/*
 * test_expr_eval.c: values of expressions over a row, failures, filters, programs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/expr/like.h"
#include "tests/unit/expr_fixture.h"

struct value_case {
    const char *text;
    const char *value;
    uint32_t failures; /* reported while computing it */
};

static void check_values(const struct value_case *cases, size_t count)
{
    struct expr_fixture f;

    expr_fixture_init(&f);
    for (size_t i = 0; i < count; i++) {
        f.failure_count = 0;
        assert_bytes_text(expr_fixture_evaluate(&f, cases[i].text), cases[i].value, cases[i].text);
        if (f.failure_count != cases[i].failures) {
            fail_msg("%s: %u failures", cases[i].text, f.failure_count);
        }
    }
    expr_fixture_fini(&f);
}

#define CHECK_VALUES(cases) check_values((cases), sizeof(cases) / sizeof *(cases))

struct filter_case {
    const char *text;
    const char *outcome;
    uint32_t failures;
};

static void check_filters(const struct filter_case *cases, size_t count)
{
    struct expr_fixture f;

    expr_fixture_init(&f);
    for (size_t i = 0; i < count; i++) {
        f.failure_count = 0;
        assert_bytes_text(expr_fixture_filter(&f, cases[i].text), cases[i].outcome, cases[i].text);
        if (f.failure_count != cases[i].failures) {
            fail_msg("%s: %u failures", cases[i].text, f.failure_count);
        }
    }
    expr_fixture_fini(&f);
}

#define CHECK_FILTERS(cases) check_filters((cases), sizeof(cases) / sizeof *(cases))

/* --- expressions.md 4 --- */

static void null_makes_comparisons_false_not_null(void **state)
{
    static const struct value_case cases[] = {
        { "in_ = 1", "false", 0 },
        { "in_ <> 1", "false", 0 },
        { "1 < in_", "false", 0 },
        { "in_ >= in_", "false", 0 },
        { "sn = 'a'", "false", 0 },
        { "sn <> sn", "false", 0 },
        { "dn > d", "false", 0 },
        { "decn = dec", "false", 0 },
        { "arrn = arr", "false", 0 },
        { "tsn < '2020'", "false", 0 },
        { "NOT (in_ = 1)", "true", 0 },
        { "in_ IS DISTINCT FROM 1", "true", 0 },
        { "in_ IS DISTINCT FROM in_", "false", 0 },
        { "i IS DISTINCT FROM 7", "false", 0 },
        { "i IS NOT DISTINCT FROM 7", "true", 0 },
        { "in_ IS NOT DISTINCT FROM in_", "true", 0 },
        { "arrn IS DISTINCT FROM arr", "true", 0 },
        { "in_ BETWEEN 1 AND 2", "false", 0 },
        { "in_ NOT BETWEEN 1 AND 2", "true", 0 },
        { "i BETWEEN in_ AND 9", "false", 0 },
        { "in_ IN (1, 2)", "false", 0 },
        { "in_ NOT IN (1, 2)", "true", 0 },
        { "i IN (1, NULL)", "false", 0 },
        { "i IN (NULL, 7)", "true", 0 },
        { "in_ IN (in_, NULL)", "false", 0 },
        { "NULL IN (1)", "false", 0 },
        { "in_ IS NULL", "true", 0 },
        { "in_ IS NOT NULL", "false", 0 },
        { "NULL IS NULL", "true", 0 },
    };

    CHECK_VALUES(cases);
}

static void null_fails_conditions_arithmetic_and_like(void **state)
{
    static const struct value_case cases[] = {
        { "bn AND b", "null", 1 },
        { "b AND bn", "null", 1 },
        { "NOT b AND bn", "false", 0 },
        { "b OR bn", "true", 0 },
        { "NOT b OR bn", "null", 1 },
        { "NOT bn", "null", 1 },
        { "CASE WHEN bn THEN 1 ELSE 2 END", "null", 1 },
        { "in_ + 1", "null", 1 },
        { "l * ln", "null", 1 },
        { "dn - d", "null", 1 },
        { "dec / decn", "null", 1 },
        { "-in_", "null", 1 },
        { "-decn", "null", 1 },
        { "sn LIKE 'a'", "null", 1 },
        { "s LIKE sn", "null", 1 },
        { "NOT (sn LIKE 'a')", "null", 1 },
    };

    CHECK_VALUES(cases);
}

static void null_is_text_for_plus_and_nothing_for_concat(void **state)
{
    static const struct value_case cases[] = {
        { "'a' + sn", "anull", 0 }, { "sn + sn", "nullnull", 0 }, { "'a' || sn || 'b'", "ab", 0 },
        { "sn || sn", "", 0 },      { "s + t", "abcx", 0 },
    };

    CHECK_VALUES(cases);
}

static void null_containers_and_casts_give_null(void **state)
{
    static const struct value_case cases[] = {
        { "stn->f0", "null", 0 },           { "arrn[1]", "null", 0 },
        { "mn['a']", "null", 0 },           { "CAST(in_ AS STRING)", "null", 0 },
        { "CAST(NULL AS INT)", "null", 0 },
    };

    CHECK_VALUES(cases);
}

/* --- 5 --- */

static void integers_wrap_and_truncate(void **state)
{
    static const struct value_case cases[] = {
        { "12 * 4 + 2", "50", 0 },
        { "2147483647 + 1", "-2147483648", 0 },
        { "imin - 1", "2147483647", 0 },
        { "imin / -1", "-2147483648", 0 },
        { "lmin / -1", "-9223372036854775808", 0 },
        { "imin % -1", "0", 0 },
        { "lmin % -1", "0", 0 },
        { "-imin", "-2147483648", 0 },
        { "-lmin", "-9223372036854775808", 0 },
        { "lmin - 1", "9223372036854775807", 0 },
        { "65536 * 65536", "0", 0 },
        { "-7 / 2", "-3", 0 },
        { "-7 % 2", "-1", 0 },
        { "-i / j", "3", 0 },
        { "i + l", "5000000007", 0 },
        { "i / z", "null", 1 },
        { "i % z", "null", 1 },
        { "l / z", "null", 1 },
        { "+i", "7", 0 },
    };

    CHECK_VALUES(cases);
}

static void doubles_are_ieee(void **state)
{
    static const struct value_case cases[] = {
        { "1e0 / 0", "Infinity", 0 }, { "-1e0 / z", "-Infinity", 0 }, { "0e0 / 0", "NaN", 0 },
        { "-5.5e0 % 2", "-1.5", 0 },  { "d * 2", "3.0", 0 },          { "d + dec", "11.6", 0 },
        { "-d", "-1.5", 0 },          { "i - d", "5.5", 0 },
    };

    CHECK_VALUES(cases);
}

static void decimals_are_exact_or_fail(void **state)
{
    static const struct value_case cases[] = {
        { "dec / dec4", "2.5250000", 0 },
        { "dec / dec3", "null", 1 },
        { "10.00 / 3.00", "null", 1 },
        { "0.01 / 64.00", "null", 1 },
        { "3.4 / 2.0", "1.700000", 0 },
        { "1.234567 * 5.678", "7.009871426", 0 },
        { "-10.10 % 4.00", "-2.10", 0 },
        { "-dec % dec4", "-2.10", 0 },
        { "dec + dec4", "14.10", 0 },
        { "dec - i", "3.10", 0 },
        { "dec * l", "50500000000.00", 0 },
        { "-dec", "-10.10", 0 },
        { "dec / z", "null", 1 },
        { "wide + 0.01", "1234567890123456789012345.68", 0 },
        { "-wide", "-1234567890123456789012345.67", 0 },
    };

    CHECK_VALUES(cases);
}

/* --- 6 --- */

static void numbers_compare_by_value_across_types(void **state)
{
    static const struct value_case cases[] = {
        { "i = 7", "true", 0 },
        { "i <> 7", "false", 0 },
        { "i < l", "true", 0 },
        { "i <= 7", "true", 0 },
        { "i > j", "true", 0 },
        { "i >= 8", "false", 0 },
        { "d > 1", "true", 0 },
        { "1 < d", "true", 0 },
        { "l = 5e9", "true", 0 },
        { "dec = 10.1", "true", 0 },
        { "dec > 10", "true", 0 },
        { "10 > dec", "false", 0 },
        { "dec < 10.101", "true", 0 },
        { "dec = 10.1e0", "true", 0 },
        { "dec <> d", "true", 0 },
        { "dec > dec4", "true", 0 },
        { "dec < wide", "true", 0 },
        { "wide > l", "true", 0 },
        { "wide < 1e300", "true", 0 },
        { "wide > -1e300", "true", 0 },
        { "dec > 1e-300", "true", 0 },
        { "1.0 = 1.00", "true", 0 },
        { "nan = nan", "false", 0 },
        { "nan <> 1e0", "false", 0 },
        { "nan < 1", "false", 0 },
        { "nan >= dec", "false", 0 },
        { "nan IS DISTINCT FROM 1e0", "true", 0 },
        { "0e0 = -0e0", "true", 0 },
        { "dec < 1e0 / z", "true", 0 },
    };

    CHECK_VALUES(cases);
}

static void text_bytes_and_times_have_their_own_order(void **state)
{
    static const struct value_case cases[] = {
        { "s = 'abc'", "true", 0 },
        { "s <> 'abc'", "false", 0 },
        { "s < 'abd'", "true", 0 },
        { "s > 'ab'", "true", 0 },
        { "s >= 'abc'", "true", 0 },
        { "'😀' < '\xEE\x80\x80'", "true", 0 },
        { "s IS DISTINCT FROM 'x'", "true", 0 },
        { "byt < byt7", "true", 0 },
        { "byt = byt", "true", 0 },
        { "da < ts", "true", 0 },
        { "ts > da", "true", 0 },
        { "ts = '2020-05-26T23:59:58'", "true", 0 },
        { "'2020' < da", "true", 0 },
        { "da = '2020-05-26'", "true", 0 },
        { "ti > '13:05'", "true", 0 },
        { "ti <= '13:05:09'", "true", 0 },
        { "da = s", "null", 1 },
        { "da = 'x'", "null", 1 },
        { "da = ' 2020-05-26'", "null", 1 },
        { "da BETWEEN '2020-05-01' AND ts", "true", 0 },
        { "b = true", "true", 0 },
        { "b <> true", "false", 0 },
    };

    CHECK_VALUES(cases);
}

static void structures_are_equal_type_by_type(void **state)
{
    static const struct value_case cases[] = {
        { "arr = arr", "true", 0 },   { "arr <> arr", "false", 0 },
        { "arr = arrl", "false", 0 }, { "arr <> arrl", "true", 0 },
        { "m = m", "true", 0 },       { "st = st", "true", 0 },
        { "st = stx", "false", 0 },   { "st IS DISTINCT FROM st", "false", 0 },
        { "st IN (st)", "true", 0 },  { "CAST(arr AS ARRAY<BIGINT>) = arr", "false", 0 },
    };

    CHECK_VALUES(cases);
}

static void between_takes_both_ends(void **state)
{
    static const struct value_case cases[] = {
        { "i BETWEEN 7 AND 9", "true", 0 },     { "i BETWEEN 1 AND 7", "true", 0 },
        { "i BETWEEN 8 AND 9", "false", 0 },    { "i NOT BETWEEN 8 AND 9", "true", 0 },
        { "dec BETWEEN i AND 1e2", "true", 0 }, { "s BETWEEN 'a' AND 'b'", "true", 0 },
        { "i / z BETWEEN 1 AND 2", "null", 1 },
    };

    CHECK_VALUES(cases);
}

static void row_times_compare_with_text(void **state)
{
    static const struct filter_case cases[] = {
        { "ROWTIME = '2020-05-26T23:59:58'", "pass", 0 },
        { "ROWTIME >= '2020-05-27'", "drop", 0 },
        { "'2020' < ROWTIME", "pass", 0 },
        { "ROWTIME BETWEEN '2020-05-26' AND '2020-05-27'", "pass", 0 },
        { "ROWTIME = '2020-05-27T01:59:58+0200'", "pass", 0 },
        { "ROWPARTITION = 3 AND ROWOFFSET = 42", "pass", 0 },
    };

    CHECK_FILTERS(cases);
}

/* --- 7 --- */

static void like_matches_whole_values(void **state)
{
    static const struct value_case cases[] = {
        { "s LIKE 'abc'", "true", 0 },
        { "s LIKE 'a%'", "true", 0 },
        { "s LIKE 'b'", "false", 0 },
        { "s LIKE '%b%'", "true", 0 },
        { "s LIKE 'A%'", "false", 0 },
        { "s LIKE '_b_'", "true", 0 },
        { "s LIKE '__'", "false", 0 },
        { "s NOT LIKE 'x%'", "true", 0 },
        { "'' LIKE '%'", "true", 0 },
        { "'' LIKE '_'", "false", 0 },
        { "'😀' LIKE '_'", "true", 0 },
        { "'100%' LIKE '100!%' ESCAPE '!'", "true", 0 },
        { "'100x' LIKE '100!%' ESCAPE '!'", "false", 0 },
        { "'%a' LIKE '%%a' ESCAPE '%'", "true", 0 },
        { "'_' LIKE '__' ESCAPE '_'", "true", 0 },
        { "'a!b' LIKE 'a!!b' ESCAPE '!'", "true", 0 },
        { "s LIKE 'a!' ESCAPE '!'", "null", 1 },
        { "s LIKE t + '%'", "false", 0 },
        { "s LIKE SUBJECT", "ERR_UNKNOWN_COLUMN", 0 },
        { "'a\nb' LIKE 'a_b'", "false", 0 },
        { "'a\nb' LIKE 'a%b'", "false", 0 },
        { "'a\nb' LIKE 'a\nb'", "true", 0 },
        { "'a\xC2\x85' LIKE 'a%'", "false", 0 },
        { "'a\xE2\x80\xA8' LIKE 'a_'", "false", 0 },
    };

    CHECK_VALUES(cases);
}

/* All ways of splitting, by recursion: slow and obviously right. ASCII; '!' escapes. */
static bool naive_like(const char *pattern, const char *text)
{
    if (!*pattern) {
        return !*text;
    }
    if (*pattern == '%') {
        for (;; text++) {
            if (naive_like(pattern + 1, text)) {
                return true;
            }
            if (!*text || *text == '\n') {
                return false;
            }
        }
    }
    if (*pattern == '_') {
        return *text && *text != '\n' && naive_like(pattern + 1, text + 1);
    }
    if (*pattern == '!') {
        pattern++;
    }
    return *text == *pattern && naive_like(pattern + 1, text + 1);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static void like_agrees_with_trying_all_splits(void **state)
{
    static const char pattern_letters[] = "ab%%__\n";
    static const char text_letters[] = "aabb\n%";
    struct arena arena;
    uint32_t seed = 7;
    uint32_t matches = 0;

    arena_init(&arena, 0);
    for (int round = 0; round < 20000; round++) {
        char pattern[16] = "";
        char text[12] = "";
        size_t pattern_len = next_random(&seed) % 8;
        size_t text_len = next_random(&seed) % 10;
        const struct like_pattern *compiled = NULL;
        bool expected = false;
        size_t at = 0;

        for (size_t i = 0; i < pattern_len; i++) {
            if (next_random(&seed) % 8 == 0) {
                pattern[at++] = '!';
            }
            pattern[at++] = pattern_letters[next_random(&seed) % (sizeof pattern_letters - 1)];
        }
        for (size_t i = 0; i < text_len; i++) {
            text[i] = text_letters[next_random(&seed) % (sizeof text_letters - 1)];
        }
        expected = naive_like(pattern, text);
        matches += expected;
        assert_int_equal(like_compile(&arena, bytes_of(pattern), '!', &compiled, NULL), 0);
        if (like_matches(compiled, bytes_of(text)) != expected) {
            fail_msg("'%s' LIKE '%s' is not %d", text, pattern, expected);
        }
        arena_reset(&arena);
    }
    assert_true(matches > 1000); /* the letters are such that both outcomes are common */
    arena_fini(&arena);
}

/* --- 8 --- */

static void case_takes_the_first_true_branch_and_is_lazy(void **state)
{
    static const struct value_case cases[] = {
        { "CASE WHEN i = 7 THEN 'a' WHEN b THEN 'b' END", "a", 0 },
        { "CASE WHEN i = 8 THEN 'a' ELSE 'b' END", "b", 0 },
        { "CASE WHEN i = 8 THEN 'a' END", "null", 0 },
        { "CASE WHEN i = 8 THEN 1 / z ELSE 2 END", "2", 0 },
        { "CASE WHEN i = 7 THEN 1 / z ELSE 2 END", "null", 1 },
        { "CASE WHEN b THEN NULL ELSE 1 END", "null", 0 },
        { "CASE WHEN b THEN 1 WHEN i / z = 1 THEN 2 END", "1", 0 },
        { "CASE WHEN in_ = 1 THEN 1 ELSE 2 END", "2", 0 },
        { "CASE WHEN i > 1 THEN CASE WHEN j > 1 THEN 1 ELSE 2 END ELSE 3 END", "2", 0 },
    };

    CHECK_VALUES(cases);
}

static void in_unifies_by_the_first_type(void **state)
{
    static const struct value_case cases[] = {
        { "i IN (1, 7)", "true", 0 },
        { "i IN ('7')", "true", 0 },
        { "i IN ('7.0')", "true", 0 },
        { "i IN ('0.5')", "false", 0 },
        { "l IN (i, '5000000000')", "true", 0 },
        { "i IN ('2e1', 7.00)", "true", 0 },
        { "20 IN ('2e1')", "true", 0 },
        { "i IN (7e0)", "true", 0 },
        { "d IN ('1.5')", "true", 0 },
        { "d IN (1, 1.5)", "true", 0 },
        { "dec IN (10.1)", "true", 0 },
        { "dec IN (i, 10.100)", "true", 0 },
        { "s5 IN (5)", "true", 0 },
        { "s IN (true, 'abc')", "true", 0 },
        { "'10.30' IN (10.30)", "true", 0 },
        { "'10.3' IN (10.30)", "false", 0 },
        { "b IN ('y')", "true", 0 },
        { "b IN ('n', 'FALSE')", "false", 0 },
        { "da IN ('2020-05-26')", "true", 0 },
        { "ts IN (t)", "false", 1 },
        { "byt IN ('gA==')", "true", 0 },
        { "arr IN (arrl)", "false", 0 },
        { "arr IN (arrn, arr)", "true", 0 },
        { "nan IN (nan)", "false", 0 },
        { "s NOT IN ('a', 'b')", "true", 0 },
    };

    CHECK_VALUES(cases);
}

/* --- 9, 10 --- */

static void casts_convert_or_become_null_alone(void **state)
{
    static const struct value_case cases[] = {
        { "CAST(i AS STRING)", "7", 0 },
        { "CAST(l AS INT)", "705032704", 0 },
        { "CAST(i AS BIGINT)", "7", 0 },
        { "CAST(i AS DOUBLE)", "7.0", 0 },
        { "CAST(i AS DECIMAL(4, 2))", "7.00", 0 },
        { "CAST(dec AS INT)", "10", 0 },
        { "CAST(d AS BIGINT)", "1", 0 },
        { "CAST(9.99 AS DECIMAL(2, 1))", "10.0", 0 },
        { "CAST(l AS DECIMAL(4, 2))", "null", 1 },
        { "CAST(s5 AS INT)", "5", 0 },
        { "CAST(s AS INT)", "null", 1 },
        { "CAST('x' AS INT)", "null", 1 },
        { "CAST(' tR' AS BOOLEAN)", "true", 0 },
        { "CAST(b AS STRING)", "true", 0 },
        { "CAST(ts AS DATE)", "2020-05-26", 0 },
        { "CAST(ts AS TIME)", "23:59:58", 0 },
        { "CAST(da AS TIMESTAMP)", "2020-05-26T00:00:00.000", 0 },
        { "CAST(arr AS STRING)", "[10, null, 30]", 0 },
        { "CAST(arr AS ARRAY<STRING>)", "[10, null, 30]", 0 },
        { "CAST(arrt AS ARRAY<INT>)", "null", 1 },
        { "CAST(st AS STRING)", "Struct{F0=5000000000,F1=x}", 0 },
        { "CAST(st AS STRUCT<F1 STRING, F9 INT>)", "Struct{F1=x}", 0 },
        { "CAST(i / z AS STRING)", "null", 1 },
    };

    CHECK_VALUES(cases);
}

static void parts_of_containers_are_reached(void **state)
{
    static const struct value_case cases[] = {
        { "arr[1]", "10", 0 },        { "arr[2]", "null", 0 },
        { "arr[3]", "30", 0 },        { "arr[-1]", "30", 0 },
        { "arr[-3]", "10", 0 },       { "arr[0]", "null", 0 },
        { "arr[4]", "null", 0 },      { "arr[-4]", "null", 0 },
        { "arr[in_]", "null", 1 },    { "arrn[in_]", "null", 0 },
        { "arr[imin]", "null", 0 },   { "m['a']", "1", 0 },
        { "m['b']", "null", 0 },      { "m['c']", "null", 0 },
        { "m[sn]", "null", 0 },       { "st->f0", "5000000000", 0 },
        { "st->f1", "x", 0 },         { "nest[1]->f1", "x", 0 },
        { "nest[2]->f1", "null", 0 }, { "nest[1]->f0 + 1", "5000000001", 0 },
    };

    CHECK_VALUES(cases);
}

static void constructors_make_values_of_their_parts(void **state)
{
    static const struct value_case cases[] = {
        { "ARRAY[i, 2, in_]", "[7, 2, null]", 0 },
        { "ARRAY['1', 2]", "[1, 2]", 0 },
        { "ARRAY[i, l][2]", "5000000000", 0 },
        { "MAP('a' := i, s := 2)", "{a=7, abc=2}", 0 },
        { "MAP(t := 1, 'x' := 2)", "{x=2}", 0 },
        { "MAP('a' := i)['a']", "7", 0 },
        { "STRUCT(a := i, b := STRUCT(c := s))->b->c", "abc", 0 },
        { "ARRAY[STRUCT(a := 1), STRUCT(b := 2)][2]->a", "null", 0 },
        { "i IN (1, 7) AND ARRAY[i] = ARRAY[7]", "true", 0 },
        { "arr IN (ARRAY['1', NULL], arr)", "true", 0 },
    };

    CHECK_VALUES(cases);
}

static void a_failing_part_is_null_alone(void **state)
{
    static const struct value_case values[] = {
        { "ARRAY[1, i / z]", "[1, null]", 1 },
        { "ARRAY[CAST(s AS INT), 1]", "[null, 1]", 1 },
        { "MAP('a' := i / z, 'b' := 1)", "{a=null, b=1}", 1 },
        { "MAP(i / z := 1, 2 := 2)", "{null=1, 2=2}", 1 },
        { "STRUCT(a := i / z, b := i)->b", "7", 1 },
    };
    static const struct filter_case filters[] = {
        { "ARRAY[1, i / z][1] = 1", "drop", 1 },
        { "ARRAY[1, i][2] = 7", "pass", 0 },
    };
    struct expr_fixture f;

    CHECK_VALUES(values);
    CHECK_FILTERS(filters);
    expr_fixture_init(&f);
    (void)expr_fixture_evaluate(&f, "ARRAY[i / z]");
    assert_string_equal(f.last_what, "Error processing array item");
    (void)expr_fixture_evaluate(&f, "MAP(i / z := 1)");
    assert_string_equal(f.last_what, "Error processing map key");
    (void)expr_fixture_evaluate(&f, "MAP(1 := i / z)");
    assert_string_equal(f.last_what, "Error processing map value");
    (void)expr_fixture_evaluate(&f, "STRUCT(a := i / z)");
    assert_string_equal(f.last_what, "Error processing struct field");
    expr_fixture_fini(&f);
}

/* --- 13 --- */

static void only_trap_points_rescue_a_value(void **state)
{
    static const struct value_case cases[] = {
        { "IFNULL(i / z, 0)", "null", 1 },
        { "IFNULL(CAST('x' AS INT), 0)", "0", 1 },
        { "IFNULL(CAST(s AS INT), 0)", "0", 1 },
        { "IFNULL(ABS(i / z), 0)", "0", 1 },
        { "IFNULL(nest[in_]->f1, 'none')", "none", 1 },
        { "'a' || UCASE(CAST(i / z AS STRING))", "a", 1 },
        { "CAST(s AS INT) = 1", "false", 1 },
        { "CAST(s AS INT) + 1", "null", 2 },
        { "CAST(s AS INT) IS NULL", "true", 1 },
        { "NOT (CAST(s AS INT) = 1)", "true", 1 },
        { "COALESCE(CAST(s AS INT), CAST(t AS INT), 3)", "3", 2 },
    };

    CHECK_VALUES(cases);
}

static void failures_name_what_failed(void **state)
{
    struct expr_fixture f;

    expr_fixture_init(&f);
    (void)expr_fixture_evaluate(&f, "CAST(s AS INT)");
    assert_string_equal(f.last_what, "Error processing INTEGER");
    (void)expr_fixture_evaluate(&f, "IFNULL(ABS(i / z), 0)");
    assert_string_equal(f.last_what, "Error processing ABS");
    (void)expr_fixture_evaluate(&f, "IFNULL(nest[in_]->f1, '')");
    assert_string_equal(f.last_what, "Error processing F1");
    (void)expr_fixture_evaluate(&f, "i / z");
    assert_string_equal(f.last_what, "the value");
    assert_int_equal(f.last_error.code, ERR_EVALUATE);
    (void)expr_fixture_filter(&f, "CAST(s AS INT) = 1");
    assert_string_equal(f.last_what, "the filter");
    expr_fixture_fini(&f);
}

static void any_failure_drops_the_row_from_a_filter(void **state)
{
    static const struct filter_case cases[] = {
        { "i = 7", "pass", 0 },
        { "i = 8", "drop", 0 },
        { "true", "pass", 0 },
        { "false", "drop", 0 },
        { "b", "pass", 0 },
        { "NOT b", "drop", 0 },
        { "bn", "drop", 1 },
        { "bn IS NULL", "pass", 0 },
        { "CAST(NULL AS BOOLEAN)", "drop", 1 },
        { "i / z = 1", "drop", 1 },
        { "b OR i / z = 1", "pass", 0 },
        { "NOT b AND i / z = 1", "drop", 0 },
        { "NOT (b AND i / z = 1)", "drop", 1 },
        { "NOT (CAST('x' AS INT) = 1)", "drop", 1 },
        { "NOT (CAST(s AS INT) = 1)", "drop", 1 },
        { "IFNULL(CAST(s AS INT), 0) = 0", "drop", 1 },
        { "da = 'x'", "drop", 1 },
        { "NOT (i = 1 OR (j = -2 AND s = 'x'))", "pass", 0 },
        { "(i = 1 OR j = -2) AND (s = 'abc' OR i / z = 1)", "pass", 0 },
        { "CASE WHEN b THEN i = 7 ELSE false END", "pass", 0 },
        { "i IN (7) AND s LIKE 'a%'", "pass", 0 },
        { "in_ <> 1 OR NOT (in_ = 1)", "pass", 0 },
    };

    CHECK_FILTERS(cases);
}

/* --- programs --- */

static const struct expr *bind_ok(struct expr_fixture *f, const char *text)
{
    const struct expr *e = NULL;
    struct error err = { 0 };

    if (expr_fixture_bind(f, text, &e, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    return e;
}

/* A filter (or NULL) and values; the values as text, joined by "|", or "drop". */
static struct bytes run_steps(struct expr_fixture *f, const char *filter, const char *const *values,
                              uint32_t count, struct buffer *listing)
{
    struct program_builder *b = program_begin(&f->arena, &f->shape, NULL);
    const struct program *program = NULL;
    struct row_banks banks = { { f->cells } };
    struct value *registers = NULL;
    const struct expr *bound[8] = { NULL };
    operand at[8] = { 0 };
    struct buffer text = { 0 };
    struct bytes result = BYTES("drop");

    if (filter) {
        assert_int_equal(program_add_filter(b, bind_ok(f, filter), "filter", NULL), 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        bound[i] = bind_ok(f, values[i]);
        assert_int_equal(program_add_value(b, bound[i], "value", &at[i], NULL), 0);
    }
    program = program_finish(b);
    if (listing) {
        program_print(program, listing);
        buffer_append_char(listing, 0);
    }
    registers = arena_array(&f->arena, struct value, program_register_count(program));
    if (!expr_fixture_run(f, program, registers)) {
        return result;
    }
    banks.at[BANK_REGISTERS] = registers;
    banks.at[BANK_CONSTANTS] = program_constants(program);
    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(&text, i ? "|" : "");
        buffer_append_bytes(&text,
                            expr_fixture_value_text(f, banks_value(&banks, at[i]), bound[i]->type));
    }
    result = arena_copy(&f->arena, buffer_bytes(&text));
    buffer_fini(&text);
    return result;
}

static void a_failed_value_leaves_the_others(void **state)
{
    static const char *const values[] = { "i / z", "i + 1", "IFNULL(CAST(s AS INT), 0) + i",
                                          "i / z + i + 1", "s" };
    struct expr_fixture f;

    expr_fixture_init(&f);
    assert_bytes_text(run_steps(&f, "i > 0", values, 5, NULL), "null|8|7|null|abc", "values");
    assert_int_equal(f.failure_count, 3);
    assert_bytes_text(run_steps(&f, "i > 7", values, 5, NULL), "drop", "filtered");
    assert_int_equal(f.failure_count, 0);
    expr_fixture_fini(&f);
}

static uint32_t count_of(const char *text, const char *part)
{
    uint32_t count = 0;

    for (const char *at = text; (at = strstr(at, part)); at++) {
        count++;
    }
    return count;
}

static void what_the_filter_computed_is_not_computed_again(void **state)
{
    static const char *const values[] = { "i * j + 1", "-(i * j)" };
    struct expr_fixture f;
    struct buffer listing = { 0 };

    expr_fixture_init(&f);
    assert_bytes_text(run_steps(&f, "i * j < 0 AND i <> 8", values, 2, &listing), "-13|14",
                      "values");
    assert_int_equal(count_of(listing.data, "multiply_integer"), 1);
    buffer_fini(&listing);
    expr_fixture_fini(&f);
}

/* The left side of AND may jump past the right; a failed step leaves its parts undone. */
static void what_may_not_have_been_computed_is_computed_again(void **state)
{
    static const char *const lazy[] = { "CASE WHEN NOT b AND i * j < 0 THEN 1 ELSE i * j END" };
    static const char *const failing[] = { "i / z + i * j", "i * j" };
    static const char *const trapped[] = { "IFNULL(CAST(i / z + i * j AS INT), 5) + i * j" };
    struct expr_fixture f;
    struct buffer listing = { 0 };

    expr_fixture_init(&f);
    assert_bytes_text(run_steps(&f, NULL, lazy, 1, &listing), "-14", "lazy");
    assert_int_equal(count_of(listing.data, "multiply_integer"), 2);
    assert_bytes_text(run_steps(&f, NULL, failing, 2, NULL), "null|-14", "failing");
    assert_bytes_text(run_steps(&f, NULL, trapped, 1, NULL), "-9", "trapped");
    buffer_fini(&listing);
    expr_fixture_fini(&f);
}

static void constants_and_columns_cost_nothing(void **state)
{
    static const char *const values[] = { "s", "1 + 2 * 3", "UCASE('a') || 'b'", "NULL", "i" };
    struct expr_fixture f;
    struct program_builder *b = NULL;
    struct buffer listing = { 0 };
    operand at = 0;

    expr_fixture_init(&f);
    assert_bytes_text(run_steps(&f, NULL, values, 5, &listing), "abc|7|Ab|null|7", "values");
    assert_string_equal(listing.data, "");
    b = program_begin(&f.arena, &f.shape, NULL);
    assert_int_equal(program_add_value(b, bind_ok(&f, "2 + 3"), "value", &at, NULL), 0);
    assert_int_equal(at >> OPERAND_BANK_SHIFT, BANK_CONSTANTS);
    assert_int_equal(program_add_filter(b, bind_ok(&f, "1 < 2"), "filter", NULL), 0);
    assert_true(program_is_empty(program_finish(b)));
    buffer_fini(&listing);
    expr_fixture_fini(&f);
}

static void registers_are_used_again_between_steps(void **state)
{
    struct expr_fixture f;
    struct program_builder *b = NULL;
    operand at[3] = { 0 };

    expr_fixture_init(&f);
    b = program_begin(&f.arena, &f.shape, NULL);
    for (int i = 0; i < 3; i++) {
        static const char *const texts[] = { "(i / 1) + (i / 2) + (i / 3) + (i / 4)",
                                             "(i / 5) + (i / 6) + (i / 7) + (i / 8)",
                                             "(j / 5) + (j / 6) + (j / 7) + (j / 8)" };

        assert_int_equal(program_add_value(b, bind_ok(&f, texts[i]), "value", &at[i], NULL), 0);
    }
    assert_int_not_equal(at[0], at[1]);
    assert_int_not_equal(at[1], at[2]);
    assert_int_equal(program_register_count(program_finish(b)), 9); /* 3 results, 6 others */
    expr_fixture_fini(&f);
}

/* Two inputs: column 0 of the other row is its cell 0. */
static void the_other_row_of_a_join_is_a_bank_of_its_own(void **state)
{
    struct expr_fixture f;
    struct shape_column other_columns[1] = { { BYTES("R"), type_scalar(T_INTEGER), 0,
                                               COLUMN_VALUE } };
    struct row_shape other = { .columns = other_columns, .column_count = 1, .cell_count = 1 };
    struct value other_cells[1] = { value_i64(T_INTEGER, 100) };
    struct value *registers = NULL;
    struct program_context context = { 0 };
    struct program_row row = { 0 };
    struct program_builder *b = NULL;
    const struct program *program = NULL;
    const struct expr *sum = NULL;
    const struct expr *parts[2] = { NULL, NULL };
    struct expr *made = NULL;
    operand at = 0;

    expr_fixture_init(&f);
    sum = bind_ok(&f, "i + j");
    parts[0] = sum->arguments[0];
    parts[1] = expr_column(&f.arena, 1, 0, bytes_of("R"), type_scalar(T_INTEGER), NO_POSITION);
    made = arena_new(&f.arena, struct expr);
    *made = *sum;
    made->arguments = parts;
    b = program_begin(&f.arena, &f.shape, &other);
    assert_int_equal(program_add_value(b, made, "value", &at, NULL), 0);
    program = program_finish(b);
    registers = arena_array(&f.arena, struct value, program_register_count(program));
    row.registers = registers;
    row.banks.at[BANK_CELLS] = f.cells;
    row.banks.at[BANK_OTHER] = other_cells;
    row.banks.at[BANK_REGISTERS] = registers;
    context.arena = &f.arena;
    assert_true(program_run(program, &row, &context));
    assert_int_equal(banks_value(&row.banks, at)->i64, 107);
    expr_fixture_fini(&f);
}

/* before, before, ..., core, after, after, ... */
static void nest(struct buffer *text, const char *before, const char *core, const char *after,
                 int levels)
{
    text->len = 0;
    for (int i = 0; i < levels; i++) {
        buffer_append_text(text, before);
    }
    buffer_append_text(text, core);
    for (int i = 0; i < levels; i++) {
        buffer_append_text(text, after);
    }
    buffer_append_char(text, 0);
}

static void deep_expressions_are_computed(void **state)
{
    static const struct {
        const char *before, *core, *after;
        int levels;
        const char *value;
    } cases[] = {
        { "", "i", " + 1", 900, "907" },
        { "", "i = 0", " OR i = 7", 900, "true" },
        { "NOT (", "b", ")", 900, "true" },
        { "ABS(", "i", ")", 900, "7" },
        { "CAST(", "s", " AS STRING)", 900, "abc" },
        { "CASE WHEN b THEN ", "i", " ELSE j END", 900, "7" },
        { "CASE WHEN i = 7 AND ", "b", " THEN true ELSE false END", 450, "true" },
        { "(1 + ", "2", ")", 900, "902" },
    };
    struct expr_fixture f;
    struct buffer text = { 0 };

    expr_fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nest(&text, cases[i].before, cases[i].core, cases[i].after, cases[i].levels);
        assert_bytes_text(expr_fixture_evaluate(&f, text.data), cases[i].value, cases[i].before);
    }
    buffer_fini(&text);
    expr_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_makes_comparisons_false_not_null),
        cmocka_unit_test(null_fails_conditions_arithmetic_and_like),
        cmocka_unit_test(null_is_text_for_plus_and_nothing_for_concat),
        cmocka_unit_test(null_containers_and_casts_give_null),
        cmocka_unit_test(integers_wrap_and_truncate),
        cmocka_unit_test(doubles_are_ieee),
        cmocka_unit_test(decimals_are_exact_or_fail),
        cmocka_unit_test(numbers_compare_by_value_across_types),
        cmocka_unit_test(text_bytes_and_times_have_their_own_order),
        cmocka_unit_test(structures_are_equal_type_by_type),
        cmocka_unit_test(between_takes_both_ends),
        cmocka_unit_test(row_times_compare_with_text),
        cmocka_unit_test(like_matches_whole_values),
        cmocka_unit_test(like_agrees_with_trying_all_splits),
        cmocka_unit_test(case_takes_the_first_true_branch_and_is_lazy),
        cmocka_unit_test(in_unifies_by_the_first_type),
        cmocka_unit_test(casts_convert_or_become_null_alone),
        cmocka_unit_test(parts_of_containers_are_reached),
        cmocka_unit_test(constructors_make_values_of_their_parts),
        cmocka_unit_test(a_failing_part_is_null_alone),
        cmocka_unit_test(only_trap_points_rescue_a_value),
        cmocka_unit_test(failures_name_what_failed),
        cmocka_unit_test(any_failure_drops_the_row_from_a_filter),
        cmocka_unit_test(a_failed_value_leaves_the_others),
        cmocka_unit_test(what_the_filter_computed_is_not_computed_again),
        cmocka_unit_test(what_may_not_have_been_computed_is_computed_again),
        cmocka_unit_test(constants_and_columns_cost_nothing),
        cmocka_unit_test(registers_are_used_again_between_steps),
        cmocka_unit_test(the_other_row_of_a_join_is_a_bank_of_its_own),
        cmocka_unit_test(deep_expressions_are_computed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
