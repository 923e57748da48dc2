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

void report_format(const char *from, struct bytes text, const struct error *err, struct buffer *out)
{
    const char *what_to_do = find_advice(err->code);
    bool has_place = from && err->at.line > 0;

    if (has_place) {
        buffer_printf(out, "%s%s%u:%u: ", from, *from ? ":" : "", err->at.line, err->at.column);
    } else if (from) {
        buffer_printf(out, "%s%s", from, *from ? ": " : "");
    } else {
        buffer_append_text(out, "sluice: ");
    }
    buffer_printf(out, "%s (%s)\n", err->message, error_name(err->code));
    if (has_place) {
        parse_error_excerpt(text, err->at, out);
    }
    if (what_to_do) {
        buffer_printf(out, "%s\n", what_to_do);
    }
}

int report_error(const char *from, struct bytes text, const struct error *err)
{
    struct buffer message = { 0 };

    fflush(stdout);
    report_format(from, text, err, &message);
    fwrite(message.data, 1, message.len, stderr);
    buffer_fini(&message);
    return exit_status(err->code);
}

void report_skipped(struct bytes query_id, const struct row_origin *origin, const char *what,
                    const struct error *err, struct buffer *out)
{
    const char *topic = origin && origin->topic ? origin->topic : "?";
    uint32_t partition = origin ? origin->partition : 0;
    long long offset = origin ? (long long)origin->offset : -1LL;

    if (err->code == ERR_EVALUATE || err->code == ERR_OVERFLOW) {
        /* The row may have gone on with NULL for the expression. */
        buffer_printf(out, "WARNING: %.*s at %s-%u@%lld: %s: %s\n", BYTES_ARG(query_id), topic,
                      partition, offset, what ? what : "an expression", err->message);
    } else {
        buffer_printf(out, "WARNING: %.*s skipped %s of %s-%u@%lld: %s\n", BYTES_ARG(query_id),
                      what ? what : "a record", topic, partition, offset, err->message);
    }
}
