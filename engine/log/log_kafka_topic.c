/*
 * log_kafka_topic.c: topics of a Kafka cluster: made, found, listed, measured, deleted.
 *
 * What was handed out as a topic stays until the log is closed and is marked
 * gone when the topic is seen to be deleted: by this log, or by a look that
 * does not find it. A topic of that name that is there later is another one.
 *
 * A cluster's brokers learn of a new or a deleted topic one after another, so
 * creating and deleting wait until a look agrees.
 *
 * librdkafka 2.0 does not tell a topic's id. The incarnation counts the deletions of
 * the name which this log has seen, under a number of its own: a topic that was deleted
 * and created again behind this log's back looks like the old one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/log_kafka_internal.h"

enum { TOPIC_NAME_MAX = 249 };

struct kafka_topic *kafka_topic_of(const struct log_topic *topic)
{
    return (struct kafka_topic *)(uintptr_t)topic;
}

int kafka_topic_gone(const struct log_topic *topic, struct error *err)
{
    return error_set(err, ERR_TOPIC_GONE, NO_POSITION, "topic '%.*s' does not exist any more",
                     BYTES_ARG(topic->name));
}

/* --- what was found --- */

static struct kafka_topic *make_topic_locked(struct kafka_log *log, const char *name,
                                             uint32_t partitions, uint32_t replicas,
                                             uint64_t incarnation)
{
    struct kafka_topic *topic = arena_new(&log->arena, struct kafka_topic);

    topic->name = arena_copy_text(&log->arena, bytes_of(name));
    topic->pub.name = bytes_of(topic->name);
    topic->pub.partition_count = partitions;
    topic->pub.replica_count = replicas;
    topic->pub.incarnation = incarnation;
    topic->next = log->all;
    log->all = topic;
    map_put(&log->topics, topic->pub.name, topic);
    return topic;
}

/* Partitions are added to a topic, never taken from it. */
static const struct log_topic *note_topic(struct kafka_log *log,
                                          const struct rd_kafka_metadata_topic *found)
{
    uint32_t partitions = (uint32_t)found->partition_cnt;
    uint32_t replicas = partitions ? (uint32_t)found->partitions[0].replica_cnt : 0;
    struct kafka_topic *topic;

    (void)pthread_mutex_lock(&log->mutex);
    topic = map_find(&log->topics, bytes_of(found->topic));
    if (!topic) {
        topic = make_topic_locked(log, found->topic, partitions, replicas, log->count_from);
    } else if (atomic_load(&topic->gone) || partitions < topic->pub.partition_count) {
        atomic_store(&topic->gone, true);
        topic =
            make_topic_locked(log, found->topic, partitions, replicas, topic->pub.incarnation + 1);
    } else if (partitions > topic->pub.partition_count) {
        topic = make_topic_locked(log, found->topic, partitions, replicas, topic->pub.incarnation);
        topic->has_grown = true;
    }
    (void)pthread_mutex_unlock(&log->mutex);
    return &topic->pub;
}

static void note_gone(struct kafka_log *log, struct bytes name)
{
    (void)pthread_mutex_lock(&log->mutex);
    for (struct kafka_topic *topic = log->all; topic; topic = topic->next) {
        if (bytes_equal(topic->pub.name, name)) {
            atomic_store(&topic->gone, true);
        }
    }
    (void)pthread_mutex_unlock(&log->mutex);
}

/* --- looking --- */

/* The topic's metadata, one row; NULL when there is none to be had, and *code says why. */
static const struct rd_kafka_metadata *look(struct kafka_log *log, struct bytes name, int wait_ms,
                                            int *code, struct error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    char text[TOPIC_NAME_MAX + 1] = { 0 };
    rd_kafka_resp_err_t failed;
    rd_kafka_topic_t *rkt;

    if (name.len == 0 || name.len > TOPIC_NAME_MAX) {
        *code = kafka_fail(err, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, NULL, "topic", name);
        return NULL;
    }
    memcpy(text, name.data, name.len);
    rkt = rd_kafka_topic_new(log->control, text, NULL);
    failed = rd_kafka_metadata(log->control, 0, rkt, &metadata, wait_ms);
    rd_kafka_topic_destroy(rkt);
    if (failed) {
        *code = kafka_fail(err, failed, NULL, "topic", name);
        return NULL;
    }
    if (metadata->topic_cnt != 1) {
        rd_kafka_metadata_destroy(metadata);
        *code = kafka_fail(err, RD_KAFKA_RESP_ERR__FAIL, NULL, "topic", name);
        return NULL;
    }
    return metadata;
}

