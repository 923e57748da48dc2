/*
 * fault_log.c: see fault_log.h.
 *
 * Topics and blocks are the inner log's. Handles are wrapped, because a handle names
 * its log, and the calls of log.h go to the log that a handle names.
 */
#include "tests/crash/fault_log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/log_kind.h"

/* A handle of a process that is dead. */
struct corpse {
    struct corpse *next;
    struct log_writer *writer;
    struct log_member *member;
    void *wrapper; /* the inner handle may still call back */
};

struct fault_log {
    struct log pub; /* first */
    struct log *inner;
    struct fault_hook hook;
    _Atomic bool dead;
    pthread_mutex_t mutex; /* corpses */
    struct corpse *corpses;
};

struct fault_reader {
    struct log_reader pub; /* first */
    struct log_reader *inner;
};

struct fault_writer {
    struct log_writer pub; /* first */
    struct log_writer *inner;
};

struct fault_member {
    struct log_member pub; /* first */
    struct log_member *inner;
    struct member_spec spec; /* whom to call */
    struct fault_log *log;
};

static struct fault_log *outer(struct log *log)
{
    return (struct fault_log *)log;
}

static struct log *inner(struct log *log)
{
    return outer(log)->inner;
}

static int reach(struct log *log, enum fault_step step, enum fault_moment moment, struct error *err)
{
    struct fault_hook *hook = &outer(log)->hook;
    int code = hook->reached(hook->context, step, moment);

    return code ? error_set(err, (enum error_code)code, NO_POSITION, "%s of '%s' was to fail",
                            moment == FAULT_BEFORE ? "the begin" : "the answer",
                            fault_step_name(step))
                : 0;
}

/* --- names --- */

static const char *const step_names[FAULT_STEP_COUNT] = {
    [FAULT_OPEN] = "open",           [FAULT_BEGIN] = "begin",       [FAULT_APPEND] = "append",
    [FAULT_POSITIONS] = "positions", [FAULT_COMMIT] = "commit",     [FAULT_PURGE] = "purge",
    [FAULT_JOIN] = "join",           [FAULT_ASSIGNED] = "assigned", [FAULT_REVOKED] = "revoked",
    [FAULT_FENCE] = "fence",         [FAULT_PROGRESS] = "progress", [FAULT_CHANGELOG] = "changelog",
    [FAULT_RECORDS] = "records",
};

const char *fault_step_name(enum fault_step step)
{
    return step_names[step];
}

bool fault_parse(const char *text, enum fault_step *step, char moment[16], uint32_t *count)
{
    const char *colon = strchr(text, ':');
    const char *second = colon ? strchr(colon + 1, ':') : NULL;

    if (!second || second - colon - 1 > 15) {
        return false;
    }
    memset(moment, 0, 16);
    memcpy(moment, colon + 1, (size_t)(second - colon - 1));
    *count = (uint32_t)strtoul(second + 1, NULL, 10);
    for (int i = 0; i < FAULT_STEP_COUNT; i++) {
        if (strlen(step_names[i]) == (size_t)(colon - text) &&
            memcmp(step_names[i], text, (size_t)(colon - text)) == 0) {
            *step = (enum fault_step)i;
            return true;
        }
    }
    return false;
}

/* --- topics --- */

static int create_topic(struct log *log, const struct topic_spec *spec, struct error *err)
{
    return log_create_topic(inner(log), spec, err);
}

static int delete_topic(struct log *log, struct bytes name, struct error *err)
{
    return log_delete_topic(inner(log), name, err);
}

static int open_topic(struct log *log, struct bytes name, const struct log_topic **out,
                      struct error *err)
{
    return log_open_topic(inner(log), name, out, err);
}

static int list_topics(struct log *log, struct arena *arena, const struct log_topic ***out,
                       uint32_t *count, struct error *err)
{
    return log_list_topics(inner(log), arena, out, count, err);
}

static int topic_configs(struct log *log, const struct log_topic *topic, struct arena *arena,
                         const struct topic_config **out, uint32_t *count, struct error *err)
{
    return log_topic_configs(inner(log), topic, arena, out, count, err);
}

static int topic_range(struct log *log, const struct log_topic *topic, uint32_t partition,
                       enum log_isolation isolation, struct log_range *out, struct error *err)
{
    return log_topic_range(inner(log), topic, partition, isolation, out, err);
}

