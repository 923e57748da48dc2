/*
 * java_pattern_internal.h: the steps of a compiled pattern, and what reading collects.
 *
 * java_pattern.c makes the steps, java_pattern_parse.c reads text with them into fields,
 * java_pattern_resolve.c makes a time of the fields.
 */
#ifndef SLUICE_ENGINE_TYPE_JAVA_PATTERN_INTERNAL_H
#define SLUICE_ENGINE_TYPE_JAVA_PATTERN_INTERNAL_H

#include "engine/type/java_pattern.h"
#include "engine/type/time_zone.h"

enum { PATTERN_MAX_LENGTH = 1000, PATTERN_MAX_DEPTH = 8 };

enum time_field {
    FIELD_ERA, /* 0: BC, 1: AD */
    FIELD_YEAR,
    FIELD_YEAR_OF_ERA,
    FIELD_QUARTER,
    FIELD_MONTH,
    FIELD_DAY,
    FIELD_DAY_OF_YEAR,
    FIELD_DAY_OF_WEEK,         /* 1: Monday */
    FIELD_LOCAL_DAY_OF_WEEK,   /* 1: Sunday */
    FIELD_DAY_OF_ALIGNED_WEEK, /* of weeks that begin with the month's first day */
    FIELD_WEEK_YEAR,           /* weeks begin on Sunday; the first has the 1st of January */
    FIELD_WEEK,
    FIELD_WEEK_OF_MONTH,
    FIELD_MODIFIED_JULIAN_DAY,
    FIELD_AMPM,
    FIELD_HOUR,            /* 0..23 */
    FIELD_CLOCK_HOUR,      /* 1..24 */
    FIELD_HOUR_AMPM,       /* 0..11 */
    FIELD_CLOCK_HOUR_AMPM, /* 1..12 */
    FIELD_MINUTE,
    FIELD_SECOND,
    FIELD_NANO, /* of the second */
    FIELD_MILLI_OF_DAY,
    FIELD_NANO_OF_DAY,
    FIELD_OFFSET,      /* seconds east of Greenwich */
    FIELD_ZONE_OFFSET, /* of a zone that is no region */
    FIELD_REGION,      /* 1: it is in `region` */
    FIELD_COUNT
};

#define FIELD_BIT(field) (UINT32_C(1) << (field))

struct time_fields {
    uint32_t present; /* FIELD_BIT of each */
    int64_t of[FIELD_COUNT];
    struct bytes region; /* its id, in the text or constant */
};

static inline bool has_field(const struct time_fields *fields, enum time_field field)
{
    return fields->present >> field & 1;
}

/* False: it is there with another value. */
static inline bool put_field(struct time_fields *fields, enum time_field field, int64_t value)
{
    if (has_field(fields, field)) {
        return fields->of[field] == value;
    }
    fields->present |= FIELD_BIT(field);
    fields->of[field] = value;
    return true;
}

/* Removes it; false: it was not there. */
static inline bool take_field(struct time_fields *fields, enum time_field field, int64_t *value)
{
    if (!has_field(fields, field)) {
        return false;
    }
    fields->present &= ~FIELD_BIT(field);
    *value = fields->of[field];
    return true;
}

enum step_kind {
    STEP_LITERAL,
    STEP_NUMBER,
    STEP_TWO_DIGIT_YEAR, /* 2000 to 2099 */
    STEP_FRACTION,       /* of a second */
    STEP_NAME,
    STEP_OFFSET,
    STEP_GMT_OFFSET, /* GMT+1 */
    STEP_ZONE_ID,
    STEP_ZONE_NAME,
    STEP_OPTIONAL,     /* up to the step `end` */
    STEP_OPTIONAL_END, /* and the pattern's own end */
};

enum number_sign {
    SIGN_MINUS,  /* a minus may stand there */
    SIGN_PADDED, /* a minus, and a plus exactly if there are more digits than min_width */
    SIGN_NONE,
};

enum name_style { NAME_SHORT, NAME_FULL, NAME_NARROW };

enum offset_form { OFFSET_HHmm, OFFSET_HHMM, OFFSET_HH_MM, OFFSET_HHMMss, OFFSET_HH_MM_ss };

struct pattern_step {
    uint8_t kind;      /* enum step_kind */
    uint8_t field;     /* enum time_field */
    uint8_t min_width; /* digits */
    uint8_t max_width;
    uint8_t sign;  /* enum number_sign */
    uint8_t style; /* enum name_style or offset_form */
    uint16_t pad;  /* the step takes so many characters, spaces first; 0: as many as it needs */
    uint16_t following; /* digits of the numbers that follow without anything in between */
    uint16_t end;       /* STEP_OPTIONAL */
    struct bytes text;  /* a literal; how offset 0 is written */
};

struct java_pattern {
    const struct pattern_step *steps; /* the last is STEP_OPTIONAL_END */
    uint32_t fields;                  /* FIELD_BIT of what they read and print */
    bool has_zone_names;
    size_t print_max;
};

#define DATE_FIELDS (FIELD_BIT(FIELD_MODIFIED_JULIAN_DAY + 1) - 1)
#define TIME_FIELDS ((FIELD_BIT(FIELD_NANO_OF_DAY + 1) - 1) & ~DATE_FIELDS)

/* A name and the field's value; lists end with a NULL text. */
struct time_name {
    const char *text;
    uint8_t length;
    uint8_t value;
};

/* Of ERA, QUARTER, MONTH, DAY_OF_WEEK and AMPM. */
const struct time_name *time_names_of(enum time_field field, enum name_style style);

/* What a date says about each of the wanted fields. */
void time_fields_of_date(int64_t days, uint32_t wanted, int64_t of[FIELD_COUNT]);

/*
 * The fields as ms since 1970 in the zone (NULL: UTC), as a day, as ms of a day. ERR_COERCE: they
 * contradict each other, do not exist, or make no whole date, no whole time.
 */
int time_fields_resolve(struct time_fields *fields, const struct time_zone *zone,
                        int64_t *timestamp_ms, struct error *err);
int time_fields_resolve_date(struct time_fields *fields, int64_t *days, struct error *err);
int time_fields_resolve_time(struct time_fields *fields, int64_t *ms_of_day, struct error *err);

#endif
