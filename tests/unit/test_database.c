/*
 * test_database.c: what the database keeps, and how it says that it cannot.
 *
 * Each test has a directory of its own. Another process is a fork that opens the
 * same directory; a user without rights is one that has given up its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scratch_directory.h"
#include "engine/log/database.h"

struct bed {
    char directory[SCRATCH_PATH_MAX];
    struct database *db;
    struct error err;
};

static int setup(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);

    assert_int_equal(scratch_directory_make(bed->directory, &bed->err), 0);
    *state = bed;
    return database_open(bed->directory, &bed->db, &bed->err);
}

static int teardown(void **state)
{
    struct bed *bed = *state;

    database_close(bed->db);
    scratch_directory_remove(bed->directory);
    free(bed);
    return 0;
}

static void put(struct bed *bed, enum database_space space, const char *key, const char *value)
{
    struct database_batch *batch = database_batch_create();

    database_put(bed->db, batch, space, bytes_of(key), bytes_of(value));
    assert_int_equal(database_write(bed->db, batch, DATABASE_SYNC, &bed->err), 0);
    database_batch_destroy(batch);
}

static void expect(struct bed *bed, enum database_space space, const char *key, const char *value)
{
    struct buffer got = { 0 };
    bool found = false;

    assert_int_equal(database_get(bed->db, space, bytes_of(key), &got, &found, &bed->err), 0);
    assert_int_equal(found, value != NULL);
    if (value) {
        assert_true(bytes_equal_text(buffer_bytes(&got), value));
    }
    buffer_fini(&got);
}

static void reopen(struct bed *bed)
{
    database_close(bed->db);
    bed->db = NULL;
    assert_int_equal(database_open(bed->directory, &bed->db, &bed->err), 0);
}

static void spaces_are_apart_and_outlive_closing(void **state)
{
    struct bed *bed = *state;

    put(bed, DATABASE_LOG, "a", "1");
    put(bed, DATABASE_STATE, "a", "2");
    expect(bed, DATABASE_LOG, "a", "1");
    reopen(bed);
    expect(bed, DATABASE_LOG, "a", "1");
    expect(bed, DATABASE_STATE, "a", "2");
    assert_int_equal(database_reopen(bed->db, &bed->err), 0);
    expect(bed, DATABASE_STATE, "a", "2");
    expect(bed, DATABASE_STATE, "b", NULL);
}

static void batch_deletes_keys_and_ranges(void **state)
{
    struct bed *bed = *state;
    struct database_batch *batch = database_batch_create();

    put(bed, DATABASE_LOG, "a", "1");
    put(bed, DATABASE_LOG, "b", "2");
    put(bed, DATABASE_LOG, "c", "3");
    put(bed, DATABASE_LOG, "d", "4");
    database_put(bed->db, batch, DATABASE_LOG, bytes_of("x"), bytes_of("gone with clear"));
    assert_true(database_batch_bytes(batch) > strlen("gone with clear"));
    database_batch_clear(batch);
    database_delete(bed->db, batch, DATABASE_LOG, bytes_of("a"));
    database_delete_range(bed->db, batch, DATABASE_LOG, bytes_of("b"), bytes_of("d"));
    assert_int_equal(database_write(bed->db, batch, DATABASE_NO_SYNC, &bed->err), 0);
    database_batch_destroy(batch);
    assert_int_equal(database_flush(bed->db, &bed->err), 0);
    expect(bed, DATABASE_LOG, "a", NULL);
    expect(bed, DATABASE_LOG, "b", NULL);
    expect(bed, DATABASE_LOG, "c", NULL);
    expect(bed, DATABASE_LOG, "d", "4");
    expect(bed, DATABASE_LOG, "x", NULL);
}

static void cursor_stays_within_its_bounds(void **state)
{
    struct bed *bed = *state;
    struct database_cursor *cursor;

    put(bed, DATABASE_LOG, "a", "1");
    put(bed, DATABASE_LOG, "b", "2");
    put(bed, DATABASE_LOG, "d", "4");
    put(bed, DATABASE_LOG, "e", "5");
    cursor = database_cursor_open(bed->db, DATABASE_LOG, bytes_of("b"), bytes_of("e"));
    put(bed, DATABASE_LOG, "c", "unseen");
    assert_true(database_cursor_seek(cursor, bytes_of("a")));
    assert_true(bytes_equal_text(database_cursor_key(cursor), "b"));
    assert_true(database_cursor_next(cursor));
    assert_true(bytes_equal_text(database_cursor_key(cursor), "d"));
    assert_true(bytes_equal_text(database_cursor_value(cursor), "4"));
    assert_false(database_cursor_next(cursor));
    assert_int_equal(database_cursor_check(cursor, &bed->err), 0);
    assert_true(database_cursor_seek_last(cursor, bytes_of("c")));
    assert_true(bytes_equal_text(database_cursor_key(cursor), "b"));
    assert_false(database_cursor_seek_last(cursor, bytes_of("a")));
    database_cursor_close(cursor);
}

/* --- what goes wrong --- */

