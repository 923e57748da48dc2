/*
 * java_simple_date.c: a pattern is walked along the text, then the fields become a date as
 * GregorianCalendar does it: of several ways to say a day, the one that was read last counts.
 *
 * All years are of the Gregorian calendar, those before 1582, too.
 */
#include "engine/type/java_simple_date.h"

#include <string.h>

#include "engine/type/java_date.h"
#include "engine/type/java_pattern_internal.h"

enum { FIRST_SHORT_YEAR = 1946, MAX_DIGITS = 9, SUNDAY = 1 };

enum calendar_field {
    CALENDAR_ERA,
    CALENDAR_YEAR,
    CALENDAR_MONTH, /* 0: January */
    CALENDAR_DAY,
    CALENDAR_DAY_OF_YEAR,
    CALENDAR_DAY_OF_WEEK, /* 1: Sunday */
    CALENDAR_DAY_OF_WEEK_IN_MONTH,
    CALENDAR_WEEK,
    CALENDAR_WEEK_OF_MONTH,
    CALENDAR_WEEK_YEAR,
    CALENDAR_AMPM,
    CALENDAR_HOUR_AMPM,
    CALENDAR_HOUR,
    CALENDAR_MINUTE,
    CALENDAR_SECOND,
    CALENDAR_MILLI,
    CALENDAR_FIELD_COUNT
};

struct calendar {
    int64_t of[CALENDAR_FIELD_COUNT];
    uint32_t stamp[CALENDAR_FIELD_COUNT]; /* when it was read; 0: not at all */
    uint32_t last_stamp;
    struct bytes zone; /* id; absent: UTC */
};

struct simple_reader {
    struct bytes pattern;
    struct bytes text;
    size_t at; /* in the text */
    struct calendar calendar;
};

static void set_field(struct calendar *c, enum calendar_field field, int64_t value)
{
    c->of[field] = value;
    c->stamp[field] = ++c->last_stamp;
}

/* --- reading --- */

struct simple_letter {
    char letter;
    uint8_t field;         /* enum calendar_field */
    uint8_t names;         /* enum time_field that names the values; FIELD_COUNT: none */
    uint8_t least_letters; /* from which on it is a name */
};

static const struct simple_letter letters[] = {
    { 'G', CALENDAR_ERA, FIELD_ERA, 1 },
    { 'y', CALENDAR_YEAR, FIELD_COUNT, 0 },
    { 'Y', CALENDAR_WEEK_YEAR, FIELD_COUNT, 0 },
    { 'M', CALENDAR_MONTH, FIELD_MONTH, 3 },
    { 'L', CALENDAR_MONTH, FIELD_COUNT, 0 },
    { 'd', CALENDAR_DAY, FIELD_COUNT, 0 },
    { 'D', CALENDAR_DAY_OF_YEAR, FIELD_COUNT, 0 },
    { 'E', CALENDAR_DAY_OF_WEEK, FIELD_DAY_OF_WEEK, 1 },
    { 'u', CALENDAR_DAY_OF_WEEK, FIELD_COUNT, 0 },
    { 'F', CALENDAR_DAY_OF_WEEK_IN_MONTH, FIELD_COUNT, 0 },
    { 'w', CALENDAR_WEEK, FIELD_COUNT, 0 },
    { 'W', CALENDAR_WEEK_OF_MONTH, FIELD_COUNT, 0 },
    { 'a', CALENDAR_AMPM, FIELD_AMPM, 1 },
    { 'H', CALENDAR_HOUR, FIELD_COUNT, 0 },
    { 'k', CALENDAR_HOUR, FIELD_COUNT, 0 },
    { 'K', CALENDAR_HOUR_AMPM, FIELD_COUNT, 0 },
    { 'h', CALENDAR_HOUR_AMPM, FIELD_COUNT, 0 },
    { 'm', CALENDAR_MINUTE, FIELD_COUNT, 0 },
    { 's', CALENDAR_SECOND, FIELD_COUNT, 0 },
    { 'S', CALENDAR_MILLI, FIELD_COUNT, 0 },
};

static const char zone_letters[] = "zZX";

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const struct simple_letter *find_letter(char c)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        if (letters[i].letter == c) {
            return &letters[i];
        }
    }
    return NULL;
}

static size_t run_length(struct bytes pattern, size_t at)
{
    size_t end = at;

    while (end < pattern.len && pattern.data[end] == pattern.data[at]) {
        end++;
    }
    return end - at;
}

/* Behind a number stands another one: this one has as many digits as letters. */
static bool is_number_at(struct bytes pattern, size_t at)
{
    const struct simple_letter *letter =
        at < pattern.len && is_letter(pattern.data[at]) ? find_letter(pattern.data[at]) : NULL;

    return letter &&
           (letter->names == FIELD_COUNT || run_length(pattern, at) < letter->least_letters);
}

