/*
 * world.c: see world.h.
 */
#include "tests/crash/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

static const char *const statements[WORLD_STATEMENTS] = {
    "CREATE STREAM events (k STRING KEY, grp STRING, n BIGINT, amount BIGINT) "
    "WITH (KAFKA_TOPIC='%s-events', VALUE_FORMAT='JSON');",
    "CREATE STREAM copy WITH (KAFKA_TOPIC='%s-copy') AS SELECT * FROM events;",
    "CREATE STREAM some WITH (KAFKA_TOPIC='%s-some') AS SELECT k, n, amount FROM events "
    "WHERE n %% 3 = 0;",
    "CREATE TABLE totals WITH (KAFKA_TOPIC='%s-totals', VALUE_FORMAT='JSON') AS SELECT grp, "
    "COUNT(*) AS c, SUM(amount) AS s FROM events GROUP BY grp;",
};

static const char *const topic_names[WORLD_TOPIC_COUNT] = { "%s-events", "%s-copy", "%s-some",
                                                            "%s-totals" };

/* The only argument of these formats is the service's name. */
static void fill_in(const char *pattern, const char *service, char *out, size_t size)
{
    size_t at = 0;

    for (; *pattern && at + 1 < size; pattern++) {
        if (pattern[0] == '%' && pattern[1] == 's') {
            at += (size_t)snprintf(out + at, size - at, "%s", service);
            pattern++;
        } else {
            out[at++] = *pattern;
            pattern += pattern[0] == '%' && pattern[1] == '%';
        }
    }
    out[at < size ? at : size - 1] = '\0';
}

void world_statement(const char *service, int number, char out[400])
{
    fill_in(statements[number], service, out, 400);
}

void world_topic_name(const char *service, enum world_topic topic, char out[100])
{
    fill_in(topic_names[topic], service, out, 100);
}

static uint64_t amount_of(uint64_t key, uint64_t number)
{
    return (key * 31 + number * 7) % 1000;
}

/* A key's records go to all groups in turn, so each group hears of every partition. */
static uint64_t group_of(uint64_t key, uint64_t number)
{
    return (key + number) % WORLD_GROUPS;
}

/* --- producing --- */

int producer_init(struct producer *p, struct log *log, const struct clock *clock,
                  const char *service, unsigned seed, struct error *err)
{
    struct writer_spec spec = { .client_id = BYTES("producer"), .transaction_timeout_ms = 120000 };
    char name[100];
    struct topic_spec topic = { .partition_count = WORLD_PARTITIONS };
    int code;

    *p = (struct producer){ .log = log, .clock = clock, .seed = seed };
    world_topic_name(service, WORLD_EVENTS, name);
    topic.name = bytes_of(name);
    code = log_create_topic(log, &topic, err);
    if (code && code != ERR_TOPIC_EXISTS) {
        return code;
    }
    TRY(log_open_topic(log, topic.name, &p->topic, err));
    return log_writer_open(log, &spec, &p->writer, err);
}

static void make_record(struct producer *p, struct log_builder *builders)
{
    uint64_t key = (uint64_t)rand_r(&p->seed) % WORLD_KEYS;
    uint64_t number = p->next[key]++;
    char name[16], value[120];
    struct bytes k;

    (void)snprintf(name, sizeof name, "k%02u", (unsigned)key);
    (void)snprintf(value, sizeof value, "{\"GRP\":\"g%u\",\"N\":%llu,\"AMOUNT\":%u}",
                   (unsigned)group_of(key, number), (unsigned long long)number,
                   (unsigned)amount_of(key, number));
    k = bytes_of(name);
    log_builder_add(&builders[log_partition_of(k, WORLD_PARTITIONS)], k, bytes_of(value),
                    clock_now_ms(p->clock), NULL, 0);
    p->produced++;
}

int producer_put(struct producer *p, uint32_t count, struct error *err)
{
    struct log_builder builders[WORLD_PARTITIONS] = { 0 };
    int code = 0;

    for (uint32_t i = 0; i < count; i++) {
        make_record(p, builders);
    }
    for (uint32_t i = 0; i < WORLD_PARTITIONS; i++) {
        if (!code) {
            code = log_writer_append(p->writer, p->topic, i, &builders[i], NULL, err);
        }
        log_builder_fini(&builders[i]);
    }
    return code;
}

enum { PRODUCE_EVERY_MS = 10 };

