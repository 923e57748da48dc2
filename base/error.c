/*
 * error.c: recording errors; the tables that errors.def makes.
 *
 * Messages are formatted aside first, so that an argument may be the old
 * message of the same error.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct error_row {
    const char *name;
    enum error_class class;
    const char *doc;
};

static const struct error_row error_rows[ERR_COUNT] = {
    [ERR_NONE] = { "ERR_NONE", ERROR_STATEMENT, "no error" },
#define ERROR(code, class, text) [code] = { #code, class, text },
#include "base/errors.def"
#undef ERROR
};

static void store_message(struct error *err, const char *text, size_t len)
{
    struct bytes cut = utf8_cut((struct bytes){ text, len }, ERROR_MESSAGE_MAX - 1);

    memcpy(err->message, cut.data, cut.len);
    err->message[cut.len] = '\0';
}

/* Room past the limit shows whether the text was cut, and where a character ends. */
static size_t format_message(char *out, size_t size, const char *format, va_list args)
{
    int len = vsnprintf(out, size, format, args);

    if (len < 0) {
        len = 0;
        out[0] = '\0';
    }
    return (size_t)len < size ? (size_t)len : size - 1;
}

int error_set(struct error *err, enum error_code code, struct position at, const char *format, ...)
{
    char text[ERROR_MESSAGE_MAX + 4];
    va_list args;
    size_t len;

    if (!err) {
        return (int)code;
    }
    va_start(args, format);
    len = format_message(text, sizeof text, format, args);
    va_end(args);
    err->code = code;
    err->at = at;
    store_message(err, text, len);
    return (int)code;
}

int error_prefix(struct error *err, const char *format, ...)
{
    char text[2 * ERROR_MESSAGE_MAX + 8];
    va_list args;
    size_t len;
    size_t old_len;

    if (!err) {
        return ERR_NONE;
    }
    va_start(args, format);
    len = format_message(text, ERROR_MESSAGE_MAX + 4, format, args);
    va_end(args);
    old_len = strlen(err->message);
    text[len++] = ':';
    text[len++] = ' ';
    memcpy(text + len, err->message, old_len);
    store_message(err, text, len + old_len);
    return (int)err->code;
}

void error_clear(struct error *err)
{
    if (err) {
        err->code = ERR_NONE;
        err->at = NO_POSITION;
        err->message[0] = '\0';
    }
}

const char *error_name(enum error_code code)
{
    return (unsigned)code < ERR_COUNT ? error_rows[code].name : "ERR_UNKNOWN";
}

const char *error_doc(enum error_code code)
{
    return (unsigned)code < ERR_COUNT ? error_rows[code].doc : "";
}

enum error_class error_class_of(enum error_code code)
{
    return (unsigned)code < ERR_COUNT ? error_rows[code].class : ERROR_QUERY;
}

enum error_code error_find(struct bytes name)
{
    for (int code = 1; code < ERR_COUNT; code++) {
        if (bytes_equal_text(name, error_rows[code].name)) {
            return (enum error_code)code;
        }
    }
    return ERR_NONE;
}
