/*
 * java_simple_date.h: dates as java.text's SimpleDateFormat reads them, for PARSE_DATE.
 *
 * Its patterns look like those of java_pattern.h and mean something else: it is lenient.
 */
#ifndef SLUICE_ENGINE_TYPE_JAVA_SIMPLE_DATE_H
#define SLUICE_ENGINE_TYPE_JAVA_SIMPLE_DATE_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * The text's beginning as days since 1970, in UTC; what follows is ignored. Fields roll over: the
 * 31st of February is in March. A year of two digits is 1946 to 2045. ERR_EVALUATE: it is no
 * pattern. ERR_COERCE: the text does not fit, or has a time of day; the message does not hold it.
 */
int java_simple_date_parse(struct bytes pattern, struct bytes text, int64_t *days,
                           struct error *err);

#endif
