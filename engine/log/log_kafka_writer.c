/*
 * log_kafka_writer.c: writing through a producer handle, with or without transactions.
 *
 * Every writer is idempotent, so order holds with several requests in flight.
 * librdkafka copies what is appended into its queue, which is bounded: when it
 * is full the append waits. Delivery reports come for failures alone, while a
 * call of this writer runs; their opaque is the append's owner.
 *
 * What a failure is:
 *   the record's or topic's own fault   refused(), then ERR_RECORD_REFUSED
 *   the writer was replaced             ERR_FENCED for ever
 *   the positions' sender is too old    ERR_FENCED until the abort
 *   all else, a time limit too          ERR_LOG_UNAVAILABLE: of unknown outcome, writer dead
 *
 * A topic's metadata is fetched before the first record goes there: with unknown
 * partitions a first commit runs into its time limit.
 *
 * librdkafka takes timestamp 0 for "now". Such a record is sent with -1, which is
 * Kafka's "no timestamp" and is read as 0 again.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/log_kafka_internal.h"

enum {
    DEFAULT_TIMEOUT_MS = 60000,
    QUICK_LOOKS = 50,
    UNHURRIED_LOOKS = 5,
    REQUEST_BYTES = 900 * 1000, /* batch.size is a million */
    RECORD_BYTES = 24,          /* beside key, value and headers */
    REPORT_SLICE_MS = 5,
    CLOSE_MS = 5000,
    REPORT_WAIT_MS = 200,
    FENCE_LOOK_MOST_MS = 100,
    FENCE_LOOK_LATE_MS = 1000 /* librdkafka asks again after 500 ms */
};

struct written_topic {
    const struct kafka_topic *topic;
    rd_kafka_topic_t *rkt;
    size_t *queued; /* bytes since the last flush, by partition */
};

struct kafka_writer {
    struct log_writer pub; /* first */
    struct kafka_log *log;
    rd_kafka_t *rk;
    int timeout_ms;
    void (*refused)(void *context, void *owner, const struct error *why);
    void *context;
    struct written_topic *topics;
    uint32_t topic_count;
    uint32_t topic_capacity;
    uint32_t last_topic;
    struct buffer transactional_id;
    struct buffer group;   /* whose coordinator is known to be there */
    struct arena arena;    /* of one append */
    bool fenced;           /* by a later writer of the id */
    bool proven;           /* it has committed */
    bool stale_sender;     /* the positions were refused in this transaction */
    bool spoilt;           /* a record was refused since the last flush or begin */
    bool broken;           /* a delivery failed for another reason */
    bool out_of_sequence;  /* the broker refused a record that has a sequence number */
    bool closing;          /* what is thrown away now concerns nobody */
    struct error why;      /* of the first refusal or failure */
    pthread_mutex_t mutex; /* the field below, which librdkafka's threads fill */
    struct buffer denied;  /* topics that the transaction was not let in to, one a line */
};

static struct kafka_writer *writer_of(struct log_writer *writer)
{
    return (struct kafka_writer *)writer;
}

/* --- refusals --- */

static void refuse(struct kafka_writer *writer, void *owner, rd_kafka_resp_err_t code,
                   struct bytes topic)
{
    struct error why = { 0 };

    if (kafka_is_unknown_topic(code)) {
        (void)error_set(&why, ERR_TOPIC_GONE, NO_POSITION, "topic '%.*s' does not exist any more",
                        BYTES_ARG(topic));
    } else {
        (void)kafka_fail(&why, code, NULL, "writing to topic", topic);
    }
    if (!writer->spoilt && !writer->broken) {
        writer->why = why;
    }
    writer->spoilt = true;
    if (writer->refused) {
        writer->refused(writer->context, owner, &why);
    }
}

static bool is_refusal(rd_kafka_resp_err_t code)
{
    return kafka_is_unknown_topic(code) || kafka_error_code(code) == ERR_RECORD_REFUSED ||
           kafka_error_code(code) == ERR_NOT_AUTHORIZED;
}

static bool is_denied(struct kafka_writer *writer, struct bytes topic)
{
    bool found = false;

    pthread_mutex_lock(&writer->mutex);
    for (struct bytes rest = buffer_bytes(&writer->denied); rest.len > 0 && !found;) {
        const char *end = memchr(rest.data, '\n', rest.len);
        struct bytes name = { rest.data, (size_t)(end - rest.data) };

        found = bytes_equal(name, topic);
        rest = (struct bytes){ end + 1, rest.len - name.len - 1 };
    }
    pthread_mutex_unlock(&writer->mutex);
    return found;
}

