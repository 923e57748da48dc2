/*
 * like.c: LIKE patterns as a list of parts, and the match.
 *
 * A part is a literal stretch, one character (_) or a run (%). Neither wildcard
 * takes a line terminator. Only the last run is ever gone back to: a literal
 * found early leaves more to the run behind it, and since the stretch between two
 * places of a literal must be free of line terminators for either to match, the
 * earlier place is never worse.
 */
#include "engine/expr/like.h"

#include <string.h>

#include "base/utf8.h"

enum like_kind { LIKE_TEXT, LIKE_ONE, LIKE_RUN };

struct like_part {
    enum like_kind kind;
    struct bytes text; /* LIKE_TEXT */
};

struct like_pattern {
    const struct like_part *parts;
    size_t count;
};

/* Bytes of the character at `at`; 1 for a byte that starts none, so that a scan ends. */
static size_t character_length(struct bytes text, size_t at, uint32_t *character)
{
    size_t len = 0;

    *character = (unsigned char)text.data[at];
    if (*character >= 0x80) {
        len = utf8_decode(text, at, character);
    }
    return len ? len : 1;
}

static bool is_line_terminator(uint32_t character)
{
    return character == '\n' || character == '\r' || character == 0x85 || character == 0x2028 ||
           character == 0x2029;
}

/* Adjacent literal characters become one part, in `room`. */
static void append_text(struct like_part *parts, size_t *count, char *room, size_t *used,
                        struct bytes character)
{
    struct like_part *last = *count ? &parts[*count - 1] : NULL;

    memcpy(room + *used, character.data, character.len);
    if (last && last->kind == LIKE_TEXT) {
        last->text.len += character.len;
    } else {
        parts[(*count)++] = (struct like_part){ LIKE_TEXT, { room + *used, character.len } };
    }
    *used += character.len;
}

int like_compile(struct arena *arena, struct bytes pattern, uint32_t escape,
                 const struct like_pattern **out, struct error *err)
{
    struct like_pattern *made = arena_new(arena, struct like_pattern);
    struct like_part *parts = arena_array(arena, struct like_part, pattern.len);
    char *room = arena_alloc_text(arena, pattern.len);
    size_t used = 0;
    size_t count = 0;
    bool escaped = false;

    for (size_t at = 0; at < pattern.len;) {
        uint32_t character = 0;
        size_t len = character_length(pattern, at, &character);

        if (escape && character == escape && !escaped) {
            escaped = true;
        } else if (!escaped && (character == '%' || character == '_')) {
            parts[count++].kind = character == '%' ? LIKE_RUN : LIKE_ONE;
        } else {
            append_text(parts, &count, room, &used, (struct bytes){ pattern.data + at, len });
            escaped = false;
        }
        at += len;
    }
    if (escaped) {
        return error_set(err, ERR_EVALUATE, NO_POSITION,
                         "the LIKE pattern '%.*s' ends with its escape character",
                         BYTES_ARG(pattern));
    }
    made->parts = parts;
    made->count = count;
    *out = made;
    return 0;
}

/* Passes one character that a wildcard may take. */
static bool pass_character(struct bytes text, size_t *at)
{
    uint32_t character = 0;
    size_t len = 0;

    if (*at >= text.len) {
        return false;
    }
    len = character_length(text, *at, &character);
    if (is_line_terminator(character)) {
        return false;
    }
    *at += len;
    return true;
}

/* Passes what a part other than a run takes. */
static bool pass_part(const struct like_part *part, struct bytes text, size_t *at)
{
    if (part->kind == LIKE_ONE) {
        return pass_character(text, at);
    }
    if (text.len - *at < part->text.len ||
        memcmp(text.data + *at, part->text.data, part->text.len) != 0) {
        return false;
    }
    *at += part->text.len;
    return true;
}

bool like_matches(const struct like_pattern *pattern, struct bytes text)
{
    size_t part = 0;
    size_t at = 0;
    bool has_run = false;
    size_t run_part = 0; /* behind the last run */
    size_t run_end = 0;  /* what the last run has taken */

    for (;;) {
        bool is_end = part == pattern->count;

        if (is_end && at == text.len) {
            return true;
        }
        if (!is_end && pattern->parts[part].kind == LIKE_RUN) {
            has_run = true;
            run_part = ++part;
            run_end = at;
        } else if (!is_end && pass_part(&pattern->parts[part], text, &at)) {
            part++;
        } else if (has_run && pass_character(text, &run_end)) {
            part = run_part;
            at = run_end;
        } else {
            return false;
        }
    }
}
