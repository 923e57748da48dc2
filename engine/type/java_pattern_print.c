/*
 * java_pattern_print.c: a moment becomes text, step by step.
 *
 * An optional section is printed if the moment has all that is in it. A number has at least its
 * letters' width; one that has more digits than a fixed width is refused.
 */
#include <string.h>

#include "engine/type/java_date.h"
#include "engine/type/java_pattern_internal.h"

enum { NANOS_PER_MS = 1000000, MS_PER_HOUR = 3600000, MS_PER_MINUTE = 60000 };

struct printer {
    const struct java_moment *moment;
    uint32_t present; /* FIELD_BIT of what the moment has */
    int64_t of[FIELD_COUNT];
    char *at;
};

struct java_moment java_moment_of_timestamp(int64_t timestamp_ms, const struct time_zone *zone)
{
    struct zone_offset offset = time_zone_offset(zone, timestamp_ms);
    int64_t local_ms;

    if (__builtin_add_overflow(timestamp_ms, offset.ms, &local_ms)) {
        local_ms = timestamp_ms; /* 292 million years away */
    }
    return (struct java_moment){ .has_date = true,
                                 .has_time = true,
                                 .zone = zone,
                                 .days = java_timestamp_day(local_ms),
                                 .ms_of_day = java_timestamp_time(local_ms),
                                 .offset = offset };
}

static void fields_of_time(int64_t ms_of_day, int64_t of[FIELD_COUNT])
{
    int64_t hour = ms_of_day / MS_PER_HOUR;

    of[FIELD_AMPM] = hour / 12;
    of[FIELD_HOUR] = hour;
    of[FIELD_CLOCK_HOUR] = hour == 0 ? 24 : hour;
    of[FIELD_HOUR_AMPM] = hour % 12;
    of[FIELD_CLOCK_HOUR_AMPM] = hour % 12 == 0 ? 12 : hour % 12;
    of[FIELD_MINUTE] = ms_of_day / MS_PER_MINUTE % 60;
    of[FIELD_SECOND] = ms_of_day / MS_PER_SECOND % 60;
    of[FIELD_NANO] = ms_of_day % MS_PER_SECOND * NANOS_PER_MS;
    of[FIELD_MILLI_OF_DAY] = ms_of_day;
    of[FIELD_NANO_OF_DAY] = ms_of_day * NANOS_PER_MS;
}

/* --- numbers --- */

static void put_bytes(struct printer *p, const char *text, size_t length)
{
    if (length) {
        memcpy(p->at, text, length);
        p->at += length;
    }
}

static void put_digits(struct printer *p, uint64_t number, unsigned width)
{
    char digits[20];
    unsigned count = 0;

    do {
        digits[sizeof digits - ++count] = (char)('0' + number % 10);
        number /= 10;
    } while (number || count < width);
    put_bytes(p, digits + sizeof digits - count, count);
}

static unsigned digit_count(uint64_t number)
{
    unsigned count = 1;

    while (number >= 10) {
        number /= 10;
        count++;
    }
    return count;
}

static bool print_number(struct printer *p, const struct pattern_step *step)
{
    int64_t number = p->of[step->field];
    uint64_t size = number < 0 ? (uint64_t)-number : (uint64_t)number;
    unsigned count = digit_count(size);

    if (count > step->max_width || (number < 0 && step->sign == SIGN_NONE)) {
        return false;
    }
    if (number < 0 || (step->sign == SIGN_PADDED && count > step->min_width)) {
        *p->at++ = number < 0 ? '-' : '+';
    }
    put_digits(p, size, step->min_width);
    return true;
}

static bool print_two_digit_year(struct printer *p, const struct pattern_step *step)
{
    int64_t year = p->of[step->field];

    put_digits(p, (uint64_t)(year < 0 ? -year : year) % 100, 2);
    return true;
}

static bool print_fraction(struct printer *p, const struct pattern_step *step)
{
    uint64_t fraction = (uint64_t)p->of[step->field];

    for (unsigned digits = 9; digits > step->max_width; digits--) {
        fraction /= 10;
    }
    put_digits(p, fraction, step->max_width);
    return true;
}

static bool print_name(struct printer *p, const struct pattern_step *step)
{
    const struct time_name *name =
        time_names_of((enum time_field)step->field, (enum name_style)step->style);

    while (name->text && name->value != p->of[step->field]) {
        name++;
    }
    put_bytes(p, name->text, name->length);
    return name->text != NULL;
}

/* --- offsets --- */

static bool print_offset(struct printer *p, const struct pattern_step *step)
{
    int64_t seconds = p->moment->offset.ms / MS_PER_SECOND;
    uint64_t size = (uint64_t)(seconds < 0 ? -seconds : seconds);
    bool with_colon = step->style == OFFSET_HH_MM || step->style == OFFSET_HH_MM_ss;
    bool may_have_seconds = step->style == OFFSET_HHMMss || step->style == OFFSET_HH_MM_ss;

    if (size < 60 && !(may_have_seconds && size > 0)) {
        put_bytes(p, step->text.data, step->text.len);
        return true;
    }
    *p->at++ = seconds < 0 ? '-' : '+';
    put_digits(p, size / 3600, 2);
    if (step->style != OFFSET_HHmm || size / 60 % 60) {
        put_bytes(p, ":", with_colon);
        put_digits(p, size / 60 % 60, 2);
    }
    if (may_have_seconds && size % 60) {
        put_bytes(p, ":", with_colon);
        put_digits(p, size % 60, 2);
    }
    return true;
}

