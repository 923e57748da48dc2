/*
 * java_pattern_names.c: the English names that patterns read.
 */
#include <stddef.h>

#include "engine/type/java_pattern_internal.h"

#define NAME(text_, value_)                  \
    {                                        \
        (text_), sizeof(text_) - 1, (value_) \
    }

static const struct time_name months[] = {
    NAME("January", 1),   NAME("February", 2), NAME("March", 3),     NAME("April", 4),
    NAME("May", 5),       NAME("June", 6),     NAME("July", 7),      NAME("August", 8),
    NAME("September", 9), NAME("October", 10), NAME("November", 11), NAME("December", 12),
    { NULL, 0, 0 },
};

static const struct time_name short_months[] = {
    NAME("Jan", 1),  NAME("Feb", 2),  NAME("Mar", 3), NAME("Apr", 4), NAME("May", 5),
    NAME("Jun", 6),  NAME("Jul", 7),  NAME("Aug", 8), NAME("Sep", 9), NAME("Oct", 10),
    NAME("Nov", 11), NAME("Dec", 12), { NULL, 0, 0 },
};

static const struct time_name weekdays[] = {
    NAME("Monday", 1), NAME("Tuesday", 2),  NAME("Wednesday", 3), NAME("Thursday", 4),
    NAME("Friday", 5), NAME("Saturday", 6), NAME("Sunday", 7),    { NULL, 0, 0 },
};

static const struct time_name short_weekdays[] = {
    NAME("Mon", 1), NAME("Tue", 2), NAME("Wed", 3), NAME("Thu", 4),
    NAME("Fri", 5), NAME("Sat", 6), NAME("Sun", 7), { NULL, 0, 0 },
};

/* The last ones first: a letter that several begin with is that of the last. */
static const struct time_name narrow_months[] = {
    NAME("D", 12), NAME("N", 11), NAME("O", 10),  NAME("S", 9), NAME("A", 8),
    NAME("J", 7),  NAME("J", 6),  NAME("M", 5),   NAME("A", 4), NAME("M", 3),
    NAME("F", 2),  NAME("J", 1),  { NULL, 0, 0 },
};

static const struct time_name narrow_weekdays[] = {
    NAME("S", 7), NAME("S", 6), NAME("F", 5), NAME("T", 4),
    NAME("W", 3), NAME("T", 2), NAME("M", 1), { NULL, 0, 0 },
};

static const struct time_name halves_of_day[] = { NAME("AM", 0), NAME("PM", 1), { NULL, 0, 0 } };

static const struct time_name eras[] = {
    NAME("Before Christ", 0),
    NAME("Anno Domini", 1),
    { NULL, 0, 0 },
};

static const struct time_name short_eras[] = { NAME("BC", 0), NAME("AD", 1), { NULL, 0, 0 } };
static const struct time_name narrow_eras[] = { NAME("B", 0), NAME("A", 1), { NULL, 0, 0 } };

static const struct time_name quarters[] = {
    NAME("1st quarter", 1), NAME("2nd quarter", 2), NAME("3rd quarter", 3),
    NAME("4th quarter", 4), { NULL, 0, 0 },
};

static const struct time_name short_quarters[] = {
    NAME("Q1", 1), NAME("Q2", 2), NAME("Q3", 3), NAME("Q4", 4), { NULL, 0, 0 },
};

static const struct time_name narrow_quarters[] = {
    NAME("1", 1), NAME("2", 2), NAME("3", 3), NAME("4", 4), { NULL, 0, 0 },
};

static const struct field_names {
    enum time_field field;
    const struct time_name *of[3]; /* by enum name_style */
} all_names[] = {
    { FIELD_MONTH, { short_months, months, narrow_months } },
    { FIELD_DAY_OF_WEEK, { short_weekdays, weekdays, narrow_weekdays } },
    { FIELD_QUARTER, { short_quarters, quarters, narrow_quarters } },
    { FIELD_ERA, { short_eras, eras, narrow_eras } },
    { FIELD_AMPM, { halves_of_day, halves_of_day, halves_of_day } },
};

const struct time_name *time_names_of(enum time_field field, enum name_style style)
{
    for (size_t i = 0; i < sizeof all_names / sizeof *all_names; i++) {
        if (all_names[i].field == field) {
            return all_names[i].of[style];
        }
    }
    return NULL;
}
