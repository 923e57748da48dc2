/*
 * scalar_time_text.c: dates, times and timestamps as text of a pattern, and back.
 *
 * A constant pattern is compiled and a constant zone looked up once; others for each call. Without
 * a zone a timestamp's text is that of UTC. PARSE_DATE's patterns are another language.
 */
#include "engine/function/function_internal.h"
#include "engine/type/java_date.h"
#include "engine/type/java_pattern.h"
#include "engine/type/java_simple_date.h"

enum { PATTERN = 1, ZONE = 2 }; /* arguments; 0 is what is read or printed */

struct text_tools {
    const struct java_pattern *pattern; /* NULL: not compiled yet */
    const struct time_zone *zone;       /* NULL: not looked up yet */
};

static const char utc[] = "UTC";

/* The names are loaded where the pattern may print them. */
static int find_zone(struct arena *arena, struct bytes id, const struct java_pattern *pattern,
                     struct time_zone **out, struct error *err)
{
    struct time_zone *zone = arena_new(arena, struct time_zone);

    TRY(time_zone_init(zone, id, err));
    if (!pattern || java_pattern_has_zone_names(pattern)) {
        time_zone_load_names(zone, arena);
    }
    *out = zone;
    return 0;
}

static const void *prepare_tools(struct arena *arena, const struct value *const *constants,
                                 uint32_t count)
{
    struct text_tools *tools = arena_new(arena, struct text_tools);
    struct bytes id = bytes_of(utc);
    struct time_zone *zone;

    if (constants[PATTERN] &&
        java_pattern_compile(arena, value_bytes(constants[PATTERN]), &tools->pattern, NULL)) {
        tools->pattern = NULL;
    }
    if (count > ZONE) {
        id = constants[ZONE] ? value_bytes(constants[ZONE]) : (struct bytes){ NULL, 0 };
    }
    if (id.data && !find_zone(arena, id, tools->pattern, &zone, NULL)) {
        time_zone_index(zone, arena);
        tools->zone = zone;
    }
    return tools;
}

/* What has not been prepared. */
static int complete_tools(struct call_context *context, const struct value *const *arguments,
                          struct text_tools *tools, struct error *err)
{
    static const struct text_tools none = { NULL, NULL };

    *tools = context->prepared ? *(const struct text_tools *)context->prepared : none;
    if (!tools->pattern) {
        TRY(java_pattern_compile(context->arena, value_bytes(arguments[PATTERN]), &tools->pattern,
                                 err));
    }
    if (!tools->zone) {
        struct bytes id =
            context->argument_count > ZONE ? value_bytes(arguments[ZONE]) : bytes_of(utc);
        struct time_zone *zone;

        TRY(find_zone(context->arena, id, tools->pattern, &zone, err));
        tools->zone = zone;
    }
    return 0;
}

/* --- printing --- */

static int print_moment(struct call_context *context, const struct java_pattern *pattern,
                        const struct java_moment *moment, struct value *out, struct error *err)
{
    char *text = arena_alloc_text(context->arena, java_pattern_print_max(pattern));
    size_t length;

    TRY(java_pattern_print(pattern, moment, text, &length, err));
    *out = value_text(T_STRING, (struct bytes){ text, length });
    return 0;
}

static int print_date(struct call_context *context, const struct value *const *arguments,
                      struct value *out, struct error *err)
{
    struct java_moment moment = { .has_date = true, .days = arguments[0]->i64 };
    struct text_tools tools;

    TRY(complete_tools(context, arguments, &tools, err));
    return print_moment(context, tools.pattern, &moment, out, err);
}

static int print_time(struct call_context *context, const struct value *const *arguments,
                      struct value *out, struct error *err)
{
    struct java_moment moment = { .has_time = true,
                                  .ms_of_day = java_timestamp_time(arguments[0]->i64) };
    struct text_tools tools;

    TRY(complete_tools(context, arguments, &tools, err));
    return print_moment(context, tools.pattern, &moment, out, err);
}

static int print_timestamp(struct call_context *context, const struct value *const *arguments,
                           struct value *out, struct error *err)
{
    struct java_moment moment;
    struct text_tools tools;

    TRY(complete_tools(context, arguments, &tools, err));
    moment = java_moment_of_timestamp(arguments[0]->i64, tools.zone);
    return print_moment(context, tools.pattern, &moment, out, err);
}

/* --- reading --- */

static int read_date(struct call_context *context, const struct value *const *arguments,
                     struct value *out, struct error *err)
{
    int64_t days;

    TRY(java_simple_date_parse(value_bytes(arguments[PATTERN]), value_bytes(arguments[0]), &days,
                               err));
    *out = value_i64(T_DATE, days);
    return 0;
}

