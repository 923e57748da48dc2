/*
 * reference.c: a whole value may be a reference; what it stands for is read at every start.
 *
 * The file of ${file:PATH:KEY} has lines KEY=VALUE, as Java's properties.
 */
#include "sinks/reference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1024 * 1024, CHUNK_BYTES = 4096 };

/* What stands between "${KIND:" and "}"; absent: it is something else. */
static struct bytes rest_of(struct bytes value, const char *kind)
{
    struct bytes prefix = bytes_of(kind);

    if (!bytes_starts_with(value, prefix) || value.data[value.len - 1] != '}') {
        return (struct bytes){ NULL, 0 };
    }
    return (struct bytes){ value.data + prefix.len, value.len - prefix.len - 1 };
}

static int read_file(const char *path, struct buffer *out, struct error *err)
{
    FILE *in = fopen(path, "rb");
    size_t got;
    int code = 0;

    if (!in) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION, "%s cannot be opened: %s", path,
                         strerror(errno));
    }
    do {
        buffer_reserve(out, CHUNK_BYTES);
        got = fread(out->data + out->len, 1, CHUNK_BYTES, in);
        out->len += got;
    } while (got > 0 && out->len <= FILE_MAX_BYTES);
    if (ferror(in)) {
        code = error_set(err, ERR_INVALID_PROPERTY, NO_POSITION, "%s cannot be read: %s", path,
                         strerror(errno));
    }
    fclose(in);
    return code;
}

static bool find_line(struct bytes text, struct bytes key, struct bytes *out)
{
    size_t begin = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.data[i] != '\n') {
            continue;
        }
        if (i - begin > key.len && text.data[begin + key.len] == '=' &&
            memcmp(text.data + begin, key.data, key.len) == 0) {
            size_t at = begin + key.len + 1;
            size_t end = i > at && text.data[i - 1] == '\r' ? i - 1 : i;

            *out = (struct bytes){ text.data + at, end - at };
            return true;
        }
        begin = i + 1;
    }
    return false;
}

static int resolve_file(struct bytes rest, struct arena *arena, struct bytes *out,
                        struct error *err)
{
    struct buffer text = { 0 };
    struct bytes found;
    size_t colon = rest.len;
    const char *path;
    int code;

    while (colon > 0 && rest.data[colon - 1] != ':') {
        colon--;
    }
    if (colon < 2) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "a reference to a file is ${file:PATH:KEY}");
    }
    path = arena_copy_text(arena, (struct bytes){ rest.data, colon - 1 });
    code = read_file(path, &text, err);
    rest = (struct bytes){ rest.data + colon, rest.len - colon };
    if (!code && !find_line(buffer_bytes(&text), rest, &found)) {
        code = error_set(err, ERR_INVALID_PROPERTY, NO_POSITION, "%s has no line %.*s=...", path,
                         BYTES_ARG(rest));
    }
    if (!code) {
        *out = arena_copy(arena, found);
    }
    buffer_fini(&text);
    return code;
}

static int resolve_environment(struct bytes rest, struct arena *arena, struct bytes *out,
                               struct error *err)
{
    const char *found = getenv(arena_copy_text(arena, rest));

    if (!found) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "the environment variable %.*s is not set", BYTES_ARG(rest));
    }
    *out = arena_copy(arena, bytes_of(found));
    return 0;
}

int reference_resolve(const struct connector_store *store, struct bytes connector,
                      struct bytes value, struct arena *arena, struct bytes *out, struct error *err)
{
    struct bytes rest;

    if ((rest = rest_of(value, "${file:")).data) {
        return resolve_file(rest, arena, out, err);
    }
    if ((rest = rest_of(value, "${env:")).data) {
        return resolve_environment(rest, arena, out, err);
    }
    if ((rest = rest_of(value, "${secret:")).data) {
        struct bytes found = connector_store_find(store, "secret", connector, rest);

        if (!found.data) {
            return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                             "the value of '%.*s' was not kept; give it again", BYTES_ARG(rest));
        }
        *out = arena_copy(arena, found);
        return 0;
    }
    *out = arena_copy(arena, value);
    return 0;
}
