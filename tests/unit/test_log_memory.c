/*
 * test_log_memory.c: the memory log keeps the log's contract, with dense offsets
 * and with gaps, and beyond it: strict fencing, a consistent cut for readers,
 * and its switches for tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "engine/log/log_memory.h"
#include "tests/unit/log_contract.h"

static struct log *create_with_gaps(const struct clock *clock)
{
    struct log *log = log_memory_create(clock);

    log_memory_set_gaps(log, 1);
    return log;
}

static const struct log_contract_target dense = { .name = "memory", .create = log_memory_create };
static const struct log_contract_target gaps = { .name = "memory with gaps",
                                                 .create = create_with_gaps };
static const struct log_contract_target timed = { .name = "memory in real time",
                                                  .create = log_memory_create,
                                                  .real_time = true };

/* --- strict fencing --- */

static void fenced_writer_can_do_nothing(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 1);
    struct bytes id = contract_name(c, "tx");
    struct log_writer *former = contract_writer(c, id);
    struct log_writer *later = contract_writer(c, id);
    struct log_writer *idle = contract_writer(c, contract_name(c, "tx"));
    struct group_membership nobody = { .group = BYTES("g"), .generation = -1 };
    struct group_position position = { topic, 0, 1, { 0 } };
    struct log_builder b = { 0 };

    assert_int_equal(log_writer_begin(former, &c->err), ERR_FENCED);
    assert_int_equal(log_writer_flush(former, &c->err), ERR_FENCED);
    assert_int_equal(log_writer_begin(later, &c->err), 0);
    log_writer_close(former);
    former = later;
    later = contract_writer(c, id);
    log_builder_add(&b, (struct bytes){ 0 }, bytes_of("v"), 1, NULL, 0);
    assert_int_equal(log_writer_append(former, topic, 0, &b, NULL, &c->err), ERR_FENCED);
    assert_int_equal(b.record_count, 0);
    assert_int_equal(log_writer_send_positions(former, &nobody, &position, 1, &c->err), ERR_FENCED);
    assert_int_equal(log_writer_commit(former, &c->err), ERR_FENCED);
    assert_int_equal(log_writer_abort(former, &c->err), ERR_FENCED);
    assert_int_equal(log_writer_begin(idle, &c->err), 0);
    log_writer_close(former);
    log_writer_close(later);
    log_writer_close(idle);
    log_builder_fini(&b);
}

static void transaction_that_takes_too_long_is_fenced(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 1);
    struct bytes id = contract_name(c, "tx");
    struct log_writer *writer = contract_writer(c, id);

    clock_advance(&c->clock, 100000);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "no");
    clock_advance(&c->clock, 60000);
    contract_put(c, writer, topic, 0, "no");
    clock_advance(&c->clock, 1);
    assert_int_equal(log_writer_commit(writer, &c->err), ERR_FENCED);
    contract_expect(c, topic, 0, "");
    log_writer_close(writer);
}

/* The old handle is still a member in name, the generation has not changed. */
static void replaced_static_member_cannot_commit_what_it_sent(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct member_spec spec = { .group = BYTES("g"),
                                .topic = topic->name,
                                .client_id = BYTES("c"),
                                .instance_id = BYTES("node"),
                                .session_timeout_ms = 1000 };
    struct group_position position = { topic, 0, 9, { 0 } };
    struct log_member *former = NULL;
    struct log_member *later = NULL;
    struct group_membership membership;
    int32_t generation;

    assert_int_equal(log_member_join(c->log, &spec, &former, &c->err), 0);
    assert_int_equal(log_member_poll(former, 0, &c->err), 0);
    membership = log_member_current(former);
    generation = membership.generation;
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    assert_int_equal(log_writer_send_positions(writer, &membership, &position, 1, &c->err), 0);
    assert_int_equal(log_member_join(c->log, &spec, &later, &c->err), 0);
    assert_int_equal(log_member_poll(later, 0, &c->err), 0);
    assert_int_equal(log_member_current(later).generation, generation);
    assert_int_equal(log_group_positions(c->log, spec.group, &position, 1, &c->arena, &c->err), 0);
    assert_int_equal(position.offset, -1);
    assert_int_equal(log_writer_commit(writer, &c->err), ERR_FENCED);
    log_member_leave(former);
    log_member_leave(later);
    log_writer_close(writer);
}

