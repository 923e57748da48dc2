/*
 * java_pattern_parse.c: text becomes fields, step by step.
 *
 * An optional section that does not fit is undone and passed over. Letters match in any case,
 * spaces are characters like others, and a field that is read twice has to be the same twice.
 * Java counts in UTF-16 and this in bytes: only literals can be other than ASCII, and those are
 * the same either way.
 */
#include <string.h>

#include "engine/type/java_pattern_internal.h"

struct pattern_cursor {
    const char *at;
    const char *end;
};

/* What an optional section goes back to. */
struct saved_point {
    const struct pattern_step *section;
    const char *at;
    struct time_fields fields;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char to_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static size_t bytes_left(const struct pattern_cursor *c)
{
    return (size_t)(c->end - c->at);
}

static bool take_text(struct pattern_cursor *c, const char *text, size_t length)
{
    if (length > bytes_left(c)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (c->at[i] != text[i] && to_lower(c->at[i]) != to_lower(text[i])) {
            return false;
        }
    }
    c->at += length;
    return true;
}

/* --- numbers --- */

/* A sign, where one may stand. False: one stands where none may. */
static bool take_sign(struct pattern_cursor *c, enum number_sign sign, char *out)
{
    *out = 0;
    if (c->at < c->end && (*c->at == '+' || *c->at == '-')) {
        if (sign == SIGN_NONE || (*c->at == '+' && sign == SIGN_MINUS)) {
            return false;
        }
        *out = *c->at++;
    }
    return true;
}

/* So many digits; beyond what any field can be it stays at the largest number. */
static int64_t number_of_digits(const char *at, size_t count)
{
    int64_t number = 0;

    for (size_t i = 0; i < count; i++) {
        if (__builtin_mul_overflow(number, (int64_t)10, &number) ||
            __builtin_add_overflow(number, (int64_t)(at[i] - '0'), &number)) {
            return INT64_MAX;
        }
    }
    return number;
}

/* The digits of this number; those of the fixed ones that follow are left to them. */
static bool count_digits(const struct pattern_cursor *c, const struct pattern_step *step,
                         size_t *out)
{
    size_t most = (size_t)step->max_width + step->following;
    size_t count = 0;

    most = most < bytes_left(c) ? most : bytes_left(c);
    while (count < most && is_digit(c->at[count])) {
        count++;
    }
    if (count < step->min_width) {
        return false;
    }
    if (step->following) {
        count = count > (size_t)step->min_width + step->following ? count - step->following
                                                                  : step->min_width;
    }
    *out = count;
    return true;
}

static bool parse_number(struct pattern_cursor *c, const struct pattern_step *step,
                         struct time_fields *fields)
{
    char sign;
    size_t count;
    int64_t number;

    if (!take_sign(c, (enum number_sign)step->sign, &sign) || !count_digits(c, step, &count)) {
        return false;
    }
    number = number_of_digits(c->at, count);
    c->at += count;
    if (sign == '-') {
        number = -number;
        return number != 0 && put_field(fields, (enum time_field)step->field, number);
    }
    if (step->sign == SIGN_PADDED && (sign == '+') != (count > step->min_width)) {
        return false;
    }
    return put_field(fields, (enum time_field)step->field, number);
}

static bool parse_two_digit_year(struct pattern_cursor *c, const struct pattern_step *step,
                                 struct time_fields *fields)
{
    size_t count;

    if (!count_digits(c, step, &count)) {
        return false;
    }
    c->at += count;
    return put_field(fields, (enum time_field)step->field,
                     2000 + number_of_digits(c->at - count, count));
}

static bool parse_fraction(struct pattern_cursor *c, const struct pattern_step *step,
                           struct time_fields *fields)
{
    int64_t nanos = 0;
    int64_t unit = 100000000;

    if (bytes_left(c) < step->max_width) {
        return false;
    }
    for (unsigned i = 0; i < step->max_width; i++, unit /= 10) {
        if (!is_digit(*c->at)) {
            return false;
        }
        nanos += (*c->at++ - '0') * unit;
    }
    return put_field(fields, (enum time_field)step->field, nanos);
}

/* --- names --- */

static bool take_name(struct pattern_cursor *c, const struct time_name *names, int64_t *value)
{
    for (; names->text; names++) {
        if (take_text(c, names->text, names->length)) {
            *value = names->value;
            return true;
        }
    }
    return false;
}

/* Full and abbreviated names both do, whichever the pattern has. */
static bool parse_name(struct pattern_cursor *c, const struct pattern_step *step,
                       struct time_fields *fields)
{
    enum time_field field = (enum time_field)step->field;
    int64_t value;
    bool found;

