/*
 * log_contract_records.c: topics, builders, records and readers of any log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/log_contract.h"

/* --- topics --- */

static void created_topic_is_found_with_its_partitions(void **state)
{
    struct contract *c = *state;
    struct bytes name = contract_name(c, "topic");
    struct topic_spec spec = { .name = name, .partition_count = 3 };
    const struct log_topic *topic = NULL;

    assert_int_equal(log_open_topic(c->log, name, &topic, &c->err), ERR_UNKNOWN_TOPIC);
    assert_null(topic);
    assert_int_equal(log_create_topic(c->log, &spec, &c->err), 0);
    assert_int_equal(log_create_topic(c->log, &spec, &c->err), ERR_TOPIC_EXISTS);
    assert_int_equal(log_open_topic(c->log, name, &topic, &c->err), 0);
    assert_true(bytes_equal(topic->name, name));
    assert_int_equal(topic->partition_count, 3);
    assert_true(topic->replica_count >= 1);
}

static int create(struct contract *c, struct bytes name, uint32_t partitions,
                  const struct topic_config *config)
{
    struct topic_spec spec = { .name = name,
                               .partition_count = partitions,
                               .configs = config,
                               .config_count = config ? 1 : 0 };

    return log_create_topic(c->log, &spec, &c->err);
}

static void illegal_topics_are_refused(void **state)
{
    static const char *const illegal[] = { "", ".", "..", "a b", "a/b", "gr\xc3\xbc\xc3\x9f" };
    const struct topic_config unknown = { BYTES("no.such.setting"), BYTES("1") };
    const struct topic_config wrong = { BYTES("retention.ms"), BYTES("soon") };
    struct contract *c = *state;
    char longest[251];

    for (size_t i = 0; i < sizeof illegal / sizeof illegal[0]; i++) {
        assert_int_equal(create(c, bytes_of(illegal[i]), 1, NULL), ERR_INVALID_NAME);
    }
    memset(longest, 'x', sizeof longest);
    assert_int_equal(create(c, (struct bytes){ longest, 250 }, 1, NULL), ERR_INVALID_NAME);
    assert_int_equal(create(c, (struct bytes){ longest, 249 }, 1, NULL), 0);
    assert_int_equal(log_delete_topic(c->log, (struct bytes){ longest, 249 }, &c->err), 0);
    assert_int_equal(create(c, contract_name(c, "t"), 0, NULL), ERR_INVALID_PROPERTY);
    assert_int_equal(create(c, contract_name(c, "t"), 1, &unknown), ERR_INVALID_PROPERTY);
    assert_int_equal(create(c, contract_name(c, "t"), 1, &wrong), ERR_INVALID_PROPERTY);
}

static void topic_keeps_its_settings(void **state)
{
    const struct topic_config compact = { BYTES("cleanup.policy"), BYTES("compact") };
    struct contract *c = *state;
    struct bytes name = contract_name(c, "settings");
    const struct topic_config *configs = NULL;
    const struct log_topic *topic = NULL;
    uint32_t count = 0;
    uint32_t found = 0;

    assert_int_equal(create(c, name, 1, &compact), 0);
    assert_int_equal(log_open_topic(c->log, name, &topic, &c->err), 0);
    assert_int_equal(log_topic_configs(c->log, topic, &c->arena, &configs, &count, &c->err), 0);
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal(configs[i].name, compact.name)) {
            found++;
            assert_true(bytes_equal(configs[i].value, compact.value));
        }
    }
    assert_int_equal(found, 1);
}

static void topics_are_listed_by_name(void **state)
{
    struct contract *c = *state;
    const struct log_topic *z = contract_topic(c, "zz-list", 1);
    const struct log_topic *a = contract_topic(c, "aa-list", 2);
    const struct log_topic **topics = NULL;
    uint32_t count = 0;
    uint32_t at_a = UINT32_MAX;
    uint32_t at_z = UINT32_MAX;

    assert_int_equal(log_list_topics(c->log, &c->arena, &topics, &count, &c->err), 0);
    for (uint32_t i = 0; i < count; i++) {
        at_a = bytes_equal(topics[i]->name, a->name) ? i : at_a;
        at_z = bytes_equal(topics[i]->name, z->name) ? i : at_z;
    }
    assert_true(at_a < at_z && at_z < count);
    assert_int_equal(topics[at_a]->partition_count, 2);
}

