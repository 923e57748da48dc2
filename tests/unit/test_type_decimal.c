/*
 * test_type_decimal.c: decimals against numbers kept as arrays of digits, and known
 * results of BigDecimal.
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

#include "engine/type/decimal.h"
#include "tests/unit/type_random.h"

enum { ROUNDS = 20000 };

/* --- the oracle: schoolbook arithmetic on decimal digits, lowest first --- */

enum { BIG_DIGITS = 240 };

struct big {
    int8_t digit[BIG_DIGITS];
};

static struct big big_of(wide_int number)
{
    struct big b = { { 0 } };
    wide_uint rest = number < 0 ? 0 - (wide_uint)number : (wide_uint)number;

    for (int i = 0; rest; i++, rest /= 10) {
        b.digit[i] = (int8_t)(rest % 10);
    }
    return b;
}

static int big_compare(const struct big *a, const struct big *b)
{
    for (int i = BIG_DIGITS - 1; i >= 0; i--) {
        if (a->digit[i] != b->digit[i]) {
            return a->digit[i] < b->digit[i] ? -1 : 1;
        }
    }
    return 0;
}

static int big_length(const struct big *a)
{
    int len = BIG_DIGITS;

    while (len > 1 && a->digit[len - 1] == 0) {
        len--;
    }
    return len;
}

static bool big_is_zero(const struct big *a)
{
    return big_length(a) == 1 && a->digit[0] == 0;
}

/* a + sign * b, where the result is not negative */
static struct big big_add(const struct big *a, const struct big *b, int sign)
{
    struct big sum = { { 0 } };
    int carry = 0;

    for (int i = 0; i < BIG_DIGITS; i++) {
        int digit = a->digit[i] + sign * b->digit[i] + carry;

        carry = digit < 0 ? -1 : digit / 10;
        sum.digit[i] = (int8_t)(digit - carry * 10);
    }
    return sum;
}

static struct big big_shift(const struct big *a, int by)
{
    struct big shifted = { { 0 } };

    for (int i = 0; i < BIG_DIGITS; i++) {
        int from = i - by;

        shifted.digit[i] = from >= 0 && from < BIG_DIGITS ? a->digit[from] : 0;
    }
    return shifted;
}

static struct big big_multiply(const struct big *a, const struct big *b)
{
    struct big product = { { 0 } };

    for (int i = 0; i < big_length(a); i++) {
        struct big part = big_shift(b, i);

        for (int k = 0; k < a->digit[i]; k++) {
            product = big_add(&product, &part, 1);
        }
    }
    return product;
}

static struct big big_divide(const struct big *a, const struct big *b, struct big *rest)
{
    struct big quotient = { { 0 } };

    *rest = *a;
    for (int i = big_length(a) - big_length(b); i >= 0; i--) {
        struct big part = big_shift(b, i);

        while (big_compare(rest, &part) >= 0) {
            *rest = big_add(rest, &part, -1);
            quotient.digit[i]++;
        }
    }
    return quotient;
}

/* Whether the lowest `count` digits are all 0. */
static bool big_ends_in_zeros(const struct big *a, int count)
{
    for (int i = 0; i < count && i < BIG_DIGITS; i++) {
        if (a->digit[i]) {
            return false;
        }
    }
    return true;
}

/* --- the rules of expressions.md 5, on the oracle's numbers --- */

enum outcome { VALUE, FAILS };

/* exact * 10^-scale limited to the type; what is to come out in *out. */
static enum outcome big_finish(struct big exact, int scale, const struct sql_type *type,
                               struct big *out)
{
    int drop = big_length(&exact) - (int)type->precision;

    if (drop > 0 && !big_ends_in_zeros(&exact, drop)) {
        return FAILS;
    }
    if (scale > (int)type->scale && !big_ends_in_zeros(&exact, scale - (int)type->scale)) {
        return FAILS;
    }
    *out = big_shift(&exact, (int)type->scale - scale);
    return big_length(out) > DECIMAL_MAX_DIGITS ? FAILS : VALUE;
}

struct operands {
    struct decimal a, b;
    struct sql_type type; /* of the result */
};

static enum outcome expect_sum(const struct operands *in, struct big *out, bool *negative)
{
    int scale = in->a.scale > in->b.scale ? in->a.scale : in->b.scale;
    struct big a = big_of(in->a.unscaled);
    struct big b = big_of(in->b.unscaled);

