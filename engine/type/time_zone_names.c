/*
 * time_zone_names.c: abbreviations of zones in English.
 *
 * ICU abbreviates only the zones of its locale's own country; java.time does so everywhere, and
 * reads an abbreviation as the region that it is best known for.
 */
#include "engine/type/time_zone_internal.h"

static const struct zone_abbreviation {
    const char *text;
    const char *name;
    const char *region; /* what the text means; NULL: it means another row's */
} abbreviations[] = {
    { "ACDT", "Australian Central Daylight Time", "Australia/Adelaide" },
    { "ACST", "Australian Central Standard Time", "Australia/Adelaide" },
    { "ADT", "Atlantic Daylight Time", "America/Halifax" },
    { "AEDT", "Australian Eastern Daylight Time", "Australia/Sydney" },
    { "AEST", "Australian Eastern Standard Time", "Australia/Sydney" },
    { "AKDT", "Alaska Daylight Time", "America/Juneau" },
    { "AKST", "Alaska Standard Time", "America/Juneau" },
    { "ART", "Argentina Standard Time", "America/Argentina/Buenos_Aires" },
    { "AST", "Atlantic Standard Time", "America/Halifax" },
    { "AWST", "Australian Western Standard Time", "Australia/Perth" },
    { "BRST", "Brasilia Summer Time", "America/Sao_Paulo" },
    { "BRT", "Brasilia Standard Time", "America/Sao_Paulo" },
    { "BST", "British Summer Time", "Europe/London" },
    { "CAT", "Central Africa Time", "Africa/Maputo" },
    { "CDT", "Central Daylight Time", "America/Chicago" },
    { "CEST", "Central European Summer Time", "Europe/Paris" },
    { "CET", "Central European Standard Time", "Europe/Paris" },
    { "COT", "Colombia Standard Time", "America/Bogota" },
    { "CST", "Central Standard Time", "America/Chicago" },
    { "CST", "China Standard Time", NULL },
    { "EAT", "East Africa Time", "Africa/Nairobi" },
    { "EDT", "Eastern Daylight Time", "America/New_York" },
    { "EEST", "Eastern European Summer Time", "Europe/Bucharest" },
    { "EET", "Eastern European Standard Time", "Europe/Bucharest" },
    { "EST", "Eastern Standard Time", "America/New_York" },
    { "GMT", "Greenwich Mean Time", "GMT" },
    { "GST", "Gulf Standard Time", "Asia/Dubai" },
    { "HKT", "Hong Kong Standard Time", "Asia/Hong_Kong" },
    { "HST", "Hawaii-Aleutian Standard Time", "Pacific/Honolulu" },
    { "ICT", "Indochina Time", "Asia/Bangkok" },
    { "IST", "India Standard Time", "Asia/Kolkata" },
    { "IST", "Irish Standard Time", NULL },
    { "IST", "Israel Standard Time", NULL },
    { "IDT", "Israel Daylight Time", "Asia/Jerusalem" },
    { "JST", "Japan Standard Time", "Asia/Tokyo" },
    { "KST", "Korean Standard Time", "Asia/Seoul" },
    { "MDT", "Mountain Daylight Time", "America/Denver" },
    { "MSK", "Moscow Standard Time", "Europe/Moscow" },
    { "MST", "Mountain Standard Time", "America/Denver" },
    { "NDT", "Newfoundland Daylight Time", "America/St_Johns" },
    { "NPT", "Nepal Time", "Asia/Kathmandu" },
    { "NST", "Newfoundland Standard Time", "America/St_Johns" },
    { "NZDT", "New Zealand Daylight Time", "Pacific/Auckland" },
    { "NZST", "New Zealand Standard Time", "Pacific/Auckland" },
    { "PDT", "Pacific Daylight Time", "America/Los_Angeles" },
    { "PET", "Peru Standard Time", "America/Lima" },
    { "PKT", "Pakistan Standard Time", "Asia/Karachi" },
    { "PST", "Pacific Standard Time", "America/Los_Angeles" },
    { "SAST", "South Africa Standard Time", "Africa/Johannesburg" },
    { "SGT", "Singapore Standard Time", "Asia/Singapore" },
    { "UTC", "Coordinated Universal Time", "UTC" },
    { "WAT", "West Africa Standard Time", "Africa/Lagos" },
    { "WEST", "Western European Summer Time", "Atlantic/Canary" },
    { "WET", "Western European Standard Time", "Atlantic/Canary" },
    { "WIB", "Western Indonesia Time", "Asia/Jakarta" },
};

enum { ABBREVIATION_COUNT = sizeof abbreviations / sizeof *abbreviations };

const char *zone_abbreviation_of(struct bytes long_name)
{
    for (int i = 0; i < ABBREVIATION_COUNT; i++) {
        if (bytes_equal_text(long_name, abbreviations[i].name)) {
            return abbreviations[i].text;
        }
    }
    return NULL;
}

const char *zone_region_of_abbreviation(struct bytes text, size_t *length)
{
    const char *region = NULL;

    *length = 0;
    for (int i = 0; i < ABBREVIATION_COUNT; i++) {
        struct bytes abbreviation = bytes_of(abbreviations[i].text);
        struct bytes head = { text.data, abbreviation.len };

        if (abbreviations[i].region && abbreviation.len > *length && abbreviation.len <= text.len &&
            bytes_equal_nocase(head, abbreviation)) {
            region = abbreviations[i].region;
            *length = abbreviation.len;
        }
    }
    return region;
}

bool zone_id_is_short(struct bytes id)
{
    static const char ids[] = "ACTAETAGTARTASTBETBSTCATCNTCSTCTTEATECTESTHSTIETISTJSTMITMSTNETNST"
                              "PLTPNTPRTPSTSSTVST";

    for (size_t i = 0; id.len == 3 && i < sizeof ids - 1; i += 3) {
        if (bytes_equal(id, (struct bytes){ ids + i, 3 })) {
            return true;
        }
    }
    return false;
}
