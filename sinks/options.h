/*
 * options.h: what a connector can be told, as rows of tables, and what one was told.
 *
 * Values are text until they are asked for; they were checked when the connector was made. A
 * reference (${env:X}, ${file:PATH:KEY}, ${secret:OPTION}) is checked when it is resolved, at
 * every start. Names that are nobody's are kept and warned of, unless they are a
 * slip away from a name that exists.
 */
#ifndef SLUICE_SINKS_OPTIONS_H
#define SLUICE_SINKS_OPTIONS_H

#include "engine/catalog/catalog.h"

enum option_type {
    OPTION_TEXT,
    OPTION_SECRET,
    OPTION_BOOLEAN,
    OPTION_INTEGER, /* from `least` on */
    OPTION_CHOICE,  /* one of `choices`, in any case */
    OPTION_LIST     /* separated by commas */
};

/* IGNORED: accepted, and said to be without effect. */
/* Refused: what it asks for is missing here, and without it other rows would be written. */
enum option_effect { OPTION_USED, OPTION_IGNORED, OPTION_REFUSED };

struct option_spec {
    const char *name; /* with ".*" at the end: all names that begin so */
    enum option_type type;
    const char *usual;   /* NULL: none */
    const char *choices; /* "insert,upsert"; NULL: any */
    int64_t least;
    enum option_effect effect;
    const char *doc;
};

struct options {
    const struct option_spec *common; /* name NULL at the end; so the next */
    const struct option_spec *own;
    const struct connector_option *given;
    uint32_t given_count;
};

/* The row of a name; NULL: none. */
const struct option_spec *options_spec(const struct options *options, struct bytes name);

struct options_verdict {
    struct bytes *warnings; /* in the arena */
    uint32_t warning_count;
    uint32_t culprit; /* given option, from 1 */
};

/* ERR_INVALID_PROPERTY with what the option takes, ERR_UNKNOWN_PROPERTY with what was meant. */
int options_check(const struct options *options, struct arena *arena, struct options_verdict *out,
                  struct error *err);

/* Absent: neither given nor usual. Lists and numbers of checked options. */
struct bytes options_text(const struct options *options, const char *name);
bool options_is_given(const struct options *options, const char *name);
bool options_boolean(const struct options *options, const char *name);
int64_t options_integer(const struct options *options, const char *name);
bool options_is(const struct options *options, const char *name, const char *choice);
uint32_t options_list(const struct options *options, const char *name, struct arena *arena,
                      struct bytes **out);
uint32_t option_split(struct bytes text, struct arena *arena, struct bytes **out);

#endif