    a = big_shift(&a, scale - in->a.scale);
    b = big_shift(&b, scale - in->b.scale);
    if ((in->a.unscaled < 0) == (in->b.unscaled < 0)) {
        *negative = in->a.unscaled < 0;
        return big_finish(big_add(&a, &b, 1), scale, &in->type, out);
    }
    *negative = big_compare(&a, &b) >= 0 ? in->a.unscaled < 0 : in->b.unscaled < 0;
    a = big_compare(&a, &b) >= 0 ? big_add(&a, &b, -1) : big_add(&b, &a, -1);
    return big_finish(a, scale, &in->type, out);
}

static enum outcome expect_difference(const struct operands *in, struct big *out, bool *negative)
{
    struct operands turned = *in;

    turned.b.unscaled = -turned.b.unscaled;
    return expect_sum(&turned, out, negative);
}

static enum outcome expect_product(const struct operands *in, struct big *out, bool *negative)
{
    struct big a = big_of(in->a.unscaled);
    struct big b = big_of(in->b.unscaled);

    *negative = (in->a.unscaled < 0) != (in->b.unscaled < 0);
    return big_finish(big_multiply(&a, &b), in->a.scale + in->b.scale, &in->type, out);
}

static enum outcome expect_quotient(const struct operands *in, struct big *out, bool *negative)
{
    struct big a = big_of(in->a.unscaled);
    struct big b = big_of(in->b.unscaled);
    struct big quotient;
    struct big rest;

    if (in->b.unscaled == 0) {
        return FAILS;
    }
    *negative = (in->a.unscaled < 0) != (in->b.unscaled < 0);
    a = big_shift(&a, (int)in->type.scale + in->b.scale - in->a.scale);
    quotient = big_divide(&a, &b, &rest);
    return big_is_zero(&rest) ? big_finish(quotient, (int)in->type.scale, &in->type, out) : FAILS;
}

static enum outcome expect_rest(const struct operands *in, struct big *out, bool *negative)
{
    int scale = in->a.scale > in->b.scale ? in->a.scale : in->b.scale;
    struct big a = big_of(in->a.unscaled);
    struct big b = big_of(in->b.unscaled);
    struct big quotient;
    int drop;

    if (in->b.unscaled == 0) {
        return FAILS;
    }
    *negative = in->a.unscaled < 0;
    a = big_shift(&a, scale - in->a.scale);
    b = big_shift(&b, scale - in->b.scale);
    quotient = big_divide(&a, &b, out);
    drop = big_length(&quotient) - (int)in->type.precision;
    if (drop > 0 && !big_ends_in_zeros(&quotient, drop)) {
        return FAILS;
    }
    *out = big_shift(out, (int)in->type.scale - scale);
    return big_length(out) > DECIMAL_MAX_DIGITS ? FAILS : VALUE;
}

typedef int (*decimal_operation)(struct decimal a, struct decimal b, const struct sql_type *result,
                                 struct decimal *out, struct error *err);

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* expressions.md 5: precision and scale of a result. */
static void set_result_type(struct operands *in, char operation, int p1, int p2)
{
    int s1 = in->a.scale;
    int s2 = in->b.scale;
    int scale = larger(s1, s2);
    int precision = larger(p1 - s1, p2 - s2) + scale + 1;

    if (operation == '*') {
        scale = s1 + s2;
        precision = p1 + p2 + 1;
    } else if (operation == '/') {
        scale = larger(6, s1 + p2 + 1);
        precision = p1 - s1 + s2 + scale;
    } else if (operation == '%') {
        precision = larger(1, smaller(p1 - s1, p2 - s2) + scale);
    }
    in->type = (struct sql_type){ .id = T_DECIMAL };
    in->type.precision = (uint32_t)precision;
    in->type.scale = (uint32_t)scale;
}

static wide_int random_unscaled(uint64_t *seed, int digits)
{
    uint64_t zeros = random_below(seed, 3) ? 0 : random_below(seed, (uint64_t)digits);
    wide_int number = 0;

    for (int i = (int)random_below(seed, (uint64_t)digits); i < digits; i++) {
        number =
            number * 10 + (wide_int)((uint64_t)(digits - i) > zeros ? random_below(seed, 10) : 0);
    }
    return random_below(seed, 2) ? number : -number;
}