/* A reader under the sender's own generation does not disturb it. */
static void looking_at_positions_does_not_fence_their_owner(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct group_membership nobody = { .group = BYTES("g"), .generation = -1 };
    struct group_position position = { topic, 0, 9, { 0 } };

    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    assert_int_equal(log_writer_send_positions(writer, &nobody, &position, 1, &c->err), 0);
    assert_int_equal(log_group_positions(c->log, nobody.group, &position, 1, &c->arena, &c->err),
                     0);
    assert_int_equal(position.offset, -1);
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    assert_int_equal(log_group_positions(c->log, nobody.group, &position, 1, &c->arena, &c->err),
                     0);
    assert_int_equal(position.offset, 9);
    log_writer_close(writer);
}

/* --- the switches for tests --- */

static void transaction_consumes_offsets_beside_its_records(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct log_reader *reader = contract_reader(c);
    struct log_block *block = NULL;
    struct log_range range;

    log_memory_set_gaps(c->log, 1);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "a b");
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "c");
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    assert_int_equal(log_topic_range(c->log, topic, 0, READ_COMMITTED, &range, &c->err), 0);
    assert_int_equal(range.end, 5);
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    assert_int_equal(log_reader_position(reader, topic, 0), 0);
    assert_int_equal(log_reader_poll(reader, 0, &block, NULL, &c->err), 0);
    assert_int_equal(block->records[0].offset, 3);
    assert_int_equal(block->next_offset, 4);
    assert_true(log_reader_at_end(reader));
    assert_int_equal(log_reader_position(reader, topic, 0), 5);
    log_block_unref(block);
    log_reader_close(reader);
    log_writer_close(writer);
}

static void expect_commit_fault(struct contract *c, enum log_fault fault, int code,
                                const char *values)
{
    const struct log_topic *topic = contract_topic(c, "t", 1);
    struct bytes id = contract_name(c, "tx");
    struct log_writer *writer = contract_writer(c, id);
    struct group_membership nobody = { .group = contract_name(c, "g"), .generation = -1 };
    struct group_position position = { topic, 0, 9, { 0 } };

    log_memory_fail(c->log, fault, 2);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "a");
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "b");
    assert_int_equal(log_writer_send_positions(writer, &nobody, &position, 1, &c->err), 0);
    assert_int_equal(log_writer_commit(writer, &c->err), code);
    if (code == ERR_LOG_UNAVAILABLE) {
        assert_int_equal(log_writer_begin(writer, &c->err), ERR_LOG_UNAVAILABLE);
    }
    log_writer_close(writer);
    contract_expect(c, topic, 0, values);
    assert_int_equal(log_group_positions(c->log, nobody.group, &position, 1, &c->arena, &c->err),
                     0);
    assert_int_equal(position.offset, strcmp(values, "a") == 0 ? -1 : 9);
    writer = contract_writer(c, id);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    log_writer_close(writer);
}

static void commit_of_unknown_outcome_is_all_or_nothing(void **state)
{
    expect_commit_fault(*state, LOG_FAULT_COMMIT_LOST, ERR_LOG_UNAVAILABLE, "a");
    expect_commit_fault(*state, LOG_FAULT_COMMIT_APPLIED, ERR_LOG_UNAVAILABLE, "a b");
    expect_commit_fault(*state, LOG_FAULT_COMMIT_FENCED, ERR_FENCED, "a");
}

static void count_refusal(void *context, void *owner, const struct error *why)
{
    uint32_t *count = context;

    assert_ptr_equal(owner, context);
    (*count)++;
}

static void refused_append_can_be_provoked(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "t", 1);
    uint32_t refusals = 0;
    struct writer_spec spec = { .transactional_id = BYTES("tx"),
                                .refused = count_refusal,
                                .context = &refusals };
    struct log_writer *writer = NULL;
    struct log_builder b = { 0 };

    assert_int_equal(log_writer_open(c->log, &spec, &writer, &c->err), 0);
    for (enum log_fault fault = LOG_FAULT_APPEND_REFUSED; fault <= LOG_FAULT_TOPIC_VANISHES;
         fault++) {
        log_memory_fail(c->log, fault, 1);
        assert_int_equal(log_writer_begin(writer, &c->err), 0);
        log_builder_add(&b, (struct bytes){ 0 }, bytes_of("v"), 1, NULL, 0);
        assert_int_equal(log_writer_append(writer, topic, 0, &b, &refusals, &c->err), 0);
        assert_int_equal(log_writer_commit(writer, &c->err), ERR_RECORD_REFUSED);
        assert_int_equal(log_writer_abort(writer, &c->err), 0);
    }
    assert_int_equal(refusals, 2);
    assert_int_equal(log_open_topic(c->log, topic->name, &topic, &c->err), ERR_UNKNOWN_TOPIC);
    log_builder_fini(&b);
    log_writer_close(writer);
}