static bool has_leaders(const struct rd_kafka_metadata_topic *found)
{
    for (int i = 0; i < found->partition_cnt; i++) {
        if (found->partitions[i].err || found->partitions[i].leader < 0) {
            return false;
        }
    }
    return found->partition_cnt > 0;
}

/* Looks until the topic is there with all its leaders, or is not. */
static int wait_until(struct kafka_log *log, struct bytes name, bool there, struct error *err)
{
    int64_t deadline = kafka_now_ms(log) + KAFKA_CALL_MS;

    do {
        int code = 0;
        const struct rd_kafka_metadata *metadata = look(log, name, KAFKA_CALL_MS, &code, err);
        const struct rd_kafka_metadata_topic *found;
        bool agrees;

        if (!metadata) {
            return code;
        }
        found = &metadata->topics[0];
        agrees = there ? !found->err && has_leaders(found) : kafka_is_unknown_topic(found->err);
        rd_kafka_metadata_destroy(metadata);
        if (agrees) {
            return 0;
        }
        kafka_wait_retry();
    } while (kafka_now_ms(log) < deadline);
    return kafka_fail(err, RD_KAFKA_RESP_ERR__TIMED_OUT, NULL,
                      there ? "waiting for the new topic" : "waiting for the end of topic", name);
}

/* Notes what the metadata say of the topic. */
static int take_look(struct kafka_log *log, struct bytes name,
                     const struct rd_kafka_metadata *metadata, const struct log_topic **out,
                     struct error *err)
{
    const struct rd_kafka_metadata_topic *found = &metadata->topics[0];

    if (!found->err) {
        *out = note_topic(log, found);
        return 0;
    }
    if (kafka_is_unknown_topic(found->err) || found->err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION) {
        note_gone(log, name);
        return kafka_fail(err, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "there is no such topic", "topic",
                          name);
    }
    if (found->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        return kafka_fail(err, found->err, NULL, "topic", name);
    }
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION, "topic '%.*s': %s", BYTES_ARG(name),
                     rd_kafka_err2str(found->err));
}

int kafka_open_topic(struct log *base, struct bytes name, const struct log_topic **out,
                     struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    int code = 0;
    const struct rd_kafka_metadata *metadata = look(log, name, KAFKA_CALL_MS, &code, err);

    if (metadata) {
        code = take_look(log, name, metadata, out, err);
        rd_kafka_metadata_destroy(metadata);
    }
    return code;
}

const struct rd_kafka_metadata *kafka_topic_look(struct kafka_log *log, struct bytes name,
                                                 int wait_ms, struct error *err)
{
    const struct log_topic *topic = NULL;
    int code = 0;
    const struct rd_kafka_metadata *metadata = look(log, name, wait_ms, &code, err);

    if (metadata && take_look(log, name, metadata, &topic, err)) {
        rd_kafka_metadata_destroy(metadata);
        return NULL;
    }
    return metadata;
}

static int by_name(const void *left, const void *right)
{
    const struct log_topic *const *a = left;
    const struct log_topic *const *b = right;

    return bytes_compare((*a)->name, (*b)->name);
}

int kafka_list_topics(struct log *base, struct arena *arena, const struct log_topic ***out,
                      uint32_t *count, struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    const struct rd_kafka_metadata *metadata = NULL;
    const struct log_topic **topics;
    uint32_t found = 0;
    rd_kafka_resp_err_t code = rd_kafka_metadata(log->control, 1, NULL, &metadata, KAFKA_CALL_MS);

    if (code) {
        return kafka_fail(err, code, NULL, "listing topics of", bytes_of(log->client_id));
    }
    topics = arena_array(arena, const struct log_topic *, metadata->topic_cnt);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (!metadata->topics[i].err) {
            topics[found++] = note_topic(log, &metadata->topics[i]);
        }
    }
    rd_kafka_metadata_destroy(metadata);
    if (found) {
        qsort(topics, found, sizeof(const struct log_topic *), by_name);
    }
    *out = topics;
    *count = found;
    return 0;
}

/* --- making and deleting --- */

static int first_topic_error(const rd_kafka_topic_result_t **results, size_t count,
                             const char *what, struct bytes name, struct error *err)
{
    rd_kafka_resp_err_t code =
        count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;

    if (!code) {
        return 0;
    }
    return kafka_fail(err, code, count ? rd_kafka_topic_result_error_string(results[0]) : NULL,
                      what, name);
}

