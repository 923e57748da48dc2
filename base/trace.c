/*
 * trace.c: one write per event, so that lines of several threads do not mix.
 *
 * A line longer than the buffer is cut at a character. Control characters in a
 * message become spaces: one event stays one line.
 */
#include "base/trace.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 2048 };

static _Atomic int current_level = TRACE_WARN;

static const char *const level_names[] = { "off", "error", "warn", "info", "debug" };

void trace_set_level(enum trace_level level)
{
    atomic_store(&current_level, (int)level);
}

enum trace_level trace_level(void)
{
    return (enum trace_level)atomic_load_explicit(&current_level, memory_order_relaxed);
}

int trace_parse_level(const char *text, enum trace_level *out)
{
    for (int level = TRACE_OFF; level <= TRACE_DEBUG; level++) {
        if (strcasecmp(text, level_names[level]) == 0) {
            *out = (enum trace_level)level;
            return 0;
        }
    }
    return -1;
}

static size_t format_head(char *line, size_t size, enum trace_level level, const char *area)
{
    struct clock clock;
    struct tm utc = { 0 };
    int64_t now_ms;
    time_t seconds;
    int len;

    clock_init_real(&clock);
    now_ms = clock_now_ms(&clock);
    seconds = (time_t)(now_ms / 1000);
    (void)gmtime_r(&seconds, &utc); /* fails only in years that do not fit an int */
    len = snprintf(line, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s %s: ", utc.tm_year + 1900,
                   utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                   (int)(now_ms % 1000), level_names[level], area);
    return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

void trace_write(enum trace_level level, const char *area, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    size_t len = format_head(line, sizeof line / 2, level, area);
    size_t head = len;
    va_list args;
    int more;

    va_start(args, format);
    more = vsnprintf(line + len, sizeof line - len, format, args);
    va_end(args);
    if (more > 0) {
        len += (size_t)more;
    }
    len =
        utf8_cut((struct bytes){ line, len < sizeof line ? len : sizeof line - 1 }, sizeof line - 2)
            .len;
    for (size_t i = head; i < len; i++) {
        if ((unsigned char)line[i] < ' ') {
            line[i] = ' ';
        }
    }
    line[len++] = '\n';
    if (write(STDERR_FILENO, line, len) < 0) {
        return; /* nobody is left to tell */
    }
}