static int delete_records(struct log *log, const struct log_topic *topic, uint32_t partition,
                          int64_t before, struct error *err)
{
    TRY(reach(log, FAULT_PURGE, FAULT_BEFORE, err));
    TRY(log_delete_records(inner(log), topic, partition, before, err));
    return reach(log, FAULT_PURGE, FAULT_AFTER, err);
}

/* --- reading --- */

static bool ends_with(struct bytes name, const char *end)
{
    size_t len = strlen(end);

    return name.len >= len && memcmp(name.data + name.len - len, end, len) == 0;
}

/* The part of a recovery that reads this topic; FAULT_STEP_COUNT: none does. */
static enum fault_step step_of(const struct log_topic *topic)
{
    if (ends_with(topic->name, "-progress")) {
        return FAULT_PROGRESS;
    }
    return ends_with(topic->name, "-changelog") ? FAULT_CHANGELOG : FAULT_STEP_COUNT;
}

static struct log_reader *reader_inside(struct log_reader *reader)
{
    return ((struct fault_reader *)reader)->inner;
}

static int reader_open(struct log *log, const struct reader_spec *spec, struct log_reader **out,
                       struct error *err)
{
    struct log_reader *opened = NULL;
    struct fault_reader *reader;

    TRY(log_reader_open(inner(log), spec, &opened, err));
    reader = memory_zalloc(1, sizeof *reader);
    reader->pub.log = log;
    reader->inner = opened;
    *out = &reader->pub;
    return 0;
}

static void reader_close(struct log_reader *reader)
{
    log_reader_close(reader_inside(reader));
    free(reader);
}

static int reader_assign(struct log_reader *reader, const struct log_topic *topic,
                         uint32_t partition, int64_t from, struct error *err)
{
    enum fault_step step = step_of(topic);

    if (step != FAULT_STEP_COUNT) {
        TRY(reach(reader->log, step, FAULT_BEFORE, err));
    }
    return log_reader_assign(reader_inside(reader), topic, partition, from, err);
}

static void reader_unassign(struct log_reader *reader, const struct log_topic *topic,
                            uint32_t partition)
{
    enum fault_step step = step_of(topic);

    log_reader_unassign(reader_inside(reader), topic, partition);
    if (step != FAULT_STEP_COUNT) {
        (void)reach(reader->log, step, FAULT_AFTER, NULL); /* a call that cannot fail */
    }
}

static void reader_pause(struct log_reader *reader, const struct log_topic *topic,
                         uint32_t partition)
{
    log_reader_pause(reader_inside(reader), topic, partition);
}

static void reader_resume(struct log_reader *reader, const struct log_topic *topic,
                          uint32_t partition)
{
    log_reader_resume(reader_inside(reader), topic, partition);
}

static int reader_poll(struct log_reader *reader, int64_t wait_ms, struct log_block **out,
                       struct log_place *failed, struct error *err)
{
    struct log_block *block = NULL;
    int code = log_reader_poll(reader_inside(reader), wait_ms, &block, failed, err);

    if (!code && block && step_of(block->topic) != FAULT_STEP_COUNT) {
        code = reach(reader->log, FAULT_RECORDS, FAULT_AFTER, err);
    }
    if (code && block) {
        log_block_unref(block);
        block = NULL;
    }
    *out = block;
    return code;
}

static void reader_wake(struct log_reader *reader)
{
    log_reader_wake(reader_inside(reader));
}

static bool reader_at_end(struct log_reader *reader)
{
    return log_reader_at_end(reader_inside(reader));
}

static int64_t reader_position(struct log_reader *reader, const struct log_topic *topic,
                               uint32_t partition)
{
    return log_reader_position(reader_inside(reader), topic, partition);
}

/* --- writing --- */

static struct log_writer *writer_inside(struct log_writer *writer)
{
    return ((struct fault_writer *)writer)->inner;
}

static int writer_open(struct log *log, const struct writer_spec *spec, struct log_writer **out,
                       struct error *err)
{
    bool watched = spec->transactional_id.data != NULL;
    struct log_writer *opened = NULL;
    struct fault_writer *writer;
    int code;

    if (watched) {
        TRY(reach(log, FAULT_OPEN, FAULT_BEFORE, err));
    }
    TRY(log_writer_open(inner(log), spec, &opened, err));
    code = watched ? reach(log, FAULT_OPEN, FAULT_AFTER, err) : 0;
    if (code) {
        log_writer_close(opened);
        return code;
    }
    writer = memory_zalloc(1, sizeof *writer);
    writer->pub.log = log;
    writer->inner = opened;
    *out = &writer->pub;
    return 0;
}