static void *produce_main(void *argument)
{
    const struct timespec pause = { .tv_nsec = PRODUCE_EVERY_MS * 1000000L };
    struct producer *p = argument;
    int64_t last_us = clock_monotonic_us(p->clock);

    while (!atomic_load(&p->stop) && !p->failure.code) {
        int64_t now_us = clock_monotonic_us(p->clock);
        uint64_t due = (uint64_t)(now_us - last_us) * p->per_second / 1000000;

        last_us += (int64_t)(due * 1000000 / p->per_second);
        if (!producer_put(p, (uint32_t)due, &p->failure)) {
            (void)log_writer_flush(p->writer,
                                   &p->failure); /* in the log at once, not with others */
        }
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

int producer_run(struct producer *p, uint32_t per_second, struct error *err)
{
    p->per_second = per_second;
    atomic_store(&p->stop, false);
    if (pthread_create(&p->thread, NULL, produce_main, p)) {
        return error_set(err, ERR_IO, NO_POSITION, "the producer cannot be started");
    }
    p->runs = true;
    return 0;
}

int producer_pause(struct producer *p, struct error *err)
{
    if (p->runs) {
        atomic_store(&p->stop, true);
        pthread_join(p->thread, NULL);
        p->runs = false;
    }
    if (p->failure.code) {
        return error_set(err, p->failure.code, NO_POSITION, "producing: %s", p->failure.message);
    }
    return log_writer_flush(p->writer, err);
}

void producer_fini(struct producer *p)
{
    if (p->runs) {
        atomic_store(&p->stop, true);
        pthread_join(p->thread, NULL);
    }
    log_writer_close(p->writer);
}

/* --- verifying --- */

int verifier_init(struct verifier *v, struct log *log, const char *service, struct error *err)
{
    struct reader_spec spec = { .client_id = BYTES("verifier"), .isolation = READ_COMMITTED };

    *v = (struct verifier){ .log = log };
    (void)snprintf(v->service, sizeof v->service, "%s", service);
    return log_reader_open(log, &spec, &v->reader, err);
}

void verifier_fini(struct verifier *v)
{
    log_reader_close(v->reader);
}

static bool violate(struct verifier *v, enum world_topic topic, const struct log_block *block,
                    const struct log_record *record, const char *expected)
{
    char name[100];

    world_topic_name(v->service, topic, name);
    (void)snprintf(v->violation, sizeof v->violation, "%s-%u@%lld: %.*s=%.*s, but %s", name,
                   block->partition, (long long)record->offset, BYTES_ARG(record->key),
                   (int)(record->value.len < 120 ? record->value.len : 120),
                   record->value.data ? record->value.data : "null", expected);
    return false;
}

/* The number behind "NAME": in a flat JSON object. */
static bool find_number(struct bytes json, const char *name, uint64_t *out)
{
    size_t len = strlen(name);

    for (size_t i = 0; json.data && i + len + 3 < json.len; i++) {
        if (json.data[i] == '"' && memcmp(json.data + i + 1, name, len) == 0 &&
            json.data[i + 1 + len] == '"') {
            *out = 0;
            for (i += len + 3; i < json.len && json.data[i] >= '0' && json.data[i] <= '9'; i++) {
                *out = *out * 10 + (uint64_t)(json.data[i] - '0');
            }
            return true;
        }
    }
    return false;
}

static bool find_index(struct bytes key, char letter, uint64_t limit, uint64_t *out)
{
    if (key.len < 2 || key.len > 4 || key.data[0] != letter) {
        return false;
    }
    *out = 0;
    for (size_t i = 1; i < key.len; i++) {
        *out = *out * 10 + (uint64_t)(key.data[i] - '0');
    }
    return *out < limit;
}

static bool see_numbered(struct verifier *v, enum world_topic topic, const struct log_block *block,
                         const struct log_record *record)
{
    uint64_t step = topic == WORLD_SOME ? 3 : 1;
    uint64_t key, number, amount;
    char expected[80];

    if (!find_index(record->key, 'k', WORLD_KEYS, &key) ||
        !find_number(record->value, "N", &number) ||
        !find_number(record->value, "AMOUNT", &amount) || amount != amount_of(key, number)) {
        return violate(v, topic, block, record, "no such record was ever written");
    }
    if (number != v->next[topic][key]) {
        (void)snprintf(expected, sizeof expected, "%s of %llu was to come",
                       number < v->next[topic][key] ? "it came before, and number" : "number",
                       (unsigned long long)v->next[topic][key]);
        return violate(v, topic, block, record, expected);
    }
    v->next[topic][key] += step;
    if (topic == WORLD_EVENTS) {
        v->count[group_of(key, number)]++;
        v->sum[group_of(key, number)] += amount;
    }
    return true;
}

static bool see_total(struct verifier *v, const struct log_block *block,
                      const struct log_record *record)
{
    uint64_t group, count, sum;
    char expected[80];

    if (!find_index(record->key, 'g', WORLD_GROUPS, &group) ||
        !find_number(record->value, "C", &count) || !find_number(record->value, "S", &sum)) {
        return violate(v, WORLD_TOTALS, block, record, "there is no such group");
    }
    if (count != v->count_out[group] + 1 || sum < v->sum_out[group]) {
        (void)snprintf(expected, sizeof expected, "count was %llu and sum %llu",
                       (unsigned long long)v->count_out[group],
                       (unsigned long long)v->sum_out[group]);
        return violate(v, WORLD_TOTALS, block, record, expected);
    }
    v->count_out[group] = count;
    v->sum_out[group] = sum;
    return true;
}

static bool see_block(struct verifier *v, const struct log_block *block)
{
    enum world_topic topic = WORLD_EVENTS;

    while (v->topics[topic] != block->topic) {
        topic++;
    }
    for (uint32_t i = 0; i < block->record_count; i++) {
        const struct log_record *record = &block->records[i];

        if (topic == WORLD_TOTALS ? !see_total(v, block, record)
                                  : !see_numbered(v, topic, block, record)) {
            return false;
        }
        v->records[topic]++;
        if (record->timestamp_ms > v->newest_ms[topic][block->partition]) {
            v->newest_ms[topic][block->partition] = record->timestamp_ms;
        }
    }
    return true;
}

static void find_topics(struct verifier *v)
{
    for (enum world_topic i = WORLD_EVENTS; i < WORLD_TOPIC_COUNT; i++) {
        const struct log_topic *topic = NULL;
        char name[100];

        world_topic_name(v->service, i, name);
        if (v->topics[i] || log_open_topic(v->log, bytes_of(name), &topic, NULL)) {
            continue;
        }
        v->topics[i] = topic;
        for (uint32_t p = 0; p < topic->partition_count; p++) {
            (void)log_reader_assign(v->reader, topic, p, OFFSET_BEGIN, NULL); /* the poll tells */
        }
    }
}

bool verifier_poll(struct verifier *v, int64_t wait_ms)
{
    struct log_block *block = NULL;
    struct log_place failed;

    find_topics(v);
    do {
        block = NULL;
        if (!log_reader_poll(v->reader, wait_ms, &block, &failed, NULL) && block) {
            bool right = v->violation[0] == '\0' && see_block(v, block);

            log_block_unref(block);
            if (!right) {
                return false;
            }
        }
        wait_ms = 0;
    } while (block);
    return true;
}

bool verifier_is_settled(struct verifier *v)
{
    bool settled = v->records[WORLD_EVENTS] > 0;

    for (int k = 0; k < WORLD_KEYS; k++) {
        settled &= v->next[WORLD_COPY][k] == v->next[WORLD_EVENTS][k] &&
                   v->next[WORLD_SOME][k] == (v->next[WORLD_EVENTS][k] + 2) / 3 * 3;
    }
    for (int g = 0; g < WORLD_GROUPS; g++) {
        settled &= v->count_out[g] == v->count[g] && v->sum_out[g] == v->sum[g];
    }
    return settled;
}

bool verifier_has_news(const struct verifier *v, int64_t since_ms)
{
    bool news = true;

    for (int t = WORLD_COPY; t < WORLD_TOPIC_COUNT; t++) {
        for (int p = 0; p < WORLD_PARTITIONS; p++) {
            news &= v->newest_ms[t][p] >= since_ms;
        }
    }
    return news;
}

void verifier_describe(const struct verifier *v, char *out, size_t size)
{
    if (v->violation[0]) {
        (void)snprintf(out, size, "%s", v->violation);
        return;
    }
    (void)snprintf(
        out, size, "records: events %llu, copy %llu, some %llu, totals %llu",
        (unsigned long long)v->records[WORLD_EVENTS], (unsigned long long)v->records[WORLD_COPY],
        (unsigned long long)v->records[WORLD_SOME], (unsigned long long)v->records[WORLD_TOTALS]);
}
