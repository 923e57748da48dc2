/*
 * limits.c: rates, requests at once, bytes in an hour.
 */
#include "cli/http/ksql/limits.h"

#include <string.h>

enum { MINUTE_MS = 60000, MEGABYTE = 1 << 20 };

static int64_t multiply(int64_t a, int64_t b)
{
    return a > INT64_MAX / b ? INT64_MAX : a * b;
}

static void rate_init(struct rate *rate, int64_t per_second, int64_t now_ms)
{
    rate->per_second = per_second > 0 ? per_second : 0;
    rate->left = rate->per_second;
    rate->last_ms = now_ms;
}

/* Whole ones: what is less is counted the next time. */
static void rate_refill(struct rate *rate, int64_t now_ms)
{
    int64_t passed_ms = now_ms > rate->last_ms ? now_ms - rate->last_ms : 0;
    int64_t gained;

    if (now_ms < rate->last_ms || passed_ms >= 1000) {
        rate->left = passed_ms >= 1000 ? rate->per_second : rate->left;
        rate->last_ms = now_ms;
        return;
    }
    gained = multiply(rate->per_second, passed_ms + 1) == INT64_MAX
                 ? rate->per_second
                 : rate->per_second * passed_ms / 1000;
    if (gained > 0) {
        rate->left =
            rate->left > rate->per_second - gained ? rate->per_second : rate->left + gained;
        rate->last_ms = now_ms;
    }
}

static bool rate_take(struct rate *rate, int64_t count, int64_t now_ms)
{
    rate_refill(rate, now_ms);
    if (rate->left < count) {
        return false;
    }
    rate->left -= count;
    return true;
}

void limits_init(struct limits *limits, const struct limits_spec *spec, int64_t now_ms)
{
    memset(limits, 0, sizeof *limits);
    pthread_mutex_init(&limits->mutex, NULL);
    rate_init(&limits->commands, spec->commands_per_second, now_ms);
    rate_init(&limits->pulls, spec->pulls_per_second, now_ms);
    limits->pulls_most = spec->pulls_most;
    limits->bytes_most = multiply(spec->megabytes_per_hour, MEGABYTE);
    limits->minute = now_ms / MINUTE_MS;
}

void limits_fini(struct limits *limits)
{
    pthread_mutex_destroy(&limits->mutex);
}

bool limits_take_commands(struct limits *limits, uint32_t count, int64_t now_ms)
{
    bool is_taken;

    pthread_mutex_lock(&limits->mutex);
    is_taken = count == 0 || rate_take(&limits->commands, count, now_ms);
    pthread_mutex_unlock(&limits->mutex);
    return is_taken;
}

/* Forgets what was sent an hour ago. */
static void turn_minutes(struct limits *limits, int64_t now_ms)
{
    int64_t minute = now_ms / MINUTE_MS;
    int64_t passed = minute - limits->minute;

    for (int64_t i = 1; i <= passed && i <= LIMIT_MINUTES; i++) {
        limits->bytes[(limits->minute + i) % LIMIT_MINUTES] = 0;
    }
    limits->minute = passed > 0 ? minute : limits->minute;
}

static int64_t count_bytes(const struct limits *limits)
{
    int64_t sum = 0;

    for (int i = 0; i < LIMIT_MINUTES; i++) {
        sum += limits->bytes[i];
    }
    return sum;
}

static enum limit find_limit(struct limits *limits, int64_t now_ms)
{
    turn_minutes(limits, now_ms);
    if (limits->pulls_running >= limits->pulls_most) {
        return LIMIT_CONCURRENT;
    }
    if (count_bytes(limits) >= limits->bytes_most) {
        return LIMIT_BANDWIDTH;
    }
    return rate_take(&limits->pulls, 1, now_ms) ? LIMIT_NONE : LIMIT_RATE;
}

enum limit limits_begin_pull(struct limits *limits, int64_t now_ms)
{
    enum limit limit;

    pthread_mutex_lock(&limits->mutex);
    limit = find_limit(limits, now_ms);
    limits->pulls_running += limit == LIMIT_NONE;
    pthread_mutex_unlock(&limits->mutex);
    return limit;
}

void limits_end_pull(struct limits *limits, uint64_t sent_bytes, int64_t now_ms)
{
    pthread_mutex_lock(&limits->mutex);
    turn_minutes(limits, now_ms);
    limits->pulls_running--;
    limits->bytes[limits->minute % LIMIT_MINUTES] += (int64_t)sent_bytes;
    pthread_mutex_unlock(&limits->mutex);
}