static int read_time(struct call_context *context, const struct value *const *arguments,
                     struct value *out, struct error *err)
{
    struct text_tools tools;
    int64_t ms_of_day;

    TRY(complete_tools(context, arguments, &tools, err));
    TRY(java_pattern_parse_time(tools.pattern, value_bytes(arguments[0]), &ms_of_day, err));
    *out = value_i64(T_TIME, ms_of_day);
    return 0;
}

static int read_timestamp(struct call_context *context, const struct value *const *arguments,
                          struct value *out, struct error *err)
{
    struct text_tools tools;
    int64_t ms;

    TRY(complete_tools(context, arguments, &tools, err));
    TRY(java_pattern_parse_timestamp(tools.pattern, value_bytes(arguments[0]), tools.zone, &ms,
                                     err));
    *out = value_i64(context->plan->result_type->id, ms);
    return 0;
}

static int read_epoch_days(struct call_context *context, const struct value *const *arguments,
                           struct value *out, struct error *err)
{
    struct text_tools tools;
    int64_t days;

    TRY(complete_tools(context, arguments, &tools, err));
    TRY(java_pattern_parse_date(tools.pattern, value_bytes(arguments[0]), &days, err));
    if (days < INT32_MIN || days > INT32_MAX) {
        return error_set(err, ERR_OVERFLOW, NO_POSITION, "the date is out of range");
    }
    *out = value_i64(T_INTEGER, days);
    return 0;
}

/* --- the older functions: null where a value has to be is an error --- */

typedef int (*text_function)(struct call_context *context, const struct value *const *arguments,
                             struct value *out, struct error *err);

static int call_with_value(text_function call, struct call_context *context,
                           const struct value *const *arguments, struct value *out,
                           struct error *err)
{
    if (value_is_null(arguments[0])) {
        return error_set(err, ERR_EVALUATE, NO_POSITION, "the first argument is null");
    }
    for (uint32_t i = 1; i < context->argument_count; i++) {
        if (value_is_null(arguments[i])) {
            *out = value_null();
            return 0;
        }
    }
    return call(context, arguments, out, err);
}

static int datetostring(struct call_context *context, const struct value *const *arguments,
                        struct value *out, struct error *err)
{
    return call_with_value(print_date, context, arguments, out, err);
}

static int stringtodate(struct call_context *context, const struct value *const *arguments,
                        struct value *out, struct error *err)
{
    return call_with_value(read_epoch_days, context, arguments, out, err);
}

static int timestamptostring(struct call_context *context, const struct value *const *arguments,
                             struct value *out, struct error *err)
{
    return call_with_value(print_timestamp, context, arguments, out, err);
}

static int stringtotimestamp(struct call_context *context, const struct value *const *arguments,
                             struct value *out, struct error *err)
{
    return call_with_value(read_timestamp, context, arguments, out, err);
}

#define TEXT_ROW(name_, call_, from_, to_, flags_, doc_, example_)                            \
    {                                                                                         \
        .name = (name_), .call = (call_), .prepare = prepare_tools,                           \
        .takes = { PARAMETER_OF((from_), "value"), PARAMETER_OF(T_STRING, "pattern") },       \
        .returns = RETURNS(to_), .flags = (flags_), .category = "DATE / TIME", .doc = (doc_), \
        .example = (example_)                                                                 \
    }
#define ZONE_ROW(name_, call_, from_, to_, flags_, doc_, example_)                            \
    {                                                                                         \
        .name = (name_), .call = (call_), .prepare = prepare_tools,                           \
        .takes = { PARAMETER_OF((from_), "value"), PARAMETER_OF(T_STRING, "pattern"),         \
                   PARAMETER_OF(T_STRING, "zone") },                                          \
        .returns = RETURNS(to_), .flags = (flags_), .category = "DATE / TIME", .doc = (doc_), \
        .example = (example_)                                                                 \
    }

