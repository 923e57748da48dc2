/*
 * registry.c: every function by name.
 *
 * The families' tables are walked row by row: there are a few hundred rows, and
 * only planning asks. Choosing among variants of one name is resolve.c's.
 */
#include "engine/function/function_internal.h"

static const struct scalar_kind *const scalar_families[] = {
#define FAMILY(kind, table) FAMILY_##kind(table)
#define FAMILY_scalar(table) table,
#define FAMILY_aggregate(table)
#include "engine/function/families.def"
#undef FAMILY_scalar
#undef FAMILY_aggregate
};

static const struct aggregate_kind *const aggregate_families[] = {
#define FAMILY_scalar(table)
#define FAMILY_aggregate(table) table,
#include "engine/function/families.def"
#undef FAMILY_scalar
#undef FAMILY_aggregate
#undef FAMILY
};

const struct scalar_kind *scalar_at(uint32_t number)
{
    for (size_t family = 0; family < sizeof scalar_families / sizeof *scalar_families; family++) {
        for (const struct scalar_kind *kind = scalar_families[family]; kind->name; kind++) {
            if (number-- == 0) {
                return kind;
            }
        }
    }
    return NULL;
}

const struct aggregate_kind *aggregate_at(uint32_t number)
{
    size_t family_count = sizeof aggregate_families / sizeof *aggregate_families;

    for (size_t family = 0; family < family_count; family++) {
        for (const struct aggregate_kind *kind = aggregate_families[family]; kind->name; kind++) {
            if (number-- == 0) {
                return kind;
            }
        }
    }
    return NULL;
}

const struct aggregate_kind *aggregate_find(struct bytes name)
{
    const struct aggregate_kind *kind = NULL;

    for (uint32_t i = 0; (kind = aggregate_at(i)); i++) {
        if (bytes_equal_text_nocase(name, kind->name)) {
            return kind;
        }
    }
    return NULL;
}

bool function_exists(struct bytes name)
{
    const struct scalar_kind *kind = NULL;

    for (uint32_t i = 0; (kind = scalar_at(i)); i++) {
        if (bytes_equal_text_nocase(name, kind->name)) {
            return true;
        }
    }
    return aggregate_find(name) != NULL;
}
