/*
 * log_kafka_fetch_share.c: what answers have of the places, taken apart in turns.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "engine/log/log_kafka_fetch_internal.h"

static void join_row(struct kafka_source *source, struct fetched *fetched)
{
    fetched->behind = NULL;
    *source->end = fetched;
    source->end = &fetched->behind;
}

static void leave_row(struct kafka_source *source, const struct fetched *fetched)
{
    struct fetched **link = &source->first;

    while (*link != fetched) {
        link = &(*link)->behind;
    }
    *link = fetched->behind;
    if (source->end == &fetched->behind) {
        source->end = link;
    }
}

void fetch_add_share(struct kafka_source *source, struct fetched *fetched,
                     const struct fetched_records *records)
{
    struct share *share = memory_zalloc(1, sizeof *share);

    if (!fetched->first) {
        join_row(source, fetched);
        fetched->last = &fetched->first;
    }
    fetched->was_dropped = false;
    fetched->next = kafka_batches_init(&share->batches, records);
    *fetched->last = share;
    fetched->last = &share->next;
}

void fetch_drop_share(struct kafka_source *source, struct fetched *fetched)
{
    struct share *share = fetched->first;

    fetched->first = share->next;
    if (!fetched->first) {
        leave_row(source, fetched);
    }
    kafka_batches_fini(&share->batches);
    free(share);
}

void fetch_drop_shares(struct kafka_source *source, struct fetched *fetched)
{
    while (fetched->first) {
        fetch_drop_share(source, fetched);
    }
    fetched->next = fetched->place->fetched;
}

static bool is_counted(const struct kafka_source *source, const struct fetched *upto)
{
    const struct fetched_bytes *memory = upto->first->batches.in.memory;

    for (const struct fetched *fetched = source->first; fetched != upto;
         fetched = fetched->behind) {
        if (fetched->place->paused && fetched->first->batches.in.memory == memory) {
            return true;
        }
    }
    return false;
}

void fetch_drop_what_is_held_too_long(struct kafka_source *source)
{
    struct fetched *too_much = NULL;
    size_t held = 0;

    do {
        held = 0;
        too_much = NULL;
        for (struct fetched *fetched = source->first; fetched; fetched = fetched->behind) {
            if (fetched->place->paused) {
                held += is_counted(source, fetched) ? 0 : fetched->first->batches.in.memory->size;
                too_much = too_much ? too_much : fetched;
            }
        }
        if (held > HELD_BYTES_MAX) {
            fetch_drop_shares(source, too_much);
            too_much->was_dropped = true;
        }
    } while (held > HELD_BYTES_MAX);
}

/* The first that may be used goes to the end of the row, so that all places have their turns. */
static struct fetched *next_in_row(struct kafka_source *source)
{
    struct fetched *fetched = source->first;

    while (fetched && fetched->place->paused) {
        fetched = fetched->behind;
    }
    if (fetched && fetched->behind) {
        leave_row(source, fetched);
        join_row(source, fetched);
    }
    return fetched;
}

/* With its last block, so that nobody takes the place for behind the log's end. */
static void end_if_used_up(struct kafka_source *source, struct fetched *fetched)
{
    struct share *share = fetched->first; /* NULL: taking the block has ended the fetching */

    if (share && kafka_batches_are_used_up(&share->batches)) {
        kafka_reader_passed(fetched->place, share->batches.next_offset);
        fetch_drop_share(source, fetched);
    }
}

bool fetch_take_block(struct kafka_reader *reader)
{
    struct kafka_source *source = reader->source;
    struct fetched *fetched;

    while ((fetched = next_in_row(source)) != NULL) {
        struct place *place = fetched->place;
        struct kafka_batches *batches = &fetched->first->batches;
        struct kafka_block *block = NULL;
        int code = kafka_batches_next(batches, &block, &place->why);

        if (block) {
            block->place = place;
            kafka_reader_take(reader, block);
            end_if_used_up(source, fetched);
            return true;
        }
        kafka_reader_passed(place, batches->next_offset);
        if (code) {
            place->failure = code;
            fetch_drop_shares(source, fetched);
        } else {
            fetch_drop_share(source, fetched);
        }
    }
    return false;
}
