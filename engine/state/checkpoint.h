/*
 * checkpoint.h: a store's committed entries in the database, as of a position of its changelog.
 *
 * It only shortens recovery and holds what memory has no room for: the changelog
 * stays the truth. With the last entries the position is written up to which all hold;
 * whatever is behind it is replayed over them, which entries newer than it do not mind. So a
 * checkpoint that is older than it could be is good, and one that does not fit its changelog is
 * thrown away.
 *
 * Key: slot, hash of the changelog's name, partition, then "M" for what it is of and where
 * it stands, or "D" and the entry's key.
 */
#ifndef SLUICE_ENGINE_STATE_CHECKPOINT_H
#define SLUICE_ENGINE_STATE_CHECKPOINT_H

#include "engine/log/log.h"

struct checkpoint;
struct database;
struct database_batch;
struct database_cursor;

/* Of which store. All of it must be the same for a checkpoint to be used. */
struct checkpoint_identity {
    uint32_t slot;
    uint32_t partition;
    const struct log_topic *changelog;
    uint64_t signature; /* of the plan that made it */
};

struct checkpoint *checkpoint_create(struct database *database,
                                     const struct checkpoint_identity *identity);
void checkpoint_destroy(struct checkpoint *checkpoint); /* what is in the database stays */
/*
 * From where the changelog is to be replayed, -1: there is nothing to build on. What does not
 * match (another incarnation or plan, not within the changelog) is deleted.
 */
int checkpoint_find(struct checkpoint *checkpoint, const struct log_range *changelog,
                    int64_t *position, struct error *err);
int checkpoint_drop(struct checkpoint *checkpoint, struct error *err);
/* Everything of a slot: it has another owner. */
int checkpoint_drop_slot(struct database *database, uint32_t slot, struct error *err);

/* The value: the time, then the image. */
int checkpoint_get(struct checkpoint *checkpoint, struct bytes key, struct buffer *value,
                   bool *found, struct error *err);
/* Of ascending keys, none twice. `found`: as database_get_many's. */
int checkpoint_get_many(struct checkpoint *checkpoint, const struct bytes *keys, uint32_t count,
                        void (*found)(void *context, uint32_t number, struct bytes value),
                        void *context, struct error *err);
int64_t checkpoint_value_time(struct bytes value);
struct bytes checkpoint_value_image(struct bytes value);

void checkpoint_put(struct checkpoint *checkpoint, struct database_batch *batch, struct bytes key,
                    struct bytes image, int64_t timestamp_ms);
void checkpoint_delete(struct checkpoint *checkpoint, struct database_batch *batch,
                       struct bytes key);
/* From any thread; the others from the store's. */
void checkpoint_mark(struct checkpoint *checkpoint, struct database_batch *batch, int64_t position);

/* Over all entries; its keys have the length of checkpoint_key_prefix in front. */
struct database_cursor *checkpoint_scan(struct checkpoint *checkpoint);
bool checkpoint_seek(struct checkpoint *checkpoint, struct database_cursor *cursor,
                     struct bytes key); /* the first entry at or behind the key */
struct bytes checkpoint_cursor_key(const struct database_cursor *cursor);

#endif
