/*
 * sql_assert.h: ASSERT statements of .sql test files (statements.md 8.4).
 */
#ifndef SLUICE_CLI_TEST_SQL_ASSERT_H
#define SLUICE_CLI_TEST_SQL_ASSERT_H

#include "cli/test/harness.h"
#include "parser/ast.h"

/* How far the records of a topic were asserted. */
struct assert_cursor {
    struct bytes topic;
    uint32_t partition;
    uint32_t taken;
};

struct asserter {
    struct harness *h;
    VEC(struct assert_cursor) cursors;
};

/*
 * ASSERT VALUES and ASSERT NULL VALUES: the next record of the source's topic.
 * ERR_TEST_FAILED when it is another; the report shows both.
 */
int assert_values(struct asserter *a, const struct ast_statement *statement, struct buffer *report,
                  struct error *err);
/* ASSERT STREAM and ASSERT TABLE: ERR_TEST_FAILED with the first difference. */
int assert_source(struct harness *h, const struct ast_statement *statement, struct error *err);

#endif
