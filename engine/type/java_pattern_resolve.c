/*
 * java_pattern_resolve.c: the fields of a text become one time (java.time's SMART style).
 *
 * A full date (year with month and day, with the day of the year, or with a week) counts as a
 * whole, likewise a time from its hour on, and all other fields have to agree with them. Fields
 * that make no full date or time are put into 1970-01-01T00:00, the small ones first. A day
 * beyond the month's end is its last day, up to 31; nothing else gives way.
 */
#include "engine/type/java_date.h"
#include "engine/type/java_pattern_internal.h"

enum {
    MAX_YEAR = 999999999,
    DAYS_TO_MODIFIED_JULIAN = 40587, /* 1858-11-17 to 1970-01-01 */
    MAX_OFFSET_SECONDS = 18 * 3600,
    NANOS_PER_MS = 1000000
};

static const int64_t nanos_per_second = 1000000000;

static const struct field_range {
    int64_t least;
    int64_t most;
    const char *name;
} ranges[FIELD_COUNT] = {
    [FIELD_ERA] = { 0, 1, "era" },
    [FIELD_YEAR] = { -MAX_YEAR, MAX_YEAR, "year" },
    [FIELD_YEAR_OF_ERA] = { 1, MAX_YEAR, "year" },
    [FIELD_QUARTER] = { 1, 4, "quarter" },
    [FIELD_MONTH] = { 1, 12, "month" },
    [FIELD_DAY] = { 1, 31, "day" },
    [FIELD_DAY_OF_YEAR] = { 1, 366, "day of the year" },
    [FIELD_DAY_OF_WEEK] = { 1, 7, "day of the week" },
    [FIELD_LOCAL_DAY_OF_WEEK] = { 1, 7, "day of the week" },
    [FIELD_DAY_OF_ALIGNED_WEEK] = { 1, 7, "day of the week in the month" },
    [FIELD_WEEK_YEAR] = { -MAX_YEAR, MAX_YEAR, "year" },
    [FIELD_WEEK] = { 1, 53, "week" },
    [FIELD_WEEK_OF_MONTH] = { 0, 6, "week of the month" },
    [FIELD_MODIFIED_JULIAN_DAY] = { -365243219162LL + DAYS_TO_MODIFIED_JULIAN,
                                    365241780471LL + DAYS_TO_MODIFIED_JULIAN, "Julian day" },
    [FIELD_AMPM] = { 0, 1, "half of the day" },
    [FIELD_HOUR] = { 0, 23, "hour" },
    [FIELD_CLOCK_HOUR] = { 0, 24, "hour" },
    [FIELD_HOUR_AMPM] = { 0, 11, "hour" },
    [FIELD_CLOCK_HOUR_AMPM] = { 0, 12, "hour" },
    [FIELD_MINUTE] = { 0, 59, "minute" },
    [FIELD_SECOND] = { 0, 59, "second" },
    [FIELD_NANO] = { 0, 999999999, "fraction" },
    [FIELD_MILLI_OF_DAY] = { 0, MS_PER_DAY - 1, "millisecond of the day" },
    [FIELD_NANO_OF_DAY] = { 0, (int64_t)MS_PER_DAY *NANOS_PER_MS - 1, "nanosecond of the day" },
    [FIELD_OFFSET] = { -MAX_OFFSET_SECONDS, MAX_OFFSET_SECONDS, "offset" },
    [FIELD_ZONE_OFFSET] = { -MAX_OFFSET_SECONDS, MAX_OFFSET_SECONDS, "zone" },
    [FIELD_REGION] = { 1, 1, "zone" },
};

static int refuse_contradiction(enum time_field field, struct error *err)
{
    return error_set(err, ERR_COERCE, NO_POSITION, "The %s contradicts another part of the text",
                     ranges[field].name);
}

static int refuse_value(enum time_field field, struct error *err)
{
    return error_set(err, ERR_COERCE, NO_POSITION, "There is no such %s", ranges[field].name);
}

