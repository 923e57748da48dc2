/*
 * trace.h: the program's own event log, one line of text per event on stderr.
 *
 * For operators of sluice, not for authors of SQL: their errors are values, and
 * bad records go to the processing log. Safe from any thread.
 */
#ifndef SLUICE_BASE_TRACE_H
#define SLUICE_BASE_TRACE_H

enum trace_level { TRACE_OFF, TRACE_ERROR, TRACE_WARN, TRACE_INFO, TRACE_DEBUG };

void trace_set_level(enum trace_level level); /* default: TRACE_WARN */
enum trace_level trace_level(void);
int trace_parse_level(const char *text, enum trace_level *out); /* 0, or -1 if it is none */
void trace_write(enum trace_level level, const char *area, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define TRACE(level, area, ...)                        \
    do {                                               \
        if ((level) <= trace_level()) {                \
            trace_write((level), (area), __VA_ARGS__); \
        }                                              \
    } while (0)

#endif
