/*
 * bench_checkpoint.c: how fast state comes back.
 *
 * Two million keys of 8 bytes with images of 20: as changelog records that are replayed, saved
 * in a checkpoint, and loaded from there. State larger than its memory: bench_state.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/scratch_directory.h"
#include "engine/log/database.h"
#include "engine/state/checkpoint.h"
#include "engine/state/entry_block.h"
#include "engine/state/store.h"

enum {
    RECOVERED = 2000000,
    PER_BLOCK = 500,
    IMAGE_BYTES = 20,
};

struct bench {
    char directory[SCRATCH_PATH_MAX];
    struct clock clock;
    struct database *database;
    struct log_topic changelog;
    struct store *store;
    struct error err;
};

/* What was going on: wall and CPU time, spent so far where it is negative. */
struct spent {
    int64_t wall_us;
    int64_t cpu_us;
};

static void begin(const struct bench *b, struct spent *spent)
{
    spent->wall_us -= clock_monotonic_us(&b->clock);
    spent->cpu_us -= clock_cpu_us();
}

static void end(const struct bench *b, struct spent *spent)
{
    spent->wall_us += clock_monotonic_us(&b->clock);
    spent->cpu_us += clock_cpu_us();
}

static void report(const char *what, const struct spent *spent)
{
    (void)printf("%-44s %9.0f /s, %5.2f CPU µs each\n", what,
                 RECOVERED * 1e6 / (double)spent->wall_us, (double)spent->cpu_us / RECOVERED);
}

static void open_store(struct bench *b)
{
    const struct checkpoint_identity identity = { .changelog = &b->changelog };

    b->store = store_create(STORE_DURABLE);
    store_attach_checkpoint(b->store, checkpoint_create(b->database, &identity));
}

static int save(struct bench *b)
{
    struct database_batch *batch = database_batch_create();
    uint32_t at = 0;
    bool more = true;
    int code = 0;

    while (!code && more) {
        database_batch_clear(batch);
        more = store_save(b->store, &at, batch);
        if (!more) {
            checkpoint_mark(store_checkpoint(b->store), batch, 0);
        }
        code = database_write(b->database, batch, DATABASE_NO_SYNC, &b->err);
    }
    database_batch_destroy(batch);
    store_saved(b->store);
    return code;
}

static int bench_replay(struct bench *b)
{
    struct arena arena;
    struct log_builder builder = { 0 };
    struct spent replayed = { 0 };
    struct spent saved = { 0 };
    struct spent loaded = { 0 };

    open_store(b);
    for (uint64_t i = 0; i < RECOVERED; i += PER_BLOCK) {
        struct log_block block = { .record_count = 1 };
        struct entry_writer writer;

        arena_init(&arena, 0);
        entry_block_begin(&writer, &builder);
        for (uint64_t k = 0; k < PER_BLOCK; k++) {
            uint64_t key = (i + k) * UINT64_C(0x9e3779b97f4a7c15);
            char image[IMAGE_BYTES] = { 0 };

            entry_block_add(&writer, (struct bytes){ (const char *)&key, sizeof key },
                            (struct bytes){ image, sizeof image }, 1);
        }
        (void)entry_block_end(&writer);
        block.records = log_builder_records(&builder, &arena);
        begin(b, &replayed);
        TRY(store_restore(b->store, &block, &b->err));
        end(b, &replayed);
        log_builder_reset(&builder);
        arena_fini(&arena);
    }
    report("changelog entries replayed", &replayed);
    log_builder_fini(&builder);
    begin(b, &saved);
    TRY(save(b));
    end(b, &saved);
    report("entries saved", &saved);
    store_destroy(b->store);
    open_store(b);
    begin(b, &loaded);
    TRY(store_load(b->store, SIZE_MAX, &b->err));
    end(b, &loaded);
    report("entries loaded from the checkpoint", &loaded);
    store_destroy(b->store);
    return 0;
}

static int run(struct bench *b)
{
    TRY(scratch_directory_make(b->directory, &b->err));
    TRY(database_open(b->directory, &b->database, &b->err));
    return bench_replay(b);
}

int main(void)
{
    struct bench b = { .changelog = { .name = BYTES("changelog") } };
    int code;

    clock_init_real(&b.clock);
    code = run(&b);
    if (code) {
        (void)fprintf(stderr, "%s\n", b.err.message);
    }
    database_close(b.database);
    scratch_directory_remove(b.directory);
    return code != 0;
}
