/*
 * report.c: an error on standard error: where, what, and what to do.
 */
#include "cli/report.h"

#include <stdio.h>

#include "cli/run.h"
#include "parser/parse.h"

/* What to do where the message cannot know it. */
static const struct {
    enum error_code code;
    const char *text;
} advice[] = {
    { ERR_UNKNOWN_SOURCE, "SHOW STREAMS; and SHOW TABLES; list what there is. An engine in memory "
                          "starts empty: CREATE comes first." },
    { ERR_UNKNOWN_TOPIC, "SHOW TOPICS; lists what there is. An engine in memory starts without "
                         "topics: WITH (PARTITIONS = 1) makes one." },
    { ERR_UNKNOWN_COLUMN, "DESCRIBE <name>; lists the columns of a stream or table." },
    { ERR_UNKNOWN_FUNCTION, "SHOW FUNCTIONS; lists what there is." },
    { ERR_UNKNOWN_PROPERTY, "sluice help settings tells what SET and --set take, sluice help with "
                            "what WITH takes." },
    { ERR_UNKNOWN_QUERY, "SHOW QUERIES; lists what there is." },
    { ERR_UNKNOWN_TYPE, "Types are BOOLEAN, INT, BIGINT, DOUBLE, DECIMAL(p, s), STRING, BYTES, "
                        "TIME, DATE, TIMESTAMP, ARRAY<t>, MAP<STRING, t>, STRUCT<name t, ...>." },
    { ERR_TOO_LARGE, "Split the text: statements are checked together, so one text has a limit." },
};

static const char *find_advice(enum error_code code)
{
    for (size_t i = 0; i < sizeof advice / sizeof advice[0]; i++) {
        if (advice[i].code == code) {
            return advice[i].text;
        }
    }
    return NULL;
}

static int exit_status(enum error_code code)
{
    return error_class_of(code) == ERROR_USAGE ? EXIT_USAGE : EXIT_REJECTED;
}

int report_error(const char *from, struct bytes text, const struct error *err)
{
    const char *what_to_do = find_advice(err->code);
    struct buffer excerpt = { 0 };

    fflush(stdout);
    if (from && err->at.line > 0) {
        parse_error_excerpt(text, err->at, &excerpt);
        fprintf(stderr, "%s:%u:%u: ", from, err->at.line, err->at.column);
    } else if (from) {
        fprintf(stderr, "%s: ", from);
    } else {
        fprintf(stderr, "sluice: ");
    }
    fprintf(stderr, "%s (%s)\n%.*s", err->message, error_name(err->code), (int)excerpt.len,
            excerpt.data ? excerpt.data : "");
    if (what_to_do) {
        fprintf(stderr, "%s\n", what_to_do);
    }
    buffer_fini(&excerpt);
    return exit_status(err->code);
}
