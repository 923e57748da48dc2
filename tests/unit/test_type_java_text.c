/*
 * test_type_java_text.c: numbers print and read as in Java: known outputs, then
 * random bit patterns against the C library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/type/java_text.h"

enum { RANDOM_DOUBLES = 400000, RANDOM_TEXTS = 200000 };

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static double double_of_bits(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static const char *print(double number)
{
    static char text[JAVA_DOUBLE_MAX + 1];

    text[java_double_print(number, text)] = '\0';
    return text;
}

static void double_prints_as_java_does(void **state)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        { 0.0, "0.0" },
        { -0.0, "-0.0" },
        { 1.0, "1.0" },
        { -1.0, "-1.0" },
        { 100.0, "100.0" },
        { 0.1, "0.1" },
        { 0.002, "0.002" },
        { 0.001, "0.001" },
        { 0.00099, "9.9E-4" },
        { 9.99e-4, "9.99E-4" },
        { 0.001234, "0.001234" },
        { 123456.789, "123456.789" },
        { 1.5, "1.5" },
        { 1234567.125, "1234567.125" },
        { 9999999.0, "9999999.0" },
        { 9999999.999, "9999999.999" },
        { 1.0E7, "1.0E7" },
        { 12345678.0, "1.2345678E7" },
        { 1.25E10, "1.25E10" },
        { 1.0E10, "1.0E10" },
        { 2.0E23, "2.0E23" },
        { 1.0E23, "1.0E23" },
        { 9.999999999999999E22, "1.0E23" },
        { 4.9E-324, "4.9E-324" },
        { 9.9E-324, "9.9E-324" },
        { 1.5E-323, "1.5E-323" },
        { 2.2250738585072014E-308, "2.2250738585072014E-308" },
        { 2.225073858507201E-308, "2.225073858507201E-308" },
        { 1.7976931348623157E308, "1.7976931348623157E308" },
        { 9007199254740992.0, "9.007199254740992E15" },
        { 9007199254740993.0, "9.007199254740992E15" },
        { 8.41E21, "8.41E21" },
        { 2.0E-3, "0.002" },
        { 3.141592653589793, "3.141592653589793" },
        { 0.30000000000000004, "0.30000000000000004" },
        { -123.456, "-123.456" },
        { -1.5E-10, "-1.5E-10" },
        { (double)NAN, "NaN" },
        { HUGE_VAL, "Infinity" },
        { -HUGE_VAL, "-Infinity" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(print(cases[i].number), cases[i].text);
    }
}

/* The significant digits of printed text, without zeros at either end. */
static size_t digits_of(const char *text, char digits[JAVA_DOUBLE_MAX])
{
    size_t count = 0;

    for (; *text && *text != 'E' && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0')) {
            digits[count++] = *text;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return count;
}

static void check_shortest(double number)
{
    char digits[JAVA_DOUBLE_MAX];
    char nearest[JAVA_DOUBLE_MAX];
    char text[64];
    const char *printed = print(number);
    size_t count = digits_of(printed, digits);

    assert_true(strlen(printed) <= 24);
    assert_true(same_bits(strtod(printed, NULL), number));
    if (count <= 2) {
        return; /* Java counts one digit as two */
    }
    snprintf(text, sizeof text, "%.*e", (int)count - 2, number);
    assert_true(strtod(text, NULL) != number);
    snprintf(text, sizeof text, "%.*e", (int)count - 1, number);
    if (strtod(text, NULL) == number) {
        assert_int_equal(digits_of(text, nearest), count);
        assert_memory_equal(digits, nearest, count);
    }
}

/* Every kind of bit pattern: any, subnormal, short decimal, power of two. */
static double random_double(uint64_t *seed, int kind)
{
    uint64_t bits = random_next(seed);

    switch (kind) {
    case 0:
        return double_of_bits(bits);
    case 1:
        return double_of_bits(bits & UINT64_C(0x800fffffffffffff));
    case 2:
        return (double)(bits % 1000000000) / pow(10, (double)(bits >> 32 & 7));
    default:
        return double_of_bits(bits & UINT64_C(0xfff0000000000000));
    }
}

static void double_prints_the_shortest_digits_that_read_back(void **state)
{
    uint64_t seed = 88172645463325252u;

    for (int i = 0; i < RANDOM_DOUBLES; i++) {
        double number = random_double(&seed, i % 4);

        if (isfinite(number) && number != 0) {
            check_shortest(number);
        }
    }
}

static void double_reads_back_what_it_prints(void **state)
{
    uint64_t seed = 1234567;

    for (int i = 0; i < RANDOM_DOUBLES; i++) {
        double number = random_double(&seed, i % 4);
        const char *text = print(number);

        if (isfinite(number)) {
            assert_true(same_bits(java_double_of_digits(text, strlen(text)), number));
        }
    }
}

static void digits_are_rounded_correctly(void **state)
{
    uint64_t seed = 99;

    for (int i = 0; i < RANDOM_TEXTS; i++) {
        char text[64];
        size_t len = 0;
        uint64_t shape = random_next(&seed);
        size_t count = 1 + shape % 30;

        if (shape >> 8 & 1) {
            text[len++] = '-';
        }
        for (size_t k = 0; k < count; k++) {
            if (k == (shape >> 16) % 30) {
                text[len++] = '.';
            }
            text[len++] = (char)('0' + random_next(&seed) % 10);
        }
        len += (size_t)snprintf(text + len, 16, "e%d", (int)((shape >> 32) % 680) - 345);
        assert_true(same_bits(java_double_of_digits(text, len), strtod(text, NULL)));
    }
}

/* Half way between two doubles, exactly, a little above, a little below. */
static void ties_go_to_even(void **state)
{
    uint64_t seed = 7;

    for (int i = 0; i < 2000; i++) {
        uint64_t bits = random_next(&seed) >> (i % 3 == 0 ? 12 : 2);
        long double low = (long double)double_of_bits(bits);
        long double high = (long double)double_of_bits(bits + 1);
        char text[1200];
        size_t len;

        if (!isfinite(double_of_bits(bits + 1))) {
            continue;
        }
        len = (size_t)snprintf(text, sizeof text, "%.780Lf", (low + high) / 2);
        for (int last = 0; last < 2; last++) {
            text[len - 1] = (char)('0' + last); /* above the tie by the last digit */
            assert_true(same_bits(java_double_of_digits(text, len), strtod(text, NULL)));
        }
        text[len - 760] = '\0'; /* cut: at or below it */
        assert_true(same_bits(java_double_of_digits(text, len - 760), strtod(text, NULL)));
    }
    assert_true(java_double_of_digits("9007199254740993", 16) == 9007199254740992.0);
    assert_true(java_double_of_digits("9007199254740993.0000000000000000001", 36) ==
                9007199254740994.0);
    assert_true(java_double_of_digits("1e400", 5) == HUGE_VAL);
    assert_true(java_double_of_digits("1e-400", 6) == 0);
    assert_true(java_double_of_digits("2.4703282292062327e-324", 23) == 0);
    assert_true(java_double_of_digits("2.4703282292062328e-324", 23) == 4.9e-324);
}

static int parse(const char *text, double *out)
{
    return java_double_parse(bytes_of(text), out, NULL);
}

static void double_parse_takes_java_grammar(void **state)
{
    static const struct {
        const char *text;
        double number;
    } cases[] = {
        { "1", 1 },
        { " \t1.5\n", 1.5 },
        { "5.", 5 },
        { ".5", 0.5 },
        { "+.5", 0.5 },
        { "-1e3", -1000 },
        { "1E+3d", 1000 },
        { "1f", 1 },
        { "1.0D", 1 },
        { "1F", 1 },
        { "0x1p3", 8 },
        { "-0X.8P1f", -1 },
        { "0x1.8p0", 1.5 },
        { "0x0000000000000000000000000000000000000000001p-2", 0.25 },
        { "0x1.00000000000008p0", 1.0 },
        { "0x1.000000000000080000000000000000000001p0", 1.0000000000000002 },
        { "Infinity", HUGE_VAL },
        { "-Infinity", -HUGE_VAL },
        { "1e999999999999999999", HUGE_VAL },
        { "0e999999999999999999", 0 },
        { "1e-999999999999999999", 0 },
    };
    double number;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i].text, &number), 0);
        assert_true(number == cases[i].number);
    }
    assert_int_equal(parse("+NaN", &number), 0);
    assert_true(isnan(number));
    assert_int_equal(parse("-0", &number), 0);
    assert_true(same_bits(number, -0.0));
}