static bool skip_blanks(struct simple_reader *r)
{
    while (r->at < r->text.len && (r->text.data[r->at] == ' ' || r->text.data[r->at] == '\t')) {
        r->at++;
    }
    return r->at < r->text.len;
}

/* Up to `end`; digits behind a minus, perhaps. More than nine are refused. */
static bool read_number(struct simple_reader *r, size_t end, int64_t *out)
{
    bool is_negative = r->at < end && r->text.data[r->at] == '-';
    size_t first = r->at + is_negative;
    size_t at = first;
    int64_t number = 0;

    for (; at < end && is_digit(r->text.data[at]); at++) {
        if (at - first == MAX_DIGITS) {
            return false;
        }
        number = number * 10 + (r->text.data[at] - '0');
    }
    *out = is_negative ? -number : number;
    r->at = at;
    return at > first;
}

static int64_t long_year(int64_t year)
{
    int64_t century = FIRST_SHORT_YEAR / 100 * 100;

    return year + century + (year < FIRST_SHORT_YEAR % 100 ? 100 : 0);
}

/* What the letter's number stands for in the calendar. */
static int64_t calendar_value(char letter, int64_t number)
{
    switch (letter) {
    case 'M':
    case 'L':
        return number - 1;
    case 'k':
        return number == 24 ? 0 : number;
    case 'h':
        return number == 12 ? 0 : number;
    case 'u':
        return number >= 1 && number <= 7 ? number % 7 + 1 : number;
    default:
        return number;
    }
}

static bool read_number_field(struct simple_reader *r, const struct simple_letter *letter,
                              size_t count, size_t field_start, bool obey_count)
{
    size_t first = r->at;
    size_t end = obey_count ? field_start + count : r->text.len;
    int64_t number;

    if (end > r->text.len || !read_number(r, end, &number)) {
        return false;
    }
    if ((letter->letter == 'y' || letter->letter == 'Y') && count <= 2 && r->at - first == 2 &&
        is_digit(r->text.data[first])) {
        number = long_year(number);
    }
    set_field(&r->calendar, (enum calendar_field)letter->field,
              calendar_value(letter->letter, number));
    return true;
}

static size_t match_name(struct bytes text, const struct time_name *names, int64_t *value)
{
    for (; names->text; names++) {
        struct bytes head = { text.data, names->length };

        if (names->length <= text.len &&
            bytes_equal_nocase(head, (struct bytes){ names->text, names->length })) {
            *value = names->value;
            return names->length;
        }
    }
    return 0;
}

static bool read_name_field(struct simple_reader *r, const struct simple_letter *letter)
{
    enum time_field field = (enum time_field)letter->names;
    struct bytes rest = { r->text.data + r->at, r->text.len - r->at };
    int64_t value = 0;
    size_t length = match_name(rest, time_names_of(field, NAME_FULL), &value);

    if (length == 0) {
        length = match_name(rest, time_names_of(field, NAME_SHORT), &value);
    }
    if (letter->letter == 'M') {
        value--;
    } else if (letter->letter == 'E') {
        value = value % 7 + 1;
    }
    set_field(&r->calendar, (enum calendar_field)letter->field, value);
    r->at += length;
    return length > 0;
}

/* An id, an abbreviation or an offset. */
static bool read_zone(struct simple_reader *r)
{
    struct bytes rest = { r->text.data + r->at, r->text.len - r->at };
    size_t length = time_zone_match(rest, ZONE_IDS_AND_ABBREVIATIONS, &r->calendar.zone);

    r->at += length;
    return length > 0;
}

static bool read_literal(struct simple_reader *r, char wanted)
{
    return r->at < r->text.len && r->text.data[r->at++] == wanted;
}

/* 'text' and ''; *at is behind it. */
static bool read_quoted(struct simple_reader *r, size_t *at)
{
    struct bytes pattern = r->pattern;
    bool fits = true;

    if (*at + 1 < pattern.len && pattern.data[*at + 1] == '\'') {
        *at += 2;
        return read_literal(r, '\'');
    }
    for (++*at; *at < pattern.len; ++*at) {
        if (pattern.data[*at] == '\'') {
            if (*at + 1 == pattern.len || pattern.data[*at + 1] != '\'') {
                break;
            }
            ++*at;
        }
        fits = fits && read_literal(r, pattern.data[*at]);
    }
    ++*at;
    return fits;
}