static int check_range(enum time_field field, int64_t value, struct error *err)
{
    return value < ranges[field].least || value > ranges[field].most ? refuse_value(field, err) : 0;
}

/* Hour 24 is looked at where it may be midnight, quarters and weeks where they are used. */
static int check_ranges(const struct time_fields *fields, struct error *err)
{
    const uint32_t later = FIELD_BIT(FIELD_HOUR) | FIELD_BIT(FIELD_QUARTER) |
                           FIELD_BIT(FIELD_WEEK) | FIELD_BIT(FIELD_WEEK_OF_MONTH);

    for (uint32_t left = fields->present & ~later; left; left &= left - 1) {
        enum time_field field = (enum time_field)__builtin_ctz(left);

        TRY(check_range(field, fields->of[field], err));
    }
    return 0;
}

static int derive(struct time_fields *fields, enum time_field field, int64_t value,
                  struct error *err)
{
    return put_field(fields, field, value) ? 0 : refuse_contradiction(field, err);
}

/* --- time --- */

static int derive_nano_of_day(struct time_fields *fields, int64_t nano_of_day, struct error *err)
{
    int64_t second = nano_of_day / nanos_per_second;

    TRY(derive(fields, FIELD_HOUR, second / 3600, err));
    TRY(derive(fields, FIELD_MINUTE, second / 60 % 60, err));
    TRY(derive(fields, FIELD_SECOND, second % 60, err));
    return derive(fields, FIELD_NANO, nano_of_day % nanos_per_second, err);
}

/* All ways to say an hour become FIELD_HOUR. */
static int settle_hour(struct time_fields *fields, struct error *err)
{
    int64_t value;

    if (take_field(fields, FIELD_CLOCK_HOUR, &value)) {
        TRY(derive(fields, FIELD_HOUR, value % 24, err));
    }
    if (take_field(fields, FIELD_CLOCK_HOUR_AMPM, &value)) {
        TRY(derive(fields, FIELD_HOUR_AMPM, value % 12, err));
    }
    if (has_field(fields, FIELD_AMPM) && has_field(fields, FIELD_HOUR_AMPM)) {
        TRY(derive(fields, FIELD_HOUR, fields->of[FIELD_AMPM] * 12 + fields->of[FIELD_HOUR_AMPM],
                   err));
    }
    if (take_field(fields, FIELD_NANO_OF_DAY, &value)) {
        TRY(derive_nano_of_day(fields, value, err));
    }
    if (take_field(fields, FIELD_MILLI_OF_DAY, &value)) {
        int64_t fraction =
            has_field(fields, FIELD_NANO) ? fields->of[FIELD_NANO] % NANOS_PER_MS : 0;

        TRY(derive_nano_of_day(fields, value * NANOS_PER_MS + fraction, err));
    }
    return 0;
}

static int64_t field_or(const struct time_fields *fields, enum time_field field, int64_t otherwise)
{
    return has_field(fields, field) ? fields->of[field] : otherwise;
}

/* 24:00, all zero behind it and nothing left out, is the midnight that ends the day. */
static bool is_end_of_day(const struct time_fields *fields)
{
    static const enum time_field behind[] = { FIELD_MINUTE, FIELD_SECOND, FIELD_NANO };
    bool is_left_out = false;

    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        if (has_field(fields, behind[i]) && (is_left_out || fields->of[behind[i]] != 0)) {
            return false;
        }
        is_left_out = !has_field(fields, behind[i]);
    }
    return true;
}

/* Half and hour of the half have to fit the hour. */
static int check_half(const struct time_fields *fields, struct error *err)
{
    int64_t hour = fields->of[FIELD_HOUR] % 24;

    if (field_or(fields, FIELD_AMPM, hour / 12) != hour / 12) {
        return refuse_contradiction(FIELD_AMPM, err);
    }
    if (field_or(fields, FIELD_HOUR_AMPM, hour % 12) != hour % 12) {
        return refuse_contradiction(FIELD_HOUR_AMPM, err);
    }
    return 0;
}

