/*
 * read_file.h: a file of statements as text.
 */
#ifndef SLUICE_CLI_READ_FILE_H
#define SLUICE_CLI_READ_FILE_H

#include <stdio.h>

#include "base/error.h"

FILE *open_file(const char *name, struct error *err); /* NULL: it cannot be; ERR_IO */
/* Without a byte order mark; stops behind what the parser can take. ERR_IO. */
int read_file(const char *name, struct buffer *out, struct error *err);
int read_stream(FILE *in, const char *name, struct buffer *out, struct error *err);

#endif
