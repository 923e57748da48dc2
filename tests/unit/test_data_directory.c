/*
 * test_data_directory.c: the directory of a node: made, locked, checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/data_directory.h"

struct bed {
    char parent[64];
    char path[80];
};

static int setup(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);

    snprintf(bed->parent, sizeof bed->parent, "/tmp/test_data_directory.%ld", (long)getpid());
    if (mkdir(bed->parent, 0700)) {
        free(bed);
        return -1;
    }
    snprintf(bed->path, sizeof bed->path, "%s/data", bed->parent);
    *state = bed;
    return 0;
}

static void file_path(const struct bed *bed, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", bed->path, name);
}

static int teardown(void **state)
{
    static const char *const names[] = { "LOCK", "VERSION", "node-id", "draft" };
    struct bed *bed = *state;
    char path[128];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        file_path(bed, names[i], path);
        unlink(path);
    }
    rmdir(bed->path);
    rmdir(bed->parent);
    free(bed);
    return 0;
}

static void write_file(const struct bed *bed, const char *name, const char *text)
{
    char path[128];
    FILE *out;

    file_path(bed, name, path);
    out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    fclose(out);
}

static void the_node_id_lasts_and_is_another_in_every_directory(void **state)
{
    const struct bed *bed = *state;
    struct data_directory *directory;
    struct error err = { 0 };
    char first[NODE_ID_SIZE];
    char other[NODE_ID_SIZE];

    assert_int_equal(data_directory_open(bed->path, &directory, &err), 0);
    assert_string_equal(data_directory_path(directory), bed->path);
    snprintf(first, sizeof first, "%s", data_directory_node_id(directory));
    assert_int_equal(strspn(first, "0123456789abcdef"), NODE_ID_LEN);
    data_directory_close(directory);
    assert_int_equal(data_directory_open(bed->path, &directory, &err), 0);
    assert_string_equal(data_directory_node_id(directory), first);
    data_directory_close(directory);
    assert_int_equal(node_id_make(other, &err), 0);
    assert_string_not_equal(other, first);
}

static void nobody_else_may_read_it(void **state)
{
    static const char *const names[] = { "LOCK", "VERSION", "node-id" };
    const struct bed *bed = *state;
    struct data_directory *directory;
    struct error err = { 0 };
    struct stat status;
    char path[128];

    assert_int_equal(data_directory_open(bed->path, &directory, &err), 0);
    assert_int_equal(stat(bed->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        file_path(bed, names[i], path);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    data_directory_close(directory);
}

/* The exit status of another process that opens it: 1 when it was refused as it should be. */
static int open_elsewhere(const struct bed *bed)
{
    pid_t parent = getpid();
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        struct data_directory *directory;
        struct error err = { 0 };
        char holder[32];
        int code = data_directory_open(bed->path, &directory, &err);

        snprintf(holder, sizeof holder, "process %ld:", (long)parent);
        _exit(code == 0 ? 0 : code == ERR_DIRECTORY_IN_USE && strstr(err.message, holder) ? 1 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_second_process_is_refused_with_the_holder_s_id(void **state)
{
    const struct bed *bed = *state;
    struct data_directory *directory;
    struct error err = { 0 };

    assert_int_equal(data_directory_open(bed->path, &directory, &err), 0);
    assert_int_equal(open_elsewhere(bed), 1);
    data_directory_close(directory);
    assert_int_equal(open_elsewhere(bed), 0);
}

static void a_lock_file_that_a_crash_left_behind_holds_nothing(void **state)
{
    const struct bed *bed = *state;
    struct data_directory *directory;
    struct error err = { 0 };

    assert_int_equal(mkdir(bed->path, 0700), 0);
    write_file(bed, "LOCK", "1\n");
    assert_int_equal(data_directory_open(bed->path, &directory, &err), 0);
    data_directory_close(directory);
}

static void what_is_no_data_directory_is_refused(void **state)
{
    const struct bed *bed = *state;
    struct data_directory *directory;
    struct error err = { 0 };

    assert_int_equal(data_directory_open(bed->path, &directory, &err), 0);
    data_directory_close(directory);
    write_file(bed, "VERSION", "2\n");
    assert_int_equal(data_directory_open(bed->path, &directory, &err), ERR_STATE_DAMAGED);
    assert_non_null(strstr(err.message, "VERSION holds '2'"));
    write_file(bed, "VERSION", "1\n");
    write_file(bed, "node-id", "me\n");
    assert_int_equal(data_directory_open(bed->path, &directory, &err), ERR_STATE_DAMAGED);
    assert_non_null(strstr(err.message, "node-id holds 'me'"));
}

static void a_directory_that_cannot_be_made_is_told_with_its_path(void **state)
{
    struct data_directory *directory;
    struct error err = { 0 };

    assert_int_equal(data_directory_open("/nowhere/data", &directory, &err), ERR_IO);
    assert_non_null(strstr(err.message, "/nowhere/data cannot be made"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_node_id_lasts_and_is_another_in_every_directory, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nobody_else_may_read_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_process_is_refused_with_the_holder_s_id, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_lock_file_that_a_crash_left_behind_holds_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_no_data_directory_is_refused, setup, teardown),
        cmocka_unit_test(a_directory_that_cannot_be_made_is_told_with_its_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