/* Without an hour: noon for PM, if there are minutes; the middle of the half, if it stands alone.
 */
static int64_t hour_of_half(const struct time_fields *fields)
{
    const uint32_t others = FIELD_BIT(FIELD_HOUR_AMPM) | FIELD_BIT(FIELD_MINUTE) |
                            FIELD_BIT(FIELD_SECOND) | FIELD_BIT(FIELD_NANO);
    int64_t hour = field_or(fields, FIELD_AMPM, 0) * 12 + field_or(fields, FIELD_HOUR_AMPM, 0);

    return has_field(fields, FIELD_AMPM) && !(fields->present & others) ? hour + 6 : hour;
}

static int resolve_time(struct time_fields *fields, int64_t *ms_of_day, struct error *err)
{
    int64_t hour;

    TRY(settle_hour(fields, err));
    hour = hour_of_half(fields);
    if (has_field(fields, FIELD_HOUR)) {
        hour = fields->of[FIELD_HOUR];
        if (hour != 24 || !is_end_of_day(fields)) {
            TRY(check_range(FIELD_HOUR, hour, err));
        }
        TRY(check_half(fields, err));
    }
    *ms_of_day =
        ((hour * 60 + field_or(fields, FIELD_MINUTE, 0)) * 60 + field_or(fields, FIELD_SECOND, 0)) *
            MS_PER_SECOND +
        field_or(fields, FIELD_NANO, 0) / NANOS_PER_MS;
    return 0;
}

/* --- date --- */

/* 1: Monday. */
static int64_t weekday_of(int64_t days)
{
    int64_t from_thursday = days % 7;

    return (from_thursday + 7 + 3) % 7 + 1;
}

static int64_t local_weekday_of(int64_t days)
{
    return weekday_of(days) % 7 + 1;
}

static int64_t first_of_year(int64_t year)
{
    return java_date_to_days((struct java_date){ year, 1, 1 });
}

/* Sunday before the first of January, or that day: week 1 begins there. */
static int64_t first_week(int64_t year)
{
    int64_t first = first_of_year(year);

    return first - (local_weekday_of(first) - 1);
}

/* As many weeks as the year has at most. */
static int64_t week_date(int64_t week_year, int64_t week, int64_t local_weekday)
{
    int64_t weeks = (first_week(week_year + 1) - first_week(week_year)) / 7;

    week = week < weeks ? week : weeks;
    return first_week(week_year) + (week - 1) * 7 + local_weekday - 1;
}

static int64_t week_of_month(int64_t days, struct java_date date)
{
    int64_t first = days - (int64_t)date.day + 1;

    return ((int64_t)date.day + local_weekday_of(first) - 2) / 7 + 1;
}

/* y without an era is of this one, or, beside u, of the one that u is in. */
static int settle_year(struct time_fields *fields, struct error *err)
{
    int64_t year;

    if (has_field(fields, FIELD_LOCAL_DAY_OF_WEEK)) {
        fields->present |= FIELD_BIT(FIELD_DAY_OF_WEEK);
        fields->of[FIELD_DAY_OF_WEEK] = (fields->of[FIELD_LOCAL_DAY_OF_WEEK] + 5) % 7 + 1;
    }
    if (take_field(fields, FIELD_YEAR_OF_ERA, &year)) {
        bool is_ad = field_or(fields, FIELD_YEAR, 1) > 0;
        int64_t era;

        if (take_field(fields, FIELD_ERA, &era)) {
            is_ad = era == 1;
        }
        return derive(fields, FIELD_YEAR, is_ad ? year : 1 - year, err);
    }
    return 0;
}

