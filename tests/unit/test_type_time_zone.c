/*
 * test_type_time_zone.c: zones by id, their offsets and names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/type/time_zone.h"

enum { HOUR_MS = 3600000 };

static void ids_are_those_of_java(void **state)
{
    static const struct {
        const char *id;
        const char *printed;
        int64_t offset_minutes;
    } zones[] = {
        { "Z", "Z", 0 },
        { "UTC", "UTC", 0 },
        { "GMT", "GMT", 0 },
        { "UT", "UT", 0 },
        { "+2", "+02:00", 120 },
        { "-03:30", "-03:30", -210 },
        { "+0545", "+05:45", 345 },
        { "+18:00", "+18:00", 1080 },
        { "UTC+2", "UTC+02:00", 120 },
        { "GMT-03:30", "GMT-03:30", -210 },
        { "UTC+0", "UTC", 0 },
        { "+00:00", "Z", 0 },
        { "Asia/Kolkata", "Asia/Kolkata", 330 },
        { "Etc/GMT+5", "Etc/GMT+5", -300 },
    };

    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        struct time_zone zone;

        assert_int_equal(time_zone_init(&zone, bytes_of(zones[i].id), NULL), 0);
        assert_int_equal(zone.id_length, strlen(zones[i].printed));
        assert_memory_equal(zone.id, zones[i].printed, zone.id_length);
        assert_int_equal(time_zone_offset(&zone, 0).ms, zones[i].offset_minutes * 60000);
    }
}

static void what_is_no_id_is_refused(void **state)
{
    static const char *const ids[] = { "",
                                       "PST",
                                       "EST",
                                       "IST",
                                       "Europe/Nowhere",
                                       "+19",
                                       "+1:30",
                                       "UTC2",
                                       "UTX",
                                       "utc",
                                       "Z+1",
                                       "+",
                                       "+02:60x",
                                       "GMT+",
                                       "SystemV/PST8PDT",
                                       "a/very/long/name/that/no/zone/could/ever/have" };

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct time_zone zone;
        struct error err;

        assert_int_equal(time_zone_init(&zone, bytes_of(ids[i]), &err), ERR_EVALUATE);
    }
}

/* Clocks went from 2 to 3 on 2020-03-08 and from 2 to 1 on 2020-11-01. */
static void check_new_york(const struct time_zone *zone)
{
    static const int64_t spring_ms = INT64_C(1583650800000); /* 07:00 UTC */
    static const int64_t autumn_ms = INT64_C(1604210400000); /* 06:00 UTC */
    static const int64_t spring_local_ms = INT64_C(1583632800000);
    static const int64_t autumn_local_ms = INT64_C(1604192400000); /* 01:00 */

    assert_int_equal(time_zone_offset(zone, spring_ms - 1).ms, -5 * HOUR_MS);
    assert_false(time_zone_offset(zone, spring_ms - 1).is_summer);
    assert_int_equal(time_zone_offset(zone, spring_ms).ms, -4 * HOUR_MS);
    assert_true(time_zone_offset(zone, spring_ms).is_summer);
    assert_int_equal(time_zone_offset(zone, autumn_ms - 1).ms, -4 * HOUR_MS);
    assert_int_equal(time_zone_offset(zone, autumn_ms).ms, -5 * HOUR_MS);
    /* Skipped from 2:00 to 3:00, shown twice from 1:00 to 2:00: the offset from before. */
    assert_int_equal(time_zone_offset_of_local(zone, spring_local_ms - 1).ms, -5 * HOUR_MS);
    assert_int_equal(time_zone_offset_of_local(zone, spring_local_ms).ms, -5 * HOUR_MS);
    assert_int_equal(time_zone_offset_of_local(zone, spring_local_ms + HOUR_MS - 1).ms,
                     -5 * HOUR_MS);
    assert_int_equal(time_zone_offset_of_local(zone, spring_local_ms + HOUR_MS).ms, -4 * HOUR_MS);
    assert_int_equal(time_zone_offset_of_local(zone, autumn_local_ms).ms, -4 * HOUR_MS);
    assert_int_equal(time_zone_offset_of_local(zone, autumn_local_ms + HOUR_MS - 1).ms,
                     -4 * HOUR_MS);
    assert_int_equal(time_zone_offset_of_local(zone, autumn_local_ms + HOUR_MS).ms, -5 * HOUR_MS);
}

static void clocks_change_at_their_instant(void **state)
{
    struct time_zone zone;
    struct arena arena;

    arena_init(&arena, 0);
    assert_int_equal(time_zone_init(&zone, bytes_of("America/New_York"), NULL), 0);
    check_new_york(&zone);
    time_zone_index(&zone, &arena);
    check_new_york(&zone);
    arena_fini(&arena);
}