static struct operands random_operands(uint64_t *seed, char operation)
{
    uint64_t most = random_below(seed, 2) ? 38 : 9;
    int p1 = 1 + (int)random_below(seed, most);
    int p2 = 1 + (int)random_below(seed, most);
    struct operands in;

    in.a.scale = (int32_t)random_below(seed, (uint64_t)p1 + 1);
    in.b.scale = (int32_t)random_below(seed, (uint64_t)p2 + 1);
    in.a.unscaled = random_unscaled(seed, p1);
    in.b.unscaled = random_unscaled(seed, p2);
    if (operation == '/' && random_below(seed, 2)) {
        in.b.unscaled = (wide_int)1 << random_below(seed, 6); /* more divisions that are exact */
        p2 = larger(p2, 2);
    }
    set_result_type(&in, operation, p1, p2);
    if (random_below(seed, 4) == 0) {
        in.type.precision = 1 + (uint32_t)random_below(seed, in.type.precision);
    }
    return in;
}

static void check_operation(char operation, decimal_operation run,
                            enum outcome (*expect)(const struct operands *, struct big *, bool *))
{
    uint64_t seed = 1000 + (uint64_t)operation;
    int values = 0;

    for (int i = 0; i < ROUNDS / 5; i++) {
        struct operands in = random_operands(&seed, operation);
        struct decimal result = { 77, 7 };
        struct big expected = { { 0 } };
        struct big actual;
        bool negative = false;
        int failed = run(in.a, in.b, &in.type, &result, NULL);

        if (expect(&in, &expected, &negative) == FAILS) {
            assert_true(failed == ERR_OVERFLOW || failed == ERR_EVALUATE);
            assert_true(result.unscaled == 77 && result.scale == 7);
            continue;
        }
        values++;
        assert_int_equal(failed, 0);
        assert_int_equal(result.scale, in.type.scale);
        actual = big_of(result.unscaled);
        assert_int_equal(big_compare(&actual, &expected), 0);
        assert_true(big_is_zero(&expected) || (result.unscaled < 0) == negative);
    }
    assert_true(values > ROUNDS / 5 / 4); /* not only errors were seen */
}

static void sums_are_exact(void **state)
{
    check_operation('+', decimal_add, expect_sum);
}

static void differences_are_exact(void **state)
{
    check_operation('-', decimal_subtract, expect_difference);
}

static void products_are_exact(void **state)
{
    check_operation('*', decimal_multiply, expect_product);
}

static void quotients_are_exact_or_refused(void **state)
{
    check_operation('/', decimal_divide, expect_quotient);
}

static void remainders_are_exact(void **state)
{
    check_operation('%', decimal_remainder, expect_rest);
}

/* --- known results --- */

static struct decimal number_of(const char *text)
{
    struct decimal number = { 0, 0 };

    assert_int_equal(decimal_parse(bytes_of(text), &number, NULL), 0);
    return number;
}

static struct sql_type decimal_type(uint32_t precision, uint32_t scale)
{
    struct sql_type type = { .id = T_DECIMAL };

    type.precision = precision;
    type.scale = scale;
    return type;
}

static const char *plain(struct decimal number)
{
    static char text[200];
    struct buffer out = { 0 };

    decimal_print_plain(number, &out);
    snprintf(text, sizeof text, "%.*s", BYTES_ARG(buffer_bytes(&out)));
    buffer_fini(&out);
    return text;
}