static void double_parse_refuses_the_rest(void **state)
{
    static const char *const cases[] = {
        "",     " ",    ".",   "-",      "+-1",   "1e",       "1e+",      "1.2.3", "1 2",
        "0x1",  "0xp1", "0x.", "1dd",    "d",     "e5",       "infinity", "nan",   "INF",
        "NaNd", "1_0",  "1,5", "0x1p",   "١",     "1l",       "--1",      "0x",    "Infinityf",
        "1e5.", "1p3",  "e",   "1e3 4f", "0x1g1", "0x1.8.p1",
    };
    double number = 42;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i], &number), ERR_COERCE);
    }
    assert_int_equal(java_double_parse((struct bytes){ "1\0x", 3 }, &number, NULL), ERR_COERCE);
    assert_true(number == 42);
}

static void long_prints_and_reads_its_whole_range(void **state)
{
    static const int64_t numbers[] = {
        0, 7, -7, 10, 99, 100, -100, 12345, 999999999, INT64_MAX, INT64_MIN, INT32_MIN,
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[JAVA_DOUBLE_MAX];
        char expected[JAVA_DOUBLE_MAX];
        size_t len = java_long_print(numbers[i], text);
        int64_t back;

        snprintf(expected, sizeof expected, "%lld", (long long)numbers[i]);
        assert_int_equal(len, strlen(expected));
        assert_memory_equal(text, expected, len);
        assert_int_equal(java_long_parse((struct bytes){ text, len }, &back, NULL), 0);
        assert_int_equal(back, numbers[i]);
    }
}

