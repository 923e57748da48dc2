/*
 * error.h: an error is a value: a stable condition code, a place and a message.
 *
 * Functions that can fail return 0 or an enum error_code as int and take a
 * struct error * last; out-parameters stay untouched on failure. Codes are
 * rows of errors.def; tests, REST answers and the conformance runner judge by
 * the code, never by the wording.
 */
#ifndef SLUICE_BASE_ERROR_H
#define SLUICE_BASE_ERROR_H

#include "base/bytes.h"

enum error_code {
    ERR_NONE = 0,
#define ERROR(code, class, name) code,
#include "base/errors.def"
#undef ERROR
    ERR_COUNT
};

/* What a caller does about it (docs/contributing.md, Errors). */
enum error_class { ERROR_STATEMENT, ERROR_RECORD, ERROR_TRANSIENT, ERROR_QUERY, ERROR_USAGE };

/* A place in a statement text; line 0 means no place. Columns count characters from 1. */
struct position {
    uint32_t line;
    uint32_t column;
};

#define NO_POSITION ((struct position){ 0, 0 })

enum { ERROR_MESSAGE_MAX = 1000 };

struct error {
    enum error_code code;
    struct position at;
    char message[ERROR_MESSAGE_MAX]; /* UTF-8, cut at a character if too long */
};

/* Records and returns the code, so that reporting is one statement. Safe with err == NULL. */
int error_set(struct error *err, enum error_code code, struct position at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts context in front: "topic t, offset 5: <message>". Returns err->code. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void error_clear(struct error *err);

const char *error_name(enum error_code code); /* "ERR_UNKNOWN_COLUMN" */
const char *error_doc(enum error_code code);  /* "no such column" */
enum error_class error_class_of(enum error_code code);
/* By its name; ERR_NONE when there is none. */
enum error_code error_find(struct bytes name);

#define TRY(call)               \
    do {                        \
        int try_code_ = (call); \
        if (try_code_) {        \
            return try_code_;   \
        }                       \
    } while (0)

#endif
