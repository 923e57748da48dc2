/*
 * java_date.c: dates and times as numbers and as ISO text.
 *
 * The calendar counts in 400-year eras that begin on the 1st of March, so that
 * the leap day is the last of a year and months need no table.
 */
#include "engine/type/java_date.h"

#include <string.h>

enum {
    DAYS_PER_ERA = 146097,
    YEARS_PER_ERA = 400,
    DAYS_FROM_ERA_TO_1970 = 719468, /* 0000-03-01 to 1970-01-01 */
    MAX_YEAR_DIGITS = 9,
    MAX_OFFSET_SECONDS = 18 * 3600
};

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

uint32_t java_date_month_days(int64_t year, uint32_t month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (uint32_t)(month == 2 && is_leap(year));
}

/* A number that is no day comes from a damaged row at best; any text will do for it. */
static int64_t limited(int64_t days)
{
    const int64_t most = INT64_C(1000000000000);

    if (days > most) {
        return most;
    }
    return days < -most ? -most : days;
}

struct java_date java_date_of_days(int64_t days)
{
    int64_t shifted = limited(days) + DAYS_FROM_ERA_TO_1970;
    int64_t era = floor_divide(shifted, DAYS_PER_ERA);
    uint32_t day_of_era = (uint32_t)(shifted - era * DAYS_PER_ERA);
    /* Without the leap days before it, every year of the era has 365 days. */
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_from_march = (5 * day_of_year + 2) / 153;
    struct java_date date;

    date.day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    date.month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    date.year = era * YEARS_PER_ERA + year_of_era + (date.month <= 2);
    return date;
}

int64_t java_date_to_days(struct java_date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = floor_divide(year, YEARS_PER_ERA);
    uint32_t year_of_era = (uint32_t)(year - era * YEARS_PER_ERA);
    uint32_t month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
    uint32_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_PER_ERA + day_of_era - DAYS_FROM_ERA_TO_1970;
}

int64_t java_timestamp_day(int64_t timestamp_ms)
{
    return floor_divide(timestamp_ms, MS_PER_DAY);
}

int64_t java_timestamp_time(int64_t timestamp_ms)
{
    int64_t ms = timestamp_ms % MS_PER_DAY;

    return ms < 0 ? ms + MS_PER_DAY : ms;
}

/* --- printing --- */

static char *put_digits(char *to, uint64_t number, int width)
{
    char digits[20];
    int count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number || count < width);
    while (count > 0) {
        *to++ = digits[--count];
    }
    return to;
}

/* Four digits at least; a sign in front of more than four, and of years before year 0. */
static char *put_date(char *to, struct java_date date)
{
    if (date.year < 0 || date.year > 9999) {
        *to++ = date.year < 0 ? '-' : '+';
    }
    to = put_digits(to, (uint64_t)(date.year < 0 ? -date.year : date.year), 4);
    *to++ = '-';
    to = put_digits(to, date.month, 2);
    *to++ = '-';
    return put_digits(to, date.day, 2);
}

static char *put_hour_and_minute(char *to, uint32_t seconds)
{
    to = put_digits(to, seconds / 3600, 2);
    *to++ = ':';
    return put_digits(to, seconds / 60 % 60, 2);
}

size_t java_date_print(int64_t days, char out[JAVA_DATE_MAX])
{
    return (size_t)(put_date(out, java_date_of_days(days)) - out);
}

size_t java_time_print(int64_t ms_of_day, char out[JAVA_DATE_MAX])
{
    uint32_t seconds = (uint32_t)(java_timestamp_time(ms_of_day) / MS_PER_SECOND);
    char *to = put_hour_and_minute(out, seconds);

    if (seconds % 60) {
        *to++ = ':';
        to = put_digits(to, seconds % 60, 2);
    }
    return (size_t)(to - out);
}

size_t java_timestamp_print(int64_t timestamp_ms, char out[JAVA_DATE_MAX])
{
    struct java_date date = java_date_of_days(java_timestamp_day(timestamp_ms));
    uint32_t ms = (uint32_t)java_timestamp_time(timestamp_ms);
    char *to;

    /* The pattern's yyyy is the year of an era that it does not print: 1 BC is 0001. */
    date.year = date.year > 0 ? date.year : 1 - date.year;
    to = put_date(out, date);
    *to++ = 'T';
    to = put_hour_and_minute(to, ms / MS_PER_SECOND);
    *to++ = ':';
    to = put_digits(to, ms / MS_PER_SECOND % 60, 2);
    *to++ = '.';
    return (size_t)(put_digits(to, ms % MS_PER_SECOND, 3) - out);
}

