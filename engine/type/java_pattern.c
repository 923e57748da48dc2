/*
 * java_pattern.c: pattern text becomes steps.
 *
 * What a letter takes depends on how often it stands there. A number of variable width that is
 * followed by numbers of fixed width without anything in between leaves them their digits
 * (yyyyMMdd): its step counts them in `following`. Literals that stand together are one step.
 */
#include "engine/type/java_pattern_internal.h"

#include <string.h>

enum { LONGEST_NUMBER = 19, DEEPEST_FRACTION = 9 };

struct pattern_compiler {
    struct bytes text;
    size_t at; /* behind what has been read */
    struct arena *arena;
    struct pattern_step *steps;
    uint32_t count;
    uint32_t open[PATTERN_MAX_DEPTH]; /* steps of the optional sections that are open */
    uint32_t depth;
    int32_t number_at; /* the step that leaves digits to the next number; -1: none */
    uint32_t pad;      /* width of the next step */
    struct error *err;
};

struct letter {
    char letter;
    uint8_t field;     /* enum time_field */
    uint8_t max_count; /* of the letter in a row */
    /* False: refused. */
    bool (*add)(struct pattern_compiler *c, const struct letter *letter, uint32_t count);
};

/* --- steps --- */

static struct pattern_step *add_step(struct pattern_compiler *c, enum step_kind kind)
{
    struct pattern_step *step = &c->steps[c->count++];

    *step = (struct pattern_step){ .kind = (uint8_t)kind, .pad = (uint16_t)c->pad };
    c->pad = 0;
    c->number_at = -1;
    return step;
}

/* A step that reads digits, behind others or as the first of them. */
static struct pattern_step *add_digits(struct pattern_compiler *c, enum step_kind kind,
                                       const struct letter *letter, uint32_t min, uint32_t max,
                                       enum number_sign sign)
{
    int32_t first = c->number_at;
    bool is_padded = c->pad > 0;
    bool is_fixed = min == max && sign == SIGN_NONE;
    struct pattern_step *step = add_step(c, kind);

    step->field = letter->field;
    step->min_width = (uint8_t)min;
    step->max_width = (uint8_t)max;
    step->sign = (uint8_t)sign;
    if (first >= 0 && is_fixed) {
        c->steps[first].following = (uint16_t)(c->steps[first].following + max);
        c->number_at = first;
    } else if (!is_padded) {
        c->number_at = (int32_t)c->count - 1;
    }
    return step;
}

/* Goes on with a literal that stands directly in front of it. */
static bool extend_literal(struct pattern_step *last, struct bytes text)
{
    if (last->kind != STEP_LITERAL || last->text.data + last->text.len != text.data) {
        return false;
    }
    last->text.len += text.len;
    return true;
}

static void add_literal(struct pattern_compiler *c, struct bytes text)
{
    if (c->count == 0 || !extend_literal(&c->steps[c->count - 1], text)) {
        add_step(c, STEP_LITERAL)->text = text;
    }
}

static void refuse(struct pattern_compiler *c, size_t at, const char *what, struct bytes culprit)
{
    error_set(c->err, ERR_EVALUATE, NO_POSITION, "%s '%.*s' at position %zu of the pattern", what,
              BYTES_ARG(culprit), at + 1);
}

/* --- letters --- */

static bool refuse_count(struct pattern_compiler *c, uint32_t count)
{
    refuse(c, c->at - count, "A letter may not stand so often, or has to stand more often:",
           (struct bytes){ c->text.data + c->at - count, count });
    return false;
}

static bool add_name(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    struct pattern_step *step = add_step(c, STEP_NAME);

    step->field = letter->field;
    step->style = count == 5 ? NAME_NARROW : count == 4 ? NAME_FULL : NAME_SHORT;
    return true;
}

static bool add_number(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    if (count == 1) {
        add_digits(c, STEP_NUMBER, letter, 1, LONGEST_NUMBER, SIGN_MINUS);
    } else {
        add_digits(c, STEP_NUMBER, letter, count, count, SIGN_NONE);
    }
    return true;
}