/* What opening answers in a process of its own, under this user if it is not 0. */
static int open_elsewhere(struct bed *bed, uid_t user)
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        struct database *db = NULL;
        struct error err = { 0 };

        if (user && setuid(user) != 0) {
            _exit(100);
        }
        if (database_open(bed->directory, &db, &err) == ERR_IO) {
            _exit(strstr(err.message, bed->directory) ? 1 : 2);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

static void second_process_is_refused(void **state)
{
    struct bed *bed = *state;

    assert_int_equal(open_elsewhere(bed, 0), 1);
    put(bed, DATABASE_LOG, "a", "1");
    expect(bed, DATABASE_LOG, "a", "1");
}

static void second_opening_in_a_process_is_refused(void **state)
{
    struct bed *bed = *state;
    struct database *second = NULL;

    assert_int_equal(database_open(bed->directory, &second, &bed->err), ERR_IO);
    assert_non_null(strstr(bed->err.message, "in this process already"));
    assert_null(second);
}

static void directory_without_rights_is_refused(void **state)
{
    struct bed *bed = *state;

    if (geteuid() != 0) {
        skip();
    }
    database_close(bed->db);
    bed->db = NULL;
    assert_int_equal(chmod(bed->directory, 0700), 0);
    assert_int_equal(open_elsewhere(bed, 65534), 1);
}

/* Flips a byte at a place of the newest write-ahead log, or cuts it there. */
enum harm { HARM_FLIP, HARM_CUT };

static void harm_write_ahead_log(struct bed *bed, enum harm harm, off_t from_begin, off_t from_end)
{
    struct dirent *entry;
    DIR *directory = opendir(bed->directory);
    char path[SCRATCH_PATH_MAX + 300];
    struct stat found;
    unsigned char byte = 0;
    int fd;

    assert_non_null(directory);
    do {
        entry = readdir(directory);
        assert_non_null(entry);
        (void)snprintf(path, sizeof path, "%s/%s", bed->directory, entry->d_name);
    } while (!strstr(path, ".log") || stat(path, &found) != 0 || found.st_size == 0);
    closedir(directory);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    from_begin = from_end ? found.st_size - from_end : from_begin;
    if (harm == HARM_CUT) {
        assert_int_equal(ftruncate(fd, from_begin), 0);
    } else {
        assert_int_equal(pread(fd, &byte, 1, from_begin), 1);
        byte ^= 0x40;
        assert_int_equal(pwrite(fd, &byte, 1, from_begin), 1);
    }
    close(fd);
}

static void put_several(struct bed *bed)
{
    put(bed, DATABASE_LOG, "a", "one record");
    put(bed, DATABASE_LOG, "b", "another one");
    put(bed, DATABASE_LOG, "c", "the last one");
    database_close(bed->db);
    bed->db = NULL;
}

static void torn_end_loses_only_what_was_not_written_whole(void **state)
{
    struct bed *bed = *state;

    put_several(bed);
    harm_write_ahead_log(bed, HARM_CUT, 0, 3);
    assert_int_equal(database_open(bed->directory, &bed->db, &bed->err), 0);
    expect(bed, DATABASE_LOG, "b", "another one");
    expect(bed, DATABASE_LOG, "c", NULL);
}

static void damage_in_the_middle_is_told_and_nothing_is_thrown_away(void **state)
{
    struct bed *bed = *state;

    put_several(bed);
    harm_write_ahead_log(bed, HARM_FLIP, 30, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(database_open(bed->directory, &bed->db, &bed->err), ERR_LOG_DAMAGED);
        assert_non_null(strstr(bed->err.message, bed->directory));
    }
    harm_write_ahead_log(bed, HARM_FLIP, 30, 0);
    assert_int_equal(database_open(bed->directory, &bed->db, &bed->err), 0);
    expect(bed, DATABASE_LOG, "c", "the last one");
}

int main(void)
{
#define DATABASE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        DATABASE_TEST(spaces_are_apart_and_outlive_closing),
        DATABASE_TEST(batch_deletes_keys_and_ranges),
        DATABASE_TEST(cursor_stays_within_its_bounds),
        DATABASE_TEST(second_process_is_refused),
        DATABASE_TEST(second_opening_in_a_process_is_refused),
        DATABASE_TEST(directory_without_rights_is_refused),
        DATABASE_TEST(torn_end_loses_only_what_was_not_written_whole),
        DATABASE_TEST(damage_in_the_middle_is_told_and_nothing_is_thrown_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
