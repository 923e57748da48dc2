/*
 * case_rest.h: cases of the HTTP endpoint. They are loaded with those of case_qtt.c.
 */
#ifndef SLUICE_CLI_TEST_CASE_REST_H
#define SLUICE_CLI_TEST_CASE_REST_H

#include "cli/test/case.h"
#include "cli/test/json_tree.h"

extern const struct case_kind case_rest;

/* Whether the answer has all that is expected; members may be "name|starts_with". */
bool rest_matches(const struct json *expected, const struct json *actual);

#endif