/* What the date is made of is taken out of the fields. False: they do not make one. */
static bool date_of_month(struct time_fields *fields, int64_t *days)
{
    const uint32_t parts = FIELD_BIT(FIELD_YEAR) | FIELD_BIT(FIELD_MONTH) | FIELD_BIT(FIELD_DAY);
    struct java_date date;
    uint32_t last;

    if ((fields->present & parts) != parts) {
        return false;
    }
    date = (struct java_date){ fields->of[FIELD_YEAR], (uint32_t)fields->of[FIELD_MONTH],
                               (uint32_t)fields->of[FIELD_DAY] };
    last = java_date_month_days(date.year, date.month);
    date.day = date.day < last ? date.day : last;
    *days = java_date_to_days(date);
    fields->present &= ~parts;
    return true;
}

static int date_of_month_week(struct time_fields *fields, int64_t *days, struct error *err)
{
    int64_t week = fields->of[FIELD_WEEK_OF_MONTH];
    struct java_date first = { fields->of[FIELD_YEAR], (uint32_t)fields->of[FIELD_MONTH], 1 };
    int64_t first_days = java_date_to_days(first);

    TRY(check_range(FIELD_WEEK_OF_MONTH, week, err));
    *days = first_days + (week - 1) * 7 + fields->of[FIELD_DAY_OF_WEEK] % 7 + 1 -
            local_weekday_of(first_days);
    fields->present &= ~(FIELD_BIT(FIELD_YEAR) | FIELD_BIT(FIELD_MONTH) |
                         FIELD_BIT(FIELD_WEEK_OF_MONTH) | FIELD_BIT(FIELD_DAY_OF_WEEK));
    return 0;
}

static int date_of_year_week(struct time_fields *fields, int64_t *days, struct error *err)
{
    TRY(check_range(FIELD_WEEK, fields->of[FIELD_WEEK], err));
    *days = week_date(fields->of[FIELD_WEEK_YEAR], fields->of[FIELD_WEEK],
                      fields->of[FIELD_DAY_OF_WEEK] % 7 + 1);
    fields->present &=
        ~(FIELD_BIT(FIELD_WEEK_YEAR) | FIELD_BIT(FIELD_WEEK) | FIELD_BIT(FIELD_DAY_OF_WEEK));
    return 0;
}

static int date_of_year_day(const struct time_fields *fields, int64_t *days, struct error *err)
{
    int64_t year = fields->of[FIELD_YEAR];

    *days = first_of_year(year) + fields->of[FIELD_DAY_OF_YEAR] - 1;
    return *days < first_of_year(year + 1) ? 0 : refuse_value(FIELD_DAY_OF_YEAR, err);
}

/* *found is false: the fields make no full date. */
static int full_date(struct time_fields *fields, bool *found, int64_t *days, struct error *err)
{
    bool has_year = has_field(fields, FIELD_YEAR);
    bool has_weekday = has_field(fields, FIELD_DAY_OF_WEEK);

    *found = true;
    *days = 0;
    if (date_of_month(fields, days)) {
        return 0;
    }
    if (has_year && has_field(fields, FIELD_DAY_OF_YEAR)) {
        return date_of_year_day(fields, days, err);
    }
    if (has_field(fields, FIELD_MODIFIED_JULIAN_DAY)) {
        *days = fields->of[FIELD_MODIFIED_JULIAN_DAY] - DAYS_TO_MODIFIED_JULIAN;
        return 0;
    }
    if (has_year && has_weekday && has_field(fields, FIELD_MONTH) &&
        has_field(fields, FIELD_WEEK_OF_MONTH)) {
        return date_of_month_week(fields, days, err);
    }
    if (!has_year && has_weekday && has_field(fields, FIELD_WEEK_YEAR) &&
        has_field(fields, FIELD_WEEK)) {
        return date_of_year_week(fields, days, err);
    }
    *found = false;
    return 0;
}

static void weeks_of_date(int64_t days, struct java_date date, int64_t of[FIELD_COUNT])
{
    int64_t saturday = days + 7 - local_weekday_of(days);

    of[FIELD_WEEK_YEAR] = java_date_of_days(saturday).year;
    of[FIELD_WEEK] = (days - first_week(of[FIELD_WEEK_YEAR])) / 7 + 1;
    of[FIELD_WEEK_OF_MONTH] = week_of_month(days, date);
}

