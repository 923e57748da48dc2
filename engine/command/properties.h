/*
 * properties.h: what can be configured, and sets of values over a parent's.
 *
 * Rows are in properties.def. A name is looked for as it is, then behind "ksql.", then without
 * "ksql.streams.". Values are checked when they are put and kept as text.
 */
#ifndef SLUICE_ENGINE_COMMAND_PROPERTIES_H
#define SLUICE_ENGINE_COMMAND_PROPERTIES_H

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "parser/ast.h"

enum setting_type {
    SETTING_STRING,
    SETTING_BOOLEAN,
    SETTING_INT,
    SETTING_LONG,
    SETTING_COUNT,     /* a long from 0 on */
    SETTING_RESET,     /* earliest, latest */
    SETTING_GUARANTEE, /* at_least_once, exactly_once, exactly_once_v2 */
    SETTING_FORMAT
};

enum setting_scope { SETTING_SERVER, SETTING_SESSION };

/* UNUSED: known, checked and kept, without any effect. */
enum setting_effect { SETTING_UNUSED, SETTING_USED };

struct setting_kind {
    const char *name; /* ends in ".*": all names that begin so */
    enum setting_type type;
    const char *usual; /* NULL: none */
    enum setting_scope scope;
    enum setting_effect effect;
    const char *doc;
};

extern const struct setting_kind all_settings[]; /* name NULL at the end */

/*
 * The row of a name, and the name as it is kept (borrowed from the row or from `name`).
 * ERR_UNKNOWN_PROPERTY with the near name.
 */
int setting_find(struct bytes name, struct position at, const struct setting_kind **kind,
                 struct bytes *kept_name, struct error *err);
/* ERR_INVALID_PROPERTY when the row does not take the value. */
int setting_check(const struct setting_kind *kind, struct bytes value, struct position at,
                  struct error *err);

/* Values by kept name. The parent outlives it. */
struct property_set {
    const struct property_set *parent;
    struct arena arena;
    struct map values; /* kept name -> struct property_text */
};

struct property_text {
    struct bytes name;
    struct bytes value;
};

void property_set_init(struct property_set *set, const struct property_set *parent);
void property_set_fini(struct property_set *set);
/*
 * The row of a name and how it is kept, if the scope may set it in this set.
 * ERR_UNKNOWN_PROPERTY, ERR_INVALID_PROPERTY.
 */
int property_find_for(const struct property_set *set, enum setting_scope scope,
                      const struct ast_text *name, const struct setting_kind **kind,
                      struct bytes *kept_name, struct error *err);
/* Checks who may set it: `scope` is SETTING_SESSION for SET and REST requests. */
int property_set_put(struct property_set *set, enum setting_scope scope,
                     const struct ast_text *name, const struct ast_text *value, struct error *err);
/* False when this set, its parents aside, has no such value. */
bool property_set_remove(struct property_set *set, struct bytes kept_name);
/* What this set itself holds, by name; the array is in the arena. */
uint32_t property_set_list(const struct property_set *set, struct arena *arena,
                           const struct property_text **out);
void property_set_add_all(struct property_set *set, const struct property_set *from);

/* By kept name: of the set, its parents, or the default; absent when there is none. */
struct bytes property_get(const struct property_set *set, const char *name);
bool property_is_set(const struct property_set *set, const char *name); /* not just the default */
bool property_get_boolean(const struct property_set *set, const char *name);
/* processing.guarantee: ksqlDB's older names mean the same. */
bool property_is_exactly_once(const struct property_set *set);
int64_t property_get_integer(const struct property_set *set, const char *name);

#endif