/* Called for failed records only. Those that an abort threw away have not failed. */
static void note_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_writer *writer = opaque;
    struct bytes topic = bytes_of(rd_kafka_topic_name(message->rkt));

    (void)rk;
    if (!message->err || writer->closing) {
        return;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
        message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
        if (is_denied(writer, topic)) {
            refuse(writer, message->_private, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, topic);
        }
        return;
    }
    if (is_refusal(message->err)) {
        writer->out_of_sequence = true;
        refuse(writer, message->_private, message->err, topic);
        return;
    }
    if (!writer->spoilt && !writer->broken) {
        (void)kafka_fail(&writer->why, message->err, NULL, "writing to topic", topic);
    }
    writer->broken = true;
}

/* --- errors --- */

static int tell(const struct kafka_writer *writer, int code, struct error *err)
{
    return error_set(err, (enum error_code)code, NO_POSITION, "%s", writer->why.message);
}

/*
 * Who is fenced before its first commit may have fenced itself: the broker is slow, and a question
 * that was asked anew too early was answered last.
 */
static void note_fenced(struct kafka_writer *writer)
{
    int look_ms = atomic_load(&writer->log->fence_look_ms) * 4;

    if (!writer->fenced && !writer->proven) {
        atomic_store(&writer->log->fence_look_ms,
                     look_ms < FENCE_LOOK_LATE_MS ? look_ms : FENCE_LOOK_LATE_MS);
    }
    writer->fenced = true;
}

static void note_committed(struct kafka_writer *writer)
{
    int look_ms = atomic_load(&writer->log->fence_look_ms) / 2;

    if (!writer->proven) {
        atomic_store(&writer->log->fence_look_ms,
                     look_ms > KAFKA_FENCE_LOOK_MS ? look_ms : KAFKA_FENCE_LOOK_MS);
    }
    writer->proven = true;
}

/* A fatal error of the handle; 0 when there is none. */
static int check_fatal(struct kafka_writer *writer, struct error *err)
{
    char why[KAFKA_ERROR_BYTES] = "it could not be opened again";
    rd_kafka_resp_err_t code =
        writer->rk ? rd_kafka_fatal_error(writer->rk, why, sizeof why) : RD_KAFKA_RESP_ERR__FATAL;

    if (!code) {
        return 0;
    }
    if (code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED) {
        return kafka_fail(err, code, NULL, "transactional id",
                          buffer_bytes(&writer->transactional_id));
    }
    if (kafka_error_code(code) == ERR_FENCED) {
        note_fenced(writer);
        return error_set(err, ERR_FENCED, NO_POSITION, "the writer was replaced: %s", why);
    }
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION, "the writer has failed: %s", why);
}

/*
 * A topic without the right to write to it is kept out of a transaction before a record goes there,
 * and no record says so, only librdkafka's log: "Failed to add partition "NAME" [0] ...". All that
 * waits is thrown away then, by librdkafka or by us, which tells whose the records for that topic
 * are.
 */
static void note_log(const rd_kafka_t *rk, int level, const char *facility, const char *message)
{
    static const char add[] = "Failed to add partition \"";
    struct kafka_writer *writer = rk ? rd_kafka_opaque(rk) : NULL;
    const char *begin = strcmp(facility, "ADDPARTS") == 0 ? strstr(message, add) : NULL;
    const char *name = begin ? begin + sizeof add - 1 : NULL;
    const char *end = name ? strchr(name, '"') : NULL;

    kafka_note_log(rk, level, facility, message);
    if (writer && end &&
        strstr(end, rd_kafka_err2str(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED))) {
        pthread_mutex_lock(&writer->mutex);
        buffer_append(&writer->denied, name, (size_t)(end - name));
        buffer_append_char(&writer->denied, '\n');
        pthread_mutex_unlock(&writer->mutex);
    }
}

static void forget_denied(struct kafka_writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    writer->denied.len = 0;
    pthread_mutex_unlock(&writer->mutex);
}

