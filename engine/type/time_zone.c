/*
 * time_zone.c: the offsets of zones, from ICU's tables.
 *
 * An indexed region has all its changes up to 2087 in a table. Later years do as the one does
 * among 2060 to 2087 that has the same calendar: by then every region's rules are the same for
 * all years, and 28 years in a row have all calendars.
 */
#include "engine/type/time_zone.h"

#include <string.h>
#include <unicode/ucal.h>

#include "engine/type/java_date.h"
#include "engine/type/time_zone_internal.h"

enum {
    FIRST_SAME_YEAR = 2060, /* rules do not change any more */
    LAST_SAME_YEAR = 2087
};

static const char *const icu_locale = "en_US";

/* --- ids --- */

static void widen(struct bytes text, UChar *out)
{
    for (size_t i = 0; i < text.len; i++) {
        out[i] = (UChar)(unsigned char)text.data[i];
    }
}

static bool is_region(struct bytes id)
{
    UChar wide[ZONE_ID_MAX];
    UChar canonical[ZONE_NAME_MAX];
    UBool is_system = 0;
    UErrorCode status = U_ZERO_ERROR;

    if (id.len == 0 || id.len >= ZONE_ID_MAX || zone_id_is_short(id) ||
        bytes_starts_with(id, (struct bytes)BYTES("SystemV/"))) {
        return false;
    }
    widen(id, wide);
    (void)ucal_getCanonicalTimeZoneID(wide, (int32_t)id.len, canonical, ZONE_NAME_MAX, &is_system,
                                      &status);
    return U_SUCCESS(status) && is_system;
}

static void set_id(struct time_zone *zone, struct bytes prefix, int64_t offset_seconds)
{
    char offset[JAVA_DATE_MAX] = "Z";
    size_t length = prefix.len == 0;

    if (offset_seconds != 0) {
        length = java_offset_print(offset_seconds, offset);
    }
    memcpy(zone->id, prefix.data, prefix.len);
    memcpy(zone->id + prefix.len, offset, length);
    zone->id_length = prefix.len + length;
    zone->offset_ms = offset_seconds * MS_PER_SECOND;
}

/* UTC, GMT or UT at its beginning; absent: none of them. */
static struct bytes prefix_of(struct bytes id)
{
    static const struct bytes prefixes[] = { BYTES("UTC"), BYTES("GMT"), BYTES("UT") };

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (bytes_starts_with(id, prefixes[i])) {
            return prefixes[i];
        }
    }
    return (struct bytes){ "", 0 };
}

int time_zone_init(struct time_zone *zone, struct bytes id, struct error *err)
{
    struct bytes prefix = prefix_of(id);
    struct bytes rest = { id.data + prefix.len, id.len - prefix.len };
    int64_t seconds = 0;

    memset(zone, 0, sizeof *zone);
    if ((rest.len == 0 && prefix.len > 0) || java_offset_parse(rest, &seconds) ||
        bytes_equal_text(id, "Z")) {
        set_id(zone, prefix, seconds);
        return 0;
    }
    if (!is_region(id)) {
        return error_set(err, ERR_EVALUATE, NO_POSITION, "There is no time zone '%.*s'",
                         BYTES_ARG(id));
    }
    memcpy(zone->id, id.data, id.len);
    zone->id_length = id.len;
    zone->is_region = true;
    return 0;
}

/* --- a region's offsets --- */

/* NULL: ICU cannot; the zone is UTC then. */
static UCalendar *open_region(const struct time_zone *zone)
{
    UChar wide[ZONE_ID_MAX];
    UErrorCode status = U_ZERO_ERROR;

    widen((struct bytes){ zone->id, zone->id_length }, wide);
    return ucal_open(wide, (int32_t)zone->id_length, icu_locale, UCAL_GREGORIAN, &status);
}