static bool read_letters(struct simple_reader *r, size_t *at)
{
    char c = r->pattern.data[*at];
    const struct simple_letter *letter = find_letter(c);
    size_t count = run_length(r->pattern, *at);
    size_t field_start = r->at;
    bool is_number = is_number_at(r->pattern, *at);

    *at += count;
    if (!skip_blanks(r)) {
        return false;
    }
    if (is_number) {
        return read_number_field(r, letter, count, field_start, is_number_at(r->pattern, *at));
    }
    r->at = field_start; /* blanks are for numbers alone */
    return letter ? read_name_field(r, letter) : read_zone(r);
}

static bool read_fields(struct simple_reader *r)
{
    for (size_t at = 0; at < r->pattern.len;) {
        char c = r->pattern.data[at];
        bool fits;

        if (c == '\'') {
            fits = read_quoted(r, &at);
        } else if (is_letter(c)) {
            fits = read_letters(r, &at);
        } else {
            fits = read_literal(r, c);
            at++;
        }
        if (!fits) {
            return false;
        }
    }
    return true;
}

/* --- the pattern alone --- */

static int check_pattern(struct bytes pattern, struct error *err)
{
    bool is_quoted = false;

    for (size_t at = 0; at < pattern.len; at++) {
        char c = pattern.data[at];

        if (c == '\'') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && is_letter(c) &&
                   ((!find_letter(c) && !strchr(zone_letters, c)) ||
                    (c == 'L' && run_length(pattern, at) > 2))) {
            return error_set(err, ERR_EVALUATE, NO_POSITION,
                             "Unknown letter '%c' at position %zu of the pattern", c, at + 1);
        }
    }
    return is_quoted ? error_set(err, ERR_EVALUATE, NO_POSITION,
                                 "There is no end to a quote of the pattern")
                     : 0;
}

/* --- the date --- */

static int64_t weekday_of(int64_t days)
{
    return ((days % 7) + 7 + 4) % 7 + 1;
}

/* The last such weekday up to that day; a weekday beyond the week counts on. */
static int64_t weekday_at_or_before(int64_t days, int64_t weekday)
{
    int64_t back = (weekday_of(days) - weekday) % 7;

    return days - (back < 0 ? back + 7 : back);
}

static int64_t field_or(const struct calendar *c, enum calendar_field field, int64_t otherwise)
{
    return c->stamp[field] ? c->of[field] : otherwise;
}

/* The Sunday of the week that a month's or year's first day is in. */
static int64_t first_week(int64_t first)
{
    return weekday_at_or_before(first, SUNDAY);
}

static int64_t year_of(const struct calendar *c)
{
    int64_t year = field_or(c, CALENDAR_YEAR, 1970);

    return field_or(c, CALENDAR_ERA, 1) == 0 ? 1 - year : year;
}

static int64_t first_of_month(int64_t year, int64_t month)
{
    int64_t years = month / 12 - (month % 12 < 0);

    return java_date_to_days(
        (struct java_date){ year + years, (uint32_t)(month - years * 12) + 1, 1 });
}

static int64_t day_by_week(const struct calendar *c, int64_t first, enum calendar_field week)
{
    int64_t weekday = field_or(c, CALENDAR_DAY_OF_WEEK, SUNDAY);

    return weekday_at_or_before(first_week(first) + 6, weekday) + 7 * (field_or(c, week, 1) - 1);
}

static int64_t day_by_weekday_in_month(const struct calendar *c, int64_t year, int64_t month)
{
    int64_t first = first_of_month(year, month);
    int64_t weekday = field_or(c, CALENDAR_DAY_OF_WEEK, SUNDAY);
    int64_t number = field_or(c, CALENDAR_DAY_OF_WEEK_IN_MONTH, 1);

    if (number >= 0) {
        return weekday_at_or_before(first + 7 * number - 1, weekday);
    }
    return weekday_at_or_before(first_of_month(year, month + 1) + 7 * (number + 1) - 1, weekday);
}

/* Of two fields that say a day together: the later one; 0: one of them is missing. */
static uint32_t both_stamps(uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0) {
        return 0;
    }
    return a > b ? a : b;
}

static uint32_t later(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The way to say a day that was read last. */
static enum calendar_field latest_way(const struct calendar *c)
{
    static const enum calendar_field ways[] = { CALENDAR_DAY, CALENDAR_WEEK_OF_MONTH,
                                                CALENDAR_DAY_OF_WEEK_IN_MONTH, CALENDAR_DAY_OF_YEAR,
                                                CALENDAR_WEEK };
    uint32_t weekday = c->stamp[CALENDAR_DAY_OF_WEEK];
    enum calendar_field best = CALENDAR_DAY;
    uint32_t best_stamp = 0;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        bool needs_weekday = ways[i] != CALENDAR_DAY && ways[i] != CALENDAR_DAY_OF_YEAR;
        uint32_t stamp =
            needs_weekday ? both_stamps(c->stamp[ways[i]], weekday) : c->stamp[ways[i]];

        if (stamp > best_stamp) {
            best = ways[i];
            best_stamp = stamp;
        }
    }
    if (best_stamp == 0) { /* a week alone, or a weekday, which is that of the month's first */
        uint32_t in_month = later(c->stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH], weekday);

        best_stamp = c->stamp[CALENDAR_WEEK_OF_MONTH];
        best = best_stamp ? CALENDAR_WEEK_OF_MONTH : CALENDAR_DAY;
        if (in_month > best_stamp) {
            best = CALENDAR_DAY_OF_WEEK_IN_MONTH;
            best_stamp = in_month;
        }
        best = c->stamp[CALENDAR_WEEK] > best_stamp ? CALENDAR_WEEK : best;
    }
    return best;
}