size_t java_offset_print(int64_t seconds, char out[JAVA_DATE_MAX])
{
    uint32_t size = (uint32_t)(seconds < 0 ? -seconds : seconds);
    char *to = out;

    *to++ = seconds < 0 ? '-' : '+';
    to = put_hour_and_minute(to, size);
    if (size % 60) {
        *to++ = ':';
        to = put_digits(to, size % 60, 2);
    }
    return (size_t)(to - out);
}

/* --- reading --- */

struct cursor {
    const char *at;
    const char *end;
};

static bool is_digit_at(const struct cursor *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static bool skip(struct cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != wanted) {
        return false;
    }
    c->at++;
    return true;
}

/* Exactly so many digits. */
static bool take_digits(struct cursor *c, int count, uint32_t *out)
{
    *out = 0;
    for (; count > 0 && is_digit_at(c); count--) {
        *out = *out * 10 + (uint32_t)(*c->at++ - '0');
    }
    return count == 0;
}

/* Four digits; with more a plus is required, with a minus more are allowed. */
static bool take_year(struct cursor *c, int64_t *out, bool *negative)
{
    bool plus = skip(c, '+');
    const char *start;

    *negative = !plus && skip(c, '-');
    *out = 0;
    for (start = c->at; is_digit_at(c) && c->at - start < MAX_YEAR_DIGITS; c->at++) {
        *out = *out * 10 + (*c->at - '0');
    }
    if (c->at - start < 4 || plus != (!*negative && c->at - start > 4) || is_digit_at(c)) {
        return false;
    }
    if (*negative) {
        *out = -*out;
        return *out != 0;
    }
    return true;
}

/* yyyy[-MM[-dd]] to the end of the text. Day 1..31, whatever the month has. */
static bool take_date(struct cursor *c, struct java_date *out)
{
    bool negative;

    out->month = 1;
    out->day = 1;
    if (!take_year(c, &out->year, &negative)) {
        return false;
    }
    if (c->at < c->end || negative) {
        if (!skip(c, '-') || !take_digits(c, 2, &out->month)) {
            return false;
        }
    }
    if (c->at < c->end || negative) {
        if (!skip(c, '-') || !take_digits(c, 2, &out->day)) {
            return false;
        }
    }
    return c->at == c->end && out->month >= 1 && out->month <= 12 && out->day >= 1 &&
           out->day <= 31;
}

int java_date_parse(struct bytes text, int64_t *days, struct error *err)
{
    struct cursor c = { text.data, text.data + text.len };
    struct java_date date;
    int64_t found;

    if (!take_date(&c, &date) || date.day > java_date_month_days(date.year, date.month)) {
        return error_set(err, ERR_COERCE, NO_POSITION,
                         "The text is not a date: yyyy-MM-dd, yyyy-MM or yyyy");
    }
    found = java_date_to_days(date);
    if (found < INT32_MIN || found > INT32_MAX) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The date is out of range");
    }
    *days = found;
    return 0;
}

/* HH:mm, as seconds. */
static bool take_hour_and_minute(struct cursor *c, uint32_t *seconds)
{
    uint32_t hour;
    uint32_t minute;

    if (!take_digits(c, 2, &hour) || !skip(c, ':') || !take_digits(c, 2, &minute)) {
        return false;
    }
    *seconds = hour * 3600 + minute * 60;
    return hour < 24 && minute < 60;
}

static bool take_fraction(struct cursor *c, uint32_t *ms)
{
    uint32_t unit = 100;
    const char *start = c->at;

    *ms = 0;
    for (; is_digit_at(c); c->at++, unit /= 10) {
        *ms += (uint32_t)(*c->at - '0') * unit;
    }
    return c->at > start && c->at - start <= 9;
}

static bool take_time(struct cursor *c, uint32_t *ms_of_day)
{
    uint32_t seconds;
    uint32_t second = 0;
    uint32_t ms = 0;

    if (!take_hour_and_minute(c, &seconds)) {
        return false;
    }
    if (c->at < c->end) {
        if (!skip(c, ':') || !take_digits(c, 2, &second) || second > 59) {
            return false;
        }
        if (c->at < c->end && (!skip(c, '.') || !take_fraction(c, &ms))) {
            return false;
        }
    }
    *ms_of_day = (seconds + second) * MS_PER_SECOND + ms;
    return c->at == c->end;
}