/* clang-format off */
const struct scalar_kind time_text_functions[] = {
    TEXT_ROW("DATETOSTRING", datetostring, T_INTEGER, T_STRING, 0,
             "Days since 1970 as text. FORMAT_DATE does so for a DATE.",
             "DATETOSTRING(18027, 'dd/MM/yyyy') -> '11/05/2019'"),
    TEXT_ROW("FORMAT_DATE", print_date, T_DATE, T_STRING, FN_NULL_IN_NULL_OUT,
             "A date as text.",
             "FORMAT_DATE(CAST('2020-05-11' AS DATE), 'EEE, d MMM yyyy') -> 'Mon, 11 May 2020'"),
    TEXT_ROW("FORMAT_TIME", print_time, T_TIME, T_STRING, FN_NULL_IN_NULL_OUT,
             "A time as text.",
             "FORMAT_TIME(CAST('17:58:33' AS TIME), 'h:mm a') -> '5:58 PM'"),
    TEXT_ROW("FORMAT_TIMESTAMP", print_timestamp, T_TIMESTAMP, T_STRING, FN_NULL_IN_NULL_OUT,
             "A timestamp as text, in UTC.",
             "FORMAT_TIMESTAMP(CAST('2020-05-11T17:58:33.007' AS TIMESTAMP), "
             "'yyyyMMdd HH:mm:ss.SSS') -> '20200511 17:58:33.007'"),
    ZONE_ROW("FORMAT_TIMESTAMP", print_timestamp, T_TIMESTAMP, T_STRING, FN_NULL_IN_NULL_OUT,
             "A timestamp as text, in a zone.",
             "FORMAT_TIMESTAMP(CAST('2020-05-11T17:58:33' AS TIMESTAMP), "
             "'yyyy-MM-dd HH:mm:ss z', 'America/New_York') -> '2020-05-11 13:58:33 EDT'"),
    { .name = "PARSE_DATE", .call = read_date,
      .takes = { PARAMETER_OF(T_STRING, "value"), PARAMETER_OF(T_STRING, "pattern") },
      .returns = RETURNS(T_DATE), .flags = FN_NULL_IN_NULL_OUT, .category = "DATE / TIME",
      .doc = "Text as a date. Its patterns are SimpleDateFormat's, and lenient: the 31st of "
             "February is in March.",
      .example = "PARSE_DATE('11/5/2020', 'd/M/yyyy') -> CAST('2020-05-11' AS DATE)" },
    TEXT_ROW("PARSE_TIME", read_time, T_STRING, T_TIME, FN_NULL_IN_NULL_OUT,
             "Text as a time.",
             "PARSE_TIME('5:58 pm', 'h:mm a') -> CAST('17:58' AS TIME)"),
    TEXT_ROW("PARSE_TIMESTAMP", read_timestamp, T_STRING, T_TIMESTAMP, FN_NULL_IN_NULL_OUT,
             "Text as a timestamp, in UTC unless it says something else.",
             "PARSE_TIMESTAMP('11 May 2020 17:58 +02', 'd MMM yyyy HH:mm X') -> "
             "CAST('2020-05-11T15:58:00' AS TIMESTAMP)"),
    ZONE_ROW("PARSE_TIMESTAMP", read_timestamp, T_STRING, T_TIMESTAMP, FN_NULL_IN_NULL_OUT,
             "Text as a timestamp, in a zone unless it says something else.",
             "PARSE_TIMESTAMP('20200511', 'yyyyMMdd', '+02:00') -> "
             "CAST('2020-05-10T22:00:00' AS TIMESTAMP)"),
    TEXT_ROW("STRINGTODATE", stringtodate, T_STRING, T_INTEGER, 0,
             "Text as days since 1970.",
             "STRINGTODATE('11/05/2019', 'dd/MM/yyyy') -> 18027"),
    TEXT_ROW("STRINGTOTIMESTAMP", stringtotimestamp, T_STRING, T_BIGINT, 0,
             "Text as milliseconds since 1970. PARSE_TIMESTAMP gives a TIMESTAMP.",
             "STRINGTOTIMESTAMP('2020-05-11T17:58:33Z', 'yyyy-MM-dd''T''HH:mm:ssX') -> "
             "1589219913000"),
    ZONE_ROW("STRINGTOTIMESTAMP", stringtotimestamp, T_STRING, T_BIGINT, 0,
             "Text as milliseconds since 1970, in a zone unless it says something else.",
             "STRINGTOTIMESTAMP('2020-05-11 17:58', 'yyyy-MM-dd HH:mm', 'Europe/Berlin') -> "
             "1589212680000"),
    TEXT_ROW("TIMESTAMPTOSTRING", timestamptostring, T_BIGINT, T_STRING, 0,
             "Milliseconds since 1970 as text, in UTC. FORMAT_TIMESTAMP does so for a TIMESTAMP.",
             "TIMESTAMPTOSTRING(1589219913007, 'yyyy-MM-dd') -> '2020-05-11'"),
    ZONE_ROW("TIMESTAMPTOSTRING", timestamptostring, T_BIGINT, T_STRING, 0,
             "Milliseconds since 1970 as text, in a zone.",
             "TIMESTAMPTOSTRING(1589219913007, 'HH:mm X', 'Asia/Kolkata') -> '23:28 +0530'"),
    { 0 }
};
