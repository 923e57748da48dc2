/*
 * json_tree.h: JSON documents of test files, whose numbers keep their text.
 *
 * Test files expect 1.10 and 1.1 to differ, and hold integers of over 64 bits, so numbers
 * must not pass through a double. Nodes are read-only and live in the arena they were loaded into.
 * Every question may be put to NULL, which is a member that is not there.
 */
#ifndef SLUICE_CLI_TEST_JSON_TREE_H
#define SLUICE_CLI_TEST_JSON_TREE_H

#include "base/arena.h"
#include "base/error.h"

enum json_kind {
    JSON_NODE_NULL,
    JSON_NODE_BOOL,
    JSON_NODE_NUMBER,
    JSON_NODE_STRING,
    JSON_NODE_ARRAY,
    JSON_NODE_OBJECT
};

struct json {
    enum json_kind kind;
    bool boolean;
    struct bytes text;               /* of strings and numbers */
    const struct json *const *items; /* of arrays and objects */
    const struct bytes *names;       /* of an object's items, in the order of the text */
    uint32_t count;
};

/* One JSON value; what follows it is ignored. ERR_DECODE. */
int json_load(struct arena *arena, struct bytes text, const struct json **out, struct error *err);

bool json_is(const struct json *node, enum json_kind kind);
bool json_is_missing(const struct json *node); /* or null */
uint32_t json_count(const struct json *node);  /* items; 0 of anything else */
const struct json *json_item(const struct json *node, uint32_t number);        /* or NULL */
const struct json *json_member(const struct json *node, const char *name);     /* or NULL */
const struct json *json_member_of(const struct json *node, struct bytes name); /* or NULL */
struct bytes json_text(const struct json *node); /* of a string or number; absent for others */
struct bytes json_member_text(const struct json *node, const char *name);
/* An integer member, or the fallback where it is missing or none. */
int64_t json_member_integer(const struct json *node, const char *name, int64_t fallback);
/* Names in any order; numbers by their text. */
bool json_same(const struct json *a, const struct json *b);
/* Compact, members in order, numbers as they were written; NULL as null. */
void json_print(const struct json *node, struct buffer *out);
/* A string is its content, anything else as printed. */
void json_print_bare(const struct json *node, struct buffer *out);
/* A copy with each `from` inside strings and names replaced. */
const struct json *json_replace(struct arena *arena, const struct json *node, struct bytes from,
                                struct bytes to);

#endif
