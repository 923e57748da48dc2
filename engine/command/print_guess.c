/*
 * print_guess.c: formats as candidates that data refute (statements.md 7, PRINT).
 *
 * Candidates are in order of preference; every datum is tried against all that are left, and one
 * that fails is gone for good. Keys may have a window behind them, so each format of a key has
 * three candidates in front: a window of arbitrary bytes would fit nearly everything, so its
 * times have to lie between 1970 and the year 10000. Raw bytes fit all and have no name.
 */
#include "engine/command/print_guess.h"

#include <jansson.h>

#include "base/utf8.h"
#include "engine/type/java_text.h"

enum { INT_BYTES = 4, LONG_BYTES = 8 };

/* --- formats: each says whether it is one, and prints it where `out` is not NULL --- */

static bool take_json(struct bytes in, struct buffer *out)
{
    json_t *document;

    if (in.len == 0 || !utf8_is_valid(in)) {
        return false;
    }
    document = json_loadb(in.data, in.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    if (!document) {
        return false;
    }
    json_decref(document);
    if (out) {
        buffer_append_bytes(out, in); /* as it was written */
    }
    return true;
}

static uint64_t big_endian(struct bytes in)
{
    uint64_t number = 0;

    for (size_t i = 0; i < in.len; i++) {
        number = number << 8 | (unsigned char)in.data[i];
    }
    return number;
}

static bool take_int(struct bytes in, struct buffer *out)
{
    if (in.len == INT_BYTES && out) {
        buffer_printf(out, "%d", (int)(int32_t)(uint32_t)big_endian(in));
    }
    return in.len == INT_BYTES;
}

static bool take_bigint(struct bytes in, struct buffer *out)
{
    if (in.len == LONG_BYTES && out) {
        buffer_printf(out, "%lld", (long long)(int64_t)big_endian(in));
    }
    return in.len == LONG_BYTES;
}

static bool take_double(struct bytes in, struct buffer *out)
{
    union {
        uint64_t bits;
        double number;
    } both;

    if (in.len == LONG_BYTES && out) {
        char text[JAVA_DOUBLE_MAX];

        both.bits = big_endian(in);
        buffer_append(out, text, java_double_print(both.number, text));
    }
    return in.len == LONG_BYTES;
}

static bool take_string(struct bytes in, struct buffer *out)
{
    if (in.len == 0 || !utf8_is_valid(in)) {
        return false;
    }
    if (out) {
        buffer_append_bytes(out, in);
    }
    return true;
}

static void print_raw(struct bytes in, struct buffer *out)
{
    for (size_t i = 0; i < in.len; i++) {
        unsigned char byte = (unsigned char)in.data[i];

        if (byte >= ' ' && byte < 0x7F && byte != '\\') {
            buffer_append_char(out, (char)byte);
        } else {
            buffer_printf(out, "\\x%02X", byte);
        }
    }
}

static const struct {
    const char *name;
    bool (*take)(struct bytes in, struct buffer *out);
} formats[] = {
    { "JSON", take_json },           { "KAFKA_INT", take_int },
    { "KAFKA_BIGINT", take_bigint }, { "KAFKA_DOUBLE", take_double },
    { "KAFKA_STRING", take_string },
};

/* --- windows: behind the key its start, of a session the end before that --- */

enum window_kind { WINDOW_SESSION, WINDOW_HOPPING, WINDOW_TUMBLING, WINDOW_NONE, WINDOW_KINDS };

static const char *const window_names[] = { "SESSION", "HOPPING", "TUMBLING", "" };

static bool is_time(int64_t ms)
{
    static const int64_t year_10000 = 253402300800000;

    return ms >= 0 && ms < year_10000;
}

static int64_t time_at(struct bytes in, size_t at)
{
    return (int64_t)big_endian((struct bytes){ in.data + at, LONG_BYTES });
}

static bool take_windowed(uint32_t format, enum window_kind window, struct bytes in,
                          struct buffer *out)
{
    size_t tail = window == WINDOW_SESSION ? 2 * LONG_BYTES : LONG_BYTES;
    struct bytes inner = in;
    int64_t start, end = 0;

    if (window == WINDOW_NONE) {
        return formats[format].take(in, out);
    }
    if (in.len <= tail) {
        return false;
    }
    inner.len = in.len - tail;
    start = time_at(in, in.len - LONG_BYTES);
    end = window == WINDOW_SESSION ? time_at(in, inner.len) : start;
    if (!is_time(start) || !is_time(end) || end < start || !formats[format].take(inner, NULL)) {
        return false;
    }
    if (out) {
        buffer_append_char(out, '[');
        (void)formats[format].take(inner, out);
        buffer_printf(out, "@%lld/", (long long)start);
        if (window == WINDOW_SESSION) {
            buffer_printf(out, "%lld]", (long long)end);
        } else {
            buffer_append_text(out, "-]");
        }
    }
    return true;
}

/* --- candidates: formats, of keys with their windows --- */

enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };

static uint32_t candidate_count(const struct guess *guess)
{
    return guess->side == GUESS_KEY ? FORMAT_COUNT * WINDOW_KINDS : FORMAT_COUNT;
}

static uint32_t format_of(const struct guess *guess, uint32_t candidate)
{
    return guess->side == GUESS_KEY ? candidate / WINDOW_KINDS : candidate;
}

static enum window_kind window_of(const struct guess *guess, uint32_t candidate)
{
    return guess->side == GUESS_KEY ? (enum window_kind)(candidate % WINDOW_KINDS) : WINDOW_NONE;
}

static bool is_refuted(const struct guess *guess, uint32_t candidate)
{
    return (guess->refuted >> candidate & 1) != 0;
}

static bool take(const struct guess *guess, uint32_t candidate, struct bytes in, struct buffer *out)
{
    return take_windowed(format_of(guess, candidate), window_of(guess, candidate), in, out);
}

bool guess_see(struct guess *guess, struct bytes datum)
{
    uint64_t before = guess->refuted;
    bool is_first = !guess->has_data;

    if (!datum.data) {
        return false;
    }
    guess->has_data = true;
    for (uint32_t i = 0; i < candidate_count(guess); i++) {
        if (!is_refuted(guess, i) && !take(guess, i, datum, NULL)) {
            guess->refuted |= (uint64_t)1 << i;
        }
    }
    return is_first || guess->refuted != before;
}

void guess_print_formats(const struct guess *guess, struct buffer *out)
{
    bool any = false;

    if (!guess->has_data) {
        buffer_append_text(out, "no data processed");
        return;
    }
    for (uint32_t i = 0; i < candidate_count(guess); i++) {
        const char *name = formats[format_of(guess, i)].name;
        enum window_kind window = window_of(guess, i);

        if (is_refuted(guess, i)) {
            continue;
        }
        buffer_append_text(out, any ? " or " : "");
        any = true;
        if (window == WINDOW_NONE) {
            buffer_append_text(out, name);
        } else {
            buffer_printf(out, "%s(%s)", window_names[window], name);
        }
    }
    if (!any) {
        buffer_append_text(out, "no supported format: printed as bytes");
    }
}

void guess_print(const struct guess *guess, struct bytes datum, struct buffer *out)
{
    if (!datum.data) {
        buffer_append_text(out, "<null>");
        return;
    }
    for (uint32_t i = 0; i < candidate_count(guess); i++) {
        if (!is_refuted(guess, i) && take(guess, i, datum, out)) {
            return;
        }
    }
    print_raw(datum, out);
}