static void arithmetic_gives_the_results_of_the_specification(void **state)
{
    static const struct {
        decimal_operation run;
        const char *a, *b;
        uint32_t precision, scale;
        const char *result; /* or the message */
        int code;
    } cases[] = {
        { decimal_divide, "10.10", "4.00", 11, 7, "2.5250000", 0 },
        { decimal_divide, "10.00", "3.00", 11, 7, "Rounding necessary", ERR_OVERFLOW },
        { decimal_divide, "0.01", "64.00", 11, 7, "Rounding necessary", ERR_OVERFLOW },
        { decimal_divide, "3.4", "2.0", 9, 6, "1.700000", 0 },
        { decimal_divide, "0", "3", 9, 6, "0.000000", 0 },
        { decimal_divide, "1", "0.00", 9, 6, "/ by zero", ERR_EVALUATE },
        { decimal_divide, "0", "0", 9, 6, "/ by zero", ERR_EVALUATE },
        { decimal_multiply, "1.234567", "5.678", 12, 9, "7.009871426", 0 },
        { decimal_remainder, "-10.10", "4.00", 4, 2, "-2.10", 0 },
        { decimal_remainder, "10.1", "2.0", 3, 1, "0.1", 0 },
        { decimal_remainder, "10.1", "0", 3, 1, "/ by zero", ERR_EVALUATE },
        { decimal_remainder, "12345", "0.1", 3, 1, "Division impossible", ERR_EVALUATE },
        { decimal_remainder, "12300", "0.1", 4, 1, "0.0", 0 },
        { decimal_remainder, "3", "70000000000000000000000000000000000000", 4, 1, "3.0", 0 },
        { decimal_add, "10.01", "5.1", 6, 2, "15.11", 0 },
        { decimal_add, "99999999999999999999999999999999999999", "1", 39, 0,
          "The number has more than 38 digits", ERR_OVERFLOW },
        { decimal_multiply, "10000000000000000000", "10000000000000000000", 39, 0,
          "The number has more than 38 digits", ERR_OVERFLOW },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sql_type type = decimal_type(cases[i].precision, cases[i].scale);
        struct error err = { 0 };
        struct decimal result = { 0, 0 };
        int code = cases[i].run(number_of(cases[i].a), number_of(cases[i].b), &type, &result, &err);

        assert_int_equal(code, cases[i].code);
        assert_string_equal(code ? err.message : plain(result), cases[i].result);
    }
}

