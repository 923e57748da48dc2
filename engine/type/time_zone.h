/*
 * time_zone.h: zones by id, as java.time's ZoneId has them: regions (Europe/London), offsets
 * (Z, +2, -03:30), and offsets with a prefix (UTC+2, GMT-03:30, UT).
 *
 * Asking a region costs about 2 us; once it is indexed, a search in a table. A zone is
 * read-only once it is made, and may be shared by threads.
 */
#ifndef SLUICE_ENGINE_TYPE_TIME_ZONE_H
#define SLUICE_ENGINE_TYPE_TIME_ZONE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"

enum { ZONE_ID_MAX = 40, ZONE_NAME_MAX = 80 }; /* bytes */

enum zone_name { ZONE_SHORT, ZONE_SHORT_SUMMER, ZONE_LONG, ZONE_LONG_SUMMER, ZONE_NAME_COUNT };

struct zone_change {
    int64_t utc_ms;
    int64_t latest_local_ms; /* up to here a clock's time is from before the change */
    int32_t offset_ms;       /* from the change on */
    bool is_summer;
};

struct time_zone {
    char id[ZONE_ID_MAX]; /* as Java prints it: +2 is +02:00 */
    size_t id_length;
    bool is_region;
    int64_t offset_ms;                 /* east of Greenwich, where it is no region */
    const struct zone_change *changes; /* of an indexed region; the first is before all times */
    uint32_t change_count;
    struct bytes names[ZONE_NAME_COUNT]; /* English; absent until they are loaded */
};

/* ERR_EVALUATE: there is none of that id. */
int time_zone_init(struct time_zone *zone, struct bytes id, struct error *err);
/* For a zone that is asked often. What it adds ends with the arena. */
void time_zone_index(struct time_zone *zone, struct arena *arena);
void time_zone_load_names(struct time_zone *zone, struct arena *arena);

struct zone_offset {
    int64_t ms; /* east of Greenwich */
    bool is_summer;
};

struct zone_offset time_zone_offset(const struct time_zone *zone, int64_t utc_ms);
/*
 * Of a clock's time there. A time that clocks skip, or show twice, has the offset from before
 * they were changed.
 */
struct zone_offset time_zone_offset_of_local(const struct time_zone *zone, int64_t local_ms);

/*
 * How many bytes the id takes that the text begins with; 0: none. *id is what time_zone_init
 * takes: where abbreviations may stand, too, that of PST is America/Los_Angeles.
 */
enum zone_text { ZONE_IDS, ZONE_IDS_AND_ABBREVIATIONS };
size_t time_zone_match(struct bytes text, enum zone_text kind, struct bytes *id);

#endif