static void bury(struct log *log, struct log_writer *writer, struct log_member *member,
                 void *wrapper)
{
    struct corpse *corpse = memory_zalloc(1, sizeof *corpse);

    corpse->writer = writer;
    corpse->member = member;
    corpse->wrapper = wrapper;
    pthread_mutex_lock(&outer(log)->mutex);
    corpse->next = outer(log)->corpses;
    outer(log)->corpses = corpse;
    pthread_mutex_unlock(&outer(log)->mutex);
}

static void writer_close(struct log_writer *writer)
{
    if (atomic_load(&outer(writer->log)->dead)) {
        bury(writer->log, writer_inside(writer), NULL, writer);
        return;
    }
    log_writer_close(writer_inside(writer));
    free(writer);
}

static int writer_begin(struct log_writer *writer, struct error *err)
{
    TRY(reach(writer->log, FAULT_BEGIN, FAULT_BEFORE, err));
    TRY(log_writer_begin(writer_inside(writer), err));
    return reach(writer->log, FAULT_BEGIN, FAULT_AFTER, err);
}

static int writer_append(struct log_writer *writer, const struct log_topic *topic,
                         uint32_t partition, struct log_builder *records, void *owner,
                         struct error *err)
{
    if (!writer->transactional) {
        return log_writer_append(writer_inside(writer), topic, partition, records, owner, err);
    }
    TRY(reach(writer->log, FAULT_APPEND, FAULT_BEFORE, err));
    TRY(log_writer_append(writer_inside(writer), topic, partition, records, owner, err));
    return reach(writer->log, FAULT_APPEND, FAULT_AFTER, err);
}

static int writer_flush(struct log_writer *writer, struct error *err)
{
    return log_writer_flush(writer_inside(writer), err);
}

static int writer_send_positions(struct log_writer *writer, const struct group_membership *member,
                                 const struct group_position *positions, uint32_t count,
                                 struct error *err)
{
    TRY(reach(writer->log, FAULT_POSITIONS, FAULT_BEFORE, err));
    TRY(log_writer_send_positions(writer_inside(writer), member, positions, count, err));
    return reach(writer->log, FAULT_POSITIONS, FAULT_AFTER, err);
}

static int writer_commit(struct log_writer *writer, struct error *err)
{
    TRY(reach(writer->log, FAULT_COMMIT, FAULT_BEFORE, err));
    TRY(log_writer_commit(writer_inside(writer), err));
    return reach(writer->log, FAULT_COMMIT, FAULT_AFTER, err);
}

static int writer_abort(struct log_writer *writer, struct error *err)
{
    if (atomic_load(&outer(writer->log)->dead)) {
        return 0;
    }
    return log_writer_abort(writer_inside(writer), err);
}

/* --- groups --- */

static struct log_member *member_inside(struct log_member *member)
{
    return ((struct fault_member *)member)->inner;
}

static void assigned(void *context, const uint32_t *partitions, uint32_t count)
{
    struct fault_member *member = context;

    (void)reach(&member->log->pub, FAULT_ASSIGNED, FAULT_BEFORE, NULL); /* it cannot fail */
    if (!atomic_load(&member->log->dead)) {
        member->spec.assigned(member->spec.context, partitions, count);
    }
    (void)reach(&member->log->pub, FAULT_ASSIGNED, FAULT_AFTER, NULL);
}

static void revoked(void *context, const uint32_t *partitions, uint32_t count)
{
    struct fault_member *member = context;

    (void)reach(&member->log->pub, FAULT_REVOKED, FAULT_BEFORE, NULL); /* it cannot fail */
    if (!atomic_load(&member->log->dead)) {
        member->spec.revoked(member->spec.context, partitions, count);
    }
    (void)reach(&member->log->pub, FAULT_REVOKED, FAULT_AFTER, NULL);
}

static void lost(void *context, const uint32_t *partitions, uint32_t count)
{
    struct fault_member *member = context;

    if (!atomic_load(&member->log->dead)) {
        member->spec.lost(member->spec.context, partitions, count);
    }
}

static int member_join(struct log *log, const struct member_spec *spec, struct log_member **out,
                       struct error *err)
{
    struct fault_member *member = memory_zalloc(1, sizeof *member);
    struct member_spec own = *spec;
    int code;

