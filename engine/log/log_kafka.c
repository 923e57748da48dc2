/*
 * log_kafka.c: a Kafka cluster as the log: its handles, its errors, the table of its calls.
 *
 * One handle (control) asks and changes things for everybody, another one (groups) does so with
 * groups; each reader, writer and member has one of its own. A handle's settings are, each layer
 * over the one before: what serves its role, what the user gave, what the
 * log's contract needs. librdkafka warns of a setting that a handle has no use
 * for; the user's go to all handles, so those warnings are dropped.
 */
#include "engine/log/log_kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/near.h"
#include "base/trace.h"
#include "engine/log/log_kafka_internal.h"

struct kafka_log *kafka_log_of(struct log *log)
{
    return (struct kafka_log *)log;
}

int64_t kafka_now_ms(const struct kafka_log *log)
{
    return clock_elapsed_ms(log->clock);
}

void kafka_wait_retry(void)
{
    const struct timespec pause = { .tv_nsec = KAFKA_RETRY_MS * 1000000L };

    (void)nanosleep(&pause, NULL); /* a shorter wait does no harm */
}

/* --- settings --- */

struct setting {
    unsigned roles;
    const char *name;
    const char *value;
};

/*
 * fetch.wait.max.ms bounds how late a reader learns that it has reached the end;
 * a commit's tail is retry.backoff.ms: right behind a commit the broker puts the
 * next transaction off until its markers are written.
 *
 * A reader whose queue is full when a response has come fetches again when librdkafka's thread
 * looks next, up to a second later, and nothing wakes it: so the queue holds several whole
 * responses.
 *
 * An idempotent producer has one request per partition under way (librdkafka 2.0 compares
 * messages with the limit of five requests), and its thread spins while a batch that is
 * full or whose linger.ms has passed waits for it: so linger.ms is much longer than a request
 * takes, and the writer flushes before a batch is full. That delays nobody: a flush,
 * and so a commit and an append that finds the queue full, ignores linger.ms.
 */
static const struct setting defaults[] = {
    { KAFKA_ANY, "socket.nagle.disable", "true" },
    { KAFKA_ANY, "reconnect.backoff.max.ms", "1000" },
    { KAFKA_ANY, "topic.metadata.refresh.fast.interval.ms", "50" },
    { KAFKA_READER, "fetch.wait.max.ms", "100" },
    { KAFKA_READER, "fetch.error.backoff.ms", "50" },
    { KAFKA_READER, "fetch.max.bytes", "2097152" },
    { KAFKA_READER, "queued.max.messages.kbytes", "16384" },
    { KAFKA_READER, "check.crcs", "true" },
    { KAFKA_WRITER, "retry.backoff.ms", "5" },
    { KAFKA_WRITER, "queue.buffering.max.messages", "100000" },
    { KAFKA_WRITER, "queue.buffering.max.kbytes", "4096" },
    { KAFKA_WRITER, "linger.ms", "500" },
    { KAFKA_WRITER, "batch.num.messages", "100000" },
    { KAFKA_WRITER, "message.max.bytes", "16777216" },
};

static const struct setting required[] = {
    { KAFKA_ANY, "allow.auto.create.topics", "false" },
    { KAFKA_CONTROL | KAFKA_READER | KAFKA_MEMBER, "enable.auto.commit", "false" },
    { KAFKA_CONTROL | KAFKA_READER | KAFKA_MEMBER, "enable.auto.offset.store", "false" },
    { KAFKA_READER, "enable.partition.eof", "true" },
    { KAFKA_READER, "auto.offset.reset", "error" },
    { KAFKA_WRITER, "enable.idempotence", "true" },
    { KAFKA_WRITER, "delivery.report.only.error", "true" },
    { KAFKA_MEMBER, "partition.assignment.strategy", "cooperative-sticky" },
};

/* Of the properties that librdkafka lists, aliases too; a line begins with the name. */
static struct bytes near_property(const char *name, struct arena *arena)
{
    struct near_search search = near_begin(bytes_of(name));
    char *text = NULL;
    size_t size = 0;
    FILE *list = open_memstream(&text, &size);

