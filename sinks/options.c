/*
 * options.c: checking what a connector was told, and asking for it.
 */
#include "sinks/options.h"

#include <string.h>

#include "base/vec.h"
#include "engine/type/java_text.h"

enum { TYPO_EDITS = 2, NAME_MAX_BYTES = 120 };

/* --- rows --- */

static bool is_family(const struct option_spec *spec)
{
    size_t len = strlen(spec->name);

    return len > 1 && spec->name[len - 1] == '*';
}

static bool row_takes(const struct option_spec *spec, struct bytes name)
{
    struct bytes prefix = bytes_of(spec->name);

    if (!is_family(spec)) {
        return bytes_equal(prefix, name);
    }
    prefix.len--;
    return bytes_starts_with(name, prefix);
}

static const struct option_spec *find_in(const struct option_spec *specs, struct bytes name)
{
    const struct option_spec *found = NULL;

    for (; specs && specs->name; specs++) {
        if (row_takes(specs, name) && (!found || is_family(found))) {
            found = specs;
        }
    }
    return found;
}

const struct option_spec *options_spec(const struct options *options, struct bytes name)
{
    const struct option_spec *own = find_in(options->own, name);
    const struct option_spec *common = find_in(options->common, name);

    return own && (!common || !is_family(own) || is_family(common)) ? own : common;
}

/* --- slips --- */

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Characters to insert, delete or change to make one the other. */
static size_t edits_between(struct bytes a, struct bytes b)
{
    size_t row[NAME_MAX_BYTES + 1];

    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];

            row[j] =
                least_of(above + 1, row[j - 1] + 1, diagonal + (a.data[i - 1] != b.data[j - 1]));
            diagonal = above;
        }
    }
    return row[b.len];
}

static const char *nearest_in(const struct option_spec *specs, struct bytes name)
{
    for (; specs && specs->name; specs++) {
        struct bytes candidate = bytes_of(specs->name);

        if (!is_family(specs) && candidate.len <= NAME_MAX_BYTES && name.len <= NAME_MAX_BYTES &&
            edits_between(candidate, name) <= TYPO_EDITS) {
            return specs->name;
        }
    }
    return NULL;
}

/* --- values --- */

uint32_t option_split(struct bytes text, struct arena *arena, struct bytes **out)
{
    VEC(struct bytes) parts = { 0 };
    size_t begin = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.data[i] == ',') {
            struct bytes part = java_trim((struct bytes){ text.data + begin, i - begin });

            if (part.len > 0) {
                *vec_push(arena, &parts) = part;
            }
            begin = i + 1;
        }
    }
    *out = parts.items;
    return parts.count;
}

static bool is_choice(const char *choices, struct bytes value)
{
    while (*choices) {
        size_t len = strcspn(choices, ",");

        if (bytes_equal_nocase(value, (struct bytes){ choices, len })) {
            return true;
        }
        choices += len + (choices[len] == ',');
    }
    return false;
}

static bool is_reference(struct bytes value)
{
    return bytes_starts_with(value, bytes_of("${"));
}

static int check_value(const struct option_spec *spec, struct bytes name, struct bytes value,
                       struct error *err)
{
    int64_t number = 0;
    bool is_boolean =
        bytes_equal_text_nocase(value, "true") || bytes_equal_text_nocase(value, "false");

    if (spec->type == OPTION_BOOLEAN && !is_boolean) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "'%.*s' is true or false, not '%.*s'", BYTES_ARG(name), BYTES_ARG(value));
    }
    if (spec->type == OPTION_INTEGER &&
        (java_long_parse(value, &number, NULL) || number < spec->least)) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "'%.*s' is a whole number from %lld on, not '%.*s'", BYTES_ARG(name),
                         (long long)spec->least, BYTES_ARG(value));
    }
    if (spec->type == OPTION_CHOICE && !is_choice(spec->choices, value)) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION, "'%.*s' is one of %s, not '%.*s'",
                         BYTES_ARG(name), spec->choices, BYTES_ARG(value));
    }
    return 0;
}

static int check_one(const struct options *options, const struct connector_option *given,
                     struct arena *arena, struct bytes *warning, struct error *err)
{
    const struct option_spec *spec = options_spec(options, given->name);
    const char *meant = NULL;

    if (spec) {
        if (spec->effect == OPTION_REFUSED) {
            return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION, "'%.*s' is not supported: %s",
                             BYTES_ARG(given->name), spec->doc);
        }
        if (spec->effect == OPTION_IGNORED) {
            *warning = arena_printf(arena, "'%.*s' has no effect here: %s", BYTES_ARG(given->name),
                                    spec->doc);
        }
        return is_reference(given->value) ? 0 : check_value(spec, given->name, given->value, err);
    }
    meant = nearest_in(options->own, given->name);
    meant = meant ? meant : nearest_in(options->common, given->name);
    if (meant) {
        return error_set(err, ERR_UNKNOWN_PROPERTY, NO_POSITION,
                         "There is no property '%.*s' (did you mean '%s'?)", BYTES_ARG(given->name),
                         meant);
    }
    *warning = arena_printf(arena, "There is no property '%.*s'; it has no effect",
                            BYTES_ARG(given->name));
    return 0;
}

int options_check(const struct options *options, struct arena *arena, struct options_verdict *out,
                  struct error *err)
{
    out->warnings = arena_array(arena, struct bytes, options->given_count);
    out->warning_count = 0;
    for (uint32_t i = 0; i < options->given_count; i++) {
        struct bytes warning = { NULL, 0 };

        out->culprit = i + 1;
        TRY(check_one(options, &options->given[i], arena, &warning, err));
        if (warning.data) {
            out->warnings[out->warning_count++] = warning;
        }
    }
    out->culprit = 0;
    return 0;
}

/* --- asking --- */

static const struct connector_option *find_given(const struct options *options, struct bytes name)
{
    for (uint32_t i = options->given_count; i-- > 0;) {
        if (bytes_equal(options->given[i].name, name)) {
            return &options->given[i];
        }
    }
    return NULL;
}

bool options_is_given(const struct options *options, const char *name)
{
    return find_given(options, bytes_of(name)) != NULL;
}

struct bytes options_text(const struct options *options, const char *name)
{
    const struct connector_option *given = find_given(options, bytes_of(name));
    const struct option_spec *spec = options_spec(options, bytes_of(name));

    if (given) {
        return given->value;
    }
    return spec && spec->usual ? bytes_of(spec->usual) : (struct bytes){ NULL, 0 };
}

bool options_boolean(const struct options *options, const char *name)
{
    return bytes_equal_text_nocase(options_text(options, name), "true");
}

int64_t options_integer(const struct options *options, const char *name)
{
    int64_t number = 0;

    (void)java_long_parse(options_text(options, name), &number, NULL); /* was checked */
    return number;
}

bool options_is(const struct options *options, const char *name, const char *choice)
{
    return bytes_equal_text_nocase(options_text(options, name), choice);
}

uint32_t options_list(const struct options *options, const char *name, struct arena *arena,
                      struct bytes **out)
{
    struct bytes text = options_text(options, name);

    *out = NULL;
    return text.data ? option_split(text, arena, out) : 0;
}
