/*
 * limits.h: how much of what a server does for its clients, as the settings have it (rest-api.md
 * 1.6). Safe from any thread.
 */
#ifndef SLUICE_CLI_HTTP_KSQL_LIMITS_H
#define SLUICE_CLI_HTTP_KSQL_LIMITS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* So many a second; a second's worth may come at once. */
struct rate {
    int64_t per_second;
    int64_t left;    /* of this second */
    int64_t last_ms; /* when `left` was counted */
};

enum { LIMIT_MINUTES = 60 };

struct limits {
    pthread_mutex_t mutex; /* all below */
    struct rate commands;
    struct rate pulls;
    int64_t pulls_most; /* at once */
    int64_t pulls_running;
    int64_t bytes_most;           /* in an hour */
    int64_t bytes[LIMIT_MINUTES]; /* by minute */
    int64_t minute;               /* the last of them */
};

struct limits_spec {
    int64_t commands_per_second;
    int64_t pulls_per_second;
    int64_t pulls_most;
    int64_t megabytes_per_hour;
};

enum limit { LIMIT_NONE, LIMIT_RATE, LIMIT_CONCURRENT, LIMIT_BANDWIDTH };

void limits_init(struct limits *limits, const struct limits_spec *spec, int64_t now_ms);
void limits_fini(struct limits *limits);
/* False: too many in a second, and none of them is counted. */
bool limits_take_commands(struct limits *limits, uint32_t count, int64_t now_ms);
/* LIMIT_NONE: it may begin; limits_end_pull is called behind it. Else why not. */
enum limit limits_begin_pull(struct limits *limits, int64_t now_ms);
void limits_end_pull(struct limits *limits, uint64_t sent_bytes, int64_t now_ms);

#endif
