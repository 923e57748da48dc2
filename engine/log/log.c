/*
 * log.c: the calls of log.h: checks common to all logs, then the implementation.
 *
 * What is checked here: names, partition numbers, and that a transactional
 * writer is used in order (a wrong order is a bug of the caller, so an assert).
 */
#include "engine/log/log.h"

#include <assert.h>

#include "engine/log/log_kind.h"

enum { TOPIC_NAME_MAX = 249 };

/* --- checks --- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* Kafka's rule for topic names. */
static int check_topic_name(struct bytes name, struct error *err)
{
    bool legal = name.len > 0 && name.len <= TOPIC_NAME_MAX && !bytes_equal_text(name, ".") &&
                 !bytes_equal_text(name, "..");

    for (size_t i = 0; legal && i < name.len; i++) {
        legal = is_name_char(name.data[i]);
    }
    if (legal) {
        return 0;
    }
    return error_set(err, ERR_INVALID_NAME, NO_POSITION,
                     "'%.*s' is not a topic name: 1 to %d of the characters a-z A-Z 0-9 . _ - "
                     "and neither '.' nor '..'",
                     name.len > TOPIC_NAME_MAX ? TOPIC_NAME_MAX : (int)name.len,
                     name.len ? name.data : "", (int)TOPIC_NAME_MAX);
}

static int check_partition(const struct log_topic *topic, uint32_t partition, struct error *err)
{
    if (partition < topic->partition_count) {
        return 0;
    }
    return error_set(err, ERR_OUT_OF_RANGE, NO_POSITION,
                     "topic '%.*s' has %u partitions, there is no number %u",
                     BYTES_ARG(topic->name), topic->partition_count, partition);
}

static int check_positions(const struct group_position *positions, uint32_t count,
                           struct error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        TRY(check_partition(positions[i].topic, positions[i].partition, err));
    }
    return 0;
}

/* --- topics --- */

int log_create_topic(struct log *log, const struct topic_spec *spec, struct error *err)
{
    TRY(check_topic_name(spec->name, err));
    if (spec->partition_count == 0) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "topic '%.*s' needs at least one partition", BYTES_ARG(spec->name));
    }
    return log->kind->create_topic(log, spec, err);
}

int log_delete_topic(struct log *log, struct bytes name, struct error *err)
{
    return log->kind->delete_topic(log, name, err);
}

int log_open_topic(struct log *log, struct bytes name, const struct log_topic **out,
                   struct error *err)
{
    return log->kind->open_topic(log, name, out, err);
}

int log_list_topics(struct log *log, struct arena *arena, const struct log_topic ***out,
                    uint32_t *count, struct error *err)
{
    return log->kind->list_topics(log, arena, out, count, err);
}

int log_topic_configs(struct log *log, const struct log_topic *topic, struct arena *arena,
                      const struct topic_config **out, uint32_t *count, struct error *err)
{
    return log->kind->topic_configs(log, topic, arena, out, count, err);
}

int log_topic_range(struct log *log, const struct log_topic *topic, uint32_t partition,
                    enum log_isolation isolation, struct log_range *out, struct error *err)
{
    TRY(check_partition(topic, partition, err));
    return log->kind->topic_range(log, topic, partition, isolation, out, err);
}

int log_delete_records(struct log *log, const struct log_topic *topic, uint32_t partition,
                       int64_t before, struct error *err)
{
    TRY(check_partition(topic, partition, err));
    return log->kind->delete_records(log, topic, partition, before, err);
}

/* --- blocks --- */

void log_block_ref(struct log_block *block)
{
    (void)atomic_fetch_add_explicit(&block->references, 1, memory_order_relaxed);
}

void log_block_unref(struct log_block *block)
{
    if (atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) == 1) {
        block->release(block);
    }
}

/* --- reading --- */

int log_reader_open(struct log *log, const struct reader_spec *spec, struct log_reader **out,
                    struct error *err)
{
    return log->kind->reader_open(log, spec, out, err);
}

void log_reader_close(struct log_reader *reader)
{
    if (reader) {
        reader->log->kind->reader_close(reader);
    }
}

int log_reader_assign(struct log_reader *reader, const struct log_topic *topic, uint32_t partition,
                      int64_t from, struct error *err)
{
    TRY(check_partition(topic, partition, err));
    return reader->log->kind->reader_assign(reader, topic, partition, from, err);
}

void log_reader_unassign(struct log_reader *reader, const struct log_topic *topic,
                         uint32_t partition)
{
    reader->log->kind->reader_unassign(reader, topic, partition);
}

void log_reader_pause(struct log_reader *reader, const struct log_topic *topic, uint32_t partition)
{
    reader->log->kind->reader_pause(reader, topic, partition);
}

void log_reader_resume(struct log_reader *reader, const struct log_topic *topic, uint32_t partition)
{
    reader->log->kind->reader_resume(reader, topic, partition);
}

int log_reader_poll(struct log_reader *reader, int64_t wait_ms, struct log_block **out,
                    struct log_place *failed, struct error *err)
{
    return reader->log->kind->reader_poll(reader, wait_ms, out, failed, err);
}

void log_reader_wake(struct log_reader *reader)
{
    reader->log->kind->reader_wake(reader);
}

bool log_reader_at_end(struct log_reader *reader)
{
    return reader->log->kind->reader_at_end(reader);
}

