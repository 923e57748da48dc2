/*
 * bisect.c: a flush without the rows that Postgres refuses.
 *
 * The statement that failed is run again in halves, each behind a savepoint, until the rows that
 * are refused stand alone: one of n costs about 2 log2 n statements. Those that are
 * taken care of are left out; all others and the positions are committed together.
 */
#include "sinks/postgres/postgres_internal.h"

enum { DEPTH_MAX = 40 };

struct bisection {
    struct sink *sink;
    struct postgres_state *state;
    struct target *target;
    bool deletes;
    uint32_t depth;
};

static int load(struct bisection *b, const uint32_t *rows, uint32_t count, struct error *err)
{
    struct loader *l = &b->state->loader;

    if (b->target->way == LOAD_COPY && !b->deletes) {
        return load_copy(l, b->target, rows, count, err);
    }
    TRY(load_send(l, b->target, b->deletes, rows, count, &b->state->batch, err));
    return session_settle(&l->session, err);
}

static int refuse(struct bisection *b, uint32_t row, const struct error *why, struct error *err)
{
    const struct pending_row *refused = &b->target->pending->rows[row];
    const struct row_origin origin = { .topic = arena_copy_text(&b->state->batch, b->target->topic),
                                       .partition = refused->partition,
                                       .offset = refused->offset };

    b->sink->refusal = b->state->loader.session.refusal;
    return b->sink->refuse(b->sink->context, &origin, why, err);
}

static int load_range(struct bisection *b, const uint32_t *rows, uint32_t count, struct error *err)
{
    struct session *s = &b->state->loader.session;
    struct error why = { 0 };

    TRY(session_run(s, "SAVEPOINT sluice", NULL, err));
    if (!load(b, rows, count, &why)) {
        return session_run(s, "RELEASE SAVEPOINT sluice", NULL, err);
    }
    if (s->fault != FAULT_RECORD || b->depth >= DEPTH_MAX) {
        return error_set(err, why.code, NO_POSITION, "%s", why.message);
    }
    TRY(session_run(s, "ROLLBACK TO SAVEPOINT sluice; RELEASE SAVEPOINT sluice", NULL, err));
    if (count == 1) {
        return refuse(b, rows[0], &why, err);
    }
    b->depth++;
    TRY(load_range(b, rows, count / 2, err));
    TRY(load_range(b, rows + count / 2, count - count / 2, err));
    b->depth--;
    return 0;
}

static int load_target(struct sink *sink, struct target *target, struct error *err)
{
    struct postgres_state *state = sink->state;
    struct bisection b = { .sink = sink, .state = state, .target = target };
    struct step *steps = NULL;
    uint32_t count = pending_plan(target->pending, target, &state->batch, &steps);

    for (uint32_t i = 0; i < count; i++) {
        b.deletes = steps[i].deletes;
        for (uint32_t done = 0; done < steps[i].count;) {
            uint32_t left = steps[i].count - done;
            uint32_t rows = left < target->batch_rows ? left : target->batch_rows;

            TRY(load_range(&b, target->pending->order + steps[i].first + done, rows, err));
            done += rows;
        }
    }
    return 0;
}

int bisect_flush(struct sink *sink, const struct positions *upto, struct error *err)
{
    struct postgres_state *state = sink->state;

    state->loader.in_transaction = false;
    state->loader.copying = NULL;
    TRY(load_begin(&state->loader, err));
    for (uint32_t i = 0; i < state->targets.count; i++) {
        TRY(load_target(sink, state->targets.items[i], err));
    }
    return postgres_commit(state, upto, 0, err);
}
