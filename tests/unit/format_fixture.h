/*
 * format_fixture.h: one side of a source in a format, for tests.
 *
 * A read decodes an exact copy of the bytes, so that the sanitizer sees a step over
 * their end; twice, since decoders learn from what they read; and once more with
 * no column wanted, which must come to the same verdict.
 */
#ifndef SLUICE_TESTS_UNIT_FORMAT_FIXTURE_H
#define SLUICE_TESTS_UNIT_FORMAT_FIXTURE_H

#include "engine/format/format.h"

enum { FIXTURE_MAX_COLUMNS = 32 };

struct fixture {
    const struct format_kind *kind;
    enum format_side side;
    struct format_options options;
    struct column columns[FIXTURE_MAX_COLUMNS];
    operand at[FIXTURE_MAX_COLUMNS];
    uint32_t column_count;
    struct arena arena; /* everything that a test makes */
};

struct reading {
    int code;
    bool is_null;
    const struct value *cells;
    const char *json; /* the row as our encoder writes it, always as an object */
    const char *message;
};

struct writing {
    bool is_null;
    const char *text; /* NUL-terminated */
    size_t len;
};

void fixture_init(struct fixture *f, const char *format);
void fixture_fini(struct fixture *f);
void fixture_column(struct fixture *f, const char *name, const struct sql_type *type);
struct reading fixture_read(struct fixture *f, const char *text);
struct reading fixture_read_bytes(struct fixture *f, struct bytes in);
struct writing fixture_write(struct fixture *f, const struct value *cells);

/* Types of the test's arena. */
const struct sql_type *fixture_array(struct fixture *f, const struct sql_type *element);
const struct sql_type *fixture_map(struct fixture *f, const struct sql_type *element);
/* STRUCT<F a, G b>; b may be NULL. */
const struct sql_type *fixture_struct(struct fixture *f, const struct sql_type *first,
                                      const struct sql_type *second);
const struct sql_type *fixture_decimal(struct fixture *f, uint32_t precision, uint32_t scale);

struct value text_value(const char *text);

/* The same numbers in every run. */
uint32_t fixture_random(uint32_t *seed, uint32_t below);

#endif
