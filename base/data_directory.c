/*
 * data_directory.c: making, locking and checking a data directory.
 *
 * The lock is a POSIX record lock on LOCK: the kernel gives it back however the process ends, so
 * nothing has to be cleaned up after a crash. VERSION is written last, under another name
 * first: a directory that has it is whole. A process must not open one directory twice, since
 * closing any descriptor of LOCK would give the lock back.
 */
#include "base/data_directory.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { TEXT_MAX = 64, DIRECTORY_MODE = 0700, FILE_MODE = 0600 };

struct data_directory {
    char *path;
    int lock; /* descriptor of LOCK; -1: not open */
    char node_id[NODE_ID_SIZE];
};

static int fail(const char *path, const char *name, const char *what, struct error *err)
{
    int cause = errno;

    return error_set(err, ERR_IO, NO_POSITION, "%s%s%s cannot be %s: %s", path, *name ? "/" : "",
                     name, what, strerror(cause));
}

/* --- random --- */

int node_id_make(char out[NODE_ID_SIZE], struct error *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[NODE_ID_LEN / 2];
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, raw, sizeof raw);

    if (fd >= 0) {
        (void)close(fd); /* nothing was written */
    }
    if (got != (ssize_t)sizeof raw) {
        return fail("/dev/urandom", "", "read", err);
    }
    for (size_t i = 0; i < sizeof raw; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[NODE_ID_LEN] = '\0';
    return 0;
}

/* --- files --- */

static int open_file(const struct data_directory *directory, const char *name, int flags)
{
    struct buffer path = { 0 };
    int fd;

    buffer_printf(&path, "%s/%s", directory->path, name);
    buffer_append_char(&path, '\0');
    fd = open(path.data, flags | O_CLOEXEC, FILE_MODE);
    buffer_fini(&path);
    return fd;
}

/* Without the line's end. *exists false: there is no such file. */
static int read_text(const struct data_directory *directory, const char *name, char out[TEXT_MAX],
                     bool *exists, struct error *err)
{
    int fd = open_file(directory, name, O_RDONLY);
    ssize_t got;

    *exists = fd >= 0;
    if (fd < 0) {
        return errno == ENOENT ? 0 : fail(directory->path, name, "opened", err);
    }
    got = read(fd, out, TEXT_MAX - 1);
    if (got < 0) {
        (void)fail(directory->path, name, "read", err);
    }
    (void)close(fd); /* nothing was written */
    if (got < 0) {
        return ERR_IO;
    }
    while (got > 0 && isspace((unsigned char)out[got - 1])) {
        got--;
    }
    out[got] = '\0';
    return 0;
}

static int rename_file(const struct data_directory *directory, const char *from, const char *to)
{
    struct buffer old_path = { 0 };
    struct buffer path = { 0 };
    int result;

    buffer_printf(&old_path, "%s/%s", directory->path, from);
    buffer_append_char(&old_path, '\0');
    buffer_printf(&path, "%s/%s", directory->path, to);
    buffer_append_char(&path, '\0');
    result = rename(old_path.data, path.data);
    buffer_fini(&old_path);
    buffer_fini(&path);
    return result;
}

static int sync_directory(const struct data_directory *directory)
{
    int fd = open(directory->path, O_RDONLY | O_CLOEXEC);
    int result = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0) {
        (void)close(fd); /* nothing was written */
    }
    return result;
}

/* The file is there with all of the text, or not at all. */
static int write_text(const struct data_directory *directory, const char *name, const char *text,
                      struct error *err)
{
    static const char draft[] = "draft";
    size_t len = strlen(text);
    int fd = open_file(directory, draft, O_WRONLY | O_CREAT | O_TRUNC);
    bool written;

    if (fd < 0) {
        return fail(directory->path, draft, "made", err);
    }
    written = write(fd, text, len) == (ssize_t)len && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    if (close(fd) || !written) {
        return fail(directory->path, draft, "written", err);
    }
    if (rename_file(directory, draft, name) || sync_directory(directory)) {
        return fail(directory->path, name, "written", err);
    }
    return 0;
}

/* --- the lock --- */

