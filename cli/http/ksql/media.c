/*
 * media.c: reading the Accept header.
 */
#include "cli/http/ksql/media.h"

#include "cli/remote/peer_rows.h"

static const char *const names[MEDIA_COUNT] = {
    [MEDIA_DELIMITED] = "application/vnd.ksqlapi.delimited.v1",
    [MEDIA_JSON] = "application/json",
    [MEDIA_KSQL] = "application/vnd.ksql.v1+json",
    [MEDIA_PEER] = PEER_MEDIA,
};

const char *media_name(enum media media)
{
    return names[media];
}

static struct bytes trim(struct bytes text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

/* Up to the separator, which is cut off with it. */
static struct bytes next_part(struct bytes *rest, char separator)
{
    struct bytes part = { rest->data, 0 };

    while (part.len < rest->len && rest->data[part.len] != separator) {
        part.len++;
    }
    rest->data += part.len + (part.len < rest->len);
    rest->len -= part.len + (part.len < rest->len);
    return trim(part);
}

/* Thousandths; what is no number counts as 1. */
static int parse_weight(struct bytes parameter)
{
    int weight = 0;
    int scale = 1000;

    if (!bytes_starts_with(parameter, bytes_of("q=")) || parameter.len < 3) {
        return 1000;
    }
    for (size_t i = 2; i < parameter.len; i++) {
        char c = parameter.data[i];

        if (c >= '0' && c <= '9') {
            weight += (c - '0') * scale;
            scale /= 10;
        } else if (c != '.' || i != 3) {
            return 1000;
        }
    }
    return weight > 1000 ? 1000 : weight;
}

static enum media match(struct bytes type, const enum media *offered, uint32_t count)
{
    if (bytes_equal_text(type, "*/*") || bytes_equal_text_nocase(type, "application/*")) {
        return offered[0];
    }
    for (uint32_t i = 0; i < count; i++) {
        if (offered[i] < MEDIA_COUNT && bytes_equal_text_nocase(type, names[offered[i]])) {
            return offered[i];
        }
    }
    return MEDIA_NONE;
}

enum media media_choose(struct bytes accept, const enum media *offered, uint32_t offered_count,
                        enum media usual)
{
    struct bytes rest = accept;
    enum media best = MEDIA_NONE;
    int best_weight = 0;

    if (trim(accept).len == 0) {
        return usual;
    }
    while (rest.len > 0) {
        struct bytes entry = next_part(&rest, ',');
        enum media media = match(next_part(&entry, ';'), offered, offered_count);
        int weight = 1000;

        while (entry.len > 0) {
            struct bytes parameter = next_part(&entry, ';');

            weight =
                bytes_starts_with(parameter, bytes_of("q=")) ? parse_weight(parameter) : weight;
        }
        if (media != MEDIA_NONE && weight > best_weight) {
            best = media;
            best_weight = weight;
        }
    }
    return best;
}
