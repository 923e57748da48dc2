/*
 * case.h: a test case of any kind of file, and the kinds.
 *
 * A kind loads the cases of a file and runs one of them. Running happens in a process of its
 * own, so a case may crash, leak or hang without harm to the others.
 */
#ifndef SLUICE_CLI_TEST_CASE_H
#define SLUICE_CLI_TEST_CASE_H

#include "base/error.h"
#include "base/vec.h"
#include "cli/test/options.h"

struct case_kind;

struct test_case {
    struct bytes name; /* "file - case - variant" */
    const struct case_kind *kind;
    const void *data; /* the kind's own */
};

struct case_list {
    struct arena *arena; /* of everything below */
    VEC(struct test_case) cases;
};

struct case_kind {
    const char *suffix; /* of the files */
    /* Appends the file's cases. `stem` is the file's name without folder and suffix. */
    int (*load)(struct case_list *list, const char *path, struct bytes stem, struct bytes text,
                struct error *err);
    /* 0: passed. Else the error says why, and `report` may have more lines. */
    int (*run)(const struct test_case *test, const struct test_options *options,
               struct buffer *report, struct error *err);
};

extern const struct case_kind case_qtt;
extern const struct case_kind case_sql;

#endif
