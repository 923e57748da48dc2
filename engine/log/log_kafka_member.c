/*
 * log_kafka_member.c: members of a consumer group that share out the slots.
 *
 * The protocol runs in librdkafka's threads; what it decides is told by the
 * rebalance callback, which only runs within a poll. Partitions are taken and
 * given up incrementally (cooperative-sticky) and are paused from the start: the
 * topic is empty and is never fetched.
 *
 * The generation is read before each callback and after each poll, and remembered. A member that
 * has been put out and is about to join anew keeps the old one, which the group refuses; "no
 * generation" would be let in by an empty group.
 *
 * A session that ends while partitions are being given up is an end that librdkafka 2.0 tells
 * nobody: it joins anew and keeps the others as if nothing had been, though they are another's by
 * now, and what is committed for them under the new generation is let in. It has a new member id
 * then: who holds partitions and gets another id has lost them.
 *
 * A static member whose session is over does not let librdkafka join anew: it would take the
 * instance's id from whoever has come under it meanwhile. So it closes its handle, looks who is in
 * the group, and opens another one only if nobody else goes by its id:
 *
 *   session lost -> away --nobody has the id--> joins anew
 *                        --another member has it--> ERR_FENCED, for good
 *
 * librdkafka 2.0 has no call that tells the generation. It is in the group
 * metadata written out as bytes; what is read there is checked by building the metadata
 * from it and comparing.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/queue.h"
#include "base/trace.h"
#include "engine/log/log_kafka_internal.h"

enum {
    BEATS_PER_SESSION = 20,
    FASTEST_BEAT_MS = 100,
    LOOK_AGAIN_MS = 500,
    SETTLE_LOOK_MS = 700,
    LONGEST_CLOSE_MS = 3000
};

struct kafka_member {
    struct log_member pub; /* first */
    struct kafka_log *log;
    rd_kafka_t *rk;         /* NULL while it is away */
    rd_kafka_conf_t *conf;  /* of the next handle, while it is away */
    const char *topic;      /* the log's */
    int64_t look_at_ms;     /* when the group is to be asked; monotonic */
    int64_t settle_at_ms;   /* when to look whether all partitions have an owner; 0: they have */
    int32_t gap_generation; /* in which they had not when it was looked last; 0: none */
    bool told;              /* the callback has run */
    bool leaving;           /* what is assigned now is not taken */
    bool lost_session;      /* and all that it held: it is to go away */
    bool replaced;          /* another member has come under the instance's id */
    bool *holds;            /* per partition, as the callbacks have told */
    uint32_t partition_count;
    uint32_t *list; /* what a callback gets */
    void (*assigned)(void *context, const uint32_t *partitions, uint32_t count);
    void (*revoked)(void *context, const uint32_t *partitions, uint32_t count);
    void (*lost)(void *context, const uint32_t *partitions, uint32_t count);
    void *context;
    struct buffer group;
    struct buffer instance_id; /* empty: dynamic */
    struct buffer member_id;
    struct buffer metadata; /* as last written out by librdkafka */
    int32_t generation;     /* 0, which no group has, until the first is known */
};

static struct kafka_member *member_of(struct log_member *member)
{
    return (struct kafka_member *)member;
}

/* --- callbacks --- */

static void grow(struct kafka_member *member, uint32_t partition)
{
    uint32_t count = partition + 1;

    if (count > member->partition_count) {
        member->holds = memory_resize(member->holds, count, sizeof *member->holds);
        member->list = memory_resize(member->list, count, sizeof *member->list);
        memset(member->holds + member->partition_count, 0, count - member->partition_count);
        member->partition_count = count;
    }
}

static void take(struct kafka_member *member, const rd_kafka_topic_partition_list_t *partitions)
{
    uint32_t count = 0;

    for (int i = 0; i < partitions->cnt; i++) {
        uint32_t partition = (uint32_t)partitions->elems[i].partition;

        grow(member, partition);
        if (!member->holds[partition] && !member->leaving) {
            member->holds[partition] = true;
            member->list[count++] = partition;
        }
    }
    if (count && member->assigned) {
        member->assigned(member->context, member->list, count);
    }
}

typedef void (*told_fn)(void *context, const uint32_t *partitions, uint32_t count);

