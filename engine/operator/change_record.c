/*
 * change_record.c: the mark stands last, so that an image alone begins the record.
 */
#include "engine/operator/change_record.h"

#include <assert.h>
#include <string.h>

enum { MARK_OLD, MARK_NEW, MARK_BOTH };

void change_record_append(const struct change_images *images, struct buffer *out)
{
    if (images->new_image.data && images->old_image.data) {
        uint32_t len = (uint32_t)images->new_image.len;

        assert(images->new_image.len <= UINT32_MAX);
        buffer_append(out, &len, sizeof len);
        buffer_append_bytes(out, images->new_image);
        buffer_append_bytes(out, images->old_image);
        buffer_append_char(out, MARK_BOTH);
    } else if (images->new_image.data) {
        buffer_append_bytes(out, images->new_image);
        buffer_append_char(out, MARK_NEW);
    } else {
        assert(images->old_image.data);
        buffer_append_bytes(out, images->old_image);
        buffer_append_char(out, MARK_OLD);
    }
}

static int damaged(struct error *err)
{
    return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                     "A record of the repartition topic cannot be read");
}

static int parse_both(struct bytes body, struct change_images *out, struct error *err)
{
    uint32_t len;

    if (body.len < sizeof len) {
        return damaged(err);
    }
    memcpy(&len, body.data, sizeof len);
    body = (struct bytes){ body.data + sizeof len, body.len - sizeof len };
    if (len > body.len) {
        return damaged(err);
    }
    *out = (struct change_images){ { body.data, len }, { body.data + len, body.len - len } };
    return 0;
}

int change_record_parse(struct bytes record, struct change_images *out, struct error *err)
{
    struct bytes body = { record.data, record.len ? record.len - 1 : 0 };

    if (!record.len) {
        return damaged(err);
    }
    switch (record.data[record.len - 1]) {
    case MARK_OLD:
        *out = (struct change_images){ { NULL, 0 }, body };
        return 0;
    case MARK_NEW:
        *out = (struct change_images){ body, { NULL, 0 } };
        return 0;
    case MARK_BOTH:
        return parse_both(body, out, err);
    default:
        return damaged(err);
    }
}
