/*
 * data_directory.h: the directory in which a node keeps what must outlive its process.
 *
 *   LOCK      held for as long as the directory is open; the holder's process id is in it
 *   VERSION   of the layout; another one is refused
 *   node-id   who this node is: random, made once
 *
 * What else lies there belongs to whoever asked for the path. Directories are 0700, files 0600.
 */
#ifndef SLUICE_BASE_DATA_DIRECTORY_H
#define SLUICE_BASE_DATA_DIRECTORY_H

#include "base/error.h"

enum { DATA_DIRECTORY_VERSION = 1 };

/* 128 random bits in hexadecimal digits, NUL-terminated. */
enum { NODE_ID_LEN = 32, NODE_ID_SIZE = NODE_ID_LEN + 1 };
int node_id_make(char out[NODE_ID_SIZE], struct error *err);

struct data_directory;

/*
 * Makes what is missing, the directory itself too (not its parents). ERR_IO; ERR_DIRECTORY_IN_USE
 * with the process id when another process holds it; ERR_STATE_DAMAGED when what is there
 * is not a data directory of this version.
 */
int data_directory_open(const char *path, struct data_directory **out, struct error *err);
void data_directory_close(struct data_directory *directory); /* NULL is allowed */

const char *data_directory_path(const struct data_directory *directory);
const char *data_directory_node_id(const struct data_directory *directory);

#endif
