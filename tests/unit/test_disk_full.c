/*
 * test_disk_full.c: a full disk costs time, and nothing that was committed.
 *
 * The disk is a tmpfs of a few megabytes, so this needs root and the right to mount; it says so
 * where it has not. A ballast file takes the room and gives it back; when nothing goes into
 * a disk any more depends on buffers, so each test writes until it happens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/unit/disk_log_bed.h"
#include "tests/unit/runtime_rig.h"

enum {
    PARTITIONS = 2,
    PADDING = 30000,
    TRANSACTIONS_MAX = 2000,
    RETRY_MS = 1000,
    PIECE = 4096,
    SAVE_EVERY_MS = 10000,
};

struct disk {
    struct clock clock;
    char mount_point[SCRATCH_PATH_MAX];
    char ballast[SCRATCH_PATH_MAX + 10];
    struct disk_log_bed bed; /* its directory is on the disk */
    const struct log_topic *topic;
    struct log_writer *writer;
    int64_t next; /* number; all below it are committed */
    uint64_t random;
    struct error err;
};

/* --- the disk --- */

static int setup(void **state)
{
    struct disk *d = calloc(1, sizeof *d);

    *state = d;
    clock_init_virtual(&d->clock, 1000000);
    if (scratch_directory_make(d->mount_point, &d->err)) {
        return -1;
    }
    if (mount("tmpfs", d->mount_point, "tmpfs", 0, "size=12m")) {
        scratch_directory_remove(d->mount_point);
        d->mount_point[0] = 0;
        return 0;
    }
    (void)snprintf(d->ballast, sizeof d->ballast, "%s/ballast", d->mount_point);
    (void)snprintf(d->bed.directory, sizeof d->bed.directory, "%.200s/db", d->mount_point);
    return 0;
}

static int teardown(void **state)
{
    struct disk *d = *state;

    if (d->writer) {
        log_writer_close(d->writer);
    }
    disk_log_bed_close(&d->bed);
    if (d->mount_point[0]) {
        (void)umount(d->mount_point);
        (void)rmdir(d->mount_point);
    }
    free(d);
    return 0;
}

static void need_disk(const struct disk *d)
{
    if (!d->mount_point[0]) {
        print_message("a tmpfs cannot be mounted here: nothing is tested\n");
        skip();
    }
}

/* Until not a byte goes in any more. */
static void take_all_room(struct disk *d)
{
    static const char piece[PIECE] = { 1 };
    int fd = open(d->ballast, O_WRONLY | O_CREAT | O_APPEND, 0600);

    assert_true(fd >= 0);
    while (write(fd, piece, sizeof piece) > 0) {
    }
    assert_int_equal(close(fd), 0);
}

static void make_room(struct disk *d)
{
    assert_int_equal(unlink(d->ballast), 0);
}

/* --- a log on it --- */

static void open_writer(struct disk *d)
{
    const struct writer_spec spec = { .transactional_id = BYTES("tx") };

    assert_int_equal(log_writer_open(d->bed.log, &spec, &d->writer, &d->err), 0);
}

static void open_topic(struct disk *d)
{
    const struct topic_spec topic = { .name = BYTES("t"), .partition_count = PARTITIONS };
    int code = log_create_topic(d->bed.log, &topic, &d->err);

    assert_true(code == 0 || code == ERR_TOPIC_EXISTS);
    assert_int_equal(log_open_topic(d->bed.log, topic.name, &d->topic, &d->err), 0);
}

static void open_log(struct disk *d)
{
    assert_int_equal(disk_log_bed_open(&d->bed, &d->clock), 0);
    open_topic(d);
    open_writer(d);
}

static void close_log(struct disk *d)
{
    log_writer_close(d->writer);
    d->writer = NULL;
    disk_log_bed_close(&d->bed);
}

/* Does not compress. */
static void make_noise(struct disk *d, char out[PADDING])
{
    for (uint32_t i = 0; i < PADDING; i++) {
        d->random = d->random * 6364136223846793005u + 1442695040888963407u;
        out[i] = (char)(d->random >> 33);
    }
}

/* The number into both partitions and as a group's position. */
static int commit_next(struct disk *d)
{
    const struct group_membership nobody = { .group = BYTES("g"), .generation = -1 };
    const struct group_position position = { d->topic, 0, d->next, { NULL, 0 } };
    struct log_builder builder = { 0 };
    char padding[PADDING];
    int code = log_writer_begin(d->writer, &d->err);

    make_noise(d, padding);
    for (uint32_t p = 0; !code && p < PARTITIONS; p++) {
        log_builder_add(&builder, (struct bytes){ (const char *)&d->next, sizeof d->next },
                        (struct bytes){ padding, PADDING }, 1, NULL, 0);
        code = log_writer_append(d->writer, d->topic, p, &builder, NULL, &d->err);
    }
    log_builder_fini(&builder);
    code = code ? code : log_writer_send_positions(d->writer, &nobody, &position, 1, &d->err);
    code = code ? code : log_writer_commit(d->writer, &d->err);
    d->next += code == 0;
    return code;
}