void time_fields_of_date(int64_t days, uint32_t wanted, int64_t of[FIELD_COUNT])
{
    struct java_date date = java_date_of_days(days);
    const uint32_t weeks =
        FIELD_BIT(FIELD_WEEK_YEAR) | FIELD_BIT(FIELD_WEEK) | FIELD_BIT(FIELD_WEEK_OF_MONTH);

    of[FIELD_ERA] = date.year > 0;
    of[FIELD_YEAR] = date.year;
    of[FIELD_YEAR_OF_ERA] = date.year > 0 ? date.year : 1 - date.year;
    of[FIELD_MONTH] = date.month;
    of[FIELD_QUARTER] = (date.month + 2) / 3;
    of[FIELD_DAY] = date.day;
    of[FIELD_DAY_OF_YEAR] = days - first_of_year(date.year) + 1;
    of[FIELD_DAY_OF_WEEK] = weekday_of(days);
    of[FIELD_LOCAL_DAY_OF_WEEK] = local_weekday_of(days);
    of[FIELD_DAY_OF_ALIGNED_WEEK] = (date.day - 1) % 7 + 1;
    of[FIELD_MODIFIED_JULIAN_DAY] = days + DAYS_TO_MODIFIED_JULIAN;
    if (wanted & weeks) {
        weeks_of_date(days, date, of);
    }
}

/* What is left beside a full date has to agree with it. */
static int check_date(const struct time_fields *fields, int64_t days, struct error *err)
{
    const uint32_t of_dates = (FIELD_BIT(FIELD_MODIFIED_JULIAN_DAY + 1)) - 1;
    uint32_t left = fields->present & of_dates;
    int64_t of[FIELD_COUNT];

    if (left) {
        time_fields_of_date(days, left, of);
    }
    for (; left; left &= left - 1) {
        enum time_field field = (enum time_field)__builtin_ctz(left);

        if (fields->of[field] != of[field]) {
            return refuse_contradiction(field, err);
        }
    }
    return 0;
}

static int64_t with_year_and_month(int64_t days, int64_t year, int64_t month)
{
    uint32_t last = java_date_month_days(year, (uint32_t)month);
    uint32_t day = java_date_of_days(days).day;

    return java_date_to_days((struct java_date){ year, (uint32_t)month, day < last ? day : last });
}

/* The fields put into 1970-01-01 one by one, each changing what the ones before it gave. */
static int partial_date(const struct time_fields *fields, int64_t *out, struct error *err)
{
    int64_t days = 0;
    struct java_date date;

    if (has_field(fields, FIELD_DAY_OF_WEEK)) {
        days += fields->of[FIELD_DAY_OF_WEEK] - weekday_of(days);
    }
    if (has_field(fields, FIELD_DAY_OF_ALIGNED_WEEK)) {
        days += fields->of[FIELD_DAY_OF_ALIGNED_WEEK] - (java_date_of_days(days).day - 1) % 7 - 1;
    }
    date = java_date_of_days(days);
    if (has_field(fields, FIELD_DAY)) {
        date.day = (uint32_t)fields->of[FIELD_DAY];
        days = java_date_to_days(date);
    }
    if (has_field(fields, FIELD_DAY_OF_YEAR)) {
        if (fields->of[FIELD_DAY_OF_YEAR] == 366) {
            return error_set(err, ERR_COERCE, NO_POSITION, "Day 366 needs a year beside it");
        }
        days = first_of_year(date.year) + fields->of[FIELD_DAY_OF_YEAR] - 1;
    }
    date = java_date_of_days(days);
    days = with_year_and_month(days, date.year, field_or(fields, FIELD_MONTH, date.month));
    date = java_date_of_days(days);
    date.year = field_or(fields, FIELD_YEAR, date.year);
    if (field_or(fields, FIELD_ERA, date.year > 0) != (date.year > 0)) {
        date.year = 1 - date.year;
    }
    *out = with_year_and_month(days, date.year, date.month);
    return 0;
}

