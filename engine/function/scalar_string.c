/*
 * scalar_string.c: functions over text and bytes.
 *
 * Text is UTF-8 here, but counted in UTF-16 code units, as the dialect's users
 * see it: a character beyond U+FFFF counts twice.
 */
#include <string.h>

#include "base/unicode.h"
#include "engine/function/function_internal.h"

typedef void (*case_mapping)(struct bytes text, struct buffer *out);

/* Other than ASCII: the Unicode tables, through a buffer because lengths may change. */
static int map_unicode(struct arena *arena, struct bytes text, case_mapping mapping,
                       struct value *out, struct error *err)
{
    struct buffer mapped = { 0 };
    int code = 0;

    mapping(text, &mapped);
    if (mapped.len > UINT32_MAX) {
        code = error_set(err, ERR_OVERFLOW, NO_POSITION, "the text is too long for its other case");
    } else {
        *out = value_text(T_STRING, arena_copy(arena, buffer_bytes(&mapped)));
    }
    buffer_fini(&mapped);
    return code;
}

/* ASCII letters from `first` to `last` get their case bit flipped. */
static int map_case(struct arena *arena, struct bytes text, char first, case_mapping mapping,
                    struct value *out, struct error *err)
{
    char *mapped = arena_alloc_text(arena, text.len);
    unsigned char seen = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        seen |= c;
        mapped[i] = (char)((unsigned char)(c - first) < 26 ? c ^ 0x20 : c);
    }
    if (seen >= 0x80) {
        return map_unicode(arena, text, mapping, out, err);
    }
    *out = value_text(T_STRING, (struct bytes){ mapped, text.len });
    return 0;
}

static int ucase(struct call_context *context, const struct value *const *arguments,
                 struct value *out, struct error *err)
{
    return map_case(context->arena, value_bytes(arguments[0]), 'a', unicode_upper, out, err);
}

static int lcase(struct call_context *context, const struct value *const *arguments,
                 struct value *out, struct error *err)
{
    return map_case(context->arena, value_bytes(arguments[0]), 'A', unicode_lower, out, err);
}

/* A character of four UTF-8 bytes is a pair of UTF-16 units, any other one is a single unit. */
static int64_t utf16_length(struct bytes text)
{
    int64_t units = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        units += ((byte & 0xc0) != 0x80) + (byte >= 0xf0);
    }
    return units;
}

static int len_string(struct call_context *context, const struct value *const *arguments,
                      struct value *out, struct error *err)
{
    *out = value_i64(T_INTEGER, utf16_length(value_bytes(arguments[0])));
    return 0;
}

static int len_bytes(struct call_context *context, const struct value *const *arguments,
                     struct value *out, struct error *err)
{
    *out = value_i64(T_INTEGER, arguments[0]->size);
    return 0;
}

/* Nulls are skipped; nothing but nulls is empty, not null. */
static int concat(struct call_context *context, const struct value *const *arguments,
                  struct value *out, struct error *err)
{
    enum type_id kind = context->plan->result_type->id;
    uint64_t size = 0;
    size_t at = 0;
    char *text = NULL;

    for (uint32_t i = 0; i < context->argument_count; i++) {
        size += value_is_null(arguments[i]) ? 0 : arguments[i]->size;
    }
    if (size > UINT32_MAX) {
        return error_set(err, ERR_OVERFLOW, NO_POSITION, "CONCAT would make a text of %llu bytes",
                         (unsigned long long)size);
    }
    text = arena_alloc_text(context->arena, (size_t)size);
    for (uint32_t i = 0; i < context->argument_count; i++) {
        if (!value_is_null(arguments[i]) && arguments[i]->size) {
            memcpy(text + at, arguments[i]->bytes, arguments[i]->size);
            at += arguments[i]->size;
        }
    }
    *out = value_text(kind, (struct bytes){ text, at });
    return 0;
}

const struct scalar_kind string_functions[] = {
    { .name = "CONCAT",
      .call = concat,
      .returns = RETURNS(T_STRING),
      .takes = { PARAMETER_OF(T_STRING, "inputs") },
      .flags = FN_VARIADIC,
      .category = "STRING",
      .doc = "Joins texts; nulls are skipped.",
      .example = "CONCAT('a', CAST(NULL AS STRING), 'b') -> 'ab'" },
    { .name = "CONCAT",
      .call = concat,
      .returns = RETURNS(T_BYTES),
      .takes = { PARAMETER_OF(T_BYTES, "inputs") },
      .flags = FN_VARIADIC,
      .category = "STRING",
      .doc = "Joins bytes; nulls are skipped.",
      .example = "CONCAT(CAST('YQ==' AS BYTES), CAST('Yg==' AS BYTES)) -> CAST('YWI=' AS BYTES)" },
    { .name = "LCASE",
      .call = lcase,
      .returns = RETURNS(T_STRING),
      .takes = { PARAMETER_OF(T_STRING, "input") },
      .flags = FN_NULL_IN_NULL_OUT,
      .category = "STRING",
      .doc = "Lower-cases a text.",
      .example = "LCASE('RÍO') -> 'río'" },
    { .name = "LEN",
      .call = len_string,
      .returns = RETURNS(T_INTEGER),
      .takes = { PARAMETER_OF(T_STRING, "input") },
      .flags = FN_NULL_IN_NULL_OUT,
      .category = "STRING",
      .doc = "The length of a text in UTF-16 code units.",
      .example = "LEN('a😀') -> 3" },
    { .name = "LEN",
      .call = len_bytes,
      .returns = RETURNS(T_INTEGER),
      .takes = { PARAMETER_OF(T_BYTES, "input") },
      .flags = FN_NULL_IN_NULL_OUT,
      .category = "STRING",
      .doc = "The number of bytes.",
      .example = "LEN(CAST('YWI=' AS BYTES)) -> 2" },
    { .name = "UCASE",
      .call = ucase,
      .returns = RETURNS(T_STRING),
      .takes = { PARAMETER_OF(T_STRING, "input") },
      .flags = FN_NULL_IN_NULL_OUT,
      .category = "STRING",
      .doc = "Upper-cases a text.",
      .example = "UCASE('río') -> 'RÍO'" },
    { 0 }
};
