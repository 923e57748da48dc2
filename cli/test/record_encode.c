/*
 * record_encode.c: "inputs" of a test file -> bytes.
 *
 * JSON goes on the log as it stands in the file; DELIMITED and KAFKA text as it is; KAFKA
 * numbers in Java's big-endian form where they fit the column, as bare text where
 * they do not: so a case can have a bad record.
 */
#include <string.h>

#include "base/base64.h"
#include "cli/test/record.h"
#include "engine/type/java_text.h"

static void append_big_endian(uint64_t number, unsigned size, struct buffer *out)
{
    for (unsigned i = size; i-- > 0;) {
        buffer_append_char(out, (char)(unsigned char)(number >> (8 * i)));
    }
}

/* --- one side --- */

static bool encode_kafka_number(struct bytes text, enum type_id type, struct buffer *out)
{
    int64_t number = 0;
    double real = 0;
    uint64_t bits;

    if (type == T_DOUBLE && java_double_parse(text, &real, NULL) == 0) {
        memcpy(&bits, &real, sizeof bits);
        append_big_endian(bits, 8, out);
        return true;
    }
    if ((type == T_INTEGER || type == T_BIGINT) && java_long_parse(text, &number, NULL) == 0) {
        append_big_endian((uint64_t)number, type == T_INTEGER ? 4 : 8, out);
        return true;
    }
    return false;
}

static bool encode_kafka_bytes(struct bytes text, struct buffer *out)
{
    size_t len = 0;
    bool good;

    buffer_reserve(out, base64_decoded_bound(text.len));
    good = base64_decode(text, BASE64_PADDED, out->data + out->len, &len);
    out->len += good ? len : 0;
    return good;
}

static void encode_kafka(const struct json *node, enum type_id type, struct buffer *out)
{
    struct bytes text = json_text(node);

    if (text.data && encode_kafka_number(text, type, out)) {
        return;
    }
    if (json_is(node, JSON_NODE_STRING) && type == T_BYTES && encode_kafka_bytes(text, out)) {
        return;
    }
    if (text.data) {
        buffer_append_bytes(out, text);
    } else {
        json_print(node, out);
    }
}

static int encode_side(const struct record_side *side, const struct json *node, struct buffer *out,
                       struct error *err)
{
    const char *format = side->format ? side->format->name : NULL;
    enum type_id type = side->type ? side->type->id : T_STRING;

    if (format && strcmp(format, "JSON") == 0) {
        json_print(node, out);
        return 0;
    }
    if (!format || strcmp(format, "KAFKA") == 0 || strcmp(format, "NONE") == 0) {
        encode_kafka(node, type, out);
        return 0;
    }
    if (strcmp(format, "DELIMITED") == 0) {
        encode_kafka(node, T_STRING, out);
        return 0;
    }
    return error_set(err, ERR_UNSUPPORTED, NO_POSITION, "format not built: %s", format);
}

/* --- windows, headers --- */

static void append_window(const struct json *window, struct buffer *out)
{
    bool session = bytes_equal_text_nocase(json_member_text(window, "type"), "session");

    if (session) {
        append_big_endian((uint64_t)json_member_integer(window, "end", 0), 8, out);
    }
    append_big_endian((uint64_t)json_member_integer(window, "start", 0), 8, out);
}

static struct bytes decode_base64(struct arena *arena, const struct json *node)
{
    struct bytes text = json_text(node);
    size_t len = 0;
    char *data;

    if (!text.data) {
        return (struct bytes){ NULL, 0 };
    }
    data = arena_alloc_text(arena, base64_decoded_bound(text.len) + 1);
    if (!base64_decode(text, BASE64_PADDED, data, &len)) {
        return text;
    }
    return (struct bytes){ data, len };
}

static void encode_headers(struct arena *arena, const struct json *list, struct kept_record *out)
{
    uint32_t count = json_count(list);
    struct record_header *headers = arena_array(arena, struct record_header, count);

    for (uint32_t i = 0; i < count; i++) {
        const struct json *item = json_item(list, i);

        headers[i].key = arena_copy(arena, json_member_text(item, "KEY"));
        headers[i].value = decode_base64(arena, json_member(item, "VALUE"));
    }
    out->headers = headers;
    out->header_count = count;
}

/* --- the record --- */

static int encode_key(struct arena *arena, const struct topic_form *form, const struct json *input,
                      uint32_t partition_count, struct kept_record *out, struct error *err)
{
    struct record_side side = record_side_of(form, SIDE_KEY, arena);
    const struct json *node = json_member(input, "key");
    const struct json *window = json_member(input, "window");
    struct buffer key = { 0 };
    int code = 0;

    if (json_is_missing(node)) {
        return 0;
    }
    code = encode_side(&side, node, &key, err);
    if (!code) {
        out->partition = log_partition_of(buffer_bytes(&key), partition_count);
        if (json_is(window, JSON_NODE_OBJECT)) {
            append_window(window, &key);
        }
        out->key = arena_copy(arena, buffer_bytes(&key));
    }
    buffer_fini(&key);
    return code;
}

int record_encode(struct harness *h, const struct topic_form *form, const struct json *input,
                  uint32_t partition_count, struct kept_record *out, struct error *err)
{
    struct record_side side = record_side_of(form, SIDE_VALUE, &h->arena);
    const struct json *node = json_member(input, "value");
    struct kept_record record = { .timestamp_ms = json_member_integer(input, "timestamp", 0) };
    struct buffer value = { 0 };
    int code = encode_key(&h->arena, form, input, partition_count, &record, err);

    if (!code && !json_is_missing(node)) {
        code = encode_side(&side, node, &value, err);
        record.value = arena_copy(&h->arena, buffer_bytes(&value));
    }
    buffer_fini(&value);
    if (!code) {
        encode_headers(&h->arena, json_member(input, "headers"), &record);
        *out = record;
    }
    return code;
}