/* --- builders and partitions --- */

static void cancelled_record_leaves_nothing(void **state)
{
    struct log_builder b = { 0 };
    struct arena arena;
    const struct log_record *records;

    arena_init(&arena, 0);
    log_builder_add(&b, bytes_of("k"), bytes_of("v"), 1, NULL, 0);
    log_builder_begin(&b);
    buffer_append_text(&b.bytes, "half");
    log_builder_end_key(&b, true);
    buffer_append_text(&b.bytes, "done");
    log_builder_cancel(&b);
    log_builder_begin(&b);
    buffer_append_text(&b.bytes, "dropped");
    log_builder_end_key(&b, false);
    buffer_append_text(&b.bytes, "dropped too");
    log_builder_end_record(&b, false, 2, NULL, 0);
    records = log_builder_records(&b, &arena);
    assert_int_equal(b.record_count, 2);
    assert_int_equal(b.bytes.len, 2);
    assert_true(bytes_equal_text(records[0].key, "k"));
    assert_true(bytes_equal_text(records[0].value, "v"));
    assert_null(records[1].key.data);
    assert_null(records[1].value.data);
    log_builder_fini(&b);
    arena_fini(&arena);
}

static void murmur2_is_kafkas(void **state)
{
    static const struct {
        const char *key;
        int32_t hash;
    } expected[] = {
        { "21", -973932308 },
        { "foobar", -790332482 },
        { "a-little-bit-long-string", -985981536 },
        { "a-little-bit-longer-string", -1486304829 },
        { "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 },
        { "abc", 479470107 },
    };

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(log_murmur2(bytes_of(expected[i].key)), expected[i].hash);
        assert_int_equal(log_partition_of(bytes_of(expected[i].key), 7),
                         (uint32_t)(expected[i].hash & 0x7fffffff) % 7);
    }
}

/* --- threads --- */

enum { THREAD_COMMITS = 400, THREAD_WRITERS = 2 };

struct thread_work {
    struct log *log;
    const struct log_topic *topic;
    uint32_t number;
    bool failed;
};

/* Each commit puts the same number, 4 bytes, into a partition of its own and the shared one. */
static void *write_pairs(void *context)
{
    struct thread_work *work = context;
    char id[] = { 't', 'x', (char)('0' + work->number), 0 };
    struct writer_spec spec = { .transactional_id = bytes_of(id) };
    struct log_writer *writer = NULL;
    struct log_builder b = { 0 };

    work->failed = log_writer_open(work->log, &spec, &writer, NULL) != 0;
    for (uint32_t i = 0; i < THREAD_COMMITS && !work->failed; i++) {
        struct bytes key = { (const char *)&work->number, sizeof work->number };
        struct bytes value = { (const char *)&i, sizeof i };

        work->failed = log_writer_begin(writer, NULL) != 0;
        for (uint32_t p = 0; p < 2 && !work->failed; p++) {
            log_builder_add(&b, key, value, i, NULL, 0);
            work->failed =
                log_writer_append(writer, work->topic, p * (1 + work->number), &b, NULL, NULL) != 0;
        }
        work->failed = work->failed || log_writer_commit(writer, NULL) != 0;
    }
    log_builder_fini(&b);
    log_writer_close(writer);
    return NULL;
}

/* Notes the highest number of each writer in the blocks that are there. */
static uint32_t note_highest(struct contract *c, struct log_reader *reader, int64_t wait_ms,
                             uint32_t *highest)
{
    struct log_block *block = NULL;
    uint32_t records = 0;

    assert_int_equal(log_reader_poll(reader, wait_ms, &block, NULL, &c->err), 0);
    while (block) {
        records += block->record_count;
        for (uint32_t i = 0; i < block->record_count; i++) {
            uint32_t writer;

            memcpy(&writer, block->records[i].key.data, sizeof writer);
            memcpy(&highest[writer], block->records[i].value.data, sizeof highest[writer]);
        }
        log_block_unref(block);
        assert_int_equal(log_reader_poll(reader, 0, &block, NULL, &c->err), 0);
    }
    return records;
}

