/*
 * properties.c: finding a setting by the names that users give it, and checking values.
 */
#include "engine/command/properties.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/vec.h"
#include "engine/format/format.h"
#include "engine/type/java_text.h"

static const char ksql_prefix[] = "ksql.";
static const char streams_prefix[] = "ksql.streams.";

const struct setting_kind all_settings[] = {
#define PROPERTY(name, type, usual, scope, effect, doc) \
    { name, SETTING_##type, usual, SETTING_##scope, SETTING_##effect, doc },
#include "engine/command/properties.def"
#undef PROPERTY
    { NULL, SETTING_STRING, NULL, SETTING_SERVER, SETTING_UNUSED, NULL },
};

/* --- names --- */

static bool is_family(const struct setting_kind *kind, struct bytes *prefix)
{
    size_t len = strlen(kind->name);

    *prefix = (struct bytes){ kind->name, len - 1 };
    return len > 2 && kind->name[len - 1] == '*';
}

/* A row of its own beats the row of a family. */
static const struct setting_kind *find_exactly(struct bytes name, struct bytes *kept_name)
{
    const struct setting_kind *family = NULL;
    struct bytes prefix;

    for (const struct setting_kind *kind = all_settings; kind->name; kind++) {
        if (bytes_equal_text(name, kind->name)) {
            *kept_name = bytes_of(kind->name);
            return kind;
        }
        if (!family && is_family(kind, &prefix) && name.len > prefix.len &&
            bytes_starts_with(name, prefix)) {
            family = kind;
        }
    }
    *kept_name = name;
    return family;
}

static const struct setting_kind *find_behind_ksql(struct bytes name, struct bytes *kept_name)
{
    for (const struct setting_kind *kind = all_settings; kind->name; kind++) {
        if (bytes_starts_with(bytes_of(kind->name), bytes_of(ksql_prefix)) &&
            bytes_equal_text(name, kind->name + strlen(ksql_prefix))) {
            *kept_name = bytes_of(kind->name);
            return kind;
        }
    }
    return NULL;
}

static struct bytes without_streams(struct bytes name)
{
    size_t len = strlen(streams_prefix);

    return bytes_starts_with(name, bytes_of(streams_prefix))
               ? (struct bytes){ name.data + len, name.len - len }
               : name;
}

/* Empty when none is near. */
static struct bytes near_name(struct bytes name)
{
    struct near_search search = near_begin(name);

    for (const struct setting_kind *kind = all_settings; kind->name; kind++) {
        near_offer(&search, bytes_of(kind->name));
    }
    return search.best.data ? search.best : bytes_of("");
}

int setting_find(struct bytes name, struct position at, const struct setting_kind **kind,
                 struct bytes *kept_name, struct error *err)
{
    struct bytes found_name = name;
    const struct setting_kind *found = find_exactly(name, &found_name);

    if (!found) {
        found = find_behind_ksql(name, &found_name);
    }
    if (!found && bytes_starts_with(name, bytes_of(streams_prefix))) {
        found = find_exactly(without_streams(name), &found_name);
    }
    if (!found) {
        struct bytes near = near_name(name);

        return error_set(err, ERR_UNKNOWN_PROPERTY, at, "There is no property '%.*s'%s%.*s%s",
                         BYTES_ARG(name), near.len ? " (did you mean " : "", BYTES_ARG(near),
                         near.len ? "?)" : "");
    }
    *kind = found;
    *kept_name = found_name;
    return 0;
}

/* --- values --- */

static const char *const resets[] = { "earliest", "latest", NULL };
static const char *const guarantees[] = { "at_least_once", "exactly_once", "exactly_once_beta",
                                          "exactly_once_v2", NULL };
static const char *const booleans[] = { "true", "false", NULL };

static bool is_one_of(struct bytes value, const char *const *words)
{
    while (*words && !bytes_equal_text_nocase(value, *words)) {
        words++;
    }
    return *words != NULL;
}

static bool is_integer(struct bytes value, int64_t least, int64_t most)
{
    int64_t number;

    return !java_long_parse(value, &number, NULL) && number >= least && number <= most;
}

int setting_check(const struct setting_kind *kind, struct bytes value, struct position at,
                  struct error *err)
{
    const char *wants = NULL;

    switch (kind->type) {
    case SETTING_STRING:
        break;
    case SETTING_BOOLEAN:
        wants = is_one_of(value, booleans) ? NULL : "true or false";
        break;
    case SETTING_INT:
        wants = is_integer(value, INT_MIN, INT_MAX) ? NULL : "a whole number of 32 bits";
        break;
    case SETTING_LONG:
        wants = is_integer(value, INT64_MIN, INT64_MAX) ? NULL : "a whole number of 64 bits";
        break;
    case SETTING_COUNT:
        wants = is_integer(value, 0, INT64_MAX) ? NULL : "a whole number from 0 on";
        break;
    case SETTING_RESET:
        wants = is_one_of(value, resets) ? NULL : "earliest or latest";
        break;
    case SETTING_GUARANTEE:
        wants = is_one_of(value, guarantees) ? NULL : "exactly_once_v2 or at_least_once";
        break;
    case SETTING_FORMAT:
        wants = format_find(value) ? NULL : "the name of a format";
        break;
    }
    if (!wants) {
        return 0;
    }
    return error_set(err, ERR_INVALID_PROPERTY, at, "The property '%s' takes %s, not '%.*s'",
                     kind->name, wants, BYTES_ARG(value));
}

/* --- sets --- */

void property_set_init(struct property_set *set, const struct property_set *parent)
{
    set->parent = parent;
    arena_init(&set->arena, 256);
    map_init(&set->values);
}

void property_set_fini(struct property_set *set)
{
    map_fini(&set->values);
    arena_fini(&set->arena);
}

static void keep(struct property_set *set, struct bytes name, struct bytes value)
{
    struct property_text *kept = arena_new(&set->arena, struct property_text);

    kept->name = arena_copy(&set->arena, name);
    kept->value = arena_copy(&set->arena, value);
    map_put(&set->values, kept->name, kept);
}

/* Commas separate names; blanks around them do not count. */
static bool is_listed(struct bytes list, struct bytes name)
{
    size_t begin = 0;

    for (size_t i = 0; i <= list.len; i++) {
        if (i == list.len || list.data[i] == ',') {
            struct bytes word = java_trim((struct bytes){ list.data + begin, i - begin });

            if (bytes_equal(without_streams(word), name)) {
                return true;
            }
            begin = i + 1;
        }
    }
    return false;
}

static bool may_override(const struct property_set *set, struct bytes name)
{
    if (bytes_equal_text(property_get(set, "ksql.properties.overrides.validation.mode"),
                         "allowlist")) {
        return is_listed(property_get(set, "ksql.properties.overrides.allowlist"), name);
    }
    return !is_listed(property_get(set, "ksql.properties.overrides.denylist"), name);
}

int property_find_for(const struct property_set *set, enum setting_scope scope,
                      const struct ast_text *name, const struct setting_kind **kind,
                      struct bytes *kept_name, struct error *err)
{
    TRY(setting_find(name->text, name->at, kind, kept_name, err));
    if (scope == SETTING_SESSION &&
        ((*kind)->scope == SETTING_SERVER || !may_override(set, *kept_name))) {
        return error_set(err, ERR_INVALID_PROPERTY, name->at,
                         "The property '%.*s' is the server's: it is set in its configuration, "
                         "not with SET",
                         BYTES_ARG(*kept_name));
    }
    return 0;
}

int property_set_put(struct property_set *set, enum setting_scope scope,
                     const struct ast_text *name, const struct ast_text *value, struct error *err)
{
    const struct setting_kind *kind = NULL;
    struct bytes kept_name = { 0 };

    TRY(property_find_for(set, scope, name, &kind, &kept_name, err));
    TRY(setting_check(kind, value->text, value->at, err));
    keep(set, kept_name, value->text);
    return 0;
}

bool property_set_remove(struct property_set *set, struct bytes kept_name)
{
    return map_remove(&set->values, kept_name) != NULL;
}

static int compare_names(const void *a, const void *b)
{
    const struct property_text *left = a;
    const struct property_text *right = b;

    return bytes_compare(left->name, right->name);
}

uint32_t property_set_list(const struct property_set *set, struct arena *arena,
                           const struct property_text **out)
{
    VEC(struct property_text) list = { 0 };

    MAP_FOREACH (entry, &set->values) {
        *vec_push(arena, &list) = *(const struct property_text *)entry->value;
    }
    if (list.count > 1) {
        qsort(list.items, list.count, sizeof *list.items, compare_names);
    }
    *out = list.items;
    return list.count;
}

void property_set_add_all(struct property_set *set, const struct property_set *from)
{
    MAP_FOREACH (entry, &from->values) {
        const struct property_text *text = entry->value;

        keep(set, text->name, text->value);
    }
}

/* --- reading --- */

static struct bytes find_value(const struct property_set *set, struct bytes name)
{
    for (; set; set = set->parent) {
        const struct property_text *text = map_find(&set->values, name);

        if (text) {
            return text->value;
        }
    }
    return (struct bytes){ NULL, 0 };
}

bool property_is_set(const struct property_set *set, const char *name)
{
    return find_value(set, bytes_of(name)).data != NULL;
}

struct bytes property_get(const struct property_set *set, const char *name)
{
    struct bytes value = find_value(set, bytes_of(name));
    const struct setting_kind *kind;
    struct bytes kept_name;

    if (value.data) {
        return value;
    }
    kind = find_exactly(bytes_of(name), &kept_name);
    return bytes_of(kind ? kind->usual : NULL);
}

bool property_get_boolean(const struct property_set *set, const char *name)
{
    return bytes_equal_text_nocase(property_get(set, name), "true");
}

int64_t property_get_integer(const struct property_set *set, const char *name)
{
    int64_t number = 0;

    (void)java_long_parse(property_get(set, name), &number, NULL); /* checked when it was put */
    return number;
}

bool property_is_exactly_once(const struct property_set *set)
{
    return !bytes_equal_text_nocase(property_get(set, "processing.guarantee"), "at_least_once");
}
