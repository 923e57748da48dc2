/*
 * insert_stream.h: rows that come one after the other for one stream or table, written many to a
 * transaction. Calls of one stream come from one thread.
 */
#ifndef SLUICE_ENGINE_COMMAND_INSERT_STREAM_H
#define SLUICE_ENGINE_COMMAND_INSERT_STREAM_H

#include "engine/command/engine.h"

struct insert_stream;

/* target: as typed, in quotes or not. The session must outlive the call alone. */
int insert_stream_open(struct session *session, struct bytes target, struct insert_stream **out,
                       struct error *err);
void insert_stream_close(struct insert_stream *stream); /* what was not committed is lost */
/* A JSON object; it is checked now and written by the next commit. After an error it is not. */
int insert_stream_add(struct insert_stream *stream, struct bytes json, struct error *err);
/* Of what waits for a commit. */
size_t insert_stream_size(const struct insert_stream *stream);
/* 0: all rows added are there for all to read. An error: none of them. */
int insert_stream_commit(struct insert_stream *stream, struct error *err);

#endif