int java_time_parse(struct bytes text, int64_t *ms_of_day, struct error *err)
{
    struct cursor c = { text.data, text.data + text.len };
    uint32_t found;

    if (!take_time(&c, &found)) {
        return error_set(err, ERR_COERCE, NO_POSITION,
                         "The text is not a time: HH:mm, HH:mm:ss or HH:mm:ss.SSS");
    }
    *ms_of_day = found;
    return 0;
}

/* After its sign: h, hh, hhmm, hh:mm, hhmmss or hh:mm:ss; up to 18 hours. */
static bool take_offset(struct cursor *c, int64_t *seconds)
{
    bool with_colons;
    uint32_t part;

    if (!take_digits(c, c->end - c->at == 1 ? 1 : 2, &part)) {
        return false;
    }
    *seconds = (int64_t)part * 3600;
    with_colons = c->at < c->end && *c->at == ':';
    for (int64_t unit = 60; c->at < c->end && unit > 0; unit /= 60) {
        if (with_colons != skip(c, ':') || !take_digits(c, 2, &part) || part > 59) {
            return false;
        }
        *seconds += (int64_t)part * unit;
    }
    return c->at == c->end && *seconds <= MAX_OFFSET_SECONDS;
}

bool java_offset_parse(struct bytes text, int64_t *seconds)
{
    struct cursor c = { text.data, text.data + text.len };
    bool is_west = skip(&c, '-');
    int64_t found;

    if ((!is_west && !skip(&c, '+')) || !take_offset(&c, &found)) {
        return false;
    }
    *seconds = is_west ? -found : found;
    return true;
}

/* A time cut off anywhere: the rest is that of midnight. 24:00 is the next day's. */
static bool take_partial_time(struct bytes text, int64_t *ms)
{
    char padded[] = "00:00:00.000";
    struct cursor c = { padded, padded + sizeof padded - 1 };
    uint32_t found;

    if (text.len > sizeof padded - 1) {
        return false;
    }
    if (text.len) {
        memcpy(padded, text.data, text.len);
    }
    if (memcmp(padded, "24:00:00.000", sizeof padded - 1) == 0) {
        *ms = MS_PER_DAY;
        return true;
    }
    if (!take_time(&c, &found)) {
        return false;
    }
    *ms = found;
    return true;
}

/* What follows the T: a partial time, then Z or an offset; ms to add to the date. */
static bool take_time_and_zone(struct bytes text, int64_t *ms)
{
    struct bytes time = { text.data, 0 };
    int64_t offset_seconds = 0;

    while (time.len < text.len && text.data[time.len] != '+' && text.data[time.len] != '-') {
        time.len++;
    }
    if (time.len < text.len) {
        struct cursor c = { text.data + time.len + 1, text.data + text.len };

        if (!take_offset(&c, &offset_seconds)) {
            return false;
        }
        offset_seconds = text.data[time.len] == '-' ? -offset_seconds : offset_seconds;
    }
    if (time.len > 0 && time.data[time.len - 1] == 'Z') {
        time.len--;
    }
    if (!take_partial_time(time, ms)) {
        return false;
    }
    *ms -= offset_seconds * MS_PER_SECOND;
    return true;
}

int java_timestamp_parse(struct bytes text, int64_t *timestamp_ms, struct error *err)
{
    const char *t = text.len ? memchr(text.data, 'T', text.len) : NULL;
    struct cursor c = { text.data, t ? t : text.data + text.len };
    struct java_date date;
    int64_t found;
    int64_t ms = 0;
    uint32_t last_day;

    if (!take_date(&c, &date) || date.year < 1 ||
        (t && !take_time_and_zone((struct bytes){ t + 1, (size_t)(text.data + text.len - t - 1) },
                                  &ms))) {
        return error_set(err, ERR_COERCE, NO_POSITION,
                         "The text is not a timestamp: yyyy-MM-dd'T'HH:mm:ss.SSS, perhaps cut off, "
                         "and then an offset such as +0200");
    }
    last_day = java_date_month_days(date.year, date.month);
    date.day = date.day < last_day ? date.day : last_day;
    if (__builtin_mul_overflow(java_date_to_days(date), (int64_t)MS_PER_DAY, &found) ||
        __builtin_add_overflow(found, ms, &found)) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The timestamp is out of range");
    }
    *timestamp_ms = found;
    return 0;
}