static void expect_told(const struct disk *d, const struct error *err)
{
    assert_int_equal(err->code, ERR_LOG_UNAVAILABLE);
    assert_non_null(strstr(err->message, d->bed.directory));
    assert_non_null(strstr(err->message, "the disk is full"));
    assert_non_null(strstr(err->message, "make room"));
}

/* Opening again gives a little room back, so it takes several rounds. */
static void commit_until_full(struct disk *d, struct clock *clock)
{
    int failures = 0;

    for (int i = 0; failures < 2; i++) {
        assert_true(i < TRANSACTIONS_MAX);
        take_all_room(d);
        if (commit_next(d) == 0) {
            failures = 0;
            continue;
        }
        failures++;
        expect_told(d, &d->err);
        log_writer_close(d->writer); /* it has lost its transaction */
        open_writer(d);
        clock_advance(clock, RETRY_MS);
    }
}

/* Exactly the numbers below `next`, in both partitions. */
static void expect_committed(struct disk *d)
{
    const struct reader_spec spec = { .isolation = READ_COMMITTED };

    for (uint32_t p = 0; p < PARTITIONS; p++) {
        struct log_reader *reader = NULL;
        struct log_block *block = NULL;
        int64_t count = 0;

        assert_int_equal(log_reader_open(d->bed.log, &spec, &reader, &d->err), 0);
        assert_int_equal(log_reader_assign(reader, d->topic, p, OFFSET_BEGIN, &d->err), 0);
        do {
            assert_int_equal(log_reader_poll(reader, 0, &block, NULL, &d->err), 0);
            for (uint32_t i = 0; block && i < block->record_count; i++) {
                assert_memory_equal(block->records[i].key.data, &count, sizeof count);
                assert_int_equal(block->records[i].value.len, PADDING);
                count++;
            }
            if (block) {
                log_block_unref(block);
            }
        } while (block);
        log_reader_close(reader);
        assert_int_equal(count, d->next);
    }
}

static void expect_position(struct disk *d)
{
    struct group_position position = { d->topic, 0, 0, { NULL, 0 } };
    struct arena arena;

    arena_init(&arena, 0);
    assert_int_equal(
        log_group_positions(d->bed.log, (struct bytes)BYTES("g"), &position, 1, &arena, &d->err),
        0);
    arena_fini(&arena);
    assert_int_equal(position.offset, d->next - 1);
}

/* --- what a log does --- */

static void process_goes_on_once_there_is_room(void **state)
{
    struct disk *d = *state;

    need_disk(d);
    open_log(d);
    assert_int_equal(commit_next(d), 0);
    for (int i = 0; i < 3; i++) {
        commit_until_full(d, &d->clock);
        make_room(d);
        assert_int_equal(commit_next(d), 0);
        expect_committed(d);
        expect_position(d);
        assert_int_equal(log_delete_records(d->bed.log, d->topic, 0, 0, &d->err), 0);
    }
    close_log(d);
    open_log(d);
    expect_committed(d);
    expect_position(d);
    assert_int_equal(commit_next(d), 0);
}

static void what_is_committed_can_be_read_while_the_disk_is_full(void **state)
{
    struct disk *d = *state;

    need_disk(d);
    d->bed.config.resident_bytes = 1; /* all is read from the disk */
    open_log(d);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(commit_next(d), 0);
    }
    commit_until_full(d, &d->clock);
    expect_committed(d);
}

static void restart_finds_all_that_was_committed(void **state)
{
    struct disk *d = *state;

    need_disk(d);
    open_log(d);
    commit_until_full(d, &d->clock);
    close_log(d);
    if (disk_log_bed_open(&d->bed, &d->clock)) { /* there is not always room enough for that */
        assert_int_equal(d->bed.err.code, ERR_IO);
        assert_non_null(strstr(d->bed.err.message, d->bed.directory));
        assert_non_null(strstr(d->bed.err.message, "the disk is full; make room"));
    }
    disk_log_bed_close(&d->bed);
    make_room(d);
    open_log(d);
    expect_committed(d);
    expect_position(d);
    assert_int_equal(commit_next(d), 0);
}

static void topic_that_finds_no_room_is_not_there(void **state)
{
    struct disk *d = *state;
    const struct topic_spec spec = { .name = BYTES("late"), .partition_count = 1 };
    const struct log_topic *topic = NULL;

    need_disk(d);
    open_log(d);
    commit_until_full(d, &d->clock);
    assert_int_equal(log_create_topic(d->bed.log, &spec, &d->err), ERR_LOG_UNAVAILABLE);
    assert_int_equal(log_open_topic(d->bed.log, spec.name, &topic, &d->err), ERR_UNKNOWN_TOPIC);
    make_room(d);
    clock_advance(&d->clock, RETRY_MS);
    assert_int_equal(log_create_topic(d->bed.log, &spec, &d->err), 0);
    assert_int_equal(log_open_topic(d->bed.log, spec.name, &topic, &d->err), 0);
    expect_committed(d);
}

/* --- what queries do --- */