static void recreated_topic_is_another_one(void **state)
{
    struct contract *c = *state;
    const struct log_topic *first = contract_topic(c, "again", 1);
    const struct log_topic *second = NULL;
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });

    contract_put(c, writer, first, 0, "old");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    assert_int_equal(log_delete_topic(c->log, first->name, &c->err), 0);
    assert_int_equal(log_delete_topic(c->log, first->name, &c->err), ERR_UNKNOWN_TOPIC);
    assert_int_equal(log_open_topic(c->log, first->name, &second, &c->err), ERR_UNKNOWN_TOPIC);
    assert_int_equal(create(c, first->name, 2, NULL), 0);
    assert_int_equal(log_open_topic(c->log, first->name, &second, &c->err), 0);
    assert_true(second->incarnation != first->incarnation);
    assert_int_equal(first->partition_count, 1);
    contract_expect(c, second, 0, "");
    log_writer_close(writer);
}

static void partition_that_is_not_there_is_an_error(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "few", 2);
    struct log_reader *reader = contract_reader(c);
    struct log_range range;

    assert_int_equal(log_topic_range(c->log, topic, 2, READ_COMMITTED, &range, &c->err),
                     ERR_OUT_OF_RANGE);
    assert_int_equal(log_reader_assign(reader, topic, 2, 0, &c->err), ERR_OUT_OF_RANGE);
    log_reader_close(reader);
}

/* --- records --- */

static struct log_block *only_block(struct contract *c, const struct log_topic *topic,
                                    struct log_reader *reader)
{
    struct log_block *block;

    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    block = contract_next(c, reader);
    assert_ptr_equal(block->topic, topic);
    assert_int_equal(block->partition, 0);
    return block;
}

static void null_and_empty_are_kept_apart(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "nulls", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);
    struct bytes null = { 0 };
    struct bytes empty = { "", 0 };
    struct log_builder b = { 0 };
    struct log_block *block;

    log_builder_add(&b, null, empty, 1, NULL, 0);
    log_builder_add(&b, empty, null, -2, NULL, 0);
    assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    block = only_block(c, topic, reader);
    assert_int_equal(block->record_count, 2);
    assert_null(block->records[0].key.data);
    assert_non_null(block->records[0].value.data);
    assert_int_equal(block->records[0].value.len, 0);
    assert_int_equal(block->records[0].timestamp_ms, 1);
    assert_non_null(block->records[1].key.data);
    assert_null(block->records[1].value.data);
    assert_int_equal(block->records[1].timestamp_ms, -2);
    log_block_unref(block);
    log_reader_close(reader);
    log_builder_fini(&b);
    log_writer_close(writer);
}

static void headers_come_back_in_order(void **state)
{
    const struct record_header headers[] = { { BYTES("a"), BYTES("1") },
                                             { BYTES("a"), { NULL, 0 } },
                                             { BYTES(""), BYTES("") } };
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "headers", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);
    struct log_builder b = { 0 };
    struct log_block *block;

    log_builder_add(&b, bytes_of("k"), bytes_of("v"), 1, headers, 3);
    log_builder_add(&b, bytes_of("l"), bytes_of("w"), 2, NULL, 0);
    assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    block = only_block(c, topic, reader);
    assert_int_equal(block->records[0].header_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(bytes_equal(block->records[0].headers[i].key, headers[i].key));
        assert_true(bytes_equal(block->records[0].headers[i].value, headers[i].value));
    }
    assert_int_equal(block->records[1].header_count, 0);
    assert_true(bytes_equal_text(block->records[1].key, "l"));
    assert_true(bytes_equal_text(block->records[1].value, "w"));
    log_block_unref(block);
    log_reader_close(reader);
    log_builder_fini(&b);
    log_writer_close(writer);
}

