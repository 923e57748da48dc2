/*
 * bench_checkpoint.c: state larger than its memory, and how fast it comes back.
 *
 * Ten million keys of 8 bytes with images of 20, in random order, in a store that may keep 256 MB:
 * committed every 50,000 updates, saved and aged whenever half of the budget is full. Then
 * updates of random keys among them. Recovery: of a checkpoint of two million keys, and of as
 * many changelog records.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/scratch_directory.h"
#include "engine/log/database.h"
#include "engine/state/checkpoint.h"
#include "engine/state/store.h"

enum {
    KEYS = 10000000,
    UPDATES = 200000,
    RECOVERED = 2000000,
    PER_COMMIT = 50000,
    PER_BLOCK = 500,
    IMAGE_BYTES = 20,
    YOUNG_BYTES = 96 << 20,
};

struct bench {
    char directory[SCRATCH_PATH_MAX];
    struct clock clock;
    struct database *database;
    struct log_topic changelog;
    struct store *store;
    struct log_builder scratch;
    uint64_t random;
    uint32_t since_commit;
    struct error err;
};

static void report(struct bench *b, const char *what, double count, int64_t began_us)
{
    double spent_us = (double)(clock_monotonic_us(&b->clock) - began_us);
    char line[128];
    FILE *status = fopen("/proc/self/status", "r");
    unsigned long resident_kb = 0;

    while (status && fgets(line, sizeof line, status)) {
        (void)sscanf(line, "RssAnon: %lu", &resident_kb);
    }
    if (status) {
        (void)fclose(status);
    }
    (void)printf("%-44s %9.0f /s, %lu MB of memory\n", what, count * 1e6 / spent_us,
                 resident_kb / 1024);
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
            checkpoint_mark(store_checkpoint(b->store), batch, 0, 0);
        }
        code = database_write(b->database, batch, DATABASE_NO_SYNC, &b->err);
    }
    database_batch_destroy(batch);
    store_saved(b->store);
    return code;
}

static int commit(struct bench *b)
{
    store_write_changes(b->store, &b->scratch);
    log_builder_reset(&b->scratch);
    store_committed(b->store);
    b->since_commit = 0;
    if (store_young_bytes(b->store) > YOUNG_BYTES) {
        TRY(save(b));
        store_age(b->store);
    }
    return 0;
}

static int put(struct bench *b, uint64_t number)
{
    uint64_t key = number * UINT64_C(0x9e3779b97f4a7c15);
    char image[IMAGE_BYTES] = { 0 };

    memcpy(image, &number, sizeof number);
    store_put(b->store, (struct bytes){ (const char *)&key, sizeof key },
              (struct bytes){ image, sizeof image }, 1);
    return ++b->since_commit == PER_COMMIT ? commit(b) : 0;
}

static int bench_large(struct bench *b)
{
    int64_t began_us = clock_monotonic_us(&b->clock);

    open_store(b);
    for (uint64_t i = 0; i < KEYS; i++) {
        TRY(put(b, i));
    }
    report(b, "10 M new keys, 256 MB", KEYS, began_us);
    began_us = clock_monotonic_us(&b->clock);
    for (uint32_t i = 0; i < UPDATES; i++) {
        uint64_t key;
        struct store_entry entry;
        uint64_t number;

        b->random = b->random * 6364136223846793005u + 1442695040888963407u;
        number = (b->random >> 20) % KEYS;
        key = number * UINT64_C(0x9e3779b97f4a7c15);
        if (!store_get(b->store, (struct bytes){ (const char *)&key, sizeof key }, &entry)) {
            return error_set(&b->err, ERR_STATE_DAMAGED, NO_POSITION, "a key is missing");
        }
        TRY(put(b, number));
    }
    report(b, "updates of random ones among them", UPDATES, began_us);
    TRY(store_check(b->store, &b->err));
    store_destroy(b->store);
    return 0;
}

static int bench_replay(struct bench *b)
{
    struct arena arena;
    struct log_builder builder = { 0 };
    int64_t began_us = clock_monotonic_us(&b->clock);
    int64_t spent_us = 0;

    b->changelog.incarnation = 2;
    open_store(b);
    for (uint64_t i = 0; i < RECOVERED; i += PER_BLOCK) {
        struct log_block block = { .record_count = PER_BLOCK };

        arena_init(&arena, 0);
        for (uint64_t k = 0; k < PER_BLOCK; k++) {
            uint64_t key = (i + k) * UINT64_C(0x9e3779b97f4a7c15);
            char image[IMAGE_BYTES] = { 0 };

            log_builder_add(&builder, (struct bytes){ (const char *)&key, sizeof key },
                            (struct bytes){ image, sizeof image }, 1, NULL, 0);
        }
        block.records = log_builder_records(&builder, &arena);
        spent_us -= clock_monotonic_us(&b->clock);
        store_restore(b->store, &block);
        spent_us += clock_monotonic_us(&b->clock);
        log_builder_reset(&builder);
        arena_fini(&arena);
    }
    report(b, "changelog records replayed", RECOVERED, clock_monotonic_us(&b->clock) - spent_us);
    log_builder_fini(&builder);
    began_us = clock_monotonic_us(&b->clock);
    TRY(save(b));
    report(b, "entries saved", RECOVERED, began_us);
    store_destroy(b->store);
    open_store(b);
    began_us = clock_monotonic_us(&b->clock);
    TRY(store_load(b->store, SIZE_MAX, &b->err));
    report(b, "entries loaded from the checkpoint", RECOVERED, began_us);
    store_destroy(b->store);
    return 0;
}

static int run(struct bench *b)
{
    struct checkpoint *former;
    const struct checkpoint_identity identity = { .changelog = &b->changelog };
    int code;

    TRY(scratch_directory_make(b->directory, &b->err));
    TRY(database_open(b->directory, &b->database, &b->err));
    TRY(bench_large(b));
    former = checkpoint_create(b->database, &identity);
    code = checkpoint_drop(former, &b->err);
    checkpoint_destroy(former);
    return code ? code : bench_replay(b);
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
    log_builder_fini(&b.scratch);
    database_close(b.database);
    scratch_directory_remove(b.directory);
    return code != 0;
}