static struct zone_offset offset_now(UCalendar *calendar, UErrorCode *status)
{
    int32_t raw = ucal_get(calendar, UCAL_ZONE_OFFSET, status);
    int32_t summer = ucal_get(calendar, UCAL_DST_OFFSET, status);

    return (struct zone_offset){ (int64_t)raw + summer, summer != 0 };
}

/* A time at which the rules are those of `ms`, within the years that have been looked at. */
static int64_t same_rules(int64_t ms)
{
    static const int64_t last = INT64_C(3723926400000); /* 2088-01-03 */
    int64_t year;
    int64_t first;

    if (ms < last) {
        return ms;
    }
    year = java_date_of_days(java_timestamp_day(ms)).year;
    first = java_date_to_days((struct java_date){ year, 1, 1 });
    for (int64_t same = FIRST_SAME_YEAR; same <= LAST_SAME_YEAR; same++) {
        int64_t same_first = java_date_to_days((struct java_date){ same, 1, 1 });

        if ((first - same_first) % 7 == 0 &&
            java_date_month_days(year, 2) == java_date_month_days(same, 2)) {
            return ms - (first - same_first) * MS_PER_DAY;
        }
    }
    return ms;
}

static struct zone_offset ask_offset(const struct time_zone *zone, int64_t ms, bool is_local)
{
    UCalendar *calendar = open_region(zone);
    UErrorCode status = U_ZERO_ERROR;
    struct zone_offset offset = { 0, false };

    if (!calendar) {
        return offset;
    }
    ucal_setMillis(calendar, (UDate)same_rules(ms), &status);
    if (is_local) {
        int32_t raw = 0;
        int32_t summer = 0;

        ucal_getTimeZoneOffsetFromLocal(calendar, UCAL_TZ_LOCAL_FORMER, UCAL_TZ_LOCAL_FORMER, &raw,
                                        &summer, &status);
        offset = (struct zone_offset){ (int64_t)raw + summer, summer != 0 };
    } else {
        offset = offset_now(calendar, &status);
    }
    ucal_close(calendar);
    return offset;
}

static void add_change(struct zone_change *change, int64_t utc_ms, struct zone_offset offset,
                       int64_t before_ms)
{
    int64_t most = offset.ms > before_ms ? offset.ms : before_ms;

    *change = (struct zone_change){ utc_ms, utc_ms == INT64_MIN ? INT64_MIN : utc_ms + most,
                                    (int32_t)offset.ms, offset.is_summer };
}

void time_zone_index(struct time_zone *zone, struct arena *arena)
{
    UCalendar *calendar = zone->is_region ? open_region(zone) : NULL;
    UErrorCode status = U_ZERO_ERROR;
    struct zone_change *changes = NULL;
    struct zone_offset offset;
    uint32_t capacity = 0;
    uint32_t count = 0;
    UDate at = -1e14; /* before any clock was changed */
    UDate end =
        (UDate)java_date_to_days((struct java_date){ LAST_SAME_YEAR + 2, 1, 1 }) * MS_PER_DAY;

    if (!calendar) {
        return;
    }
    do {
        ucal_setMillis(calendar, at, &status);
        offset = offset_now(calendar, &status);
        if (count == capacity) {
            changes = arena_grow(arena, changes, sizeof *changes, count, 2 * capacity + 16);
            capacity = 2 * capacity + 16;
        }
        add_change(&changes[count], count ? (int64_t)at : INT64_MIN, offset,
                   count ? changes[count - 1].offset_ms : 0);
        count++;
    } while (U_SUCCESS(status) &&
             ucal_getTimeZoneTransitionDate(calendar, UCAL_TZ_TRANSITION_NEXT, &at, &status) &&
             at < end);
    ucal_close(calendar);
    zone->changes = changes;
    zone->change_count = count;
}

/* The last change at or before that time; local times are those of a clock there. */
static struct zone_offset search(const struct time_zone *zone, int64_t ms, bool is_local)
{
    uint32_t low = 0;
    uint32_t high = zone->change_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        const struct zone_change *change = &zone->changes[middle];