/* Whether it has headers is seen by each record, whatever its neighbours have. */
static void headers_belong_to_their_record(void **state)
{
    enum { COUNT = 300 };
    const struct record_header headers[] = { { BYTES(""), { NULL, 0 } },
                                             { BYTES("x"), BYTES("") } };
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "some-headers", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);
    struct log_builder b = { 0 };
    uint32_t seen = 0;

    for (uint32_t i = 0; i < COUNT; i++) {
        struct bytes key = i % 3 == 0 ? (struct bytes){ 0 } : bytes_of("k");
        struct bytes value = i % 7 == 0 ? (struct bytes){ 0 } : bytes_of(i % 2 ? "" : "value");

        log_builder_add(&b, key, value, (int64_t)i * 1000, headers, i % 5 == 0 ? i % 3 : 0);
    }
    assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    assert_int_equal(log_reader_assign(reader, topic, 0, 0, &c->err), 0);
    while (seen < COUNT) {
        struct log_block *block = contract_next(c, reader);

        for (uint32_t i = 0; i < block->record_count; i++, seen++) {
            assert_int_equal(block->records[i].timestamp_ms, seen * 1000);
            assert_int_equal(block->records[i].header_count, seen % 5 == 0 ? seen % 3 : 0);
        }
        log_block_unref(block);
    }
    log_reader_close(reader);
    log_builder_fini(&b);
    log_writer_close(writer);
}

static void records_keep_their_order_within_a_partition(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "order", 2);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });

    contract_put(c, writer, topic, 0, "a b c");
    contract_put(c, writer, topic, 1, "x");
    contract_put(c, writer, topic, 0, "d");
    contract_put(c, writer, topic, 1, "y z");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    contract_expect(c, topic, 0, "a b c d");
    contract_expect(c, topic, 1, "x y z");
    log_writer_close(writer);
}

/* Some appends are small, some large, so that whatever a log does with each is met. */
static void put_numbered(struct contract *c, struct log_writer *writer,
                         const struct log_topic *topic, uint32_t count)
{
    static char filler[300];
    struct log_builder b = { 0 };

    memset(filler, '.', sizeof filler);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes number = { (const char *)&i, sizeof i };

        log_builder_add(&b, number, (struct bytes){ filler, i % sizeof filler }, i, NULL, 0);
        if (i % 977 == 0 || i % 89 == 0) {
            assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
        }
    }
    assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    log_builder_fini(&b);
}

enum { LARGEST_BLOCK_BYTES = 256 * 1024 };

static void many_records_come_back_whole_in_large_blocks(void **state)
{
    enum { RECORDS = 20000 };
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "many", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);
    uint32_t next = 0;
    uint32_t blocks = 0;
    int code;

    put_numbered(c, writer, topic, RECORDS);
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    while (next < RECORDS) {
        struct log_block *block = contract_next(c, reader);

        assert_true(block->size_bytes <= LARGEST_BLOCK_BYTES);
        for (uint32_t i = 0; i < block->record_count; i++, next++) {
            assert_memory_equal(block->records[i].key.data, &next, sizeof next);
            assert_int_equal(block->records[i].value.len, next % 300);
            assert_int_equal(block->records[i].timestamp_ms, next);
        }
        log_block_unref(block);
        blocks++;
    }
    assert_null(contract_poll(c, reader, NULL, &code));
    assert_int_equal(next, RECORDS);
    assert_true(blocks < RECORDS / 20);
    log_reader_close(reader);
    log_writer_close(writer);
}

static void block_outlives_its_reader_and_later_appends(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "held", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);
    struct log_block *block;

    contract_put(c, writer, topic, 0, "held");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    block = only_block(c, topic, reader);
    log_block_ref(block);
    log_block_unref(block);
    log_reader_close(reader);
    put_numbered(c, writer, topic, 1000);
    assert_int_equal(log_delete_topic(c->log, topic->name, &c->err), 0);
    assert_int_equal(block->record_count, 1);
    assert_true(bytes_equal_text(block->records[0].value, "held"));
    log_block_unref(block);
    log_writer_close(writer);
}

/* --- readers --- */

/* The offset of the n-th record of partition 0. */
static int64_t offset_of(struct contract *c, const struct log_topic *topic, uint32_t n)
{
    struct log_reader *reader = contract_reader(c);
    int64_t offset = -1;

    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    while (offset < 0) {
        struct log_block *block = contract_next(c, reader);

        offset = n < block->record_count ? block->records[n].offset : -1;
        n -= block->record_count;
        log_block_unref(block);
    }
    log_reader_close(reader);
    return offset;
}

