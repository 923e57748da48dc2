/*
 * insert_writer.h: rows from users to the topic of their source.
 *
 * Rows are encoded as they are added and written by commit, all of them in one transaction. The
 * engine has one writer for all of this, under its mutex, which only `add` can do without.
 */
#ifndef SLUICE_ENGINE_COMMAND_INSERT_WRITER_H
#define SLUICE_ENGINE_COMMAND_INSERT_WRITER_H

#include "engine/command/command_internal.h"

struct insert_writer {
    struct engine *engine;
    struct source source; /* a copy: the catalog may forget it */
    const struct log_topic *topic;
    struct encoder_spec key_columns;
    struct encoder_spec value_columns;
    struct encoder key;
    struct encoder value;
    struct log_builder *partitions;
    uint64_t round; /* for null keys */
    uint32_t row_count;
    size_t size_bytes;
};

/* What it needs stays in the arena. To be ended by fini after a failure, too. */
int insert_writer_init(struct insert_writer *writer, struct engine *engine,
                       const struct source *source, struct arena *arena, struct error *err);
void insert_writer_fini(struct insert_writer *writer);
/* Cells in schema order. */
int insert_writer_add(struct insert_writer *writer, const struct value *cells, int64_t timestamp_ms,
                      struct error *err);
/* After an error it is not known what became of the rows; none of them is kept here. */
int insert_writer_commit(struct insert_writer *writer, struct error *err);

/* ksql.insert.into.values.enabled, and that the topic is not on the list of read-only ones. */
int insert_check_enabled(const struct command *command, struct position at, struct error *err);
int insert_check_topic(const struct command *command, const struct source *source,
                       const struct ast_name *name, struct error *err);

#endif
