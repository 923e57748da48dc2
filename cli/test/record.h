/*
 * record.h: records of test files <-> bytes on the log.
 *
 * This is the runner's own reading and writing of the plain formats, on purpose apart from
 * engine/format: what the engine gets wrong must not be wrong here in the same way.
 */
#ifndef SLUICE_CLI_TEST_RECORD_H
#define SLUICE_CLI_TEST_RECORD_H

#include "cli/test/harness.h"
#include "cli/test/json_tree.h"

/*
 * A record of "inputs" as it goes on the log: key with its window, value, headers, timestamp.
 * The partition is that of the key without its window. ERR_UNSUPPORTED: a format not built.
 */
int record_encode(struct harness *h, const struct topic_form *form, const struct json *input,
                  uint32_t partition_count, struct kept_record *out, struct error *err);

/* INSERT VALUES stamps with the clock: where a case has no inputs, a timestamp of 0 is any. */
enum record_parts { MATCH_ALL, MATCH_ZERO_AS_ANY_TIME, MATCH_ANY_TIME };

/* Whether the record is the expected one of "outputs". */
bool record_matches(const struct topic_form *form, const struct kept_record *record,
                    const struct json *expected, enum record_parts parts);
/* Whether its key, with the window, is the expected one. */
bool record_has_key(const struct topic_form *form, const struct kept_record *record,
                    const struct json *expected);
/* "key / value @ timestamp" for people. */
void record_print(const struct topic_form *form, const struct kept_record *record,
                  struct buffer *out);
/* An expectation in the same shape. */
void record_print_expected(const struct json *expected, struct buffer *out);

/* --- values: record_match.c --- */

/* Whether data is as expected: fields by name, numbers by value. `type` NULL: not known. */
bool json_data_matches(const struct json *expected, const struct json *actual,
                       const struct sql_type *type);

/* One side of a topic's records: which format, and the type of the whole of it. */
struct record_side {
    const struct format_kind *format; /* NULL: not known */
    const struct sql_type *type; /* a STRUCT of the columns, or the bare column; NULL: unknown */
};
struct record_side record_side_of(const struct topic_form *form, enum format_side side,
                                  struct arena *arena);

#endif