static void cast_tests_overflow_before_it_rounds(void **state)
{
    static const struct {
        const char *number;
        uint32_t precision, scale;
        const char *result; /* NULL: overflow */
    } cases[] = {
        { "9.99", 2, 1, "10.0" },
        { "10", 2, 1, NULL },
        { "-10", 2, 1, NULL },
        { "0.005", 3, 2, "0.01" },
        { "-0.005", 3, 2, "-0.01" },
        { "0.0049", 3, 2, "0.00" },
        { "1e-50", 3, 2, "0.00" },
        { "1e50", 3, 2, NULL },
        { "0e50", 3, 2, "0.00" },
        { "123", 38, 35, "123.00000000000000000000000000000000000" },
        { "99.5", 2, 0, "100" },
        { "0.5", 38, 38, "0.50000000000000000000000000000000000000" },
        { "123456789012345678901234567890.12345678", 38, 4, "123456789012345678901234567890.1235" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sql_type type = decimal_type(cases[i].precision, cases[i].scale);
        struct decimal result = { 0, 0 };
        int code = decimal_cast(number_of(cases[i].number), &type, &result, NULL);

        assert_int_equal(code, cases[i].result ? 0 : ERR_OVERFLOW);
        if (cases[i].result) {
            assert_string_equal(plain(result), cases[i].result);
        }
    }
}

static void fit_loses_no_digit(void **state)
{
    struct sql_type type = decimal_type(4, 2);
    struct decimal result = { 5, 5 };

    assert_int_equal(decimal_fit(number_of("12.3"), &type, &result, NULL), 0);
    assert_string_equal(plain(result), "12.30");
    assert_int_equal(decimal_fit(number_of("12.3000"), &type, &result, NULL), 0);
    assert_int_equal(decimal_fit(number_of("12.345"), &type, &result, NULL), ERR_OVERFLOW);
    assert_int_equal(decimal_fit(number_of("100"), &type, &result, NULL), ERR_OVERFLOW);
    assert_string_equal(plain(result), "12.30");
}

static void doubles_round_by_their_exact_binary_value(void **state)
{
    static const struct {
        double number;
        uint32_t precision, scale;
        const char *rounded; /* to the precision, as BigDecimal prints it */
        const char *result;  /* then cast; NULL: overflow */
    } cases[] = {
        { 2.675, 10, 2, "2.675000000", "2.68" },
        { 1.255, 3, 2, "1.25", "1.25" },
        { 0.1, 2, 1, "0.10", "0.1" },
        { 0.5, 10, 2, "0.5", "0.50" },
        { -1.1, 2, 1, "-1.1", "-1.1" },
        { 0.1, 38, 37, "0.10000000000000000555111512312578270212",
          "0.1000000000000000055511151231257827021" },
        { 1e300, 5, 2, "1.0000E+300", NULL },
        { 1e-300, 5, 2, "1.0000E-300", "0.00" },
        { 4.9e-324, 3, 2, "4.94E-324", "0.00" },
        { 0.0, 3, 2, "0", "0.00" },
        { 1e23, 24, 0, "99999999999999991611392", "99999999999999991611392" },
        { 9.999999, 2, 1, "10", NULL }, /* rounded up to one more whole digit */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sql_type type = decimal_type(cases[i].precision, cases[i].scale);
        struct decimal result = { 0, 0 };

        assert_int_equal(decimal_of_double(cases[i].number, &type, &result, NULL), 0);
        assert_int_equal(decimal_compare(result, number_of(cases[i].rounded)), 0);
        assert_int_equal(decimal_cast(result, &type, &result, NULL),
                         cases[i].result ? 0 : ERR_OVERFLOW);
        if (cases[i].result) {
            assert_string_equal(plain(result), cases[i].result);
        }
    }
}

static void no_decimal_is_infinite(void **state)
{
    struct sql_type type = decimal_type(4, 2);
    struct decimal result = { 1, 1 };

    assert_int_equal(decimal_of_double((double)NAN, &type, &result, NULL), ERR_OVERFLOW);
    assert_int_equal(decimal_of_double(-HUGE_VAL, &type, &result, NULL), ERR_OVERFLOW);
    assert_true(result.unscaled == 1);
}

static void doubles_and_decimals_agree_on_random_numbers(void **state)
{
    uint64_t seed = 5;

    for (int i = 0; i < ROUNDS; i++) {
        struct decimal number = { random_unscaled(&seed, 38),
                                  (int32_t)random_below(&seed, 60) - 10 };
        struct buffer text = { 0 };

        decimal_print_scientific(number, &text);
        buffer_append_char(&text, '\0');
        assert_true(decimal_to_double(number) == strtod(text.data, NULL));
        buffer_fini(&text);
    }
}

static void exact_doubles_come_back(void **state)
{
    struct sql_type type = decimal_type(38, 10);
    uint64_t seed = 6;

    for (int i = 0; i < ROUNDS; i++) {
        double number =
            ldexp((double)(int64_t)(random_word(&seed) >> 12), -(int)random_below(&seed, 60));
        struct decimal result;

        assert_int_equal(decimal_of_double(number, &type, &result, NULL), 0);
        assert_true(decimal_to_double(result) == number);
    }
}

static void text_reads_and_prints_as_big_decimal(void **state)
{
    static const struct {
        const char *text, *plain, *scientific;
    } cases[] = {
        { "0", "0", "0" },
        { "-0.00", "0.00", "0.00" },
        { "+5.", "5", "5" },
        { ".5", "0.5", "0.5" },
        { "1.50", "1.50", "1.50" },
        { "0E-7", "0.0000000", "0E-7" },
        { "0E3", "0", "0E+3" },
        { "1e3", "1000", "1E+3" },
        { "12e-3", "0.012", "0.012" },
        { "-1.23e-7", "-0.000000123", "-1.23E-7" },
        { "0.000001", "0.000001", "0.000001" },
        { "0.0000001", "0.0000001", "1E-7" },
        { "1234e10", "12340000000000", "1.234E+13" },
        { "000000000000000000000000000000000000000000000007", "7", "7" },
        { "99999999999999999999999999999999999999", "99999999999999999999999999999999999999",
          "99999999999999999999999999999999999999" },
        { "1.00000000000000000000000000000000000000000000",
          "1.0000000000000000000000000000000000000", "1.0000000000000000000000000000000000000" },
        { "1000000000000000000000000000000000000000000",
          "1000000000000000000000000000000000000000000",
          "1.0000000000000000000000000000000000000E+42" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decimal number = number_of(cases[i].text);
        struct buffer out = { 0 };

        assert_string_equal(plain(number), cases[i].plain);
        decimal_print_scientific(number, &out);
        assert_true(bytes_equal_text(buffer_bytes(&out), cases[i].scientific));
        buffer_fini(&out);
    }
}

static void text_that_is_no_decimal_is_refused(void **state)
{
    static const char *const cases[] = { "",    ".",     "-",   "+.",   "e5",           "1e",
                                         "1e+", "1.2.3", " 1",  "1 ",   "0x1",          "1d",
                                         "NaN", "--1",   "1,5", "1e5.", "1e99999999999" };
    struct decimal number = { 1, 1 };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decimal_parse(bytes_of(cases[i]), &number, NULL), ERR_COERCE);
    }
    assert_int_equal(
        decimal_parse(bytes_of("1.00000000000000000000000000000000000001"), &number, NULL),
        ERR_OVERFLOW);
    assert_true(number.unscaled == 1 && number.scale == 1);
}