static bool has_denied(struct kafka_writer *writer)
{
    bool any;

    pthread_mutex_lock(&writer->mutex);
    any = writer->denied.len > 0;
    pthread_mutex_unlock(&writer->mutex);
    return any;
}

/* What waits and what is under way. */
static void throw_away(struct kafka_writer *writer)
{
    (void)rd_kafka_purge(writer->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    (void)rd_kafka_flush(writer->rk, CLOSE_MS); /* serves the purged */
}

/* A transaction is spoilt a moment before it is told by which record. */
static void hear_why(struct kafka_writer *writer, const rd_kafka_error_t *error)
{
    int64_t deadline = kafka_now_ms(writer->log) + REPORT_WAIT_MS;

    if (rd_kafka_error_txn_requires_abort(error) && !writer->spoilt && has_denied(writer)) {
        throw_away(writer);
    }
    while (rd_kafka_error_txn_requires_abort(error) && !writer->spoilt && !writer->broken &&
           kafka_now_ms(writer->log) < deadline) {
        (void)rd_kafka_poll(writer->rk, REPORT_SLICE_MS);
    }
}

/* Takes the error; what the writer knows of the reason goes before it. */
static int fail(struct kafka_writer *writer, rd_kafka_error_t *error, const char *what,
                struct error *err)
{
    rd_kafka_resp_err_t reason = rd_kafka_error_code(error);
    int code = check_fatal(writer, err);

    if (code) {
        rd_kafka_error_destroy(error);
        return code;
    }
    hear_why(writer, error);
    if (writer->stale_sender) {
        code = tell(writer, ERR_FENCED, err);
    } else if (writer->spoilt) {
        code = tell(writer, ERR_RECORD_REFUSED, err);
    } else {
        code = kafka_error_code(reason) == ERR_FENCED ? ERR_FENCED : ERR_LOG_UNAVAILABLE;
        (void)error_set(err, (enum error_code)code, NO_POSITION, "%s: %s", what,
                        rd_kafka_error_string(error));
    }
    rd_kafka_error_destroy(error);
    return code;
}

/* --- topics --- */

static void close_topic(struct written_topic *topic)
{
    rd_kafka_topic_destroy(topic->rkt);
    free(topic->queued);
}

static void forget_gone_topics(struct kafka_writer *writer)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < writer->topic_count; i++) {
        if (atomic_load(&writer->topics[i].topic->gone)) {
            close_topic(&writer->topics[i]);
        } else {
            writer->topics[kept++] = writer->topics[i];
        }
    }
    writer->topic_count = kept;
}

/* Leaders may not be known for a moment behind the topic's creation. */
static rd_kafka_resp_err_t learn_partitions(struct kafka_writer *writer, rd_kafka_topic_t *rkt)
{
    int64_t deadline = kafka_now_ms(writer->log) + KAFKA_CALL_MS;
    rd_kafka_resp_err_t code;

    do {
        const struct rd_kafka_metadata *metadata = NULL;

        code = rd_kafka_metadata(writer->rk, 0, rkt, &metadata, KAFKA_CALL_MS);
        if (!code) {
            code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                            : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
            rd_kafka_metadata_destroy(metadata);
        }
        if (!code || kafka_is_unknown_topic(code)) {
            return code;
        }
        kafka_wait_retry();
    } while (kafka_now_ms(writer->log) < deadline);
    return code;
}

static struct written_topic *find_topic(struct kafka_writer *writer,
                                        const struct kafka_topic *topic)
{
    if (writer->last_topic < writer->topic_count &&
        writer->topics[writer->last_topic].topic == topic) {
        return &writer->topics[writer->last_topic];
    }
    for (uint32_t i = 0; i < writer->topic_count; i++) {
        if (writer->topics[i].topic == topic) {
            writer->last_topic = i;
            return &writer->topics[i];
        }
    }
    return NULL;
}

static rd_kafka_resp_err_t get_topic(struct kafka_writer *writer, const struct kafka_topic *topic,
                                     struct written_topic **out)
{
    rd_kafka_topic_t *rkt;
    rd_kafka_resp_err_t code;

