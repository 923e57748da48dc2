/*
 * expr_fixture.h: a row of every type, and expressions over it as text.
 *
 * Columns: B I J Z L D DEC (10.10) DEC4 (4.00) DEC3 (3.00) S T ('x') S5 ('5') TS DA TI BYT, each
 * with a partner of the same type that is null (BN IN_ LN DN DECN SN TSN DAN TIN BYTN), NAN, and
 * containers ARR (INT) ARRL (BIGINT) M ST STX (another struct) ARRN MN STN.
 */
#ifndef SLUICE_TESTS_UNIT_EXPR_FIXTURE_H
#define SLUICE_TESTS_UNIT_EXPR_FIXTURE_H

#include "engine/expr/program.h"

struct expr_fixture {
    struct arena arena;
    struct row_shape shape;
    struct value *cells;
    struct expr_scope scope;
    unsigned flags;
    uint32_t failure_count;
    char last_what[200];
    struct error last_error;
};

void expr_fixture_init(struct expr_fixture *f);
void expr_fixture_fini(struct expr_fixture *f);

int expr_fixture_bind(struct expr_fixture *f, const char *text, const struct expr **out,
                      struct error *err);
/* "10", "null", "ERR_..." of a failed bind, from a program of one value step. */
struct bytes expr_fixture_evaluate(struct expr_fixture *f, const char *text);
/* "pass", "drop", "ERR_..." from a program of one filter. */
struct bytes expr_fixture_filter(struct expr_fixture *f, const char *text);
struct bytes expr_fixture_value_text(struct expr_fixture *f, const struct value *v,
                                     const struct sql_type *type);
struct bytes expr_fixture_type_text(struct expr_fixture *f, const struct sql_type *type);
struct bytes expr_fixture_expr_text(struct expr_fixture *f, const struct expr *e);
/* Runs the program over the row; registers are the caller's. */
bool expr_fixture_run(struct expr_fixture *f, const struct program *program,
                      struct value *registers);

void assert_bytes_text(struct bytes actual, const char *expected, const char *of);

#endif