static int in_use(const struct data_directory *directory, struct error *err)
{
    struct flock holder = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    if (fcntl(directory->lock, F_GETLK, &holder) || holder.l_type == F_UNLCK) {
        holder.l_pid = 0; /* it has just ended */
    }
    return error_set(err, ERR_DIRECTORY_IN_USE, NO_POSITION,
                     "The data directory %s is in use by process %ld: two nodes cannot share one",
                     directory->path, (long)holder.l_pid);
}

static int take_lock(struct data_directory *directory, struct error *err)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    struct buffer text = { 0 };
    bool written;

    directory->lock = open_file(directory, "LOCK", O_RDWR | O_CREAT);
    if (directory->lock < 0) {
        return fail(directory->path, "LOCK", "opened", err);
    }
    if (fcntl(directory->lock, F_SETLK, &lock)) {
        return errno == EACCES || errno == EAGAIN ? in_use(directory, err)
                                                  : fail(directory->path, "LOCK", "locked", err);
    }
    buffer_printf(&text, "%ld\n", (long)getpid());
    written = ftruncate(directory->lock, 0) == 0 &&
              pwrite(directory->lock, text.data, text.len, 0) == (ssize_t)text.len;
    buffer_fini(&text);
    return written ? 0 : fail(directory->path, "LOCK", "written", err);
}

/* --- what is in it --- */

static int damaged(const struct data_directory *directory, const char *name, const char *text,
                   struct error *err)
{
    return error_set(err, ERR_STATE_DAMAGED, NO_POSITION,
                     "%s/%s holds '%s': that is no data directory of this version of sluice",
                     directory->path, name, text);
}

static bool is_node_id(const char *text)
{
    return strlen(text) == NODE_ID_LEN && strspn(text, "0123456789abcdef") == (size_t)NODE_ID_LEN;
}

static int find_node_id(struct data_directory *directory, struct error *err)
{
    char text[TEXT_MAX];
    bool exists;

    TRY(read_text(directory, "node-id", text, &exists, err));
    if (!exists) {
        TRY(node_id_make(directory->node_id, err));
        return write_text(directory, "node-id", directory->node_id, err);
    }
    if (!is_node_id(text)) {
        return damaged(directory, "node-id", text, err);
    }
    memcpy(directory->node_id, text, NODE_ID_SIZE);
    return 0;
}

static struct bytes version_text(struct buffer *out)
{
    buffer_printf(out, "%d", DATA_DIRECTORY_VERSION);
    buffer_append_char(out, '\0');
    return (struct bytes){ out->data, out->len - 1 };
}

/* *exists false: it is a new directory. */
static int check_version(const struct data_directory *directory, bool *exists, struct error *err)
{
    char text[TEXT_MAX];
    struct buffer version = { 0 };
    int code = read_text(directory, "VERSION", text, exists, err);

    if (!code && *exists && !bytes_equal_text(version_text(&version), text)) {
        code = damaged(directory, "VERSION", text, err);
    }
    buffer_fini(&version);
    return code;
}

static int write_version(const struct data_directory *directory, struct error *err)
{
    struct buffer version = { 0 };
    int code = write_text(directory, "VERSION", version_text(&version).data, err);

    buffer_fini(&version);
    return code;
}

static int fill(struct data_directory *directory, struct error *err)
{
    bool exists = false;

    if (mkdir(directory->path, DIRECTORY_MODE) && errno != EEXIST) {
        return fail(directory->path, "", "made", err);
    }
    TRY(take_lock(directory, err));
    TRY(check_version(directory, &exists, err));
    TRY(find_node_id(directory, err));
    return exists ? 0 : write_version(directory, err);
}

int data_directory_open(const char *path, struct data_directory **out, struct error *err)
{
    struct data_directory *directory = memory_zalloc(1, sizeof *directory);
    size_t size = strlen(path) + 1;
    int code;

    directory->lock = -1;
    directory->path = memcpy(memory_alloc(size), path, size);
    code = fill(directory, err);
    if (code) {
        data_directory_close(directory);
        return code;
    }
    *out = directory;
    return 0;
}

void data_directory_close(struct data_directory *directory)
{
    if (!directory) {
        return;
    }
    if (directory->lock >= 0) {
        (void)close(directory->lock); /* the lock goes with it */
    }
    free(directory->path);
    free(directory);
}

const char *data_directory_path(const struct data_directory *directory)
{
    return directory->path;
}

const char *data_directory_node_id(const struct data_directory *directory)
{
    return directory->node_id;
}