    if (atomic_load(&topic->gone)) {
        return RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    }
    *out = find_topic(writer, topic);
    if (*out) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    forget_gone_topics(writer);
    rkt = rd_kafka_topic_new(writer->rk, topic->name, NULL);
    code = learn_partitions(writer, rkt);
    if (code) {
        rd_kafka_topic_destroy(rkt);
        return code;
    }
    if (writer->topic_count == writer->topic_capacity) {
        writer->topic_capacity = writer->topic_capacity ? writer->topic_capacity * 2 : 8;
        writer->topics =
            memory_resize(writer->topics, writer->topic_capacity, sizeof *writer->topics);
    }
    *out = &writer->topics[writer->topic_count++];
    **out = (struct written_topic){ topic, rkt,
                                    memory_zalloc(topic->pub.partition_count, sizeof(size_t)) };
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* --- appending --- */

static rd_kafka_headers_t *make_headers(const struct log_record *record)
{
    rd_kafka_headers_t *headers;

    if (!record->header_count) {
        return NULL;
    }
    headers = rd_kafka_headers_new(record->header_count);
    for (uint32_t i = 0; i < record->header_count; i++) {
        const struct record_header *from = &record->headers[i];

        (void)rd_kafka_header_add(headers, from->key.data, (ssize_t)from->key.len, from->value.data,
                                  (ssize_t)from->value.len);
    }
    return headers;
}

/* Through the array-less call and without its macros, which ISO C does not know. */
static rd_kafka_resp_err_t produce(struct kafka_writer *writer, rd_kafka_topic_t *rkt,
                                   uint32_t partition, const struct log_record *record, void *owner)
{
    int64_t timestamp_ms = record->timestamp_ms ? record->timestamp_ms : -1;
    rd_kafka_headers_t *headers = make_headers(record);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        writer->rk, RD_KAFKA_VTYPE_RKT, rkt, RD_KAFKA_VTYPE_PARTITION, (int32_t)partition,
        RD_KAFKA_VTYPE_MSGFLAGS, (int)RD_KAFKA_MSG_F_COPY, RD_KAFKA_VTYPE_KEY, record->key.data,
        record->key.len, RD_KAFKA_VTYPE_VALUE, record->value.data, record->value.len,
        RD_KAFKA_VTYPE_TIMESTAMP, timestamp_ms, RD_KAFKA_VTYPE_OPAQUE, owner,
        RD_KAFKA_VTYPE_HEADERS, headers, RD_KAFKA_VTYPE_END);

    if (code && headers) {
        rd_kafka_headers_destroy(headers);
    }
    return code;
}

/*
 * Sends what is queued and waits for it; librdkafka itself looks every 10 ms only. Each call of its
 * own flush wakes all threads of the handle, and what may be sent while none runs waits for
 * linger.ms: who is in a hurry calls it at every look, others now and then.
 */
static rd_kafka_resp_err_t flush_at(struct kafka_writer *writer, int looks_per_call)
{
    for (uint32_t i = 0; i < writer->topic_count; i++) {
        const struct written_topic *topic = &writer->topics[i];

        memset(topic->queued, 0, topic->topic->pub.partition_count * sizeof *topic->queued);
    }
    for (int looks = 0; looks < QUICK_LOOKS; looks++) {
        if (looks % looks_per_call == 0) {
            (void)rd_kafka_flush(writer->rk, 1);
        } else {
            (void)rd_kafka_poll(writer->rk, 1);
        }
        if (rd_kafka_outq_len(writer->rk) == 0) {
            return RD_KAFKA_RESP_ERR_NO_ERROR;
        }
    }
    return rd_kafka_flush(writer->rk, writer->timeout_ms);
}

static rd_kafka_resp_err_t flush(struct kafka_writer *writer)
{
    return flush_at(writer, 1);
}

/*
 * An idempotent partition has one request under way. While there is more for it that is due,
 * librdkafka's thread spins, so all is sent before a partition has more than a request takes.
 */
static void make_room(struct kafka_writer *writer, size_t *queued, size_t more)
{
    if (*queued > 0 && *queued + more > REQUEST_BYTES) {
        (void)flush_at(writer, UNHURRIED_LOOKS);
    }
    *queued += more;
}

static rd_kafka_resp_err_t produce_waiting(struct kafka_writer *writer, rd_kafka_topic_t *rkt,
                                           uint32_t partition, const struct log_record *record,
                                           void *owner)
{
    rd_kafka_resp_err_t code = produce(writer, rkt, partition, record, owner);

    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return code;
    }
    (void)flush(writer);
    code = produce(writer, rkt, partition, record, owner);
    return code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : code;
}

