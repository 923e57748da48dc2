/*
 * read_file.c: reading statements from where they are kept.
 */
#include "cli/read_file.h"

#include <errno.h>
#include <string.h>

#include "parser/parse.h"

enum { READ_BYTES = 65536 };

/* Some editors begin a file with a byte order mark. */
static void drop_mark(struct buffer *text)
{
    static const struct bytes mark = BYTES("\xEF\xBB\xBF");

    if (bytes_starts_with(buffer_bytes(text), mark)) {
        text->len -= mark.len;
        memmove(text->data, text->data + mark.len, text->len);
    }
}

int read_stream(FILE *in, const char *name, struct buffer *out, struct error *err)
{
    size_t got;

    do {
        buffer_reserve(out, READ_BYTES);
        got = fread(out->data + out->len, 1, READ_BYTES, in);
        out->len += got;
    } while (got > 0 && out->len <= PARSE_TEXT_MAX);
    if (ferror(in)) {
        return error_set(err, ERR_IO, NO_POSITION, "%s cannot be read: %s", name, strerror(errno));
    }
    drop_mark(out);
    return 0;
}

FILE *open_file(const char *name, struct error *err)
{
    FILE *in = fopen(name, "rb");

    if (!in) {
        (void)error_set(err, ERR_IO, NO_POSITION, "%s cannot be opened: %s", name, strerror(errno));
    }
    return in;
}

int read_file(const char *name, struct buffer *out, struct error *err)
{
    FILE *in = open_file(name, err);
    int code;

    if (!in) {
        return ERR_IO;
    }
    code = read_stream(in, name, out, err);
    fclose(in);
    return code;
}