    member->pub.log = log;
    member->log = outer(log);
    member->spec = *spec;
    own.assigned = assigned;
    own.revoked = revoked;
    own.lost = lost;
    own.context = member;
    code = reach(log, FAULT_JOIN, FAULT_BEFORE, err);
    code = code ? code : log_member_join(inner(log), &own, &member->inner, err);
    if (!code) {
        code = reach(log, FAULT_JOIN, FAULT_AFTER, err);
    }
    if (!code) {
        *out = &member->pub;
    } else if (member->inner) {
        bury(log, NULL, member->inner, member);
    } else {
        free(member);
    }
    return code;
}

static int member_poll(struct log_member *member, int64_t wait_ms, struct error *err)
{
    if (atomic_load(&outer(member->log)->dead)) {
        return error_set(err, ERR_LOG_UNAVAILABLE, NO_POSITION, "the node is dead");
    }
    return log_member_poll(member_inside(member), wait_ms, err);
}

static void member_leave(struct log_member *member)
{
    if (atomic_load(&outer(member->log)->dead)) {
        bury(member->log, NULL, member_inside(member), member);
        return;
    }
    log_member_leave(member_inside(member));
    free(member);
}

static struct group_membership member_current(struct log_member *member)
{
    return log_member_current(member_inside(member));
}

static int group_owners(struct log *log, struct bytes group, struct arena *arena,
                        struct group_owner **out, uint32_t *count, struct error *err)
{
    return log_group_owners(inner(log), group, arena, out, count, err);
}

static int group_positions(struct log *log, struct bytes group, struct group_position *positions,
                           uint32_t count, struct arena *arena, struct error *err)
{
    TRY(reach(log, FAULT_FENCE, FAULT_BEFORE, err));
    TRY(log_group_positions(inner(log), group, positions, count, arena, err));
    return reach(log, FAULT_FENCE, FAULT_AFTER, err);
}

static int group_alter(struct log *log, struct bytes group, const struct group_position *positions,
                       uint32_t count, struct error *err)
{
    return log_group_alter(inner(log), group, positions, count, err);
}

static int group_delete(struct log *log, struct bytes group, struct error *err)
{
    return log_group_delete(inner(log), group, err);
}

/* --- the log --- */

static void close_log(struct log *log)
{
    struct fault_log *fault = outer(log);

    while (fault->corpses) {
        struct corpse *corpse = fault->corpses;

        fault->corpses = corpse->next;
        log_writer_close(corpse->writer);
        log_member_leave(corpse->member);
        free(corpse->wrapper);
        free(corpse);
    }
    pthread_mutex_destroy(&fault->mutex);
    free(fault);
}

static const struct log_kind kind = {
    .name = "fault",
    .close = close_log,
    .create_topic = create_topic,
    .delete_topic = delete_topic,
    .open_topic = open_topic,
    .list_topics = list_topics,
    .topic_configs = topic_configs,
    .topic_range = topic_range,
    .delete_records = delete_records,
    .reader_open = reader_open,
    .reader_close = reader_close,
    .reader_assign = reader_assign,
    .reader_unassign = reader_unassign,
    .reader_pause = reader_pause,
    .reader_resume = reader_resume,
    .reader_poll = reader_poll,
    .reader_wake = reader_wake,
    .reader_at_end = reader_at_end,
    .reader_position = reader_position,
    .writer_open = writer_open,
    .writer_close = writer_close,
    .writer_begin = writer_begin,
    .writer_append = writer_append,
    .writer_flush = writer_flush,
    .writer_send_positions = writer_send_positions,
    .writer_commit = writer_commit,
    .writer_abort = writer_abort,
    .member_join = member_join,
    .member_poll = member_poll,
    .member_leave = member_leave,
    .member_current = member_current,
    .group_owners = group_owners,
    .group_positions = group_positions,
    .group_alter = group_alter,
    .group_delete = group_delete,
};

struct log *fault_log_create(struct log *inside, const struct fault_hook *hook)
{
    struct fault_log *fault = memory_zalloc(1, sizeof *fault);

    fault->pub.kind = &kind;
    fault->inner = inside;
    fault->hook = *hook;
    pthread_mutex_init(&fault->mutex, NULL);
    return &fault->pub;
}

void fault_log_die(struct log *log)
{
    atomic_store(&outer(log)->dead, true);
}