/* From 1850 to 2500, an odd number of hours apart. */
static void an_index_changes_no_answer(void **state)
{
    static const char *const ids[] = { "America/New_York", "Europe/London", "Australia/Lord_Howe",
                                       "Asia/Kathmandu" };
    static const int64_t step_ms = INT64_C(3101) * HOUR_MS;
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct time_zone zone;
        struct time_zone indexed;

        assert_int_equal(time_zone_init(&zone, bytes_of(ids[i]), NULL), 0);
        indexed = zone;
        time_zone_index(&indexed, &arena);
        for (int64_t ms = -INT64_C(3786912000000); ms < INT64_C(16725225600000); ms += step_ms) {
            assert_int_equal(time_zone_offset(&zone, ms).ms, time_zone_offset(&indexed, ms).ms);
            assert_int_equal(time_zone_offset_of_local(&zone, ms).ms,
                             time_zone_offset_of_local(&indexed, ms).ms);
        }
        assert_int_equal(time_zone_offset(&zone, INT64_MAX).ms,
                         time_zone_offset(&indexed, INT64_MAX).ms);
        assert_int_equal(time_zone_offset(&zone, INT64_MIN).ms,
                         time_zone_offset(&indexed, INT64_MIN).ms);
    }
    arena_fini(&arena);
}

static void rules_go_on_for_ever(void **state)
{
    struct time_zone zone;
    struct arena arena;

    arena_init(&arena, 0);
    assert_int_equal(time_zone_init(&zone, bytes_of("Europe/Berlin"), NULL), 0);
    time_zone_index(&zone, &arena);
    /* 2420-07-01 and 2420-12-01; summer begins on 2420-03-29 at 01:00 UTC. */
    assert_int_equal(time_zone_offset(&zone, INT64_C(14216342400000)).ms, 2 * HOUR_MS);
    assert_int_equal(time_zone_offset(&zone, INT64_C(14229561600000)).ms, HOUR_MS);
    assert_int_equal(time_zone_offset(&zone, INT64_C(14208224400000) - 1).ms, HOUR_MS);
    assert_int_equal(time_zone_offset(&zone, INT64_C(14208224400000)).ms, 2 * HOUR_MS);
    arena_fini(&arena);
}

static void names_are_english(void **state)
{
    static const struct {
        const char *id;
        const char *names[ZONE_NAME_COUNT];
    } zones[] = {
        { "America/New_York", { "EST", "EDT", "Eastern Standard Time", "Eastern Daylight Time" } },
        { "Europe/London", { "GMT", "BST", "Greenwich Mean Time", "British Summer Time" } },
        { "Asia/Tokyo", { "JST", NULL, "Japan Standard Time", NULL } },
        { "UTC", { "UTC", NULL, "Coordinated Universal Time", NULL } },
        { "+05:30", { "+05:30", "+05:30", "+05:30", "+05:30" } },
    };
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        struct time_zone zone;

        assert_int_equal(time_zone_init(&zone, bytes_of(zones[i].id), NULL), 0);
        time_zone_load_names(&zone, &arena);
        for (int name = 0; name < ZONE_NAME_COUNT; name++) {
            if (zones[i].names[name]) {
                assert_true(bytes_equal_text(zone.names[name], zones[i].names[name]));
            }
        }
    }
    arena_fini(&arena);
}

static void the_longest_zone_is_found_in_a_text(void **state)
{
    static const struct {
        const char *text;
        enum zone_text kind;
        size_t length;
        const char *id;
    } texts[] = {
        { "America/New_York", ZONE_IDS, 16, "America/New_York" },
        { "America/New_York]", ZONE_IDS, 16, "America/New_York" },
        { "UTC", ZONE_IDS, 3, "UTC" },
        { "UTC+2 x", ZONE_IDS, 5, "UTC+2" },
        { "-03:30", ZONE_IDS, 6, "-03:30" },
        { "Z", ZONE_IDS, 1, "Z" },
        { "PST", ZONE_IDS, 0, NULL },
        { "PST", ZONE_IDS_AND_ABBREVIATIONS, 3, "America/Los_Angeles" },
        { "cest", ZONE_IDS_AND_ABBREVIATIONS, 4, "Europe/Paris" },
        { "EST5EDT", ZONE_IDS_AND_ABBREVIATIONS, 7, "EST5EDT" },
        { "Europe/Paris", ZONE_IDS_AND_ABBREVIATIONS, 12, "Europe/Paris" },
        { "", ZONE_IDS_AND_ABBREVIATIONS, 0, NULL },
        { "Nowhere", ZONE_IDS_AND_ABBREVIATIONS, 0, NULL },
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bytes id;

        assert_int_equal(time_zone_match(bytes_of(texts[i].text), texts[i].kind, &id),
                         texts[i].length);
        if (texts[i].length) {
            assert_true(bytes_equal_text(id, texts[i].id));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_java),
        cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(clocks_change_at_their_instant),
        cmocka_unit_test(an_index_changes_no_answer),
        cmocka_unit_test(rules_go_on_for_ever),
        cmocka_unit_test(names_are_english),
        cmocka_unit_test(the_longest_zone_is_found_in_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