    if (step->style == NAME_NARROW) {
        found = take_name(c, time_names_of(field, NAME_NARROW), &value);
    } else {
        found = take_name(c, time_names_of(field, NAME_FULL), &value) ||
                take_name(c, time_names_of(field, NAME_SHORT), &value);
    }
    return found && put_field(fields, field, value);
}

/* --- offsets --- */

/* Two digits up to 59, a colon before them if asked for; nothing is read if they are not there. */
static bool take_pair(struct pattern_cursor *c, bool with_colon, int64_t *out)
{
    const char *at = c->at + with_colon;

    if (bytes_left(c) < 2u + with_colon || (with_colon && *c->at != ':') || !is_digit(at[0]) ||
        !is_digit(at[1]) || at[0] > '5') {
        return false;
    }
    *out = (at[0] - '0') * 10 + (at[1] - '0');
    c->at = at + 2;
    return true;
}

static bool take_offset_sign(struct pattern_cursor *c, int64_t *sign)
{
    if (c->at == c->end || (*c->at != '+' && *c->at != '-')) {
        return false;
    }
    *sign = *c->at++ == '-' ? -1 : 1;
    return true;
}

static bool parse_offset(struct pattern_cursor *c, const struct pattern_step *step,
                         struct time_fields *fields)
{
    bool with_colon = step->style == OFFSET_HH_MM || step->style == OFFSET_HH_MM_ss;
    bool with_seconds = step->style == OFFSET_HHMMss || step->style == OFFSET_HH_MM_ss;
    int64_t sign;
    int64_t hours;
    int64_t minutes = 0;
    int64_t seconds = 0;

    if (take_text(c, step->text.data, step->text.len)) {
        return put_field(fields, FIELD_OFFSET, 0);
    }
    if (!take_offset_sign(c, &sign) || !take_pair(c, false, &hours)) {
        return false;
    }
    if (!take_pair(c, with_colon, &minutes) && step->style != OFFSET_HHmm) {
        return false;
    }
    if (with_seconds) {
        (void)take_pair(c, with_colon, &seconds); /* may be left out */
    }
    return hours < 24 &&
           put_field(fields, FIELD_OFFSET, sign * (hours * 3600 + minutes * 60 + seconds));
}

/* The hours of GMT+1 and GMT+01:30, which may do with one digit in the short form. */
static bool take_gmt_hours(struct pattern_cursor *c, const struct pattern_step *step,
                           int64_t *hours)
{
    bool is_one = step->style != NAME_FULL && (bytes_left(c) < 2 || !is_digit(c->at[1]));
    size_t most = is_one ? 1 : 2;

    if (bytes_left(c) < most || !is_digit(c->at[0]) || (most == 2 && !is_digit(c->at[1]))) {
        return false;
    }
    *hours = number_of_digits(c->at, most);
    c->at += most;
    return true;
}

static bool parse_gmt_offset(struct pattern_cursor *c, const struct pattern_step *step,
                             struct time_fields *fields)
{
    int64_t sign;
    int64_t hours;
    int64_t minutes = 0;
    int64_t seconds = 0;

    if (!take_text(c, "GMT", 3)) {
        return false;
    }
    if (!take_offset_sign(c, &sign)) {
        return put_field(fields, FIELD_OFFSET, 0);
    }
    if (!take_gmt_hours(c, step, &hours)) {
        return false;
    }
    if (!take_pair(c, true, &minutes)) {
        if (step->style == NAME_FULL) {
            return false;
        }
    } else {
        (void)take_pair(c, true, &seconds); /* may be left out */
    }
    return put_field(fields, FIELD_OFFSET, sign * (hours * 3600 + minutes * 60 + seconds));
}

static bool parse_zone(struct pattern_cursor *c, const struct pattern_step *step,
                       struct time_fields *fields)
{
    enum zone_text kind = step->kind == STEP_ZONE_NAME ? ZONE_IDS_AND_ABBREVIATIONS : ZONE_IDS;
    struct time_zone zone;
    struct bytes id;
    size_t length = time_zone_match((struct bytes){ c->at, bytes_left(c) }, kind, &id);

