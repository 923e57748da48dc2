/*
 * decimal.h: exact decimals of up to 38 digits, as Java's BigDecimal behaves.
 *
 * Arithmetic works on 128-bit unscaled values with 256-bit intermediates; a
 * result of more than 38 digits is ERR_OVERFLOW. Scales come from the plan.
 */
#ifndef SLUICE_ENGINE_TYPE_DECIMAL_H
#define SLUICE_ENGINE_TYPE_DECIMAL_H

#include "engine/type/schema.h"

/* A number on its way: unscaled * 10^-scale. */
struct decimal {
    wide_int unscaled;
    int32_t scale; /* may be negative while parsing */
};

struct decimal decimal_of_value(const struct value *v, const struct sql_type *type);
/* Stores into v; a wide one is made in the arena. The number must fit the type (decimal_fit). */
void decimal_to_value(struct decimal number, const struct sql_type *type, struct arena *arena,
                      struct value *out);

uint32_t decimal_digits(wide_int unscaled);                  /* 0 has 1 */
bool decimal_is_storable(wide_int unscaled);                 /* 38 digits at most */
bool decimal_power_of_ten(uint32_t exponent, wide_int *out); /* false over 38 */

enum decimal_rounding { ROUND_UNNECESSARY, ROUND_HALF_UP, ROUND_DOWN };

/*
 * To the scale; ERR_OVERFLOW "Rounding necessary" when a digit is lost under
 * ROUND_UNNECESSARY, ERR_OVERFLOW when over 38 digits result.
 */
int decimal_rescale(struct decimal in, int32_t scale, enum decimal_rounding rounding,
                    struct decimal *out, struct error *err);
/* Scales exactly to the type: |v| must be below 10^(precision-scale), no digit may be lost. */
int decimal_fit(struct decimal in, const struct sql_type *type, struct decimal *out,
                struct error *err);
/* CAST to DECIMAL(p,s): overflow test, then HALF_UP to the scale (expressions.md 9.3). */
int decimal_cast(struct decimal in, const struct sql_type *type, struct decimal *out,
                 struct error *err);
/*
 * From a DOUBLE: exact binary value, rounded to the type's precision in significant digits
 * (38 where that is more). Not yet of the type's scale: decimal_cast comes next.
 */
int decimal_of_double(double number, const struct sql_type *type, struct decimal *out,
                      struct error *err);
double decimal_to_double(struct decimal number);       /* nearest */
int64_t decimal_to_i64_wrapped(struct decimal number); /* truncate toward 0, keep the low 64 bits */
int decimal_compare(struct decimal a, struct decimal b); /* by value, whatever the scales */

/* Arithmetic of expressions.md 5: limited to the result type's precision, then its scale. */
int decimal_add(struct decimal a, struct decimal b, const struct sql_type *result,
                struct decimal *out, struct error *err);
int decimal_subtract(struct decimal a, struct decimal b, const struct sql_type *result,
                     struct decimal *out, struct error *err);
int decimal_multiply(struct decimal a, struct decimal b, const struct sql_type *result,
                     struct decimal *out, struct error *err);
int decimal_divide(struct decimal a, struct decimal b, const struct sql_type *result,
                   struct decimal *out, struct error *err);
int decimal_remainder(struct decimal a, struct decimal b, const struct sql_type *result,
                      struct decimal *out, struct error *err);

/*
 * BigDecimal syntax: [+-]?(d+[.d*]|.d+)([eE][+-]?d+)?; ERR_COERCE when it is none, ERR_OVERFLOW
 * when it has over 38 significant digits. The scale is that of the text, as long as 38 digits
 * hold it; zeros at the end are dropped beyond.
 */
int decimal_parse(struct bytes text, struct decimal *out, struct error *err);
void decimal_print_plain(struct decimal number, struct buffer *out);      /* toPlainString */
void decimal_print_scientific(struct decimal number, struct buffer *out); /* toString */

#endif
