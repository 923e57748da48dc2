/*
 * java_pattern.h: date-time patterns as java.time's DateTimeFormatter has them
 * (yyyy-MM-dd'T'HH:mm:ss[.SSS]X), for timestamp columns that are text.
 *
 * A pattern is compiled once. Reading a row with it allocates nothing and looks nothing up but
 * the English names that the pattern asks for. The compiled pattern is read-only and may be
 * shared by threads.
 */
#ifndef SLUICE_ENGINE_TYPE_JAVA_PATTERN_H
#define SLUICE_ENGINE_TYPE_JAVA_PATTERN_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"

struct java_pattern; /* in the arena that it was compiled into */

/* ERR_EVALUATE for what is no pattern: the message says what is wrong, and where. */
int java_pattern_compile(struct arena *arena, struct bytes text, const struct java_pattern **out,
                         struct error *err);

/*
 * The whole text as ms since 1970. What the text does not say is that of 1970-01-01T00:00 UTC.
 * An offset in the text counts. ERR_COERCE; the message does not hold the text.
 */
int java_pattern_parse_timestamp(const struct java_pattern *pattern, struct bytes text,
                                 int64_t *timestamp_ms, struct error *err);

#endif