/*
 * 0, also for a record that was refused. A transaction that can only be aborted takes no
 * more records, and says so when it is to be committed.
 */
static int append_record(struct kafka_writer *writer, rd_kafka_topic_t *rkt, uint32_t partition,
                         const struct log_record *record, void *owner, struct error *err)
{
    rd_kafka_resp_err_t code = produce_waiting(writer, rkt, partition, record, owner);

    if (!code) {
        return 0;
    }
    if (is_refusal(code)) {
        refuse(writer, owner, code, bytes_of(rd_kafka_topic_name(rkt)));
        return 0;
    }
    TRY(check_fatal(writer, err));
    if (code == RD_KAFKA_RESP_ERR__STATE) {
        return 0;
    }
    return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION, "topic '%s': %s",
                     rd_kafka_topic_name(rkt), rd_kafka_err2str(code));
}

int kafka_writer_append(struct log_writer *base, const struct log_topic *topic, uint32_t partition,
                        struct log_builder *b, void *owner, struct error *err)
{
    struct kafka_writer *writer = writer_of(base);
    struct written_topic *to = NULL;
    const struct log_record *records;
    size_t record_bytes; /* on average */
    rd_kafka_resp_err_t code;

    TRY(check_fatal(writer, err));
    code = get_topic(writer, kafka_topic_of(topic), &to);
    if (code && !is_refusal(code)) {
        return kafka_fail(err, code, NULL, "topic", topic->name);
    }
    arena_reset(&writer->arena);
    records = log_builder_records(b, &writer->arena);
    record_bytes = b->bytes.len / (b->record_count > 0 ? b->record_count : 1) + RECORD_BYTES;
    for (uint32_t i = 0; i < b->record_count; i++) {
        if (code) {
            refuse(writer, owner, code, topic->name);
        } else {
            make_room(writer, &to->queued[partition], record_bytes);
            TRY(append_record(writer, to->rkt, partition, &records[i], owner, err));
        }
    }
    (void)rd_kafka_poll(writer->rk, 0);
    return 0;
}

/* What came of the records that librdkafka has let go of. */
static int check_deliveries(struct kafka_writer *writer, struct error *err)
{
    bool spoilt = writer->spoilt;

    TRY(check_fatal(writer, err));
    if (writer->broken) {
        return tell(writer, ERR_LOG_UNAVAILABLE, err);
    }
    if (!writer->pub.transactional) {
        writer->spoilt = false;
    }
    return spoilt ? tell(writer, ERR_RECORD_REFUSED, err) : 0;
}

int kafka_writer_flush(struct log_writer *base, struct error *err)
{
    struct kafka_writer *writer = writer_of(base);
    rd_kafka_resp_err_t code;

    TRY(check_fatal(writer, err));
    code = flush(writer);
    TRY(check_deliveries(writer, err));
    if (code) {
        return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION,
                         "appended records were not acknowledged: %s", rd_kafka_err2str(code));
    }
    return 0;
}

/* --- transactions --- */

int kafka_writer_begin(struct log_writer *base, struct error *err)
{
    struct kafka_writer *writer = writer_of(base);
    rd_kafka_error_t *error;

    TRY(check_fatal(writer, err));
    writer->stale_sender = false;
    writer->spoilt = false;
    writer->broken = false;
    forget_denied(writer);
    error = rd_kafka_begin_transaction(writer->rk);
    return error ? fail(writer, error, "a transaction cannot begin", err) : 0;
}

/*
 * A sender without a membership is let in by a group that has no members. The broker lets
 * one without a member id in always, if in a transaction, so there is one that nobody has.
 */
static rd_kafka_consumer_group_metadata_t *group_metadata(struct arena *arena,
                                                          const struct group_membership *member)
{
    const char *member_id = member->member_id.data || member->generation >= 0
                                ? arena_copy_text(arena, member->member_id)
                                : "nobody";
    const char *instance_id =
        member->instance_id.data ? arena_copy_text(arena, member->instance_id) : NULL;

    return rd_kafka_consumer_group_metadata_new_with_genid(
        arena_copy_text(arena, member->group), member->generation, member_id, instance_id);
}