static void give_up(struct kafka_member *member, const rd_kafka_topic_partition_list_t *partitions,
                    told_fn tell)
{
    uint32_t count = 0;

    for (int i = 0; i < partitions->cnt; i++) {
        uint32_t partition = (uint32_t)partitions->elems[i].partition;

        if (partition < member->partition_count && member->holds[partition]) {
            member->holds[partition] = false;
            member->list[count++] = partition;
        }
    }
    if (count && tell) {
        tell(member->context, member->list, count);
    }
}

static void give_up_all(struct kafka_member *member, told_fn tell)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < member->partition_count; i++) {
        if (member->holds[i]) {
            member->holds[i] = false;
            member->list[count++] = i;
        }
    }
    if (count && tell) {
        tell(member->context, member->list, count);
    }
}

static void note_step(rd_kafka_t *rk, rd_kafka_error_t *error, const char *step)
{
    if (error) {
        TRACE(TRACE_WARN, "kafka", "%s: %s: %s", rd_kafka_name(rk), step,
              rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
}

/* --- the generation --- */

struct written_metadata {
    int32_t generation;
    const char *group;
    const char *member_id;
    const char *instance_id; /* NULL: none */
};

static const char *cut_text(const char **at, const char *end)
{
    const char *text = *at;
    const char *stop = memchr(text, '\0', (size_t)(end - text));

    *at = stop ? stop + 1 : end;
    return stop ? text : NULL;
}

static bool cut_metadata(const char *data, size_t size, struct written_metadata *out)
{
    static const char magic[] = "CGMDv2:";
    const char *at = data + sizeof magic - 1;
    const char *end = data + size;

    if (size < sizeof magic + sizeof out->generation ||
        memcmp(data, magic, sizeof magic - 1) != 0) {
        return false;
    }
    memcpy(&out->generation, at, sizeof out->generation);
    at += sizeof out->generation;
    out->group = cut_text(&at, end);
    out->member_id = out->group && at < end ? cut_text(&at, end) : NULL;
    if (!out->member_id || at >= end) {
        return false;
    }
    out->instance_id = *at++ ? NULL : cut_text(&at, end);
    return true;
}

/* What was read makes the same bytes. */
static bool is_right(const struct written_metadata *read, const char *data, size_t size)
{
    rd_kafka_consumer_group_metadata_t *again = rd_kafka_consumer_group_metadata_new_with_genid(
        read->group, read->generation, read->member_id, read->instance_id);
    void *written = NULL;
    size_t len = 0;
    rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(again, &written, &len);
    bool same = !error && len == size && memcmp(written, data, size) == 0;

    if (error) {
        rd_kafka_error_destroy(error);
    }
    rd_kafka_mem_free(NULL, written);
    rd_kafka_consumer_group_metadata_destroy(again);
    return same;
}

static bool holds_any(const struct kafka_member *member)
{
    uint32_t i = 0;

    while (i < member->partition_count && !member->holds[i]) {
        i++;
    }
    return i < member->partition_count;
}

/* An id other than that under which it got what it holds is not its own before it holds nothing. */
static void take_name(struct kafka_member *member, const struct written_metadata *read)
{
    if (!bytes_equal_text(buffer_bytes(&member->member_id), read->member_id) && holds_any(member)) {
        member->lost_session = true;
        return;
    }
    member->generation = read->generation;
    member->member_id.len = 0;
    buffer_append_text(&member->member_id, read->member_id);
}

static void read_metadata(struct kafka_member *member, const char *data, size_t size)
{
    struct written_metadata read;

    if (size == member->metadata.len && memcmp(data, member->metadata.data, size) == 0) {
        return;
    }
    member->metadata.len = 0;
    buffer_append(&member->metadata, data, size);
    if (!cut_metadata(data, size, &read) || !is_right(&read, data, size)) {
        TRACE(TRACE_ERROR, "kafka", "%s: the group's generation cannot be read from librdkafka %s",
              rd_kafka_name(member->rk), rd_kafka_version_str());
        return;
    }
    if (read.generation >= 0 && *read.member_id) {
        take_name(member, &read);
    }
}

static void refresh_membership(struct kafka_member *member)
{
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(member->rk);
    void *written = NULL;
    size_t size = 0;
    rd_kafka_error_t *error;

    if (!metadata) {
        return;
    }
    error = rd_kafka_consumer_group_metadata_write(metadata, &written, &size);
    if (error) {
        rd_kafka_error_destroy(error);
    } else {
        read_metadata(member, written, size);
        rd_kafka_mem_free(member->rk, written);
    }
    rd_kafka_consumer_group_metadata_destroy(metadata);
}

static void rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t event,
                      rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct kafka_member *member = opaque;
    bool takes = event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    bool lost;

    member->told = true;
    refresh_membership(member); /* whoever is called back may commit at once */
    lost = member->lost_session || (!takes && rd_kafka_assignment_lost(rk));
    if (takes && (!lost || member->leaving)) {
        for (int i = 0; i < partitions->cnt; i++) {
            partitions->elems[i].offset = 0; /* so that no position is asked for */
        }
        note_step(rk, rd_kafka_incremental_assign(rk, partitions), "taking partitions");
        (void)rd_kafka_pause_partitions(rk, partitions); /* those are this member's */
        take(member, partitions);
        return;
    }
    if (!takes) {
        give_up(member, partitions, lost ? member->lost : member->revoked);
    }
    member->lost_session |= lost && member->instance_id.len > 0;
    if (member->lost_session && !member->leaving) {
        return; /* as long as they are not given back librdkafka does not join anew */
    }
    note_step(rk, rd_kafka_incremental_unassign(rk, partitions), "giving up partitions");
}

struct group_membership kafka_member_current(struct log_member *base)
{
    struct kafka_member *member = member_of(base);

    return (struct group_membership){
        .group = buffer_bytes(&member->group),
        .member_id = buffer_bytes(&member->member_id),
        .instance_id =
            member->instance_id.len ? buffer_bytes(&member->instance_id) : (struct bytes){ 0 },
        .generation = member->generation,
    };
}

/* --- its handle --- */

/* A close that may outlive its caller: whoever is last frees it. */
struct closing {
    rd_kafka_t *rk;
    struct queue done;
    _Atomic int users;
};

static void leave_closing(struct closing *closing)
{
    if (atomic_fetch_sub(&closing->users, 1) == 1) {
        queue_fini(&closing->done);
        free(closing);
    }
}

static void *close_main(void *argument)
{
    struct closing *closing = argument;

    rd_kafka_destroy_flags(closing->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    (void)queue_try_put(&closing->done, closing);
    leave_closing(closing);
    return NULL;
}

/*
 * Without a word to the group. librdkafka 2.0 does not always come to an end with one whose session
 * was lost or that was fenced; nobody waits for that for ever.
 */
static void drop_handle(struct kafka_member *member)
{
    struct closing *closing = memory_zalloc(1, sizeof *closing);
    pthread_t thread;

    closing->rk = member->rk;
    queue_init(&closing->done, 1);
    atomic_store(&closing->users, 2);
    member->rk = NULL;
    if (pthread_create(&thread, NULL, close_main, closing)) {
        atomic_store(&closing->users, 1);
        (void)close_main(closing);
        return;
    }
    (void)pthread_detach(thread);
    if (!queue_take(&closing->done, LONGEST_CLOSE_MS)) {
        TRACE(TRACE_WARN, "kafka", "a member that has ended cannot be closed; it is left as it is");
    }
    leave_closing(closing);
}

static int subscribe(struct kafka_member *member, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t code;

    (void)rd_kafka_topic_partition_list_add(list, member->topic, RD_KAFKA_PARTITION_UA);
    code = rd_kafka_subscribe(member->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? kafka_fail(err, code, NULL, "joining the members of topic",
                             bytes_of(member->topic))
                : 0;
}

static int open_handle(struct kafka_member *member, rd_kafka_conf_t *conf, struct error *err)
{
    TRY(kafka_open(conf, KAFKA_MEMBER, &member->rk, err));
    (void)rd_kafka_poll_set_consumer(member->rk); /* one queue; it is a consumer */
    member->told = false;
    member->gap_generation = 0;
    member->settle_at_ms =
        member->instance_id.len > 0 ? kafka_now_ms(member->log) + SETTLE_LOOK_MS : 0;
    return subscribe(member, err);
}

/* --- partitions without an owner --- */

/*
 * Who is told to give up partitions does so and joins anew; only then does another get them. Where
 * it dies in between, and comes back before its session is over, the broker gives it what it had
 * left, as to any static member, and nobody ever joins anew: what it was to give up stays without
 * an owner.
 *
 *   generation 1   one: 0-63
 *   generation 2   one: 32-63, is giving up 0-31; two: nothing yet
 *        one dies and is back within its session
 *   generation 2   one: 32-63; two: nothing                               for ever
 *
 * So a static member looks some time after it came. Twice in one generation is no coincidence;
 * then it takes its subscription back and subscribes again, which makes all join anew.
 */
static void look_for_gap(struct kafka_member *member)
{
    uint32_t owned = 0;
    bool settled = false;
    int code = kafka_group_count_owned(&member->log->pub, buffer_bytes(&member->group),
                                       member->topic, &settled, &owned, NULL);

    member->settle_at_ms = kafka_now_ms(member->log) + SETTLE_LOOK_MS;
    if (code || !settled) {
        member->gap_generation = 0;
    } else if (owned >= member->partition_count) {
        member->settle_at_ms = 0;
    } else if (member->gap_generation != member->generation) {
        member->gap_generation = member->generation;
    } else {
        TRACE(TRACE_INFO, "kafka", "%s: %u of %u partitions have no owner: joining anew",
              rd_kafka_name(member->rk), member->partition_count - owned, member->partition_count);
        member->gap_generation = 0;
        (void)rd_kafka_unsubscribe(member->rk);
        (void)subscribe(member, NULL); /* if it fails, it is looked again */
    }
}

/* --- away --- */

static void go_away(struct kafka_member *member)
{
    member->lost_session = false;
    give_up_all(member, member->lost);
    member->metadata.len = 0;
    refresh_membership(member); /* by which it is known to the group for a while */
    member->conf = rd_kafka_conf_dup(rd_kafka_conf(member->rk));
    member->look_at_ms = 0;
    drop_handle(member);
}

static int replaced(const struct kafka_member *member, const char *why, struct error *err)
{
    return error_set(err, ERR_FENCED, NO_POSITION, "membership of group '%.*s' has ended: %s",
                     BYTES_ARG(buffer_bytes(&member->group)), why);
}

static int come_back(struct kafka_member *member, struct error *err)
{
    if (!member->replaced) {
        if (kafka_now_ms(member->log) < member->look_at_ms) {
            return 0;
        }
        member->look_at_ms = kafka_now_ms(member->log) + LOOK_AGAIN_MS;
        TRY(kafka_group_has_other(&member->log->pub, buffer_bytes(&member->group),
                                  buffer_bytes(&member->instance_id),
                                  buffer_bytes(&member->member_id), &member->replaced, err));
    }
    if (member->replaced) {
        return replaced(member, "its session was over, and another member has its instance id",
                        err);
    }
    TRY(open_handle(member, rd_kafka_conf_dup(member->conf), err));
    rd_kafka_conf_destroy(member->conf);
    member->conf = NULL;
    return 0;
}

/* --- being a member --- */

static int check_right(const struct kafka_member *member, const rd_kafka_message_t *event,
                       struct error *err)
{
    return kafka_error_code(event->err) == ERR_NOT_AUTHORIZED
               ? kafka_fail(err, event->err, NULL, "being a member of group",
                            buffer_bytes(&member->group))
               : 0;
}

static int poll_handle(struct kafka_member *member, int64_t wait_ms, struct error *err)
{
    char why[KAFKA_ERROR_BYTES];
    rd_kafka_resp_err_t code;
    rd_kafka_message_t *event =
        rd_kafka_consumer_poll(member->rk, (int)(wait_ms < INT_MAX ? wait_ms : INT_MAX));

    int denied = event ? check_right(member, event, err) : 0;

    if (event) {
        rd_kafka_message_destroy(event); /* librdkafka has logged it and goes on */
    }
    code = rd_kafka_fatal_error(member->rk, why, sizeof why);
    if (!code) {
        refresh_membership(member);
        return denied;
    }
    give_up_all(member, member->lost);
    if (kafka_error_code(code) == ERR_FENCED) {
        return replaced(member, why, err);
    }
    return error_set(err, kafka_error_code(code), NO_POSITION,
                     "membership of group '%.*s' has ended: %s",
                     BYTES_ARG(buffer_bytes(&member->group)), why);
}

int kafka_member_poll(struct log_member *base, int64_t wait_ms, struct error *err)
{
    struct kafka_member *member = member_of(base);

    if (!member->rk) {
        return come_back(member, err);
    }
    TRY(poll_handle(member, wait_ms, err));
    if (member->lost_session) {
        go_away(member);
    } else if (member->told && member->settle_at_ms > 0 &&
               kafka_now_ms(member->log) >= member->settle_at_ms) {
        look_for_gap(member);
    }
    return 0;
}

static int set_up(struct kafka_member *member, const struct member_spec *spec, struct error *err)
{
    int64_t beat_ms = spec->session_timeout_ms / BEATS_PER_SESSION;
    int64_t poll_ms = spec->poll_timeout_ms > spec->session_timeout_ms ? spec->poll_timeout_ms
                                                                       : spec->session_timeout_ms;
    rd_kafka_conf_t *conf = NULL;

    TRY(kafka_conf(member->log, KAFKA_MEMBER, &conf, err));
    TRY(kafka_conf_set(conf, "client.id", spec->client_id, err));
    TRY(kafka_conf_set(conf, "group.id", spec->group, err));
    TRY(kafka_conf_set(conf, "group.instance.id", spec->instance_id, err));
    TRY(kafka_conf_set_number(conf, "session.timeout.ms", spec->session_timeout_ms, err));
    TRY(kafka_conf_set_number(conf, "max.poll.interval.ms", poll_ms, err));
    TRY(kafka_conf_set_number(conf, "heartbeat.interval.ms",
                              beat_ms > FASTEST_BEAT_MS ? beat_ms : FASTEST_BEAT_MS, err));
    rd_kafka_conf_set_rebalance_cb(conf, rebalance);
    rd_kafka_conf_set_opaque(conf, member);
    return open_handle(member, conf, err);
}

static void destroy_member(struct kafka_member *member)
{
    if (member->rk && rd_kafka_fatal_error(member->rk, NULL, 0)) {
        drop_handle(member);
    } else if (member->rk) {
        rd_kafka_destroy(member->rk);
    }
    if (member->conf) {
        rd_kafka_conf_destroy(member->conf);
    }
    buffer_fini(&member->group);
    buffer_fini(&member->instance_id);
    buffer_fini(&member->member_id);
    buffer_fini(&member->metadata);
    free(member->holds);
    free(member->list);
    free(member);
}

int kafka_member_join(struct log *base, const struct member_spec *spec, struct log_member **out,
                      struct error *err)
{
    struct kafka_member *member;
    const struct log_topic *topic = NULL;
    int code;

    TRY(kafka_open_topic(base, spec->topic, &topic, err));
    member = memory_zalloc(1, sizeof *member);
    member->pub.log = base;
    member->log = kafka_log_of(base);
    member->assigned = spec->assigned;
    member->revoked = spec->revoked;
    member->lost = spec->lost;
    member->context = spec->context;
    member->topic = kafka_topic_of(topic)->name;
    buffer_append_bytes(&member->group, spec->group);
    buffer_append_bytes(&member->instance_id, spec->instance_id);
    grow(member, topic->partition_count - 1);
    code = set_up(member, spec, err);
    if (code) {
        destroy_member(member);
        return code;
    }
    *out = &member->pub;
    return 0;
}

enum { LONGEST_JOIN_MS = 3000 };

/*
 * librdkafka 2.0 ends the process when a member is closed between the first answer to its
 * joining and its first assignment (rd_kafka_sticky_assignor_state_destroy).
 */
static void finish_joining(struct kafka_member *member)
{
    int64_t deadline = kafka_now_ms(member->log) + LONGEST_JOIN_MS;

    while (!member->told && strcmp(rd_kafka_rebalance_protocol(member->rk), "NONE") != 0 &&
           !rd_kafka_fatal_error(member->rk, NULL, 0) && kafka_now_ms(member->log) < deadline) {
        rd_kafka_message_t *event = rd_kafka_consumer_poll(member->rk, KAFKA_RETRY_MS);

        if (event) {
            rd_kafka_message_destroy(event);
        }
    }
}

void kafka_member_leave(struct log_member *base)
{
    struct kafka_member *member = member_of(base);

    member->leaving = true;
    if (member->rk) {
        finish_joining(member);
    }
    if (member->rk && !rd_kafka_fatal_error(member->rk, NULL, 0)) {
        (void)rd_kafka_consumer_close(member->rk); /* calls back; then it is left in any case */
    }
    give_up_all(member, member->lost);
    destroy_member(member);
}
