/*
 * key_maker.h: key bytes of rows, as the step's key format writes them.
 */
#ifndef SLUICE_ENGINE_OPERATOR_KEY_MAKER_H
#define SLUICE_ENGINE_OPERATOR_KEY_MAKER_H

#include "engine/plan/plan.h"

struct key_maker {
    struct encoder encoder; /* no kind: there are no key columns, or it is not open */
    struct encoder_spec spec;
};

int key_maker_open(struct key_maker *maker, const struct key_plan *plan, struct error *err);
void key_maker_close(struct key_maker *maker);
/* Appends; sets *is_null, appending nothing, where the row has no key. */
int key_maker_append(struct key_maker *maker, const struct row_banks *row, struct buffer *out,
                     bool *is_null, struct error *err);

/* The keys of a run, side by side: made first, so that their entries are fetched together. */
struct key_run {
    struct buffer bytes;
    size_t *ends;
    struct bytes *keys; /* after key_run_finish */
    uint32_t count;
    uint32_t capacity;
};

/* Arrays for at most so many keys, in the arena. */
void key_run_begin(struct key_run *run, struct arena *arena, uint32_t most_keys);
/* The key is what the caller appended to run->bytes since the last one. */
void key_run_end_key(struct key_run *run);
void key_run_finish(struct key_run *run);
void key_run_fini(struct key_run *run);

#endif