static rd_kafka_NewTopic_t *make_request(const struct topic_spec *spec, struct error *err)
{
    int replicas = spec->replica_count ? (int)spec->replica_count : -1;
    struct arena arena;
    char why[KAFKA_ERROR_BYTES];
    rd_kafka_NewTopic_t *topic;

    arena_init(&arena, 0);
    topic = rd_kafka_NewTopic_new(arena_copy_text(&arena, spec->name), (int)spec->partition_count,
                                  replicas, why, sizeof why);
    if (!topic) {
        (void)error_set(err, ERR_INVALID_PROPERTY, NO_POSITION, "topic '%.*s': %s",
                        BYTES_ARG(spec->name), why);
    }
    for (uint32_t i = 0; topic && i < spec->config_count; i++) {
        (void)rd_kafka_NewTopic_set_config(topic, arena_copy_text(&arena, spec->configs[i].name),
                                           arena_copy_text(&arena, spec->configs[i].value));
    }
    arena_fini(&arena);
    return topic;
}

/* One that exists may be so new that the broker which is asked next has not heard of it. */
int kafka_create_topic(struct log *base, const struct topic_spec *spec, struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_NewTopic_t *topic = make_request(spec, err);
    struct kafka_request request;
    int code;

    if (!topic) {
        return ERR_INVALID_PROPERTY;
    }
    kafka_request_init(log, &request, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(log->control, &topic, 1, request.options, request.queue);
    code = kafka_request_wait(&request, "creating topic", spec->name, err);
    if (!code) {
        size_t count = 0;
        const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
            rd_kafka_event_CreateTopics_result(request.answer), &count);

        code = first_topic_error(results, count, "creating topic", spec->name, err);
    }
    kafka_request_fini(&request);
    rd_kafka_NewTopic_destroy(topic);
    if (code == ERR_TOPIC_EXISTS) {
        (void)wait_until(log, spec->name, true, NULL); /* else who opens it is told */
    }
    return code ? code : wait_until(log, spec->name, true, err);
}

int kafka_delete_topic(struct log *base, struct bytes name, struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_DeleteTopic_t *topic;
    struct kafka_request request;
    struct buffer text = { 0 };
    int code;

    buffer_append_bytes(&text, name);
    buffer_append_char(&text, '\0');
    topic = rd_kafka_DeleteTopic_new(text.data);
    buffer_fini(&text);
    kafka_request_init(log, &request, RD_KAFKA_ADMIN_OP_DELETETOPICS);
    rd_kafka_DeleteTopics(log->control, &topic, 1, request.options, request.queue);
    code = kafka_request_wait(&request, "deleting topic", name, err);
    if (!code) {
        size_t count = 0;
        const rd_kafka_topic_result_t **results = rd_kafka_DeleteTopics_result_topics(
            rd_kafka_event_DeleteTopics_result(request.answer), &count);

        code = first_topic_error(results, count, "deleting topic", name, err);
    }
    kafka_request_fini(&request);
    rd_kafka_DeleteTopic_destroy(topic);
    if (!code || code == ERR_UNKNOWN_TOPIC) {
        note_gone(log, name);
    }
    return code ? code : wait_until(log, name, false, err);
}

/* --- settings --- */

static void copy_configs(const rd_kafka_ConfigResource_t *resource, struct arena *arena,
                         const struct topic_config **out, uint32_t *count)
{
    size_t all = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &all);
    struct topic_config *configs = arena_array(arena, struct topic_config, all);
    uint32_t own = 0;

    for (size_t i = 0; i < all; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);

        if (value && rd_kafka_ConfigEntry_source(entries[i]) ==
                         RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG) {
            configs[own++] = (struct topic_config){
                arena_copy(arena, bytes_of(rd_kafka_ConfigEntry_name(entries[i]))),
                arena_copy(arena, bytes_of(value)),
            };
        }
    }
    *out = configs;
    *count = own;
}

int kafka_topic_configs(struct log *base, const struct log_topic *topic, struct arena *arena,
                        const struct topic_config **out, uint32_t *count, struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, kafka_topic_of(topic)->name);
    struct kafka_request request;
    int code;

    kafka_request_init(log, &request, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(log->control, &resource, 1, request.options, request.queue);
    code = kafka_request_wait(&request, "settings of topic", topic->name, err);
    if (!code) {
        size_t found = 0;
        const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(request.answer), &found);
        rd_kafka_resp_err_t failed =
            found == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR__FAIL;

        if (failed) {
            code = kafka_fail(err, failed, NULL, "settings of topic", topic->name);
        } else {
            copy_configs(resources[0], arena, out, count);
        }
    }
    kafka_request_fini(&request);
    rd_kafka_ConfigResource_destroy(resource);
    return code;
}