int64_t log_reader_position(struct log_reader *reader, const struct log_topic *topic,
                            uint32_t partition)
{
    return reader->log->kind->reader_position(reader, topic, partition);
}

/* --- writing --- */

int log_writer_open(struct log *log, const struct writer_spec *spec, struct log_writer **out,
                    struct error *err)
{
    struct log_writer *writer = NULL;

    TRY(log->kind->writer_open(log, spec, &writer, err));
    writer->transactional = spec->transactional_id.data != NULL;
    writer->in_transaction = false;
    *out = writer;
    return 0;
}

void log_writer_close(struct log_writer *writer)
{
    if (writer) {
        writer->log->kind->writer_close(writer);
    }
}

int log_writer_begin(struct log_writer *writer, struct error *err)
{
    assert(writer->transactional && !writer->in_transaction);
    TRY(writer->log->kind->writer_begin(writer, err));
    writer->in_transaction = true;
    return 0;
}

int log_writer_append(struct log_writer *writer, const struct log_topic *topic, uint32_t partition,
                      struct log_builder *records, void *owner, struct error *err)
{
    int code = check_partition(topic, partition, err);

    assert(writer->in_transaction || !writer->transactional);
    if (!code && records->record_count) {
        code = writer->log->kind->writer_append(writer, topic, partition, records, owner, err);
    }
    log_builder_reset(records);
    return code;
}

int log_writer_flush(struct log_writer *writer, struct error *err)
{
    return writer->log->kind->writer_flush(writer, err);
}

int log_writer_send_positions(struct log_writer *writer, const struct group_membership *member,
                              const struct group_position *positions, uint32_t count,
                              struct error *err)
{
    assert(writer->in_transaction);
    TRY(check_positions(positions, count, err));
    return writer->log->kind->writer_send_positions(writer, member, positions, count, err);
}

/* A commit of unknown outcome leaves nothing to abort; a refused one does. */
int log_writer_commit(struct log_writer *writer, struct error *err)
{
    int code;

    assert(writer->in_transaction);
    code = writer->log->kind->writer_commit(writer, err);
    if (!code || code == ERR_LOG_UNAVAILABLE) {
        writer->in_transaction = false;
    }
    return code;
}

int log_writer_abort(struct log_writer *writer, struct error *err)
{
    if (!writer->in_transaction) {
        return 0;
    }
    writer->in_transaction = false;
    return writer->log->kind->writer_abort(writer, err);
}

/* --- groups --- */

int log_member_join(struct log *log, const struct member_spec *spec, struct log_member **out,
                    struct error *err)
{
    return log->kind->member_join(log, spec, out, err);
}

int log_member_poll(struct log_member *member, int64_t wait_ms, struct error *err)
{
    return member->log->kind->member_poll(member, wait_ms, err);
}

void log_member_leave(struct log_member *member)
{
    if (member) {
        member->log->kind->member_leave(member);
    }
}

struct group_membership log_member_current(struct log_member *member)
{
    return member->log->kind->member_current(member);
}

int log_group_owners(struct log *log, struct bytes group, struct arena *arena,
                     struct group_owner **out, uint32_t *count, struct error *err)
{
    return log->kind->group_owners(log, group, arena, out, count, err);
}

int log_group_positions(struct log *log, struct bytes group, struct group_position *positions,
                        uint32_t count, struct arena *arena, struct error *err)
{
    TRY(check_positions(positions, count, err));
    return log->kind->group_positions(log, group, positions, count, arena, err);
}

int log_group_alter(struct log *log, struct bytes group, const struct group_position *positions,
                    uint32_t count, struct error *err)
{
    TRY(check_positions(positions, count, err));
    return log->kind->group_alter(log, group, positions, count, err);
}

int log_group_delete(struct log *log, struct bytes group, struct error *err)
{
    return log->kind->group_delete(log, group, err);
}

/* --- partitions of keys --- */

static uint32_t read_le32(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* murmur2 as Kafka's Java client computes it: its seed, 32-bit wraparound. */
int32_t log_murmur2(struct bytes key)
{
    const uint32_t mix = 0x5bd1e995u;
    const unsigned char *data = (const unsigned char *)key.data;
    size_t whole = key.len / 4 * 4;
    uint32_t hash = 0x9747b28cu ^ (uint32_t)key.len;
    uint32_t rest = 0;

    for (size_t at = 0; at < whole; at += 4) {
        uint32_t word = read_le32(data + at) * mix;

        word = (word ^ (word >> 24)) * mix;
        hash = hash * mix ^ word;
    }
    for (size_t at = key.len; at > whole; at--) {
        rest = rest << 8 | data[at - 1];
    }
    if (whole < key.len) {
        hash = (hash ^ rest) * mix;
    }
    hash = (hash ^ (hash >> 13)) * mix;
    hash ^= hash >> 15;
    return (int32_t)hash;
}

bool log_topic_was_replaced(const struct log_topic *topic, uint64_t incarnation)
{
    return topic->incarnation != incarnation && topic->incarnation >> 32 == incarnation >> 32;
}

uint32_t log_partition_of(struct bytes key, uint32_t partition_count)
{
    return ((uint32_t)log_murmur2(key) & 0x7fffffffu) % partition_count;
}

void log_close(struct log *log)
{
    if (log) {
        log->kind->close(log);
    }
}

struct bytes log_cluster_id(struct log *log, struct arena *arena)
{
    return log->kind->cluster_id ? log->kind->cluster_id(log, arena) : (struct bytes){ NULL, 0 };
}