    if (!list) {
        return search.best; /* there is only no hint */
    }
    rd_kafka_conf_properties_show(list);
    if (!fclose(list)) {
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line != '\0') {
            near_offer(&search, (struct bytes){ line, strcspn(line, " \n") });
        }
    }
    search.best = arena_copy(arena, search.best);
    free(text);
    return search.best;
}

static int unknown_property(const char *name, struct error *err)
{
    struct arena arena;
    struct bytes near;
    int code;

    arena_init(&arena, 0);
    near = near_property(name, &arena);
    code =
        error_set(err, ERR_UNKNOWN_PROPERTY, NO_POSITION,
                  "'kafka.%s' is not a property of librdkafka%s%.*s%s", name,
                  near.data ? " (did you mean kafka." : "", BYTES_ARG(near), near.data ? "?)" : "");
    arena_fini(&arena);
    return code;
}

static int set_text(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *err)
{
    char why[KAFKA_ERROR_BYTES];

    switch (rd_kafka_conf_set(conf, name, value, why, sizeof why)) {
    case RD_KAFKA_CONF_OK:
        return 0;
    case RD_KAFKA_CONF_UNKNOWN:
        return unknown_property(name, err);
    case RD_KAFKA_CONF_INVALID:
        break;
    }
    return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION, "kafka.%s: %s", name, why);
}

int kafka_conf_set(rd_kafka_conf_t *conf, const char *name, struct bytes value, struct error *err)
{
    struct buffer text = { 0 };
    int code = 0;

    if (value.data) {
        buffer_append_bytes(&text, value);
        buffer_append_char(&text, '\0');
        code = set_text(conf, name, text.data, err);
    }
    buffer_fini(&text);
    if (code) {
        rd_kafka_conf_destroy(conf);
    }
    return code;
}

int kafka_conf_set_number(rd_kafka_conf_t *conf, const char *name, int64_t value, struct error *err)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%lld", (long long)value);

    return kafka_conf_set(conf, name, (struct bytes){ text, (size_t)len }, err);
}

/* --- what librdkafka has to say --- */

enum { SYSLOG_WARNING = 4, CONTACT_SLICE_MS = 500 }; /* levels are those of syslog(3) */

/* A writer that is put off when it opens (GETPID) comes again; in the end its caller is told. */
void kafka_note_log(const rd_kafka_t *rk, int level, const char *facility, const char *message)
{
    bool warns = level <= SYSLOG_WARNING && strcmp(facility, "GETPID") != 0;
    enum trace_level to = warns ? TRACE_WARN : TRACE_DEBUG;

    if (strcmp(facility, "CONFWARN") != 0) {
        TRACE(to, "kafka", "%s: %s: %s", rk ? rd_kafka_name(rk) : "", facility, message);
    }
}

/* What concerns a call is that call's answer too; this is for the operator. */
static void note_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)opaque;
    TRACE(TRACE_INFO, "kafka", "%s: %s: %s", rd_kafka_name(rk),
          rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

static int apply(rd_kafka_conf_t *conf, const struct setting *settings, size_t count,
                 enum kafka_role role, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (settings[i].roles & role) {
            TRY(set_text(conf, settings[i].name, settings[i].value, err));
        }
    }
    return 0;
}

#define APPLY(conf, settings, role, err) \
    apply((conf), (settings), sizeof(settings) / sizeof(settings)[0], (role), (err))

/*
 * What the log is built on is not the user's to set: the settings above, and those that each handle
 * has of its own.
 */
static int check_property(const char *name, struct error *err)
{
    static const char *const own[] = { "bootstrap.servers",  "metadata.broker.list",
                                       "group.id",           "group.instance.id",
                                       "transactional.id",   "transaction.timeout.ms",
                                       "session.timeout.ms", "isolation.level" };
    bool taken = false;

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        taken = taken || strcmp(name, own[i]) == 0;
    }
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        taken = taken || strcmp(name, required[i].name) == 0;
    }
    return taken ? error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                             "kafka.%s cannot be set: sluice depends on its own value", name)
                 : 0;
}