static bool add_number_or_name(struct pattern_compiler *c, const struct letter *letter,
                               uint32_t count)
{
    return count < 3 ? add_number(c, letter, count) : add_name(c, letter, count);
}

static bool add_year(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    if (count == 2) {
        add_digits(c, STEP_TWO_DIGIT_YEAR, letter, 2, 2, SIGN_NONE);
    } else {
        add_digits(c, STEP_NUMBER, letter, count, LONGEST_NUMBER,
                   count < 4 ? SIGN_MINUS : SIGN_PADDED);
    }
    return true;
}

static bool add_day_of_year(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    if (count == 1) {
        return add_number(c, letter, count);
    }
    add_digits(c, STEP_NUMBER, letter, count, 3, SIGN_NONE);
    return true;
}

static bool add_week(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    add_digits(c, STEP_NUMBER, letter, count, letter->max_count, SIGN_NONE);
    return true;
}

static bool add_local_weekday(struct pattern_compiler *c, const struct letter *letter,
                              uint32_t count)
{
    static const struct letter by_name = { .field = FIELD_DAY_OF_WEEK };

    if (count > 2) {
        return add_name(c, &by_name, count);
    }
    if (count == 2 && letter->letter == 'c') {
        return refuse_count(c, count);
    }
    add_digits(c, STEP_NUMBER, letter, count, count, SIGN_NONE);
    return true;
}

static bool add_long(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    add_digits(c, STEP_NUMBER, letter, count, LONGEST_NUMBER,
               letter->letter == 'g' ? SIGN_MINUS : SIGN_NONE);
    return true;
}

static bool add_fraction(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    add_digits(c, STEP_FRACTION, letter, count, count, SIGN_NONE);
    return true;
}

static bool add_offset(struct pattern_compiler *c, enum offset_form form, const char *zero)
{
    struct pattern_step *step = add_step(c, STEP_OFFSET);

    step->style = (uint8_t)form;
    step->text = bytes_of(zero);
    return true;
}

static bool add_offset_with_z(struct pattern_compiler *c, const struct letter *letter,
                              uint32_t count)
{
    return add_offset(c, (enum offset_form)(OFFSET_HHmm + count - 1), "Z");
}

static bool add_offset_without_z(struct pattern_compiler *c, const struct letter *letter,
                                 uint32_t count)
{
    const char *zero = count % 2 ? "+00:00" : "+0000";

    return add_offset(c, (enum offset_form)(OFFSET_HHmm + count - 1), count == 1 ? "+00" : zero);
}

static bool add_gmt_offset(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    if (count != 1 && count != 4) {
        return refuse_count(c, count);
    }
    add_step(c, STEP_GMT_OFFSET)->style = count == 4 ? NAME_FULL : NAME_SHORT;
    return true;
}

static bool add_any_offset(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    if (count < 4) {
        return add_offset(c, OFFSET_HHMM, "+0000");
    }
    return count == 4 ? add_gmt_offset(c, letter, count) : add_offset(c, OFFSET_HH_MM_ss, "Z");
}

static bool add_zone_id(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    if (count != 2) {
        return refuse_count(c, count);
    }
    add_step(c, STEP_ZONE_ID);
    return true;
}

static bool add_zone_name(struct pattern_compiler *c, const struct letter *letter, uint32_t count)
{
    add_step(c, STEP_ZONE_NAME)->style = count == 4 ? NAME_FULL : NAME_SHORT;
    return true;
}