static void reader_starts_where_it_is_told(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "start", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);

    contract_put(c, writer, topic, 0, "a b c");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    assert_int_equal(log_reader_assign(reader, topic, 0, offset_of(c, topic, 1), &c->err), 0);
    contract_expect_next(c, reader, "b c");
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_END, &c->err), 0);
    contract_expect_next(c, reader, "");
    contract_put(c, writer, topic, 0, "d");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    contract_expect_next(c, reader, "d");
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    contract_expect_next(c, reader, "a b c d");
    log_reader_close(reader);
    log_writer_close(writer);
}

static void position_reaches_the_end_of_the_range(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "position", 2);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct log_reader *reader = contract_reader(c);
    struct log_range range;

    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "a b");
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    assert_int_equal(log_reader_position(reader, topic, 0), -1);
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    assert_false(log_reader_at_end(reader));
    contract_expect_next(c, reader, "a b");
    assert_true(log_reader_at_end(reader));
    assert_int_equal(log_topic_range(c->log, topic, 0, READ_COMMITTED, &range, &c->err), 0);
    assert_int_equal(log_reader_position(reader, topic, 0), range.end);
    assert_int_equal(log_reader_position(reader, topic, 1), -1);
    log_reader_close(reader);
    log_writer_close(writer);
}

static void paused_partition_keeps_its_position(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "pause", 2);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);

    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    assert_int_equal(log_reader_assign(reader, topic, 1, OFFSET_BEGIN, &c->err), 0);
    contract_put(c, writer, topic, 0, "a");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    contract_expect_next(c, reader, "a");
    log_reader_pause(reader, topic, 0);
    contract_put(c, writer, topic, 0, "b");
    contract_put(c, writer, topic, 1, "x");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    contract_expect_next(c, reader, "x");
    log_reader_resume(reader, topic, 0);
    contract_expect_next(c, reader, "b");
    log_reader_unassign(reader, topic, 0);
    contract_put(c, writer, topic, 0, "c");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    contract_expect_next(c, reader, "");
    log_reader_close(reader);
    log_writer_close(writer);
}

static void partitions_are_read_in_turn(void **state)
{
    enum { RECORDS = 5000 };
    struct contract *c = *state;
    const struct log_topic *busy = contract_topic(c, "busy", 1);
    const struct log_topic *quiet = contract_topic(c, "quiet", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);
    uint32_t before = 0;
    bool found = false;

    put_numbered(c, writer, busy, RECORDS);
    contract_put(c, writer, quiet, 0, "x");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    assert_int_equal(log_reader_assign(reader, busy, 0, OFFSET_BEGIN, &c->err), 0);
    assert_int_equal(log_reader_assign(reader, quiet, 0, OFFSET_BEGIN, &c->err), 0);
    while (!found) {
        struct log_block *block = contract_next(c, reader);

        found = block->topic == quiet;
        before += block->record_count;
        log_block_unref(block);
    }
    assert_true(before < RECORDS || c->target->real_time);
    log_reader_close(reader);
    log_writer_close(writer);
}

static void expect_failure(struct contract *c, struct log_reader *reader, int code,
                           const struct log_topic *topic)
{
    struct log_place failed = { 0 };
    int answer;

    assert_null(contract_poll(c, reader, &failed, &answer));
    assert_int_equal(answer, code);
    assert_ptr_equal(failed.topic, topic);
    assert_int_equal(failed.partition, 0);
}

static void deleted_records_are_out_of_range(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "trim", 1);
    const struct log_topic *other = contract_topic(c, "other", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);
    struct log_range range;
    int64_t second;

    contract_put(c, writer, topic, 0, "a b c");
    contract_put(c, writer, other, 0, "x");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    second = offset_of(c, topic, 1);
    assert_int_equal(log_delete_records(c->log, topic, 0, second, &c->err), 0);
    assert_int_equal(log_topic_range(c->log, topic, 0, READ_COMMITTED, &range, &c->err), 0);
    assert_int_equal(range.begin, second);
    contract_expect(c, topic, 0, "b c");
    assert_int_equal(log_reader_assign(reader, topic, 0, second - 1, &c->err), 0);
    expect_failure(c, reader, ERR_OUT_OF_RANGE, topic);
    assert_int_equal(log_reader_assign(reader, other, 0, OFFSET_BEGIN, &c->err), 0);
    contract_expect_next(c, reader, "x");
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    contract_expect_next(c, reader, "b c");
    assert_int_equal(log_reader_assign(reader, topic, 0, range.end + 5, &c->err), 0);
    expect_failure(c, reader, ERR_OUT_OF_RANGE, topic);
    assert_int_equal(log_delete_records(c->log, topic, 0, range.end + 5, &c->err),
                     ERR_OUT_OF_RANGE);
    assert_int_equal(log_delete_records(c->log, topic, 0, range.end, &c->err), 0);
    contract_expect(c, topic, 0, "");
    contract_put(c, writer, topic, 0, "d");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    contract_expect(c, topic, 0, "d");
    log_reader_close(reader);
    log_writer_close(writer);
}