static int fill_conf(struct kafka_log *log, rd_kafka_conf_t *conf, enum kafka_role role,
                     struct error *err)
{
    TRY(APPLY(conf, defaults, role, err));
    TRY(set_text(conf, "client.id", log->client_id, err));
    for (uint32_t i = 0; i < log->property_count; i++) {
        TRY(set_text(conf, log->properties[i].name.data, log->properties[i].value.data, err));
    }
    return APPLY(conf, required, role, err);
}

int kafka_conf(struct kafka_log *log, enum kafka_role role, rd_kafka_conf_t **out,
               struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int code = fill_conf(log, conf, role, err);

    if (code) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    rd_kafka_conf_set_log_cb(conf, kafka_note_log);
    rd_kafka_conf_set_error_cb(conf, note_error);
    *out = conf;
    return 0;
}

int kafka_open(rd_kafka_conf_t *conf, enum kafka_role role, rd_kafka_t **out, struct error *err)
{
    rd_kafka_type_t type = role == KAFKA_WRITER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
    char why[KAFKA_ERROR_BYTES];
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);

    if (!rk) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "the Kafka client cannot be set up: %s", why);
    }
    *out = rk;
    return 0;
}

/* --- errors --- */

bool kafka_is_unknown_topic(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

static const struct {
    rd_kafka_resp_err_t from;
    enum error_code to;
} conditions[] = {
    { RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ERR_UNKNOWN_TOPIC },
    { RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ERR_UNKNOWN_TOPIC },
    { RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ERR_UNKNOWN_TOPIC },
    { RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, ERR_TOPIC_EXISTS },
    { RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, ERR_INVALID_NAME },
    { RD_KAFKA_RESP_ERR_INVALID_CONFIG, ERR_INVALID_PROPERTY },
    { RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, ERR_INVALID_PROPERTY },
    { RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, ERR_INVALID_PROPERTY },
    { RD_KAFKA_RESP_ERR_INVALID_REQUEST, ERR_INVALID_PROPERTY },
    { RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ERR_INVALID_PROPERTY },
    { RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, ERR_OUT_OF_RANGE },
    { RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, ERR_OUT_OF_RANGE },
    { RD_KAFKA_RESP_ERR__FENCED, ERR_FENCED },
    { RD_KAFKA_RESP_ERR_PRODUCER_FENCED, ERR_FENCED },
    { RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, ERR_FENCED },
    { RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, ERR_FENCED },
    { RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, ERR_FENCED },
    { RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, ERR_FENCED },
    { RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, ERR_FENCED },
    { RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, ERR_FENCED },
    { RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP, ERR_FENCED },
    { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ERR_RECORD_REFUSED },
    { RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, ERR_RECORD_REFUSED },
    { RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, ERR_RECORD_REFUSED },
    { RD_KAFKA_RESP_ERR_INVALID_RECORD, ERR_RECORD_REFUSED },
    { RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, ERR_RECORD_REFUSED },
    { RD_KAFKA_RESP_ERR_INVALID_MSG, ERR_RECORD_REFUSED },
    { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERR_NOT_AUTHORIZED },
    { RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, ERR_NOT_AUTHORIZED },
    { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ERR_NOT_AUTHORIZED },
    { RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, ERR_NOT_AUTHORIZED },
    { RD_KAFKA_RESP_ERR__BAD_MSG, ERR_LOG_DAMAGED },
    { RD_KAFKA_RESP_ERR__BAD_COMPRESSION, ERR_LOG_DAMAGED },
};

enum error_code kafka_error_code(rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        if (conditions[i].from == code) {
            return conditions[i].to;
        }
    }
    return ERR_LOG_UNAVAILABLE;
}

/* What is done, as messages name it, and the operation that it takes a right to. */
static const struct {
    const char *what;
    const char *operation;
} rights[] = {
    { "writing to topic", "WRITE" },
    { "reading topic", "READ" },
    { "creating topic", "CREATE" },
    { "deleting topic", "DELETE" },
    { "topic", "DESCRIBE" },
    { "range of topic", "DESCRIBE" },
    { "settings of topic", "DESCRIBE_CONFIGS" },
    { "deleting records of topic", "DELETE" },
    { "being a member of group", "READ" },
    { "members of group", "DESCRIBE" },
    { "positions of group", "DESCRIBE" },
    { "sending positions of group", "READ" },
    { "altering group", "READ" },
    { "deleting group", "DELETE" },
    { "transactional id", "WRITE" },
};