static void long_parse_checks_range_and_digits(void **state)
{
    static const char *const refused[] = {
        "",   "-",   "+",   "9223372036854775808",  "-9223372036854775809", "1.0", " 1",
        "1 ", "0x1", "--1", "99999999999999999999",
    };
    int64_t number = 42;
    int32_t small = 42;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(java_long_parse(bytes_of(refused[i]), &number, NULL), ERR_COERCE);
    }
    assert_int_equal(number, 42);
    assert_int_equal(java_long_parse(bytes_of("+0009"), &number, NULL), 0);
    assert_int_equal(number, 9);
    assert_int_equal(java_int_parse(bytes_of("2147483648"), &small, NULL), ERR_COERCE);
    assert_int_equal(java_int_parse(bytes_of("-2147483649"), &small, NULL), ERR_COERCE);
    assert_int_equal(small, 42);
    assert_int_equal(java_int_parse(bytes_of("-2147483648"), &small, NULL), 0);
    assert_int_equal(small, INT32_MIN);
}

static void narrowing_truncates_and_saturates(void **state)
{
    assert_int_equal(java_double_to_long(-1.9), -1);
    assert_int_equal(java_double_to_long((double)NAN), 0);
    assert_int_equal(java_double_to_long(1e19), INT64_MAX);
    assert_int_equal(java_double_to_long(-1e19), INT64_MIN);
    assert_int_equal(java_double_to_long(-0x1p63), INT64_MIN);
    assert_int_equal(java_double_to_int(2147483648.0), INT32_MAX);
    assert_int_equal(java_double_to_int(-HUGE_VAL), INT32_MIN);
    assert_int_equal(java_double_to_int(1.999), 1);
}

static void trim_drops_control_characters_and_spaces(void **state)
{
    assert_true(bytes_equal_text(java_trim(bytes_of("\x01 a b\t\n")), "a b"));
    assert_int_equal(java_trim(bytes_of("  ")).len, 0);
    assert_true(bytes_equal_text(java_trim(bytes_of("\xc2\xa0x")), "\xc2\xa0x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(double_prints_as_java_does),
        cmocka_unit_test(double_prints_the_shortest_digits_that_read_back),
        cmocka_unit_test(double_reads_back_what_it_prints),
        cmocka_unit_test(digits_are_rounded_correctly),
        cmocka_unit_test(ties_go_to_even),
        cmocka_unit_test(double_parse_takes_java_grammar),
        cmocka_unit_test(double_parse_refuses_the_rest),
        cmocka_unit_test(long_prints_and_reads_its_whole_range),
        cmocka_unit_test(long_parse_checks_range_and_digits),
        cmocka_unit_test(narrowing_truncates_and_saturates),
        cmocka_unit_test(trim_drops_control_characters_and_spaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
