/*
 * media.h: which form of answer a client wants (rest-api.md 1.4).
 */
#ifndef SLUICE_CLI_HTTP_KSQL_MEDIA_H
#define SLUICE_CLI_HTTP_KSQL_MEDIA_H

#include "base/bytes.h"

enum media {
    MEDIA_DELIMITED, /* application/vnd.ksqlapi.delimited.v1 */
    MEDIA_JSON,      /* application/json */
    MEDIA_KSQL,      /* application/vnd.ksql.v1+json */
    MEDIA_PEER,      /* rows for another node of the service */
    MEDIA_COUNT,
    MEDIA_NONE = MEDIA_COUNT
};

const char *media_name(enum media media);
/*
 * The first entry of the Accept header, in the order of its q-values, that is among those offered;
 * an absent header takes `usual`, a wildcard the first offered. MEDIA_NONE: none fits.
 */
enum media media_choose(struct bytes accept, const enum media *offered, uint32_t offered_count,
                        enum media usual);

#endif