static const char *operation_of(const char *what)
{
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
        if (strcmp(rights[i].what, what) == 0) {
            return rights[i].operation;
        }
    }
    return NULL;
}

int kafka_fail(struct error *err, rd_kafka_resp_err_t code, const char *detail, const char *what,
               struct bytes name)
{
    const char *operation =
        kafka_error_code(code) == ERR_NOT_AUTHORIZED ? operation_of(what) : NULL;

    if (operation) {
        return error_set(err, ERR_NOT_AUTHORIZED, NO_POSITION,
                         "%s '%.*s': the right to %s it is missing (%s)", what, BYTES_ARG(name),
                         operation, detail && *detail ? detail : rd_kafka_err2str(code));
    }
    return error_set(err, kafka_error_code(code), NO_POSITION, "%s '%.*s': %s", what,
                     BYTES_ARG(name), detail && *detail ? detail : rd_kafka_err2str(code));
}

/* --- the log --- */

static void close_log(struct log *base)
{
    struct kafka_log *log = kafka_log_of(base);

    if (log->control) {
        rd_kafka_destroy(log->control);
    }
    if (log->uncommitted) {
        rd_kafka_destroy(log->uncommitted);
    }
    kafka_close_group_handle(log->groups);
    map_fini(&log->topics);
    (void)pthread_mutex_destroy(&log->mutex);
    arena_fini(&log->arena);
    free(log);
}

/* The metadata that has come already says it. */
static struct bytes cluster_id(struct log *base, struct arena *arena)
{
    struct kafka_log *log = kafka_log_of(base);
    struct bytes copy = { NULL, 0 };
    char *id = rd_kafka_clusterid(log->control, 0);

    if (id) {
        copy = arena_copy(arena, bytes_of(id));
        rd_kafka_mem_free(log->control, id);
    }
    return copy;
}

static const struct log_kind kind = {
    .name = "kafka",
    .close = close_log,
    .create_topic = kafka_create_topic,
    .delete_topic = kafka_delete_topic,
    .open_topic = kafka_open_topic,
    .list_topics = kafka_list_topics,
    .topic_configs = kafka_topic_configs,
    .topic_range = kafka_topic_range,
    .delete_records = kafka_delete_records,
    .reader_open = kafka_reader_open,
    .reader_close = kafka_reader_close,
    .reader_assign = kafka_reader_assign,
    .reader_unassign = kafka_reader_unassign,
    .reader_pause = kafka_reader_pause,
    .reader_resume = kafka_reader_resume,
    .reader_poll = kafka_reader_poll,
    .reader_wake = kafka_reader_wake,
    .reader_at_end = kafka_reader_at_end,
    .reader_position = kafka_reader_position,
    .writer_open = kafka_writer_open,
    .writer_close = kafka_writer_close,
    .writer_begin = kafka_writer_begin,
    .writer_append = kafka_writer_append,
    .writer_flush = kafka_writer_flush,
    .writer_send_positions = kafka_writer_send_positions,
    .writer_commit = kafka_writer_commit,
    .writer_abort = kafka_writer_abort,
    .member_join = kafka_member_join,
    .member_poll = kafka_member_poll,
    .member_leave = kafka_member_leave,
    .member_current = kafka_member_current,
    .group_owners = kafka_group_owners,
    .group_positions = kafka_group_positions,
    .group_alter = kafka_group_alter,
    .group_delete = kafka_group_delete,
    .cluster_id = cluster_id,
};