    if (length == 0 || time_zone_init(&zone, id, NULL)) {
        return false;
    }
    c->at += length;
    if (!zone.is_region) {
        return put_field(fields, FIELD_ZONE_OFFSET, zone.offset_ms / 1000);
    }
    fields->region = id;
    return put_field(fields, FIELD_REGION, 1);
}

/* --- steps --- */

static bool parse_bare(struct pattern_cursor *c, const struct pattern_step *step,
                       struct time_fields *fields)
{
    switch ((enum step_kind)step->kind) {
    case STEP_LITERAL:
        return take_text(c, step->text.data, step->text.len);
    case STEP_NUMBER:
        return parse_number(c, step, fields);
    case STEP_TWO_DIGIT_YEAR:
        return parse_two_digit_year(c, step, fields);
    case STEP_FRACTION:
        return parse_fraction(c, step, fields);
    case STEP_NAME:
        return parse_name(c, step, fields);
    case STEP_OFFSET:
        return parse_offset(c, step, fields);
    case STEP_GMT_OFFSET:
        return parse_gmt_offset(c, step, fields);
    case STEP_ZONE_ID:
    case STEP_ZONE_NAME:
        return parse_zone(c, step, fields);
    case STEP_OPTIONAL:
    case STEP_OPTIONAL_END:
        break;
    }
    return false;
}

/* As wide as the pattern says, spaces in front. */
static bool parse_padded(struct pattern_cursor *c, const struct pattern_step *step,
                         struct time_fields *fields)
{
    struct pattern_cursor field = { c->at, c->at + step->pad };

    if (bytes_left(c) < step->pad) {
        return false;
    }
    while (field.at < field.end && *field.at == ' ') {
        field.at++;
    }
    c->at = field.end;
    return parse_bare(&field, step, fields) && field.at == field.end;
}

/* Runs the steps; where they stop fitting, c is at the text that does not fit. */
static bool parse_steps(struct pattern_cursor *c, const struct pattern_step *steps,
                        struct time_fields *fields)
{
    struct saved_point saved[PATTERN_MAX_DEPTH];
    uint32_t depth = 0;

    for (const struct pattern_step *step = steps;; step++) {
        if (step->kind == STEP_OPTIONAL_END) {
            if (depth == 0) {
                return c->at == c->end;
            }
            depth--;
        } else if (step->kind == STEP_OPTIONAL) {
            saved[depth].section = step;
            saved[depth].at = c->at;
            saved[depth++].fields = *fields;
        } else if (!(step->pad ? parse_padded : parse_bare)(c, step, fields)) {
            if (depth == 0) {
                return false;
            }
            c->at = saved[--depth].at;
            *fields = saved[depth].fields;
            step = steps + saved[depth].section->end;
        }
    }
}

static int read_fields(const struct java_pattern *pattern, struct bytes text,
                       struct time_fields *fields, struct error *err)
{
    struct pattern_cursor c = { text.data, text.data + text.len };

    fields->present = 0;
    if (!parse_steps(&c, pattern->steps, fields)) {
        return error_set(err, ERR_COERCE, NO_POSITION,
                         "The text does not fit the pattern at position %zu",
                         (size_t)(c.at - text.data) + 1);
    }
    return 0;
}

int java_pattern_parse_timestamp(const struct java_pattern *pattern, struct bytes text,
                                 const struct time_zone *zone, int64_t *timestamp_ms,
                                 struct error *err)
{
    struct time_fields fields;

    TRY(read_fields(pattern, text, &fields, err));
    return time_fields_resolve(&fields, zone, timestamp_ms, err);
}

int java_pattern_parse_date(const struct java_pattern *pattern, struct bytes text, int64_t *days,
                            struct error *err)
{
    struct time_fields fields;

    TRY(read_fields(pattern, text, &fields, err));
    return time_fields_resolve_date(&fields, days, err);
}

int java_pattern_parse_time(const struct java_pattern *pattern, struct bytes text,
                            int64_t *ms_of_day, struct error *err)
{
    struct time_fields fields;

    TRY(read_fields(pattern, text, &fields, err));
    return time_fields_resolve_time(&fields, ms_of_day, err);
}