/*
 * A weekday beyond the week is of another week, and then counted from Monday: so does Java, which
 * turns only that into a number from Sunday.
 */
static int64_t day_of_week_year(const struct calendar *c)
{
    int64_t first = java_date_to_days((struct java_date){ c->of[CALENDAR_WEEK_YEAR], 1, 1 });
    int64_t week = field_or(c, CALENDAR_WEEK, 1) - 1;
    int64_t from_sunday = field_or(c, CALENDAR_DAY_OF_WEEK, SUNDAY) - 1;

    if (from_sunday < 0 || from_sunday > 6) {
        int64_t weeks = from_sunday / 7 - (from_sunday % 7 < 0);

        week += weeks;
        from_sunday = (from_sunday - 7 * weeks + 1) % 7;
    }
    return first_week(first) + 7 * week + from_sunday;
}

static int64_t calendar_days(const struct calendar *c)
{
    int64_t year = year_of(c);
    int64_t month = field_or(c, CALENDAR_MONTH, 0);
    int64_t new_year = first_of_month(year, 0);

    if (c->stamp[CALENDAR_WEEK_YEAR] > c->stamp[CALENDAR_YEAR]) {
        return day_of_week_year(c);
    }
    switch (latest_way(c)) {
    case CALENDAR_WEEK_OF_MONTH:
        return day_by_week(c, first_of_month(year, month), CALENDAR_WEEK_OF_MONTH);
    case CALENDAR_DAY_OF_WEEK_IN_MONTH:
        return day_by_weekday_in_month(c, year, month);
    case CALENDAR_DAY_OF_YEAR:
        return new_year + c->of[CALENDAR_DAY_OF_YEAR] - 1;
    case CALENDAR_WEEK:
        return day_by_week(c, new_year, CALENDAR_WEEK);
    default:
        return first_of_month(year, month) + field_or(c, CALENDAR_DAY, 1) - 1;
    }
}

static int64_t calendar_time(const struct calendar *c)
{
    uint32_t half = both_stamps(c->stamp[CALENDAR_HOUR_AMPM], c->stamp[CALENDAR_AMPM]);
    int64_t hour = field_or(c, CALENDAR_HOUR, 0);

    if (half > c->stamp[CALENDAR_HOUR] || !c->stamp[CALENDAR_HOUR]) {
        hour = field_or(c, CALENDAR_HOUR_AMPM, 0) + 12 * field_or(c, CALENDAR_AMPM, 0);
    }
    return ((hour * 60 + field_or(c, CALENDAR_MINUTE, 0)) * 60 + field_or(c, CALENDAR_SECOND, 0)) *
               MS_PER_SECOND +
           field_or(c, CALENDAR_MILLI, 0);
}

int java_simple_date_parse(struct bytes pattern, struct bytes text, int64_t *days,
                           struct error *err)
{
    struct simple_reader r = { .pattern = pattern, .text = text };
    struct time_zone zone;
    int64_t local_ms;

    TRY(check_pattern(pattern, err));
    if (!read_fields(&r) || r.at == 0) {
        return error_set(err, ERR_COERCE, NO_POSITION,
                         "The text does not fit the pattern at position %zu", r.at + 1);
    }
    if (__builtin_mul_overflow(calendar_days(&r.calendar), (int64_t)MS_PER_DAY, &local_ms) ||
        __builtin_add_overflow(local_ms, calendar_time(&r.calendar), &local_ms)) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The date is out of range");
    }
    if (r.calendar.zone.data) {
        TRY(time_zone_init(&zone, r.calendar.zone, err));
        local_ms -= time_zone_offset_of_local(&zone, local_ms).ms;
    }
    if (java_timestamp_time(local_ms) != 0) {
        return error_set(err, ERR_COERCE, NO_POSITION,
                         "The text has a time of day; a date has none");
    }
    if (java_timestamp_day(local_ms) < INT32_MIN || java_timestamp_day(local_ms) > INT32_MAX) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The date is out of range");
    }
    *days = java_timestamp_day(local_ms);
    return 0;
}