static const struct letter all_letters[] = {
    { 'A', FIELD_MILLI_OF_DAY, LONGEST_NUMBER, add_long },
    { 'D', FIELD_DAY_OF_YEAR, 3, add_day_of_year },
    { 'E', FIELD_DAY_OF_WEEK, 5, add_name },
    { 'F', FIELD_DAY_OF_ALIGNED_WEEK, 1, add_number },
    { 'G', FIELD_ERA, 5, add_name },
    { 'H', FIELD_HOUR, 2, add_number },
    { 'K', FIELD_HOUR_AMPM, 2, add_number },
    { 'L', FIELD_MONTH, 5, add_number_or_name },
    { 'M', FIELD_MONTH, 5, add_number_or_name },
    { 'N', FIELD_NANO_OF_DAY, LONGEST_NUMBER, add_long },
    { 'O', FIELD_OFFSET, 4, add_gmt_offset },
    { 'Q', FIELD_QUARTER, 5, add_number_or_name },
    { 'S', FIELD_NANO, DEEPEST_FRACTION, add_fraction },
    { 'V', FIELD_REGION, 2, add_zone_id },
    { 'W', FIELD_WEEK_OF_MONTH, 1, add_week },
    { 'X', FIELD_OFFSET, 5, add_offset_with_z },
    { 'Y', FIELD_WEEK_YEAR, LONGEST_NUMBER, add_year },
    { 'Z', FIELD_OFFSET, 5, add_any_offset },
    { 'a', FIELD_AMPM, 1, add_name },
    { 'c', FIELD_LOCAL_DAY_OF_WEEK, 5, add_local_weekday },
    { 'd', FIELD_DAY, 2, add_number },
    { 'e', FIELD_LOCAL_DAY_OF_WEEK, 5, add_local_weekday },
    { 'g', FIELD_MODIFIED_JULIAN_DAY, LONGEST_NUMBER, add_long },
    { 'h', FIELD_CLOCK_HOUR_AMPM, 2, add_number },
    { 'k', FIELD_CLOCK_HOUR, 2, add_number },
    { 'm', FIELD_MINUTE, 2, add_number },
    { 'n', FIELD_NANO, LONGEST_NUMBER, add_long },
    { 'q', FIELD_QUARTER, 5, add_number_or_name },
    { 's', FIELD_SECOND, 2, add_number },
    { 'u', FIELD_YEAR, LONGEST_NUMBER, add_year },
    { 'w', FIELD_WEEK, 2, add_week },
    { 'x', FIELD_OFFSET, 5, add_offset_without_z },
    { 'y', FIELD_YEAR_OF_ERA, LONGEST_NUMBER, add_year },
    { 'z', FIELD_REGION, 4, add_zone_name },
};

/* --- the text --- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How often the letter at c->at stands there; reads over it. */
static uint32_t count_letter(struct pattern_compiler *c)
{
    size_t from = c->at;

    while (c->at < c->text.len && c->text.data[c->at] == c->text.data[from]) {
        c->at++;
    }
    return (uint32_t)(c->at - from);
}

static bool compile_letter(struct pattern_compiler *c)
{
    size_t from = c->at;
    char wanted = c->text.data[from];
    uint32_t count = count_letter(c);

    for (size_t i = 0; i < sizeof all_letters / sizeof *all_letters; i++) {
        const struct letter *letter = &all_letters[i];

        if (letter->letter == wanted) {
            return count <= letter->max_count ? letter->add(c, letter, count)
                                              : refuse_count(c, count);
        }
    }
    refuse(c, from, "Unknown letter", (struct bytes){ c->text.data + from, 1 });
    return false;
}

/* pp: the width of what the next letter gives. */
static bool compile_pad(struct pattern_compiler *c)
{
    size_t from = c->at;

    c->pad = count_letter(c);
    if (c->at == c->text.len || !is_letter(c->text.data[c->at])) {
        refuse(c, from, "A letter has to follow",
               (struct bytes){ c->text.data + from, c->at - from });
        return false;
    }
    return compile_letter(c);
}

/* 'text', in which '' is a quote; '' alone is one, too. */
static bool compile_quoted(struct pattern_compiler *c)
{
    size_t from = c->at++;
    char *text = arena_alloc(c->arena, c->text.len - from);
    size_t length = 0;

    for (; c->at < c->text.len; c->at++) {
        if (c->text.data[c->at] == '\'') {
            if (c->at + 1 == c->text.len || c->text.data[c->at + 1] != '\'') {
                break;
            }
            c->at++;
        }
        text[length++] = c->text.data[c->at];
    }
    if (c->at >= c->text.len) {
        refuse(c, from, "There is no end to the quote", (struct bytes){ "'", 1 });
        return false;
    }
    c->at++;
    add_literal(c, length ? (struct bytes){ text, length } : (struct bytes){ "'", 1 });
    return true;
}

