/*
 * entry_block.c: packing and unpacking.
 */
#include "engine/state/entry_block.h"

enum { ENTRY_BLOCK_VERSION = 1, FULL_BYTES = 64 * 1024 };

void entry_block_begin(struct entry_writer *writer, struct log_builder *out)
{
    *writer = (struct entry_writer){ .out = out };
    log_builder_begin(out);
    log_builder_end_key(out, false);
    buffer_append_char(&out->bytes, ENTRY_BLOCK_VERSION);
}

void entry_block_add(struct entry_writer *writer, struct bytes key, struct bytes image,
                     int64_t timestamp_ms)
{
    char numbers[3 * PACKED_NUMBER_MAX];
    uint64_t since = (uint64_t)timestamp_ms - (uint64_t)writer->last_ms;
    char *end = packed_put(numbers, key.len);

    end = packed_put(end, packed_length(image));
    end = packed_put(end, packed_fold((int64_t)since));
    buffer_append(&writer->out->bytes, numbers, (size_t)(end - numbers));
    buffer_append_bytes(&writer->out->bytes, key);
    buffer_append_bytes(&writer->out->bytes, image);
    writer->last_ms = timestamp_ms;
    writer->count++;
}

bool entry_block_is_full(const struct entry_writer *writer)
{
    return writer->out->bytes.len - writer->out->begun_at >= FULL_BYTES;
}

bool entry_block_end(struct entry_writer *writer)
{
    if (writer->count == 0) {
        log_builder_cancel(writer->out);
        return false;
    }
    log_builder_end_record(writer->out, true, 0, NULL, 0);
    return true;
}

int entry_block_open(struct entry_reader *reader, struct bytes block, struct error *err)
{
    *reader = (struct entry_reader){ .from = { block.data, block.data + block.len, false } };
    if (packed_take(&reader->from) != ENTRY_BLOCK_VERSION) {
        return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                         "a record of a changelog is damaged, or a later version wrote it");
    }
    return 0;
}

bool entry_block_next(struct entry_reader *reader, struct block_entry *out)
{
    uint64_t key_len, image_len;

    if (reader->from.wrong || reader->from.at == reader->from.end) {
        return false;
    }
    key_len = packed_take(&reader->from);
    image_len = packed_take(&reader->from);
    reader->last_ms =
        (int64_t)((uint64_t)reader->last_ms + (uint64_t)packed_unfold(packed_take(&reader->from)));
    out->timestamp_ms = reader->last_ms;
    out->key = packed_take_bytes(&reader->from, key_len);
    out->image = packed_take_text(&reader->from, image_len);
    return !reader->from.wrong;
}