static void reader_of_one_partition_finds_the_commit_in_the_others(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "pairs", 1 + THREAD_WRITERS);
    struct thread_work work[THREAD_WRITERS];
    pthread_t threads[THREAD_WRITERS];
    struct log_reader *shared = contract_reader(c);
    struct log_reader *own = contract_reader(c);
    uint32_t seen[THREAD_WRITERS] = { 0 };
    uint32_t records = 0;

    assert_int_equal(log_reader_assign(shared, topic, 0, OFFSET_BEGIN, &c->err), 0);
    for (uint32_t i = 0; i < THREAD_WRITERS; i++) {
        assert_int_equal(log_reader_assign(own, topic, 1 + i, OFFSET_BEGIN, &c->err), 0);
        work[i] = (struct thread_work){ c->log, topic, i, false };
        assert_int_equal(pthread_create(&threads[i], NULL, write_pairs, &work[i]), 0);
    }
    while (records < THREAD_WRITERS * THREAD_COMMITS) {
        uint32_t there[THREAD_WRITERS];

        records += note_highest(c, shared, 10, seen);
        memcpy(there, seen, sizeof there);
        (void)note_highest(c, own, 0, there);
        for (uint32_t i = 0; i < THREAD_WRITERS; i++) {
            assert_true(there[i] >= seen[i]);
        }
    }
    for (uint32_t i = 0; i < THREAD_WRITERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(work[i].failed);
        assert_int_equal(seen[i], THREAD_COMMITS - 1);
    }
    log_reader_close(shared);
    log_reader_close(own);
}

static void *wake_reader(void *reader)
{
    log_reader_wake(reader);
    return NULL;
}

static void waiting_reader_is_woken_from_another_thread(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "wake", 1);
    struct log_reader *reader = contract_reader(c);
    struct log_block *block = NULL;
    pthread_t thread;

    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_END, &c->err), 0);
    assert_int_equal(pthread_create(&thread, NULL, wake_reader, reader), 0);
    assert_int_equal(log_reader_poll(reader, 600000, &block, NULL, &c->err), 0);
    assert_null(block);
    assert_int_equal(pthread_join(thread, NULL), 0);
    log_reader_close(reader);
}

/* Several members of a group come and go, each in a thread of its own. */
static void *be_a_member(void *context)
{
    struct thread_work *work = context;
    struct member_spec spec = { .group = BYTES("g"),
                                .topic = work->topic->name,
                                .client_id = BYTES("c"),
                                .session_timeout_ms = 60000 };

    for (int i = 0; i < 10 && !work->failed; i++) {
        struct log_member *member = NULL;

        work->failed = log_member_join(work->log, &spec, &member, NULL) != 0;
        for (int poll = 0; poll < 10 && !work->failed; poll++) {
            work->failed = log_member_poll(member, 1, NULL) != 0;
        }
        log_member_leave(member);
    }
    return NULL;
}

static void members_come_and_go_from_several_threads(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 8);
    struct thread_work work[3];
    pthread_t threads[3];
    struct group_owner *owners;
    uint32_t count = 1;

    for (uint32_t i = 0; i < 3; i++) {
        work[i] = (struct thread_work){ c->log, topic, i, false };
        assert_int_equal(pthread_create(&threads[i], NULL, be_a_member, &work[i]), 0);
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(work[i].failed);
    }
    assert_int_equal(log_group_owners(c->log, bytes_of("g"), &c->arena, &owners, &count, &c->err),
                     0);
    assert_int_equal(count, 0);
}

static int run_own(void)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(fenced_writer_can_do_nothing),
        CONTRACT_TEST(transaction_that_takes_too_long_is_fenced),
        CONTRACT_TEST(replaced_static_member_cannot_commit_what_it_sent),
        CONTRACT_TEST(looking_at_positions_does_not_fence_their_owner),
        CONTRACT_TEST(transaction_consumes_offsets_beside_its_records),
        CONTRACT_TEST(commit_of_unknown_outcome_is_all_or_nothing),
        CONTRACT_TEST(refused_append_can_be_provoked),
        CONTRACT_TEST(cancelled_record_leaves_nothing),
        CONTRACT_TEST(murmur2_is_kafkas),
    };

    return CONTRACT_RUN("memory alone", tests, &dense);
}

static int run_threads(void)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(reader_of_one_partition_finds_the_commit_in_the_others),
        CONTRACT_TEST(waiting_reader_is_woken_from_another_thread),
        CONTRACT_TEST(members_come_and_go_from_several_threads),
    };

    return CONTRACT_RUN("memory with threads", tests, &timed);
}

int main(void)
{
    return log_contract_run(&dense) + log_contract_run(&gaps) + run_own() + run_threads();
}
