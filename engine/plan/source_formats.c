/*
 * source_formats.c: how keys and values of a source are written: which formats, delimiters
 * and wrapping (statements.md 3, formats.md 1).
 */
#include <string.h>

#include "base/near.h"
#include "base/utf8.h"
#include "engine/plan/plan_internal.h"

/* Formats of ksqlDB that are refused by name while formats.def has no row for them. */
static const char *const not_built[] = { "AVRO",      "PROTOBUF", "PROTOBUF_NOSR", "JSON_SR",
                                         "DELIMITED", "KAFKA",    "NONE",          "JSON" };

int plan_find_format(struct arena *arena, const struct property_value *name,
                     const struct format_kind **out, struct error *err)
{
    const struct format_kind *kind = format_find(name->text);
    struct near_search search = near_begin(name->text);

    if (kind) {
        *out = kind;
        return 0;
    }
    for (size_t i = 0; i < sizeof not_built / sizeof not_built[0]; i++) {
        if (bytes_equal_text_nocase(name->text, not_built[i])) {
            return error_set(err, ERR_UNSUPPORTED, name->at, "The format %s is not supported",
                             not_built[i]);
        }
    }
    for (uint32_t i = 0; all_formats[i]; i++) {
        near_offer(&search, bytes_of(all_formats[i]->name));
    }
    return error_set(err, ERR_UNKNOWN_FORMAT, name->at, "There is no format %.*s%s",
                     BYTES_ARG(name->text), near_hint(arena, search.best));
}

int source_formats_read(struct arena *arena, const struct source_properties *with,
                        struct source *source, struct error *err)
{
    const struct property_value *both = &with->of[PROPERTY_FORMAT];
    const struct property_value *key = &with->of[PROPERTY_KEY_FORMAT];
    const struct property_value *value = &with->of[PROPERTY_VALUE_FORMAT];

    if (both->given && (key->given || value->given)) {
        return error_set(err, ERR_INVALID_PROPERTY, both->at,
                         "FORMAT sets both formats; give it alone, or KEY_FORMAT and VALUE_FORMAT");
    }
    if (both->given) {
        key = both;
        value = both;
    }
    if (key->given) {
        TRY(plan_find_format(arena, key, &source->key_format.kind, err));
    }
    if (value->given) {
        TRY(plan_find_format(arena, value, &source->value_format.kind, err));
    }
    return 0;
}

static int read_delimiter(const struct property_value *given, struct side_format *side,
                          struct error *err)
{
    struct bytes text = given->text;

    if (!given->given) {
        return 0;
    }
    if (!(side->kind->features & FORMAT_TAKES_DELIMITER)) {
        return error_set(err, ERR_INVALID_PROPERTY, given->at, "The format %s has no delimiter",
                         side->kind->name);
    }
    if (bytes_equal_text(text, "TAB")) {
        text = bytes_of("\t");
    } else if (bytes_equal_text(text, "SPACE")) {
        text = bytes_of(" ");
    } else if (utf8_count(text) != 1 || text.len > sizeof side->options.delimiter ||
               (text.len == 1 && (unsigned char)text.data[0] <= ' ')) {
        return error_set(err, ERR_INVALID_PROPERTY, given->at,
                         "A delimiter is one visible character, TAB or SPACE, not '%.*s'",
                         BYTES_ARG(text));
    }
    memcpy(side->options.delimiter, text.data, text.len);
    side->options.delimiter_len = (uint32_t)text.len;
    return 0;
}

int source_delimiters_read(const struct source_properties *with, struct source *source,
                           struct error *err)
{
    TRY(read_delimiter(&with->of[PROPERTY_KEY_DELIMITER], &source->key_format, err));
    return read_delimiter(&with->of[PROPERTY_VALUE_DELIMITER], &source->value_format, err);
}

static bool can_wrap(const struct format_kind *kind, bool wrap)
{
    return (kind->features & (wrap ? FORMAT_WRAPS : FORMAT_UNWRAPS)) != 0;
}

static int read_wrapping(struct plan_context *context, const struct property_value *given,
                         uint32_t column_count, struct source *source, struct error *err)
{
    const struct format_kind *kind = source->value_format.kind;
    int wanted = context->settings->wrap_single_values;
    bool wrap = can_wrap(kind, true);

    if (given->given && column_count != 1) {
        return error_set(err, ERR_INVALID_PROPERTY, given->at,
                         "WRAP_SINGLE_VALUE is for one value column; there are %u", column_count);
    }
    if (given->given && !can_wrap(kind, given->boolean)) {
        return error_set(err, ERR_INVALID_PROPERTY, given->at, "The format %s cannot %s",
                         kind->name,
                         given->boolean ? "wrap a single value" : "leave a single value bare");
    }
    source->wrap_given = given->given;
    if (given->given) {
        wrap = given->boolean;
    } else if (wanted >= 0 && can_wrap(kind, wanted != 0)) {
        wrap = wanted != 0;
    }
    source->value_format.options.unwrapped = column_count == 1 && !wrap;
    return 0;
}

/* What the format says about columns it cannot hold, placed at the statement's name. */
static int check_supports(const struct format_kind *kind, enum format_side side,
                          const struct column *columns, uint32_t count, struct position at,
                          struct error *err)
{
    int code;

    if (count == 0) {
        return 0;
    }
    code = kind->supports(columns, count, side, err);
    if (code) {
        (void)error_prefix(err, "%s format %s", side == SIDE_KEY ? "Key" : "Value", kind->name);
        if (err && err->at.line == 0) {
            err->at = at;
        }
    }
    return code;
}

static const struct column *value_columns(struct arena *arena, const struct schema *schema,
                                          uint32_t *count)
{
    struct column *columns = arena_array(arena, struct column, schema->column_count);

    *count = 0;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].role == COLUMN_VALUE) {
            columns[(*count)++] = schema->columns[i];
        }
    }
    return columns;
}

int source_formats_finish(struct plan_context *context, const struct source_properties *with,
                          struct source *source, struct error *err)
{
    const struct schema *schema = &source->schema;
    uint32_t value_count = 0;
    const struct column *values = value_columns(context->arena, schema, &value_count);
    struct side_format *key = &source->key_format;

    key->options.unwrapped = schema->key_count == 1 && can_wrap(key->kind, false);
    TRY(read_wrapping(context, &with->of[PROPERTY_WRAP_SINGLE_VALUE], value_count, source, err));
    TRY(check_supports(key->kind, SIDE_KEY, schema->columns, schema->key_count, source->at, err));
    return check_supports(source->value_format.kind, SIDE_VALUE, values, value_count, source->at,
                          err);
}

bool side_format_equal(const struct side_format *a, const struct side_format *b)
{
    const struct format_options *x = &a->options;
    const struct format_options *y = &b->options;

    return a->kind == b->kind && x->unwrapped == y->unwrapped &&
           bytes_equal((struct bytes){ x->delimiter, x->delimiter_len },
                       (struct bytes){ y->delimiter, y->delimiter_len });
}

struct side_format internal_key_format(const struct side_format *wanted,
                                       const struct column *columns, uint32_t count)
{
    struct side_format format = *wanted;

    if (format.kind->supports(columns, count, SIDE_KEY, NULL) != 0) {
        format = (struct side_format){ .kind = format_find(bytes_of("JSON")) };
    }
    format.options.unwrapped = count == 1 && can_wrap(format.kind, false);
    return format;
}
