/*
 * pending.c: rows that wait for a flush, in the form in which they are sent.
 *
 * A row is a tuple of COPY's binary form without its leading count: per column a length and
 * bytes. Statements with arrays turn the same bytes by columns. With upsert the last row of a key
 * stands for all of them, written or deleted, and rows are sent in the order of their keys, so
 * that two writers cannot lock each other out. Where rows are inserted or updated and
 * others deleted, they go in runs, as they came.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sinks/postgres/postgres_internal.h"

struct pending *pending_create(void)
{
    return memory_zalloc(1, sizeof(struct pending));
}

void pending_destroy(struct pending *p)
{
    if (p) {
        buffer_fini(&p->bytes);
        free(p->rows);
        free(p->order);
        free(p->slots);
        free(p);
    }
}

void pending_clear(struct pending *p)
{
    p->bytes.len = 0;
    p->row_count = 0;
    p->sent = 0;
}

struct pending_row *pending_begin(struct pending *p)
{
    struct pending_row *row;

    if (p->row_count == p->row_capacity) {
        p->row_capacity = p->row_capacity ? 2 * p->row_capacity : 1024;
        p->rows = memory_resize(p->rows, p->row_capacity, sizeof *p->rows);
        p->order = memory_resize(p->order, p->row_capacity, sizeof *p->order);
    }
    row = &p->rows[p->row_count];
    memset(row, 0, sizeof *row);
    return row;
}

static struct bytes key_of(const struct pending *p, uint32_t row)
{
    return (struct bytes){ p->bytes.data + p->rows[row].key_at, p->rows[row].key_len };
}

/* --- the last one of each key --- */

static void clear_slots(struct pending *p, uint32_t rows)
{
    uint32_t wanted = 16;

    while (wanted < 2 * rows) {
        wanted *= 2;
    }
    if (wanted > p->slot_count) {
        free(p->slots);
        p->slots = memory_zalloc(wanted, sizeof *p->slots);
        p->slot_count = wanted;
    } else {
        memset(p->slots, 0, p->slot_count * sizeof *p->slots);
    }
}

/* Rows [first, first + count): of several with one key the last is left. */
static void replace_earlier(struct pending *p, uint32_t first, uint32_t count)
{
    clear_slots(p, count);
    for (uint32_t i = first; i < first + count; i++) {
        struct bytes key = key_of(p, i);
        uint32_t at = (uint32_t)bytes_hash(key) & (p->slot_count - 1);

        while (p->slots[at] && !bytes_equal(key_of(p, p->slots[at] - 1), key)) {
            at = (at + 1) & (p->slot_count - 1);
        }
        if (p->slots[at]) {
            p->rows[p->slots[at] - 1].is_replaced = true;
        }
        p->slots[at] = i + 1;
    }
}

/* --- in the order of keys --- */

/* qsort has no context: what is sorted carries its key. */
struct keyed {
    struct bytes key;
    uint32_t row;
};

static int compare_keyed(const void *a, const void *b)
{
    const struct keyed *left = a;
    const struct keyed *right = b;

    return bytes_compare(left->key, right->key);
}

static void sort_order(struct pending *p, uint32_t first, uint32_t count)
{
    struct keyed *keyed = memory_alloc(count * sizeof *keyed);

    for (uint32_t i = 0; i < count; i++) {
        keyed[i] = (struct keyed){ key_of(p, p->order[first + i]), p->order[first + i] };
    }
    qsort(keyed, count, sizeof *keyed, compare_keyed);
    for (uint32_t i = 0; i < count; i++) {
        p->order[first + i] = keyed[i].row;
    }
    free(keyed);
}

/* --- steps --- */

static void add_step(struct pending *p, struct step *step, bool deletes, uint32_t first,
                     uint32_t count, uint32_t *used)
{
    *step = (struct step){ .deletes = deletes, .first = *used };
    for (uint32_t i = first; i < first + count; i++) {
        if (!p->rows[i].is_replaced && p->rows[i].deletes == deletes) {
            p->order[(*used)++] = i;
        }
    }
    step->count = *used - step->first;
    if (p->rows[first].key_len > 0 && step->count > 1) {
        sort_order(p, step->first, step->count);
    }
}

static uint32_t plan_upsert(struct pending *p, struct arena *arena, struct step **out)
{
    struct step *steps = arena_array(arena, struct step, 2);
    uint32_t used = 0;

    replace_earlier(p, 0, p->row_count);
    add_step(p, &steps[0], true, 0, p->row_count, &used);
    add_step(p, &steps[1], false, 0, p->row_count, &used);
    *out = steps;
    return 2;
}

static uint32_t plan_runs(struct pending *p, bool replaces, struct arena *arena, struct step **out)
{
    VEC(struct step) steps = { 0 };
    uint32_t used = 0;

    for (uint32_t first = 0; first < p->row_count;) {
        bool deletes = p->rows[first].deletes;
        uint32_t end = first;

        while (end < p->row_count && p->rows[end].deletes == deletes) {
            end++;
        }
        if (replaces || deletes) {
            replace_earlier(p, first, end - first);
        }
        add_step(p, vec_push(arena, &steps), deletes, first, end - first, &used);
        first = end;
    }
    *out = steps.items;
    return steps.count;
}

/* As they came: what COPY streams. */
static uint32_t plan_all(struct pending *p, struct arena *arena, struct step **out)
{
    struct step *step = arena_new(arena, struct step);

    for (uint32_t i = 0; i < p->row_count; i++) {
        p->order[i] = i;
    }
    step->count = p->row_count;
    *out = step;
    return 1;
}

uint32_t pending_plan(struct pending *p, const struct target *target, struct arena *arena,
                      struct step **out)
{
    for (uint32_t i = 0; i < p->row_count; i++) {
        p->rows[i].is_replaced = false;
    }
    if (target->mode == MODE_UPSERT) {
        return plan_upsert(p, arena, out);
    }
    if (target->mode == MODE_INSERT && !target->deletes) {
        return plan_all(p, arena, out);
    }
    return plan_runs(p, target->mode == MODE_UPDATE, arena, out);
}