/*
 * In a new cluster a group's first request makes Kafka create the topic of positions, and
 * librdkafka 2.0 then waits for the group's coordinator for ever.
 */
static int await_coordinator(struct kafka_writer *writer, struct bytes group, struct error *err)
{
    if (!bytes_equal(buffer_bytes(&writer->group), group)) {
        TRY(kafka_group_await(writer->pub.log, group, err));
        writer->group.len = 0;
        buffer_append_bytes(&writer->group, group);
    }
    return 0;
}

int kafka_writer_send_positions(struct log_writer *base, const struct group_membership *member,
                                const struct group_position *positions, uint32_t count,
                                struct error *err)
{
    struct kafka_writer *writer = writer_of(base);
    int64_t deadline = kafka_now_ms(writer->log) + writer->timeout_ms;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_consumer_group_metadata_t *metadata;
    rd_kafka_error_t *error;
    bool denied;
    int code = 0;

    TRY(check_fatal(writer, err));
    TRY(await_coordinator(writer, member->group, err));
    (void)rd_kafka_flush(writer->rk, 1); /* what is queued goes while the group is asked */
    list = kafka_position_list(positions, count);
    kafka_put_marks(list, writer->rk, member);
    arena_reset(&writer->arena);
    metadata = group_metadata(&writer->arena, member);
    while ((error = rd_kafka_send_offsets_to_transaction(writer->rk, list, metadata,
                                                         writer->timeout_ms)) &&
           rd_kafka_error_is_retriable(error) && kafka_now_ms(writer->log) < deadline) {
        rd_kafka_error_destroy(error);
        kafka_wait_retry();
    }
    if (error) {
        denied = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
        code = fail(writer, error, "positions cannot be sent", err);
        if (denied && code == ERR_LOG_UNAVAILABLE) {
            code = kafka_fail(err, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, NULL,
                              "sending positions of group", member->group);
        }
        if (code == ERR_FENCED && !writer->fenced && !writer->stale_sender) {
            writer->stale_sender = true;
            (void)error_set(&writer->why, ERR_FENCED, NO_POSITION,
                            "the group has a newer generation than %d", member->generation);
        }
    }
    rd_kafka_consumer_group_metadata_destroy(metadata);
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

int kafka_writer_commit(struct log_writer *base, struct error *err)
{
    struct kafka_writer *writer = writer_of(base);
    int64_t deadline = kafka_now_ms(writer->log) + writer->timeout_ms;
    rd_kafka_error_t *error;

    TRY(check_fatal(writer, err));
    if (writer->stale_sender) {
        return tell(writer, ERR_FENCED, err);
    }
    if (writer->spoilt) {
        return tell(writer, ERR_RECORD_REFUSED, err);
    }
    (void)flush(writer); /* or the commit does, or fails */
    while ((error = rd_kafka_commit_transaction(writer->rk, writer->timeout_ms)) &&
           rd_kafka_error_is_retriable(error) && kafka_now_ms(writer->log) < deadline) {
        rd_kafka_error_destroy(error);
    }
    if (error) {
        return fail(writer, error, "commit", err);
    }
    note_committed(writer);
    return 0;
}

static void close_handle(struct kafka_writer *writer)
{
    for (uint32_t i = 0; i < writer->topic_count; i++) {
        close_topic(&writer->topics[i]);
    }
    writer->topic_count = 0;
    if (writer->rk) {
        writer->closing = true;
        throw_away(writer);
        rd_kafka_destroy(writer->rk);
        writer->rk = NULL;
        writer->closing = false;
    }
}

/*
 * Waits until what a former writer of the id left open is aborted. The broker puts off who asks
 * first, begins with the abort, which takes it some 10 ms, and answers who asks then. librdkafka
 * 2.0 asks again after 500 ms, whatever retry.backoff.ms says, or at once when it is called anew.
 */
static int fence_former(struct kafka_writer *writer, struct error *err)
{
    int64_t deadline = kafka_now_ms(writer->log) + writer->timeout_ms;
    int look_ms = atomic_load(&writer->log->fence_look_ms);
    rd_kafka_error_t *error;

    while ((error = rd_kafka_init_transactions(writer->rk, look_ms)) &&
           rd_kafka_error_is_retriable(error) && kafka_now_ms(writer->log) < deadline) {
        rd_kafka_error_destroy(error);
        look_ms += look_ms < FENCE_LOOK_MOST_MS ? look_ms / 2 : 0;
    }
    return error ? fail(writer, error, "a transactional writer cannot be opened", err) : 0;
}

/*
 * Behind a record that the broker refused librdkafka 2.0 counts on with sequence numbers
 * that the broker has not seen, and the next transaction would fail. The abort has just shown
 * that the id is still this writer's.
 */
static int open_anew(struct kafka_writer *writer, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(rd_kafka_conf(writer->rk));

    close_handle(writer);
    TRY(kafka_open(conf, KAFKA_WRITER, &writer->rk, err));
    return fence_former(writer, err);
}

int kafka_writer_abort(struct log_writer *base, struct error *err)
{
    struct kafka_writer *writer = writer_of(base);
    int64_t deadline = kafka_now_ms(writer->log) + writer->timeout_ms;
    rd_kafka_error_t *error;

    TRY(check_fatal(writer, err));
    while ((error = rd_kafka_abort_transaction(writer->rk, writer->timeout_ms)) &&
           rd_kafka_error_is_retriable(error) && kafka_now_ms(writer->log) < deadline) {
        rd_kafka_error_destroy(error);
    }
    writer->stale_sender = false;
    writer->spoilt = false;
    writer->broken = false;
    if (error) {
        return fail(writer, error, "abort", err);
    }
    if (writer->out_of_sequence) {
        writer->out_of_sequence = false;
        return open_anew(writer, err);
    }
    return 0;
}

/* --- opening and closing --- */

static int64_t timeout_of(const struct writer_spec *spec)
{
    int64_t timeout_ms = spec->transaction_timeout_ms;

    return timeout_ms > 0 && timeout_ms < INT_MAX ? timeout_ms : DEFAULT_TIMEOUT_MS;
}

static int set_up(struct kafka_writer *writer, const struct writer_spec *spec, struct error *err)
{
    rd_kafka_conf_t *conf = NULL;

    TRY(kafka_conf(writer->log, KAFKA_WRITER, &conf, err));
    TRY(kafka_conf_set(conf, "client.id", spec->client_id, err));
    TRY(kafka_conf_set(conf, "transactional.id", spec->transactional_id, err));
    TRY(kafka_conf_set_number(conf, "transaction.timeout.ms", writer->timeout_ms, err));
    TRY(kafka_conf_set_number(conf, "message.timeout.ms", writer->timeout_ms, err));
    rd_kafka_conf_set_dr_msg_cb(conf, note_delivery);
    rd_kafka_conf_set_log_cb(conf, note_log);
    rd_kafka_conf_set_opaque(conf, writer);
    return kafka_open(conf, KAFKA_WRITER, &writer->rk, err);
}

static void destroy_writer(struct kafka_writer *writer)
{
    close_handle(writer);
    arena_fini(&writer->arena);
    buffer_fini(&writer->group);
    buffer_fini(&writer->transactional_id);
    buffer_fini(&writer->denied);
    pthread_mutex_destroy(&writer->mutex);
    free(writer->topics);
    free(writer);
}

int kafka_writer_open(struct log *base, const struct writer_spec *spec, struct log_writer **out,
                      struct error *err)
{
    struct kafka_writer *writer = memory_zalloc(1, sizeof *writer);
    int code;

    writer->pub.log = base;
    writer->log = kafka_log_of(base);
    writer->timeout_ms = (int)timeout_of(spec);
    writer->refused = spec->refused;
    writer->context = spec->context;
    arena_init(&writer->arena, 0);
    pthread_mutex_init(&writer->mutex, NULL);
    buffer_append_bytes(&writer->transactional_id, spec->transactional_id);
    code = set_up(writer, spec, err);
    if (!code && spec->transactional_id.data) {
        code = fence_former(writer, err);
    }
    if (code) {
        destroy_writer(writer);
        return code;
    }
    *out = &writer->pub;
    return 0;
}

void kafka_writer_close(struct log_writer *base)
{
    struct kafka_writer *writer = writer_of(base);

    if (base->in_transaction) {
        (void)kafka_writer_abort(base, NULL); /* else its time limit does */
    } else if (!base->transactional && writer->rk) {
        (void)rd_kafka_flush(writer->rk, CLOSE_MS); /* nobody is left to tell */
    }
    destroy_writer(writer);
}
