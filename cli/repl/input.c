/*
 * input.c: quotes and comments of what is typed, before the parser sees it.
 */
#include "cli/repl/input.h"

#include <stdbool.h>
#include <string.h>

enum piece_kind { PIECE_BLANK, PIECE_COMMENT, PIECE_QUOTED, PIECE_SEMICOLON, PIECE_OTHER };

/* A stretch of the text of one kind. */
struct piece {
    enum piece_kind kind;
    size_t end;
    bool open; /* its end is not in the text */
};

static struct piece until(struct bytes text, size_t from, const char *mark, enum piece_kind kind)
{
    size_t len = strlen(mark);

    for (size_t i = from; i + len <= text.len; i++) {
        if (memcmp(text.data + i, mark, len) == 0) {
            return (struct piece){ kind, i + len, false };
        }
    }
    return (struct piece){ kind, text.len, true };
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct piece next_piece(struct bytes text, size_t at)
{
    char c = text.data[at];
    char following = at + 1 < text.len ? text.data[at + 1] : '\0';
    char quote[] = { c, '\0' };
    struct piece piece = { PIECE_OTHER, at + 1, false };

    if (is_blank(c)) {
        piece.kind = PIECE_BLANK;
    } else if (c == ';') {
        piece.kind = PIECE_SEMICOLON;
    } else if (c == '-' && following == '-') {
        piece = until(text, at + 2, "\n", PIECE_COMMENT);
        piece.open = false; /* the end of the text ends it too */
    } else if (c == '/' && following == '*') {
        piece = until(text, at + 2, "*/", PIECE_COMMENT);
    } else if (c == '\'' || c == '"' || c == '`') {
        piece = until(text, at + 1, quote, PIECE_QUOTED);
    }
    return piece;
}

enum input_state input_examine(struct bytes text)
{
    enum input_state state = INPUT_BLANK;

    for (size_t at = 0; at < text.len;) {
        struct piece piece = next_piece(text, at);

        if (piece.open) {
            return INPUT_OPEN;
        }
        if (piece.kind == PIECE_SEMICOLON) {
            state = INPUT_COMPLETE;
        } else if (piece.kind == PIECE_QUOTED || piece.kind == PIECE_OTHER) {
            state = INPUT_OPEN;
        }
        at = piece.end;
    }
    return state;
}

void input_join_lines(struct bytes text, struct buffer *out)
{
    bool gap = false;

    for (size_t at = 0; at < text.len;) {
        struct piece piece = next_piece(text, at);

        if (piece.kind == PIECE_BLANK || piece.kind == PIECE_COMMENT) {
            gap = out->len > 0;
        } else {
            if (gap) {
                buffer_append_char(out, ' ');
            }
            buffer_append(out, text.data + at, piece.end - at);
            gap = false;
        }
        at = piece.end;
    }
}
