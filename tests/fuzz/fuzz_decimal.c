/*
 * fuzz_decimal.c: what parses prints, and reads back the same; arithmetic keeps its identities.
 * Input: two numbers as text, a line each.
 */
#include <assert.h>
#include <string.h>

#include "engine/type/decimal.h"
#include "tests/fuzz/fuzz.h"

enum { LARGEST_SCALE = 1000 }; /* plain text beyond is long and teaches nothing */

static bool is_handy(struct decimal number)
{
    return number.scale <= LARGEST_SCALE && number.scale >= -LARGEST_SCALE;
}

static void check_text(struct decimal number)
{
    struct buffer text = { 0 };
    struct decimal back;

    decimal_print_scientific(number, &text);
    assert(decimal_parse(buffer_bytes(&text), &back, NULL) == 0);
    assert(back.unscaled == number.unscaled && back.scale == number.scale);
    text.len = 0;
    decimal_print_plain(number, &text);
    assert(decimal_parse(buffer_bytes(&text), &back, NULL) == 0);
    assert(decimal_compare(back, number) == 0);
    buffer_fini(&text);
}

static void check_pair(struct decimal a, struct decimal b)
{
    struct sql_type type = { .id = T_DECIMAL, .precision = 38 };
    struct decimal result;
    struct decimal back;

    assert(decimal_compare(a, b) == -decimal_compare(b, a));
    type.scale = (uint32_t)(a.scale > b.scale ? a.scale : b.scale);
    if (decimal_add(a, b, &type, &result, NULL) == 0 &&
        decimal_subtract(result, b, &type, &back, NULL) == 0) {
        assert(decimal_compare(back, a) == 0);
    }
    if (decimal_remainder(a, b, &type, &result, NULL) == 0 && result.unscaled != 0) {
        assert((result.unscaled < 0) == (a.unscaled < 0));
    }
    type.scale = (uint32_t)(a.scale + b.scale);
    if (decimal_multiply(a, b, &type, &result, NULL) == 0 && b.unscaled != 0) {
        type.scale = (uint32_t)a.scale;
        assert(decimal_divide(result, b, &type, &back, NULL) == 0);
        assert(decimal_compare(back, a) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *line = size ? memchr(text, '\n', size) : NULL;
    size_t first = line ? (size_t)(line - text) : size;
    struct bytes texts[] = { { text, first }, { text + first + (line != NULL), 0 } };
    struct decimal numbers[2];

    texts[1].len = line ? size - first - 1 : 0;
    for (int i = 0; i < 2; i++) {
        if (size == 0 || decimal_parse(texts[i], &numbers[i], NULL) || !is_handy(numbers[i])) {
            return 0;
        }
        check_text(numbers[i]);
    }
    if (numbers[0].scale >= 0 && numbers[1].scale >= 0) {
        check_pair(numbers[0], numbers[1]);
    }
    return 0;
}