static void deleted_topic_is_gone_for_its_reader_alone(void **state)
{
    struct contract *c = *state;
    const struct log_topic *gone = contract_topic(c, "gone", 1);
    const struct log_topic *stays = contract_topic(c, "stays", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);
    struct log_range range;

    assert_int_equal(log_reader_assign(reader, gone, 0, OFFSET_BEGIN, &c->err), 0);
    assert_int_equal(log_delete_topic(c->log, gone->name, &c->err), 0);
    expect_failure(c, reader, ERR_TOPIC_GONE, gone);
    assert_int_equal(log_topic_range(c->log, gone, 0, READ_COMMITTED, &range, &c->err),
                     ERR_TOPIC_GONE);
    assert_int_equal(log_reader_assign(reader, stays, 0, OFFSET_BEGIN, &c->err), 0);
    contract_put(c, writer, stays, 0, "x");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    contract_expect_next(c, reader, "x");
    log_reader_close(reader);
    log_writer_close(writer);
}

static void woken_reader_returns_without_a_block(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "wake", 1);
    struct log_reader *reader = contract_reader(c);
    struct log_block *block = NULL;

    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_END, &c->err), 0);
    log_reader_wake(reader);
    assert_int_equal(log_reader_poll(reader, 600000, &block, NULL, &c->err), 0);
    assert_null(block);
    log_reader_close(reader);
}

static void log_keeps_topics_and_records_over_a_restart(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic;
    struct log_writer *writer;
    struct bytes name;
    uint64_t incarnation;

    if (!c->target->restart) {
        skip();
    }
    topic = contract_topic(c, "kept", 2);
    name = arena_copy(&c->arena, topic->name);
    incarnation = topic->incarnation;
    writer = contract_writer(c, (struct bytes){ 0 });
    contract_put(c, writer, topic, 1, "a b");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    log_writer_close(writer);
    c->log = c->target->restart(c->log, &c->clock);
    assert_int_equal(log_open_topic(c->log, name, &topic, &c->err), 0);
    assert_int_equal(topic->partition_count, 2);
    assert_false(log_topic_was_replaced(topic, incarnation));
    contract_expect(c, topic, 1, "a b");
}

int contract_run_records(const struct log_contract_target *target)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(created_topic_is_found_with_its_partitions),
        CONTRACT_TEST(illegal_topics_are_refused),
        CONTRACT_TEST(topic_keeps_its_settings),
        CONTRACT_TEST(topics_are_listed_by_name),
        CONTRACT_TEST(recreated_topic_is_another_one),
        CONTRACT_TEST(partition_that_is_not_there_is_an_error),
        CONTRACT_TEST(null_and_empty_are_kept_apart),
        CONTRACT_TEST(headers_come_back_in_order),
        CONTRACT_TEST(headers_belong_to_their_record),
        CONTRACT_TEST(records_keep_their_order_within_a_partition),
        CONTRACT_TEST(many_records_come_back_whole_in_large_blocks),
        CONTRACT_TEST(block_outlives_its_reader_and_later_appends),
        CONTRACT_TEST(reader_starts_where_it_is_told),
        CONTRACT_TEST(position_reaches_the_end_of_the_range),
        CONTRACT_TEST(paused_partition_keeps_its_position),
        CONTRACT_TEST(partitions_are_read_in_turn),
        CONTRACT_TEST(deleted_records_are_out_of_range),
        CONTRACT_TEST(deleted_topic_is_gone_for_its_reader_alone),
        CONTRACT_TEST(woken_reader_returns_without_a_block),
        CONTRACT_TEST(log_keeps_topics_and_records_over_a_restart),
    };

    return CONTRACT_RUN(target->name, tests, target);
}