/* --- ranges --- */

static int open_uncommitted_locked(struct kafka_log *log, struct error *err)
{
    rd_kafka_conf_t *conf = NULL;

    TRY(kafka_conf(log, KAFKA_CONTROL, &conf, err));
    TRY(kafka_conf_set(conf, "isolation.level", bytes_of("read_uncommitted"), err));
    return kafka_open(conf, KAFKA_CONTROL, &log->uncommitted, err);
}

/* A handle that sees what the isolation lets see. */
static int seeing(struct kafka_log *log, enum log_isolation isolation, rd_kafka_t **out,
                  struct error *err)
{
    int code = 0;

    if (isolation == READ_COMMITTED) {
        *out = log->control;
        return 0;
    }
    (void)pthread_mutex_lock(&log->mutex);
    if (!log->uncommitted) {
        code = open_uncommitted_locked(log, err);
    }
    *out = log->uncommitted;
    (void)pthread_mutex_unlock(&log->mutex);
    return code;
}

/* Right after a topic was created its leaders may not answer for it yet. */
static bool may_pass(rd_kafka_resp_err_t code)
{
    return kafka_is_unknown_topic(code) || code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE || code == RD_KAFKA_RESP_ERR__TRANSPORT ||
           code == RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE;
}

/*
 * While a broker does not answer rd_kafka_query_watermark_offsets waits far beyond its time limit;
 * so where nothing was heard for a while, a call that keeps to its own goes in front.
 */
static rd_kafka_resp_err_t probe(struct kafka_log *log, rd_kafka_t *rk)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t failed;

    if (kafka_now_ms(log) - atomic_load(&log->answered_ms) < KAFKA_ANSWER_FRESH_MS) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    failed = rd_kafka_metadata(rk, 0, NULL, &metadata, KAFKA_CALL_MS);
    if (!failed) {
        rd_kafka_metadata_destroy(metadata);
    }
    return failed;
}

int kafka_topic_range(struct log *base, const struct log_topic *topic, uint32_t partition,
                      enum log_isolation isolation, struct log_range *out, struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    int64_t deadline = kafka_now_ms(log) + KAFKA_CALL_MS;
    const struct log_topic *again = NULL;
    rd_kafka_resp_err_t failed;
    rd_kafka_t *rk;

    TRY(seeing(log, isolation, &rk, err));
    do {
        int64_t begin = -1;
        int64_t end = -1;

        if (atomic_load(&kafka_topic_of(topic)->gone)) {
            return kafka_topic_gone(topic, err);
        }
        failed = probe(log, rk);
        failed = failed ? failed
                        : rd_kafka_query_watermark_offsets(rk, kafka_topic_of(topic)->name,
                                                           (int32_t)partition, &begin, &end,
                                                           KAFKA_CALL_MS);
        if (!failed) {
            atomic_store(&log->answered_ms, kafka_now_ms(log));
            *out = (struct log_range){ begin, end };
            return 0;
        }
        if (kafka_is_unknown_topic(failed)) {
            (void)kafka_open_topic(base, topic->name, &again, NULL); /* notes whether it is gone */
        }
        kafka_wait_retry();
    } while (may_pass(failed) && kafka_now_ms(log) < deadline);
    return kafka_fail(err, failed, NULL, "range of topic", topic->name);
}

int kafka_delete_records(struct log *base, const struct log_topic *topic, uint32_t partition,
                         int64_t before, struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    struct kafka_request request;
    rd_kafka_DeleteRecords_t *records;
    int code;

    rd_kafka_topic_partition_list_add(list, kafka_topic_of(topic)->name, (int32_t)partition)
        ->offset = before;
    records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);
    kafka_request_init(log, &request, RD_KAFKA_ADMIN_OP_DELETERECORDS);
    rd_kafka_DeleteRecords(log->control, &records, 1, request.options, request.queue);
    code = kafka_request_wait(&request, "deleting records of topic", topic->name, err);
    if (!code) {
        const rd_kafka_topic_partition_list_t *result = rd_kafka_DeleteRecords_result_offsets(
            rd_kafka_event_DeleteRecords_result(request.answer));
        rd_kafka_resp_err_t failed =
            result->cnt == 1 ? result->elems[0].err : RD_KAFKA_RESP_ERR__FAIL;

        code = failed ? kafka_fail(err, failed, NULL, "deleting records of topic", topic->name) : 0;
    }
    kafka_request_fini(&request);
    rd_kafka_DeleteRecords_destroy(records);
    return code == ERR_UNKNOWN_TOPIC ? kafka_topic_gone(topic, err) : code;
}
