/*
 * scratch_directory.c: made under TMPDIR, removed with its files, some levels deep.
 *
 * A link is removed, never followed.
 */
#include "base/scratch_directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096, LEVELS_MAX = 8, RANDOM_PLACES = 6 };

int scratch_directory_make(char path[SCRATCH_PATH_MAX], struct error *err)
{
    const char *root = getenv("TMPDIR");
    int len = snprintf(path, SCRATCH_PATH_MAX, "%s/sluice-", root && root[0] ? root : "/tmp");

    if (len < 0 || len + RANDOM_PLACES >= SCRATCH_PATH_MAX) {
        return error_set(err, ERR_IO, NO_POSITION, "TMPDIR is too long a name");
    }
    memset(path + len, 'X', RANDOM_PLACES); /* mkdtemp puts in others */
    path[len + RANDOM_PLACES] = 0;
    if (!mkdtemp(path)) {
        return error_set(err, ERR_IO, NO_POSITION, "%s cannot be made: %s", path, strerror(errno));
    }
    return 0;
}

static void remove_inside(const char *path, int levels)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    char inner[PATH_BYTES_MAX];

    while (directory && (entry = readdir(directory))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (unlink(inner) != 0 && levels > 1) {
            remove_inside(inner, levels - 1);
            (void)rmdir(inner);
        }
    }
    if (directory) {
        closedir(directory);
    }
}

void scratch_directory_remove(const char *path)
{
    remove_inside(path, LEVELS_MAX);
    (void)rmdir(path);
}