static bool open_optional(struct pattern_compiler *c)
{
    if (c->depth == PATTERN_MAX_DEPTH) {
        refuse(c, c->at, "Optional sections are too deep:", (struct bytes){ "[", 1 });
        return false;
    }
    c->open[c->depth++] = c->count;
    add_step(c, STEP_OPTIONAL);
    c->at++;
    return true;
}

static bool close_optional(struct pattern_compiler *c)
{
    if (c->depth == 0) {
        refuse(c, c->at, "Nothing is open for", (struct bytes){ "]", 1 });
        return false;
    }
    c->steps[c->open[--c->depth]].end = (uint16_t)c->count;
    add_step(c, STEP_OPTIONAL_END);
    c->at++;
    return true;
}

static bool compile_next(struct pattern_compiler *c)
{
    char next = c->text.data[c->at];

    switch (next) {
    case 'p':
        return compile_pad(c);
    case '\'':
        return compile_quoted(c);
    case '[':
        return open_optional(c);
    case ']':
        return close_optional(c);
    case '{':
    case '}':
    case '#':
        refuse(c, c->at, "Reserved is", (struct bytes){ c->text.data + c->at, 1 });
        return false;
    default:
        if (is_letter(next)) {
            return compile_letter(c);
        }
        add_literal(c, (struct bytes){ c->text.data + c->at++, 1 });
        return true;
    }
}

/* A number has 19 digits and a sign at most, a name or an offset fewer than that. */
static size_t longest_print(const struct pattern_step *step)
{
    size_t longest = 20;

    if (step->kind == STEP_LITERAL) {
        longest = step->text.len;
    } else if (step->kind == STEP_ZONE_ID || step->kind == STEP_ZONE_NAME) {
        longest = ZONE_NAME_MAX;
    }
    return longest > step->pad ? longest : step->pad;
}

static void sum_up(struct java_pattern *pattern, uint32_t step_count)
{
    for (uint32_t i = 0; i < step_count; i++) {
        const struct pattern_step *step = &pattern->steps[i];

        pattern->print_max += longest_print(step);
        if (step->kind == STEP_NUMBER || step->kind == STEP_TWO_DIGIT_YEAR ||
            step->kind == STEP_FRACTION || step->kind == STEP_NAME) {
            pattern->fields |= FIELD_BIT(step->field);
        }
        pattern->has_zone_names = pattern->has_zone_names || step->kind == STEP_ZONE_NAME;
    }
}

bool java_pattern_has_zone_names(const struct java_pattern *pattern)
{
    return pattern->has_zone_names;
}

size_t java_pattern_print_max(const struct java_pattern *pattern)
{
    return pattern->print_max;
}

int java_pattern_compile(struct arena *arena, struct bytes text, const struct java_pattern **out,
                         struct error *err)
{
    struct java_pattern *pattern;
    struct pattern_compiler c = { .arena = arena, .number_at = -1, .err = err };

    if (text.len > PATTERN_MAX_LENGTH) {
        return error_set(err, ERR_EVALUATE, NO_POSITION,
                         "The pattern has %zu bytes; it can have %d", text.len, PATTERN_MAX_LENGTH);
    }
    c.text = arena_copy(arena, text);
    /* A section that is left open needs an end that no character stands for. */
    c.steps = arena_array(arena, struct pattern_step, text.len + PATTERN_MAX_DEPTH + 1);
    while (c.at < c.text.len) {
        if (!compile_next(&c)) {
            return ERR_EVALUATE;
        }
    }
    while (c.depth > 0) {
        close_optional(&c);
    }
    add_step(&c, STEP_OPTIONAL_END);
    pattern = arena_new(arena, struct java_pattern);
    pattern->steps = c.steps;
    sum_up(pattern, c.count);
    *out = pattern;
    return 0;
}
