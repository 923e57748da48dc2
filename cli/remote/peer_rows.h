/*
 * peer_rows.h: typed rows between nodes of a service, as they are written and read.
 *
 * Frames of a kind, a length and what it holds: 'S' the result's columns as text, then 'R' a row
 * each (its time and its image by the row codec), then 'E', the end, or 'X' with what went wrong.
 * An answer without either of these was cut off.
 */
#ifndef SLUICE_CLI_REMOTE_PEER_ROWS_H
#define SLUICE_CLI_REMOTE_PEER_ROWS_H

#include "engine/type/row_codec.h"
#include "engine/type/schema.h"

#define PEER_MEDIA "application/vnd.sluice.rows"

/* For rows of the schema, which is kept. */
void peer_codec_init(struct row_codec *codec, struct arena *arena, const struct schema *schema);

/* --- writing: each appends a frame --- */

void peer_write_schema(const struct schema *schema, struct buffer *out);
void peer_write_row(const struct row_codec *codec, const struct value *cells, int64_t timestamp_ms,
                    struct buffer *out);
void peer_write_end(struct buffer *out);
void peer_write_failure(struct bytes message, struct buffer *out);

/* --- reading --- */

struct peer_reader {
    const struct schema *schema; /* that is expected */
    struct row_codec codec;
    struct arena arena; /* the codec */
    struct arena row;
    struct buffer pending; /* what is no whole frame yet */
    bool has_ended;
    bool is_enough; /* as row said */
    bool (*row_taken)(void *context, const struct value *cells, int64_t timestamp_ms);
    void *context;
    struct error failure;
};

void peer_reader_init(struct peer_reader *reader, const struct schema *schema,
                      bool (*row)(void *context, const struct value *cells, int64_t timestamp_ms),
                      void *context);
void peer_reader_fini(struct peer_reader *reader);
/* A part of the answer; false: no more is wanted. */
bool peer_reader_take(struct peer_reader *reader, struct bytes part);
/* At the end of the answer: what was wrong with it. */
int peer_reader_finish(const struct peer_reader *reader, struct error *err);

#endif