        if (ms >= (is_local ? change->latest_local_ms : change->utc_ms)) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (struct zone_offset){ zone->changes[low].offset_ms, zone->changes[low].is_summer };
}

static struct zone_offset offset_at(const struct time_zone *zone, int64_t ms, bool is_local)
{
    if (!zone->is_region) {
        return (struct zone_offset){ zone->offset_ms, false };
    }
    return zone->changes ? search(zone, same_rules(ms), is_local) : ask_offset(zone, ms, is_local);
}

struct zone_offset time_zone_offset(const struct time_zone *zone, int64_t utc_ms)
{
    return offset_at(zone, utc_ms, false);
}

struct zone_offset time_zone_offset_of_local(const struct time_zone *zone, int64_t local_ms)
{
    return offset_at(zone, local_ms, true);
}

/* --- names --- */

static struct bytes long_name(const UCalendar *calendar, UCalendarDisplayNameType type,
                              struct arena *arena, struct bytes otherwise)
{
    UChar wide[ZONE_NAME_MAX];
    UErrorCode status = U_ZERO_ERROR;
    int32_t length =
        ucal_getTimeZoneDisplayName(calendar, type, icu_locale, wide, ZONE_NAME_MAX, &status);
    char *text;

    if (U_FAILURE(status) || length <= 0 || length > ZONE_NAME_MAX) {
        return otherwise;
    }
    text = arena_alloc_text(arena, (size_t)length);
    for (int32_t i = 0; i < length; i++) {
        if (wide[i] > 0x7f) {
            return otherwise;
        }
        text[i] = (char)wide[i];
    }
    return (struct bytes){ text, (size_t)length };
}

static struct bytes short_name(struct bytes name)
{
    const char *abbreviation = zone_abbreviation_of(name);

    return abbreviation ? bytes_of(abbreviation) : name;
}

void time_zone_load_names(struct time_zone *zone, struct arena *arena)
{
    UCalendar *calendar = zone->is_region ? open_region(zone) : NULL;
    struct bytes id = arena_copy(arena, (struct bytes){ zone->id, zone->id_length });

    for (int i = 0; i < ZONE_NAME_COUNT; i++) {
        zone->names[i] = id;
    }
    if (bytes_equal_text(id, "UTC")) {
        zone->names[ZONE_LONG] = bytes_of("Coordinated Universal Time");
    } else if (bytes_equal_text(id, "GMT")) {
        zone->names[ZONE_LONG] = bytes_of("Greenwich Mean Time");
    }
    if (!calendar) {
        return;
    }
    zone->names[ZONE_LONG] = long_name(calendar, UCAL_STANDARD, arena, id);
    zone->names[ZONE_LONG_SUMMER] = long_name(calendar, UCAL_DST, arena, id);
    zone->names[ZONE_SHORT] = short_name(zone->names[ZONE_LONG]);
    zone->names[ZONE_SHORT_SUMMER] = short_name(zone->names[ZONE_LONG_SUMMER]);
    ucal_close(calendar);
}

/* --- in texts --- */

static bool is_id_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '+' || c == '-' || c == ':';
}

/* How many bytes might be an id. */
static size_t id_run(struct bytes text)
{
    size_t length = 0;

    while (length < text.len && length < ZONE_ID_MAX - 1 && is_id_byte(text.data[length])) {
        length++;
    }
    return length;
}

size_t time_zone_match(struct bytes text, enum zone_text kind, struct bytes *id)
{
    size_t length = 0;
    const char *region =
        kind == ZONE_IDS_AND_ABBREVIATIONS ? zone_region_of_abbreviation(text, &length) : NULL;
    struct time_zone zone;

    for (*id = (struct bytes){ text.data, id_run(text) }; id->len > length; id->len--) {
        if (!time_zone_init(&zone, *id, NULL)) {
            return id->len;
        }
    }
    if (region) {
        *id = bytes_of(region);
    }
    return length;
}
