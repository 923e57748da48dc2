/*
 * expected_error.h: which of our conditions answers which kind of ksqlDB message.
 *
 * Test files quote ksqlDB's wording; errors here have a stable code and wording of their
 * own. expected_errors.def says which codes mean the same condition, by kind of message.
 */
#ifndef SLUICE_CLI_TEST_EXPECTED_ERROR_H
#define SLUICE_CLI_TEST_EXPECTED_ERROR_H

#include "base/error.h"

/* When the error comes: while statements are read, or while records run. */
enum expected_phase { EXPECT_AT_STATEMENT, EXPECT_AT_RECORD };

/* False when no row fits the message. `type` is the exception's class, perhaps absent. */
bool expected_error_phase(struct bytes type, struct bytes message, enum expected_phase *out);
/* Whether the code is one of those that any fitting row allows. */
bool expected_error_allows(struct bytes type, struct bytes message, enum error_code code);
/* "ERR_A or ERR_B" of the rows that fit, for people. */
void expected_error_print(struct bytes type, struct bytes message, struct buffer *out);

#endif
