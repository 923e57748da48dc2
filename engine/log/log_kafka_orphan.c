/*
 * log_kafka_orphan.c: ends transactions whose writer has died with its membership.
 *
 * A process that is killed leaves its transaction open. Until the broker ends it, which takes
 * transaction.timeout.ms and up to ten seconds more, nobody sees what is committed behind its
 * first record, in any partition that it touched. Whoever opens a writer of the same id ends it
 * at once; but the new owner of a dead node's slots has another id.
 *
 * So positions that are sent in a transaction carry a mark, unless they carry something else:
 *
 *   sender 1 \n transactional id \n member id \n instance id
 *
 * and who asks for the positions of its group, as the new owner does first of all, sees who sent
 * them last. If neither that member nor its instance is in the group any more, a writer of that id
 * is opened and closed. Where that strikes somebody who is alive after all, it is one who has
 * lost its slots; it finds itself fenced and opens its writer anew.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/log/log_kafka_internal.h"

static const struct bytes mark_begin = BYTES("sender 1\n");

struct mark {
    struct bytes writer_id;
    struct bytes member_id;
    struct bytes instance_id; /* empty: none */
};

void kafka_put_marks(rd_kafka_topic_partition_list_t *list, const rd_kafka_t *rk,
                     const struct group_membership *member)
{
    char id[KAFKA_ERROR_BYTES] = { 0 };
    size_t size = sizeof id;

    if (rd_kafka_conf_get(rd_kafka_conf((rd_kafka_t *)(uintptr_t)rk), "transactional.id", id,
                          &size) != RD_KAFKA_CONF_OK) {
        return; /* too long for a mark: the broker ends what it leaves */
    }
    for (int i = 0; i < list->cnt; i++) {
        struct buffer text = { 0 };

        if (list->elems[i].metadata || !member->member_id.len) {
            continue; /* who is in no group has lost nothing to another */
        }
        buffer_append_bytes(&text, mark_begin);
        buffer_printf(&text, "%s\n%.*s\n%.*s", id, BYTES_ARG(member->member_id),
                      BYTES_ARG(member->instance_id));
        list->elems[i].metadata_size = text.len;
        buffer_append_char(&text, '\0');
        list->elems[i].metadata = text.data; /* librdkafka frees it */
    }
}

bool kafka_is_mark(struct bytes metadata)
{
    return metadata.data && bytes_starts_with(metadata, mark_begin);
}

static struct bytes cut_line(struct bytes *rest)
{
    const char *end = memchr(rest->data, '\n', rest->len);
    struct bytes line = { rest->data, end ? (size_t)(end - rest->data) : rest->len };
    size_t used = line.len + (end ? 1 : 0);

    *rest = (struct bytes){ rest->data + used, rest->len - used };
    return line;
}

static struct mark read_mark(struct bytes metadata)
{
    struct bytes rest = { metadata.data + mark_begin.len, metadata.len - mark_begin.len };
    struct mark mark;

    mark.writer_id = cut_line(&rest);
    mark.member_id = cut_line(&rest);
    mark.instance_id = cut_line(&rest);
    return mark;
}

/* Members that have no partition yet, too. */
static bool is_member(const rd_kafka_ConsumerGroupDescription_t *group, const struct mark *mark)
{
    size_t count = rd_kafka_ConsumerGroupDescription_member_count(group);

    for (size_t i = 0; i < count; i++) {
        const rd_kafka_MemberDescription_t *member =
            rd_kafka_ConsumerGroupDescription_member(group, i);
        const char *instance_id = rd_kafka_MemberDescription_group_instance_id(member);

        if (bytes_equal_text(mark->member_id, rd_kafka_MemberDescription_consumer_id(member)) ||
            (instance_id && mark->instance_id.len > 0 &&
             bytes_equal_text(mark->instance_id, instance_id))) {
            return true;
        }
    }
    return false;
}

/* If it cannot be opened, the broker ends the transaction later. */
static void end_transaction_of(struct log *log, struct bytes writer_id)
{
    struct writer_spec spec = { .client_id = writer_id,
                                .transactional_id = writer_id,
                                .transaction_timeout_ms = KAFKA_CALL_MS };
    struct log_writer *writer = NULL;

    if (!log_writer_open(log, &spec, &writer, NULL)) {
        log_writer_close(writer);
    }
}

void kafka_end_orphans(struct log *log, const rd_kafka_ConsumerGroupDescription_t *group,
                       const struct group_position *positions, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct mark mark;
        bool is_new = kafka_is_mark(positions[i].metadata);

        if (!is_new) {
            continue;
        }
        mark = read_mark(positions[i].metadata);
        for (uint32_t before = 0; before < i && is_new; before++) {
            is_new = !kafka_is_mark(positions[before].metadata) ||
                     !bytes_equal(read_mark(positions[before].metadata).writer_id, mark.writer_id);
        }
        if (is_new && mark.writer_id.len > 0 && !is_member(group, &mark)) {
            end_transaction_of(log, mark.writer_id);
        }
    }
}