static void copy_config(struct kafka_log *log, const struct log_kafka_config *config)
{
    struct topic_config *properties =
        arena_array(&log->arena, struct topic_config, config->property_count + 1);

    for (uint32_t i = 0; i < config->property_count; i++) {
        const struct topic_config *from = &config->properties[i];

        properties[i].name = bytes_of(arena_copy_text(&log->arena, from->name));
        properties[i].value = bytes_of(arena_copy_text(&log->arena, from->value));
    }
    properties[config->property_count].name = bytes_of("bootstrap.servers");
    properties[config->property_count].value =
        bytes_of(arena_copy_text(&log->arena, config->bootstrap));
    log->properties = properties;
    log->property_count = config->property_count + 1;
    log->client_id =
        config->client_id.data ? arena_copy_text(&log->arena, config->client_id) : "sluice";
}

/* --- the first contact --- */

/* Why the brokers cannot be reached, as librdkafka tells it beside the calls that fail. */
struct contact {
    rd_kafka_resp_err_t code;
    char reason[KAFKA_ERROR_BYTES];
};

static void note_contact(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct contact *contact = opaque;

    note_error(rk, code, reason, NULL);
    /* That all are down says less than what went wrong with one. */
    if (contact && code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        contact->code = (rd_kafka_resp_err_t)code;
        (void)snprintf(contact->reason, sizeof contact->reason, "%s", reason);
    }
}

/* Refusals do not pass, unlike a broker that is still starting. */
static bool is_refusal(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL ||
           code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

static int wait_contact(struct kafka_log *log, struct contact *contact, struct bytes bootstrap,
                        struct error *err)
{
    int64_t deadline_ms = kafka_now_ms(log) + KAFKA_CALL_MS;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code;

    do {
        code = rd_kafka_metadata(log->control, 0, NULL, &metadata, CONTACT_SLICE_MS);
        (void)rd_kafka_poll(log->control, 0);
    } while (code && !is_refusal(contact->code) && kafka_now_ms(log) < deadline_ms);
    if (!code) {
        rd_kafka_metadata_destroy(metadata);
        return 0;
    }
    if (is_refusal(contact->code)) {
        return kafka_fail(err, contact->code, contact->reason,
                          "the Kafka broker refuses the connection", bootstrap);
    }
    return kafka_fail(err, code, contact->reason, "cannot reach the Kafka broker", bootstrap);
}

static int reach(struct kafka_log *log, struct bytes bootstrap, struct error *err)
{
    struct contact *contact = arena_new(&log->arena, struct contact);
    rd_kafka_conf_t *conf = NULL;

    for (uint32_t i = 0; i + 1 < log->property_count; i++) { /* the last is the bootstrap's */
        TRY(check_property(log->properties[i].name.data, err));
    }
    TRY(kafka_conf(log, KAFKA_CONTROL, &conf, err));
    log->is_plain = kafka_conf_is_plain(conf);
    rd_kafka_conf_set_opaque(conf, contact);
    rd_kafka_conf_set_error_cb(conf, note_contact);
    TRY(kafka_open(conf, KAFKA_CONTROL, &log->control, err));
    return wait_contact(log, contact, bootstrap, err);
}

/* --- opening --- */

/* A number that no other process has had, but for an unlikely chance, in the upper half. */
static uint64_t name_process(const struct clock *clock)
{
    uint64_t mixed = (uint64_t)clock_now_ms(clock) * 0x9e3779b97f4a7c15u;

    mixed = (mixed ^ (uint64_t)clock_monotonic_us(clock)) * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (uint64_t)getpid()) * 0x9e3779b97f4a7c15u;
    return (mixed | UINT64_C(1) << 63) >> 32 << 32;
}

int log_kafka_create(const struct log_kafka_config *config, const struct clock *clock,
                     struct log **out, struct error *err)
{
    struct kafka_log *log = memory_zalloc(1, sizeof *log);
    int code;

    log->pub.kind = &kind;
    log->clock = clock;
    log->count_from = name_process(clock);
    atomic_store(&log->fence_look_ms, KAFKA_FENCE_LOOK_MS);
    arena_init(&log->arena, 0);
    map_init(&log->topics);
    (void)pthread_mutex_init(&log->mutex, NULL);
    copy_config(log, config);
    code = reach(log, config->bootstrap, err);
    if (code) {
        close_log(&log->pub);
        return code;
    }
    *out = &log->pub;
    return 0;
}
