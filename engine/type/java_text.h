/*
 * java_text.h: numbers as Java prints and reads them. One home for these rules.
 */
#ifndef SLUICE_ENGINE_TYPE_JAVA_TEXT_H
#define SLUICE_ENGINE_TYPE_JAVA_TEXT_H

#include "base/bytes.h"
#include "base/error.h"

enum { JAVA_DOUBLE_MAX = 32 };

/*
 * Double.toString: shortest digits that read back, plain from 1e-3 to below 1e7, at
 * least one fraction digit, else d.dE±n; NaN, Infinity. Not NUL-terminated; the
 * length. Fast: it is on the row path of every encoder.
 */
size_t java_double_print(double number, char out[JAVA_DOUBLE_MAX]);
/* Double.parseDouble: trims, suffix d/f, hex floats, NaN, Infinity. ERR_COERCE when it is none. */
int java_double_parse(struct bytes text, double *out, struct error *err);
/* The same for plain decimal digits as JSON has them, without trimming; exact, fast path first. */
double java_double_of_digits(const char *text, size_t len);

size_t java_long_print(int64_t number, char out[JAVA_DOUBLE_MAX]);
/* [+-]?digits, range-checked, no spaces. ERR_COERCE when it is none. */
int java_long_parse(struct bytes text, int64_t *out, struct error *err);
int java_int_parse(struct bytes text, int32_t *out, struct error *err);
/* (int)/(long) of a double: truncate, saturate, NaN to 0. */
int64_t java_double_to_long(double number);
int32_t java_double_to_int(double number);
/* String.trim: drops characters up to U+0020 at both ends. */
struct bytes java_trim(struct bytes text);

#endif
