/*
 * java_pattern.h: date-time patterns as java.time's DateTimeFormatter has them
 * (yyyy-MM-dd'T'HH:mm:ss[.SSS]X), for timestamp columns that are text and for functions.
 *
 * A pattern is compiled once. Reading and printing a row with it allocates nothing and looks
 * nothing up but the English names that the pattern asks for, and regions in texts. The compiled
 * pattern is read-only and may be shared by threads.
 */
#ifndef SLUICE_ENGINE_TYPE_JAVA_PATTERN_H
#define SLUICE_ENGINE_TYPE_JAVA_PATTERN_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "engine/type/time_zone.h"

struct java_pattern; /* in the arena that it was compiled into */

/* ERR_EVALUATE for what is no pattern: the message says what is wrong, and where. */
int java_pattern_compile(struct arena *arena, struct bytes text, const struct java_pattern **out,
                         struct error *err);

/*
 * The whole text as ms since 1970. What the text does not say is that of 1970-01-01T00:00 in the
 * zone (NULL: UTC); an offset or a zone in the text counts. ERR_COERCE; the message does not hold
 * the text, here and below.
 */
int java_pattern_parse_timestamp(const struct java_pattern *pattern, struct bytes text,
                                 const struct time_zone *zone, int64_t *timestamp_ms,
                                 struct error *err);
/* A whole date, as days since 1970. */
int java_pattern_parse_date(const struct java_pattern *pattern, struct bytes text, int64_t *days,
                            struct error *err);
/* A whole time and nothing of a date, as ms of the day. */
int java_pattern_parse_time(const struct java_pattern *pattern, struct bytes text,
                            int64_t *ms_of_day, struct error *err);

/* What is printed; a pattern may only ask for what is there. */
struct java_moment {
    bool has_date, has_time;
    const struct time_zone
        *zone;    /* NULL: none. Its names have to be loaded, if they are asked for */
    int64_t days; /* since 1970 */
    int64_t ms_of_day;
    struct zone_offset offset; /* of the zone then */
};

struct java_moment java_moment_of_timestamp(int64_t timestamp_ms, const struct time_zone *zone);
bool java_pattern_has_zone_names(const struct java_pattern *pattern);
/* No text that the pattern prints has more bytes. */
size_t java_pattern_print_max(const struct java_pattern *pattern);
/* Not NUL-terminated. ERR_COERCE: the moment has not all that the pattern prints. */
int java_pattern_print(const struct java_pattern *pattern, const struct java_moment *moment,
                       char *out, size_t *length, struct error *err);

#endif
