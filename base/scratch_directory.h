/*
 * scratch_directory.h: a directory with a fresh name, gone when its user is done with it.
 */
#ifndef SLUICE_BASE_SCRATCH_DIRECTORY_H
#define SLUICE_BASE_SCRATCH_DIRECTORY_H

#include "base/error.h"

enum { SCRATCH_PATH_MAX = 256 };

/* Under TMPDIR or /tmp, for this user alone. ERR_IO. */
int scratch_directory_make(char path[SCRATCH_PATH_MAX], struct error *err);
/* With all that is in it, as far as the rights go. */
void scratch_directory_remove(const char *path);

#endif
