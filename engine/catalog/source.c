/*
 * source.c: copies of a source, for those whose life is not the catalog's.
 */
#include "engine/catalog/catalog.h"

void source_copy(struct arena *arena, const struct source *from, struct source *out)
{
    *out = *from;
    out->name = arena_copy(arena, from->name);
    out->topic = arena_copy(arena, from->topic);
    schema_copy(arena, &from->schema, &out->schema);
    out->timestamp_column = arena_copy(arena, from->timestamp_column);
    out->timestamp_format = arena_copy(arena, from->timestamp_format);
    out->query = arena_copy(arena, from->query);
    out->sql = arena_copy(arena, from->sql);
}
