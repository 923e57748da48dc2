/*
 * java_date.h: dates and times as numbers and as ISO text, the way java.time reads and
 * prints them. UTC and the proleptic Gregorian calendar; nothing here knows zones by name.
 *
 * DATE is days since 1970-01-01, TIME ms of the day, TIMESTAMP ms since 1970. Parsers do
 * not trim; all refuse with ERR_COERCE and a message that does not hold the text.
 */
#ifndef SLUICE_ENGINE_TYPE_JAVA_DATE_H
#define SLUICE_ENGINE_TYPE_JAVA_DATE_H

#include "base/bytes.h"
#include "base/error.h"

enum { JAVA_DATE_MAX = 40, MS_PER_SECOND = 1000, MS_PER_DAY = 86400000 };

struct java_date {
    int64_t year;        /* 0 is 1 BC */
    uint32_t month, day; /* from 1 */
};

struct java_date java_date_of_days(int64_t days);
int64_t java_date_to_days(struct java_date date); /* years up to a billion either way */
uint32_t java_date_month_days(int64_t year, uint32_t month);

int64_t java_timestamp_day(int64_t timestamp_ms);  /* floor: -1 is on day -1 */
int64_t java_timestamp_time(int64_t timestamp_ms); /* ms of that day */

/* Not NUL-terminated; the length. */
size_t java_date_print(int64_t days, char out[JAVA_DATE_MAX]);              /* yyyy-MM-dd */
size_t java_time_print(int64_t ms_of_day, char out[JAVA_DATE_MAX]);         /* HH:mm[:ss] */
size_t java_timestamp_print(int64_t timestamp_ms, char out[JAVA_DATE_MAX]); /* with T and .SSS */

/* +HH:mm[:ss] */
size_t java_offset_print(int64_t seconds, char out[JAVA_DATE_MAX]);
/* +h, +hh, +hhmm, +hh:mm, +hhmmss or +hh:mm:ss, either sign, up to 18 hours. */
bool java_offset_parse(struct bytes text, int64_t *seconds);

/* yyyy, yyyy-MM or yyyy-MM-dd; the day must exist. Years beyond 9999 have a sign. */
int java_date_parse(struct bytes text, int64_t *days, struct error *err);
/* HH:mm[:ss[.f]], up to nine digits of which three count. */
int java_time_parse(struct bytes text, int64_t *ms_of_day, struct error *err);
/*
 * The partial timestamps that ROWTIME is compared with (expressions.md 6): a date as above,
 * whose day is clamped to the month, then perhaps T, a time cut off anywhere, and Z or
 * an offset.
 */
int java_timestamp_parse(struct bytes text, int64_t *timestamp_ms, struct error *err);

#endif