static bool print_gmt_offset(struct printer *p, const struct pattern_step *step)
{
    int64_t seconds = p->moment->offset.ms / MS_PER_SECOND;
    uint64_t size = (uint64_t)(seconds < 0 ? -seconds : seconds);
    bool is_full = step->style == NAME_FULL;

    put_bytes(p, "GMT", 3);
    if (seconds == 0) {
        return true;
    }
    *p->at++ = seconds < 0 ? '-' : '+';
    put_digits(p, size / 3600, is_full ? 2 : 1);
    if (is_full || size % 3600) {
        *p->at++ = ':';
        put_digits(p, size / 60 % 60, 2);
    }
    if (size % 60) {
        *p->at++ = ':';
        put_digits(p, size % 60, 2);
    }
    return true;
}

static bool print_zone(struct printer *p, const struct pattern_step *step)
{
    const struct time_zone *zone = p->moment->zone;
    enum zone_name name = step->style == NAME_FULL ? ZONE_LONG : ZONE_SHORT;

    if (step->kind == STEP_ZONE_ID) {
        put_bytes(p, zone->id, zone->id_length);
        return true;
    }
    name = (enum zone_name)(name + p->moment->offset.is_summer);
    put_bytes(p, zone->names[name].data, zone->names[name].len);
    return true;
}

/* --- steps --- */

static bool print_bare(struct printer *p, const struct pattern_step *step)
{
    switch ((enum step_kind)step->kind) {
    case STEP_LITERAL:
        put_bytes(p, step->text.data, step->text.len);
        return true;
    case STEP_NUMBER:
        return p->present >> step->field & 1 && print_number(p, step);
    case STEP_TWO_DIGIT_YEAR:
        return p->present >> step->field & 1 && print_two_digit_year(p, step);
    case STEP_FRACTION:
        return p->present >> step->field & 1 && print_fraction(p, step);
    case STEP_NAME:
        return p->present >> step->field & 1 && print_name(p, step);
    case STEP_OFFSET:
        return p->moment->zone && print_offset(p, step);
    case STEP_GMT_OFFSET:
        return p->moment->zone && print_gmt_offset(p, step);
    case STEP_ZONE_ID:
    case STEP_ZONE_NAME:
        return p->moment->zone && print_zone(p, step);
    case STEP_OPTIONAL:
    case STEP_OPTIONAL_END:
        break;
    }
    return false;
}

/* Spaces in front, up to the width; more than that is refused. */
static bool print_padded(struct printer *p, const struct pattern_step *step)
{
    char *from = p->at;
    size_t length;

    if (!print_bare(p, step)) {
        return false;
    }
    length = (size_t)(p->at - from);
    if (length > step->pad) {
        return false;
    }
    memmove(from + step->pad - length, from, length);
    memset(from, ' ', step->pad - length);
    p->at = from + step->pad;
    return true;
}

/* Whether the moment has all that the section prints, sections within it aside. */
static bool has_section(const struct printer *p, const struct pattern_step *section,
                        const struct pattern_step *steps)
{
    const struct pattern_step *end = steps + section->end;

    for (const struct pattern_step *step = section + 1; step < end; step++) {
        if (step->kind == STEP_OPTIONAL) {
            step = steps + step->end;
        } else if (step->kind == STEP_OFFSET || step->kind == STEP_GMT_OFFSET ||
                   step->kind == STEP_ZONE_ID || step->kind == STEP_ZONE_NAME) {
            if (!p->moment->zone) {
                return false;
            }
        } else if (step->kind != STEP_LITERAL && !(p->present >> step->field & 1)) {
            return false;
        }
    }
    return true;
}

static bool print_steps(struct printer *p, const struct pattern_step *steps)
{
    uint32_t depth = 0;

    for (const struct pattern_step *step = steps;; step++) {
        if (step->kind == STEP_OPTIONAL_END) {
            if (depth-- == 0) {
                return true;
            }
        } else if (step->kind == STEP_OPTIONAL) {
            if (has_section(p, step, steps)) {
                depth++;
            } else {
                step = steps + step->end;
            }
        } else if (!(step->pad ? print_padded : print_bare)(p, step)) {
            return false;
        }
    }
}

int java_pattern_print(const struct java_pattern *pattern, const struct java_moment *moment,
                       char *out, size_t *length, struct error *err)
{
    struct printer p = { .moment = moment, .at = out };

    if (moment->has_date) {
        p.present |= DATE_FIELDS;
        time_fields_of_date(moment->days, pattern->fields, p.of);
    }
    if (moment->has_time) {
        p.present |= TIME_FIELDS;
        fields_of_time(moment->ms_of_day, p.of);
    }
    if (!print_steps(&p, pattern->steps)) {
        return error_set(err, ERR_COERCE, NO_POSITION,
                         "The pattern asks for what is not there, or for too few digits");
    }
    *length = (size_t)(p.at - out);
    return 0;
}
