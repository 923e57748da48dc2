/*
 * expected_error.c: the table of expected_errors.def, looked up by pattern.
 *
 * The first row that fits a message decides. A syntax error may be quoted with an empty
 * message, so the class of the exception is put in front of the message: "class: message".
 */
#include "cli/test/expected_error.h"

#include <regex.h>
#include <stdlib.h>

enum { CODES_MAX = 5 };

struct expected_error {
    const char *pattern;
    enum expected_phase phase;
    enum error_code codes[CODES_MAX]; /* ERR_NONE behind the last */
};

static const struct expected_error expected_errors[] = {
#define EXPECTED(pattern, ...) { pattern, EXPECT_AT_STATEMENT, { __VA_ARGS__ } },
#define EXPECTED_AT_RECORD(pattern, ...) { pattern, EXPECT_AT_RECORD, { __VA_ARGS__ } },
#include "cli/test/expected_errors.def"
#undef EXPECTED_AT_RECORD
#undef EXPECTED
};

static bool fits(const char *pattern, const char *message)
{
    regex_t regex;
    bool found;

    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        abort(); /* a row of the table is broken */
    }
    found = regexec(&regex, message, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static const struct expected_error *find_row(struct bytes type, struct bytes message)
{
    size_t count = sizeof expected_errors / sizeof expected_errors[0];
    const struct expected_error *found = NULL;
    struct buffer text = { 0 };

    buffer_append_bytes(&text, type);
    buffer_append_text(&text, ": ");
    buffer_append_bytes(&text, message);
    buffer_append_char(&text, '\0');
    for (size_t i = 0; i < count && !found; i++) {
        if (fits(expected_errors[i].pattern, text.data)) {
            found = &expected_errors[i];
        }
    }
    buffer_fini(&text);
    return found;
}

bool expected_error_phase(struct bytes type, struct bytes message, enum expected_phase *out)
{
    const struct expected_error *row = find_row(type, message);

    if (row) {
        *out = row->phase;
    }
    return row != NULL;
}

bool expected_error_allows(struct bytes type, struct bytes message, enum error_code code)
{
    const struct expected_error *row = find_row(type, message);

    for (unsigned i = 0; row && i < CODES_MAX && row->codes[i] != ERR_NONE; i++) {
        if (row->codes[i] == code) {
            return true;
        }
    }
    return false;
}

void expected_error_print(struct bytes type, struct bytes message, struct buffer *out)
{
    const struct expected_error *row = find_row(type, message);

    for (unsigned i = 0; row && i < CODES_MAX && row->codes[i] != ERR_NONE; i++) {
        buffer_printf(out, "%s%s", i > 0 ? " or " : "", error_name(row->codes[i]));
    }
}
