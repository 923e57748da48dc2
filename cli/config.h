/*
 * config.h: configuration files: Java properties.
 */
#ifndef SLUICE_CLI_CONFIG_H
#define SLUICE_CLI_CONFIG_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"

struct config_entry {
    struct bytes name; /* in the arena, as the value */
    struct bytes value;
    uint32_t line;
};

typedef VEC(struct config_entry) config_list;

/* Appends the entries of the text. ERR_SYNTAX with the line. */
int config_parse(struct bytes text, struct arena *arena, config_list *out, struct error *err);
/* The same of a file; errors begin with its name. */
int config_read(const char *file, struct arena *arena, config_list *out, struct error *err);

#endif
