/*
 * time_zone_internal.h: English names of zones, for time_zone.c.
 */
#ifndef SLUICE_ENGINE_TYPE_TIME_ZONE_INTERNAL_H
#define SLUICE_ENGINE_TYPE_TIME_ZONE_INTERNAL_H

#include "base/bytes.h"

/* The abbreviation of a name such as Pacific Daylight Time; NULL: it has none. */
const char *zone_abbreviation_of(struct bytes long_name);
/* The region of the longest abbreviation that the text begins with, in any case; NULL: none. */
const char *zone_region_of_abbreviation(struct bytes text, size_t *length);
/* Ids of three letters that java.time does not know, though others do. */
bool zone_id_is_short(struct bytes id);

#endif