static void open_rig(struct rig *f, struct disk *d, bool log_on_disk)
{
    rig_init(f);
    assert_int_equal(disk_log_bed_open(&d->bed, &f->clock), 0);
    f->database = d->bed.database;
    if (log_on_disk) {
        log_close(f->log);
        f->log = d->bed.log;
    }
    rig_open(f, "n1");
    rig_topic(f, "orders", 2);
    (void)rig_sql(f, "CREATE STREAM orders (id STRING KEY, item STRING, qty INT) "
                     "WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');");
    (void)rig_sql(f, "CREATE TABLE totals WITH (KAFKA_TOPIC='totals') AS SELECT item, COUNT(*) "
                     "AS c FROM orders GROUP BY item;");
}

static void close_rig(struct rig *f, struct disk *d)
{
    if (f->log == d->bed.log) {
        d->bed.log = NULL;
    }
    rig_fini(f);
    disk_log_bed_close(&d->bed);
}

/* The counts go up by one: this is the last one of an item, and none is there twice. */
static void expect_count(struct rig *f, const char *item, int count)
{
    const char *all = arena_copy_text(&f->arena, rig_read(f, "totals"));
    const char *found;
    char text[64];

    (void)snprintf(text, sizeof text, "%s={\"C\":%d}", item, count);
    found = strstr(all, text);
    assert_non_null(found);
    assert_null(strstr(found + 1, text));
    (void)snprintf(text, sizeof text, "%s={\"C\":%d}", item, count + 1);
    assert_null(strstr(all, text));
}

static void query_counts_once_when_its_commits_find_no_room(void **state)
{
    struct disk *d = *state;
    struct rig f;

    need_disk(d);
    open_rig(&f, d, true);
    rig_put_many(&f, "orders", 0, 500);
    rig_drain(&f);
    expect_count(&f, "k1", 100);
    rig_put_many(&f, "orders", 500, 1000);
    open_topic(d);
    open_writer(d);
    commit_until_full(d, &f.clock);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(runtime_drain(f.rt, &d->err), ERR_LOG_UNAVAILABLE);
        clock_advance(&f.clock, 60000);
    }
    make_room(d);
    rig_drain(&f);
    expect_count(&f, "k1", 200);
    expect_committed(d);
    log_writer_close(d->writer);
    d->writer = NULL;
    close_rig(&f, d);
}

/* How many entries the checkpoints have. */
static uint32_t saved_entries(struct disk *d)
{
    struct database_cursor *cursor =
        database_cursor_open(d->bed.database, DATABASE_STATE, bytes_of(""), bytes_of("\xff"));
    uint32_t count = 0;

    for (bool more = database_cursor_seek(cursor, bytes_of("")); more;
         more = database_cursor_next(cursor)) {
        count++;
    }
    database_cursor_close(cursor);
    return count;
}

static int write_piece(struct disk *d, struct database_batch *batch, int number)
{
    char value[PADDING];

    make_noise(d, value);
    database_batch_clear(batch);
    database_put(d->bed.database, batch, DATABASE_LOG,
                 (struct bytes){ (const char *)&number, sizeof number },
                 (struct bytes){ value, sizeof value });
    return database_write(d->bed.database, batch, DATABASE_NO_SYNC, &d->err);
}

static void fill_database(struct disk *d)
{
    struct database_batch *batch = database_batch_create();
    int failures = 0;

    for (int i = 0; failures < 2; i++) {
        assert_true(i < TRANSACTIONS_MAX);
        take_all_room(d);
        if (write_piece(d, batch, i) == 0) {
            failures = 0;
            continue;
        }
        expect_told(d, &d->err);
        failures = database_reopen(d->bed.database, &d->err) ? 2 : failures + 1;
    }
    database_batch_destroy(batch);
}

static void checkpoint_that_finds_no_room_is_made_later(void **state)
{
    struct disk *d = *state;
    struct rig f;

    need_disk(d);
    open_rig(&f, d, false);
    fill_database(d);
    for (int i = 1; i <= 3; i++) {
        rig_put_many(&f, "orders", (i - 1) * 500, i * 500);
        clock_advance(&f.clock, SAVE_EVERY_MS);
        rig_drain(&f);
        expect_count(&f, "k1", i * 100);
    }
    assert_int_equal(saved_entries(d), 0);
    make_room(d);
    rig_put_many(&f, "orders", 1500, 2000);
    clock_advance(&f.clock, SAVE_EVERY_MS);
    rig_drain(&f);
    clock_advance(&f.clock, SAVE_EVERY_MS);
    rig_put_many(&f, "orders", 2000, 2500);
    rig_drain(&f);
    assert_true(saved_entries(d) >= 5);
    expect_count(&f, "k1", 500);
    close_rig(&f, d);
}

int main(void)
{
#define DISK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        DISK_TEST(process_goes_on_once_there_is_room),
        DISK_TEST(what_is_committed_can_be_read_while_the_disk_is_full),
        DISK_TEST(restart_finds_all_that_was_committed),
        DISK_TEST(topic_that_finds_no_room_is_not_there),
        DISK_TEST(query_counts_once_when_its_commits_find_no_room),
        DISK_TEST(checkpoint_that_finds_no_room_is_made_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