static void order_is_by_value(void **state)
{
    assert_int_equal(decimal_compare(number_of("1.0"), number_of("1.000")), 0);
    assert_int_equal(decimal_compare(number_of("0.00"), number_of("-0")), 0);
    assert_int_equal(decimal_compare(number_of("-1"), number_of("1e-30")), -1);
    assert_int_equal(decimal_compare(number_of("-1e30"), number_of("-2")), -1);
    assert_int_equal(decimal_compare(number_of("9.9"), number_of("10")), -1);
    assert_int_equal(decimal_compare(number_of("0"), number_of("-1e-300")), 1);
    assert_int_equal(decimal_compare(number_of("1e2000000000"), number_of("1e-2000000000")), 1);
    assert_int_equal(
        decimal_compare(number_of("99999999999999999999999999999999999999"), number_of("1E38")),
        -1);
}

static void narrowing_truncates_then_wraps(void **state)
{
    assert_int_equal(decimal_to_i64_wrapped(number_of("-1.99")), -1);
    assert_int_equal(decimal_to_i64_wrapped(number_of("18446744073709551617.5")), 1);
    assert_int_equal(decimal_to_i64_wrapped(number_of("9223372036854775808")), INT64_MIN);
    assert_int_equal(decimal_to_i64_wrapped(number_of("1e3")), 1000);
    assert_int_equal(decimal_to_i64_wrapped(number_of("1e1000000000")), 0);
    assert_int_equal(decimal_to_i64_wrapped(number_of("1e-1000000000")), 0);
}

static void values_hold_small_and_wide_decimals(void **state)
{
    struct sql_type small = decimal_type(18, 2);
    struct sql_type wide = decimal_type(19, 2);
    struct decimal number = number_of("-1234567890123456.78");
    struct arena arena;
    struct value v;

    arena_init(&arena, 0);
    decimal_to_value(number, &small, &arena, &v);
    assert_true(v.i64 == -123456789012345678 && v.kind == T_DECIMAL);
    assert_true(decimal_of_value(&v, &small).unscaled == number.unscaled);
    decimal_to_value(number, &wide, &arena, &v);
    assert_true(*v.wide == -123456789012345678);
    assert_int_equal(decimal_compare(decimal_of_value(&v, &wide), number), 0);
    arena_fini(&arena);
}

static void digits_and_powers_are_counted(void **state)
{
    wide_int power = 1;

    for (uint32_t i = 0; i <= 38; i++) {
        wide_int found;

        assert_true(decimal_power_of_ten(i, &found) && found == power);
        assert_int_equal(decimal_digits(power), i + 1);
        assert_int_equal(decimal_digits(-power + (i > 0)), i > 0 ? i : 1);
        power *= i < 38 ? 10 : 1;
    }
    assert_false(decimal_power_of_ten(39, &power));
    assert_int_equal(decimal_digits(0), 1);
    assert_false(decimal_is_storable(power));
    assert_true(decimal_is_storable(1 - power));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(differences_are_exact),
        cmocka_unit_test(products_are_exact),
        cmocka_unit_test(quotients_are_exact_or_refused),
        cmocka_unit_test(remainders_are_exact),
        cmocka_unit_test(arithmetic_gives_the_results_of_the_specification),
        cmocka_unit_test(cast_tests_overflow_before_it_rounds),
        cmocka_unit_test(fit_loses_no_digit),
        cmocka_unit_test(doubles_round_by_their_exact_binary_value),
        cmocka_unit_test(no_decimal_is_infinite),
        cmocka_unit_test(doubles_and_decimals_agree_on_random_numbers),
        cmocka_unit_test(exact_doubles_come_back),
        cmocka_unit_test(text_reads_and_prints_as_big_decimal),
        cmocka_unit_test(text_that_is_no_decimal_is_refused),
        cmocka_unit_test(order_is_by_value),
        cmocka_unit_test(narrowing_truncates_then_wraps),
        cmocka_unit_test(values_hold_small_and_wide_decimals),
        cmocka_unit_test(digits_and_powers_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
