/*
 * catalog.h: the streams, tables, queries and connectors that exist, by name.
 *
 * A catalog is a persistent overlay: a child sees its parent's entries and keeps its own
 * changes apart, so a script is validated on a child for nothing and then either
 * merged or forgotten. Entries are read-only; altering one replaces it.
 */
#ifndef SLUICE_ENGINE_CATALOG_CATALOG_H
#define SLUICE_ENGINE_CATALOG_CATALOG_H

#include "engine/format/format.h"

enum source_kind { SOURCE_STREAM, SOURCE_TABLE };

struct side_format {
    const struct format_kind *kind;
    struct format_options options;
};

#define RETENTION_NOT_GIVEN INT64_MIN

/* A stream or table over a topic. */
struct source {
    uint32_t id; /* never used again; names readers and shapes */
    struct bytes name;
    enum source_kind kind;
    struct bytes topic;
    uint32_t partition_count;
    uint32_t replica_count; /* asked for by REPLICAS; 0: the log's default */
    int64_t retention_ms;   /* asked for by RETENTION_MS, -1: without end; or RETENTION_NOT_GIVEN */
    struct schema schema;   /* key columns first; header columns among the others */
    struct side_format key_format;
    struct side_format value_format;
    struct bytes timestamp_column; /* absent: the record's own timestamp */
    struct bytes timestamp_format;
    bool wrap_given;    /* WRAP_SINGLE_VALUE was said */
    bool read_only;     /* CREATE SOURCE ... */
    struct bytes query; /* the query that makes it; absent for declared sources */
    struct bytes sql;   /* canonical text of the statement that made it */
    struct position at;
};

/* Deep. */
void source_copy(struct arena *arena, const struct source *from, struct source *out);

enum query_kind { QUERY_PERSISTENT, QUERY_PUSH, QUERY_PULL };

/* A persistent query as the catalog knows it; what runs is the runtime's. */
struct query_entry {
    struct bytes id;  /* CSAS_NAME_0 */
    struct bytes sql; /* canonical text */
    struct bytes sink;
    const struct bytes *sources; /* names it reads */
    uint32_t source_count;
    const struct physical_plan *plan;
    int64_t cache_bytes; /* what it may hold back */
    bool paused;
};

/* 'name' = value of a connector, as text whatever its literal was. */
struct connector_option {
    struct bytes name;
    struct bytes value;
};

/* A connector between topics and another system; what runs is that of engine_config.connectors. */
struct connector_entry {
    struct bytes name; /* as it was made; found in any case */
    bool is_sink;
    struct bytes sql; /* canonical text; secrets are references in it and in the options */
    const struct connector_option *options;
    uint32_t option_count;
};

/* A name for a type. Whoever uses it has the type itself, so it may go at any time. */
struct type_entry {
    struct bytes name;
    const struct sql_type *type;
};

struct catalog;

struct catalog *catalog_create(const struct catalog *parent); /* parent NULL: a root */
void catalog_destroy(struct catalog *catalog);
/* Moves the child's changes into its parent and destroys the child. */
void catalog_merge(struct catalog *child, struct catalog *parent);

const struct source *catalog_find_source(const struct catalog *catalog, struct bytes name);
const struct query_entry *catalog_find_query(const struct catalog *catalog, struct bytes id);
/* In any case. An entry that was replaced is another pointer. */
const struct connector_entry *catalog_find_connector(const struct catalog *catalog,
                                                     struct bytes name);
/*
 * Copies the entry deeply; replaces one of the same name, which stays readable for those
 * who hold it. A source whose id is 0 gets the next one.
 */
const struct source *catalog_put_source(struct catalog *catalog, const struct source *source);
void catalog_put_query(struct catalog *catalog, const struct query_entry *query);
void catalog_put_connector(struct catalog *catalog, const struct connector_entry *connector);
const struct type_entry *catalog_find_type(const struct catalog *catalog, struct bytes name);
void catalog_put_type(struct catalog *catalog, const struct type_entry *type);
void catalog_remove_type(struct catalog *catalog, struct bytes name);
void catalog_remove_source(struct catalog *catalog, struct bytes name);
void catalog_remove_query(struct catalog *catalog, struct bytes id);
void catalog_remove_connector(struct catalog *catalog, struct bytes name);
/* Ordered by name; arrays in the arena. */
uint32_t catalog_list_sources(const struct catalog *catalog, struct arena *arena,
                              const struct source *const **out);
uint32_t catalog_list_queries(const struct catalog *catalog, struct arena *arena,
                              const struct query_entry *const **out);
uint32_t catalog_list_connectors(const struct catalog *catalog, struct arena *arena,
                                 const struct connector_entry *const **out);
uint32_t catalog_list_types(const struct catalog *catalog, struct arena *arena,
                            const struct type_entry *const **out);
uint32_t catalog_next_source_id(struct catalog *catalog);
/* A name that differs only in case, or is one slip away; absent when none is near. */
struct bytes catalog_near_source(const struct catalog *catalog, struct bytes name);

#endif