static int resolve_date(struct time_fields *fields, int64_t *days, bool *is_full, struct error *err)
{
    TRY(settle_year(fields, err));
    TRY(full_date(fields, is_full, days, err));
    return *is_full ? check_date(fields, *days, err) : partial_date(fields, days, err);
}

/* --- both, and the zone --- */

/* Of the clock that shows this time: what the text says of its place, else the zone. */
static int offset_of(const struct time_fields *fields, const struct time_zone *zone,
                     int64_t local_ms, int64_t *offset_ms, struct error *err)
{
    struct time_zone region;

    if (has_field(fields, FIELD_OFFSET)) {
        *offset_ms = fields->of[FIELD_OFFSET] * MS_PER_SECOND;
    } else if (has_field(fields, FIELD_REGION)) {
        TRY(time_zone_init(&region, fields->region, err));
        *offset_ms = time_zone_offset_of_local(&region, local_ms).ms;
    } else if (has_field(fields, FIELD_ZONE_OFFSET)) {
        *offset_ms = fields->of[FIELD_ZONE_OFFSET] * MS_PER_SECOND;
    } else {
        *offset_ms = zone ? time_zone_offset_of_local(zone, local_ms).ms : 0;
    }
    return 0;
}

int time_fields_resolve(struct time_fields *fields, const struct time_zone *zone,
                        int64_t *timestamp_ms, struct error *err)
{
    int64_t days;
    int64_t ms_of_day;
    int64_t local_ms;
    int64_t offset_ms;
    bool is_full;

    TRY(check_ranges(fields, err));
    TRY(resolve_date(fields, &days, &is_full, err));
    TRY(resolve_time(fields, &ms_of_day, err));
    if (!is_full) {
        ms_of_day %= MS_PER_DAY; /* 24:00 has no next day without a day */
    }
    if (__builtin_mul_overflow(days, (int64_t)MS_PER_DAY, &local_ms) ||
        __builtin_add_overflow(local_ms, ms_of_day, &local_ms)) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The timestamp is out of range");
    }
    TRY(offset_of(fields, zone, local_ms, &offset_ms, err));
    if (__builtin_sub_overflow(local_ms, offset_ms, &local_ms)) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The timestamp is out of range");
    }
    *timestamp_ms = local_ms;
    return 0;
}

int time_fields_resolve_date(struct time_fields *fields, int64_t *days, struct error *err)
{
    int64_t found;
    int64_t ms_of_day;
    bool is_full;

    TRY(check_ranges(fields, err));
    TRY(resolve_date(fields, &found, &is_full, err));
    TRY(resolve_time(fields, &ms_of_day, err));
    if (!is_full) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The text makes no whole date");
    }
    *days = found + ms_of_day / MS_PER_DAY;
    return 0;
}

/* The hour, and nothing left out in front of what there is; or the half of the day alone. */
static bool is_whole_time(const struct time_fields *fields)
{
    if (!has_field(fields, FIELD_HOUR)) {
        return (fields->present & TIME_FIELDS) == FIELD_BIT(FIELD_AMPM);
    }
    return has_field(fields, FIELD_MINUTE)
               ? has_field(fields, FIELD_SECOND) || !has_field(fields, FIELD_NANO)
               : !has_field(fields, FIELD_SECOND) && !has_field(fields, FIELD_NANO);
}

int time_fields_resolve_time(struct time_fields *fields, int64_t *ms_of_day, struct error *err)
{
    int64_t found;

    TRY(check_ranges(fields, err));
    if (fields->present & DATE_FIELDS) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The pattern of a time has parts of a date");
    }
    TRY(resolve_time(fields, &found, err));
    if (!is_whole_time(fields)) {
        return error_set(err, ERR_COERCE, NO_POSITION, "The text makes no whole time");
    }
    *ms_of_day = found % MS_PER_DAY;
    return 0;
}
