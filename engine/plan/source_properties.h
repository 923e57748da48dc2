/*
 * source_properties.h: the WITH clause of CREATE and INSERT, read and checked by table.
 */
#ifndef SLUICE_ENGINE_PLAN_SOURCE_PROPERTIES_H
#define SLUICE_ENGINE_PLAN_SOURCE_PROPERTIES_H

#include "base/arena.h"
#include "parser/ast.h"

enum property_id {
#define PROPERTY(name, type, uses, doc) PROPERTY_##name,
#include "engine/plan/source_properties.def"
#undef PROPERTY
    PROPERTY_COUNT
};

enum property_use {
    PROPERTY_FOR_NONE = 0,
    PROPERTY_FOR_CREATE = 1, /* CREATE STREAM/TABLE with columns */
    PROPERTY_FOR_AS = 2,     /* CREATE ... AS SELECT */
    PROPERTY_FOR_INSERT = 4, /* INSERT INTO ... SELECT */
    PROPERTY_NOT_BUILT = 8
};

enum property_type { PROPERTY_TEXT, PROPERTY_INTEGER, PROPERTY_BOOLEAN };

struct property_kind {
    const char *name;
    enum property_type type;
    unsigned uses; /* enum property_use */
    const char *doc;
};

struct property_value {
    bool given;
    struct position at;
    struct bytes text; /* TEXT; never empty */
    int64_t integer;   /* INTEGER */
    bool boolean;      /* BOOLEAN */
};

struct source_properties {
    struct property_value of[PROPERTY_COUNT];
};

/*
 * ERR_UNKNOWN_PROPERTY with the near name, ERR_INVALID_PROPERTY for a value of another type,
 * one given twice or one that this statement does not take, ERR_UNSUPPORTED.
 */
int source_properties_read(struct arena *arena, const struct ast_property_list *list,
                           enum property_use use, struct source_properties *out, struct error *err);
const char *source_property_name(enum property_id id);
const struct property_kind *source_property_at(enum property_id id);

#endif
