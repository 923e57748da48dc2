/*
 * test_log_kafka.c: the Kafka log keeps the log's contract, on a real broker, and what
 * concerns Kafka alone.
 *
 * SLUICE_TEST_KAFKA is the broker's address, SLUICE_TEST_KAFKA_SASL that for those who have a
 * password (make kafka starts one).
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/log/log_kafka.h"
#include "tests/unit/log_contract.h"

static struct log *create_at(struct bytes bootstrap, const struct topic_config *properties,
                             uint32_t count, const struct clock *clock, struct error *err)
{
    struct log_kafka_config config = { .bootstrap = bootstrap,
                                       .properties = properties,
                                       .property_count = count };
    struct log *log = NULL;

    return log_kafka_create(&config, clock, &log, err) ? NULL : log;
}

static struct log *create(const struct clock *clock)
{
    struct error err = { 0 };
    struct log *log = create_at(bytes_of(getenv("SLUICE_TEST_KAFKA")), NULL, 0, clock, &err);

    if (!log) {
        (void)fprintf(stderr, "%s\n", err.message);
    }
    return log;
}

static struct log *restart(struct log *log, const struct clock *clock)
{
    log_close(log);
    return create(clock);
}

static const struct log_contract_target kafka = {
    .name = "kafka", .create = create, .restart = restart, .real_time = true
};

/* A connection that needs more than a socket, on which librdkafka reads. */
static struct log *create_with_password(const struct clock *clock)
{
    const struct topic_config login[] = { { BYTES("security.protocol"), BYTES("SASL_PLAINTEXT") },
                                          { BYTES("sasl.mechanisms"), BYTES("PLAIN") },
                                          { BYTES("sasl.username"), BYTES("alice") },
                                          { BYTES("sasl.password"), BYTES("secret") } };
    struct error err = { 0 };
    struct log *log = create_at(bytes_of(getenv("SLUICE_TEST_KAFKA_SASL")), login,
                                sizeof login / sizeof login[0], clock, &err);

    if (!log) {
        (void)fprintf(stderr, "%s\n", err.message);
    }
    return log;
}

static struct log *restart_with_password(struct log *log, const struct clock *clock)
{
    log_close(log);
    return create_with_password(clock);
}

static const struct log_contract_target kafka_with_password = { .name = "kafka with a password",
                                                                .create = create_with_password,
                                                                .restart = restart_with_password,
                                                                .real_time = true };

/* --- configuration --- */

static int create_with(struct contract *c, const char *name, const char *value)
{
    const struct topic_config property = { bytes_of(name), bytes_of(value) };
    struct log_kafka_config config = { .bootstrap = bytes_of(getenv("SLUICE_TEST_KAFKA")),
                                       .properties = &property,
                                       .property_count = 1 };
    struct log *log = NULL;
    int code = log_kafka_create(&config, &c->clock, &log, &c->err);

    log_close(log);
    return code;
}

static void properties_of_the_client_pass_through(void **state)
{
    struct contract *c = *state;

    assert_int_equal(create_with(c, "linger.ms", "1"), 0);
    assert_int_equal(create_with(c, "no.such.property", "1"), ERR_UNKNOWN_PROPERTY);
    assert_non_null(strstr(c->err.message, "kafka.no.such.property"));
    assert_int_equal(create_with(c, "linger.ms", "soon"), ERR_INVALID_PROPERTY);
    assert_non_null(strstr(c->err.message, "kafka.linger.ms"));
}

/* --- topics --- */

enum { RACES = 20 };

struct racer {
    struct log *log;
    struct bytes names[RACES];
    int failure;
};

static void *make_and_open(void *argument)
{
    struct racer *racer = argument;

    for (int i = 0; i < RACES && !racer->failure; i++) {
        struct topic_spec spec = { .name = racer->names[i], .partition_count = 8 };
        const struct log_topic *topic = NULL;
        int made = log_create_topic(racer->log, &spec, NULL);

        racer->failure = made && made != ERR_TOPIC_EXISTS
                             ? made
                             : log_open_topic(racer->log, spec.name, &topic, NULL);
    }
    return NULL;
}

/* The broker that answers may hear of the topic later than the one that made it. */
static void topic_that_exists_already_can_be_opened(void **state)
{
    struct contract *c = *state;
    struct racer here = { .log = c->log }, there = here;
    pthread_t thread;

    there.log = create(&c->clock);
    assert_non_null(there.log);
    for (int i = 0; i < RACES; i++) {
        here.names[i] = contract_name(c, "raced");
        there.names[i] = here.names[i];
    }
    assert_int_equal(pthread_create(&thread, NULL, make_and_open, &there), 0);
    (void)make_and_open(&here);
    pthread_join(thread, NULL);
    assert_int_equal(here.failure, 0);
    assert_int_equal(there.failure, 0);
    log_close(there.log);
}

static void topic_deleted_by_another_is_gone_for_its_reader(void **state)
{
    const struct topic_config soon = { BYTES("topic.metadata.propagation.max.ms"), BYTES("0") };
    struct contract *c = *state;
    struct log *impatient =
        create_at(bytes_of(getenv("SLUICE_TEST_KAFKA")), &soon, 1, &c->clock, &c->err);
    const struct log_topic *made = contract_topic(c, "foreign", 1);
    const struct log_topic *topic = NULL;
    struct reader_spec spec = { .client_id = BYTES("c"), .isolation = READ_COMMITTED };
    struct log_reader *reader = NULL;
    struct log_place failed = { 0 };
    int code;

    assert_non_null(impatient);
    assert_int_equal(log_open_topic(impatient, made->name, &topic, &c->err), 0);
    assert_false(log_topic_was_replaced(topic, made->incarnation));
    assert_int_equal(log_reader_open(impatient, &spec, &reader, &c->err), 0);
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    assert_null(contract_poll(c, reader, &failed, &code));
    assert_int_equal(code, 0);
    assert_int_equal(log_delete_topic(c->log, made->name, &c->err), 0);
    for (int i = 0; i < 300 && !code; i++) {
        struct log_block *block = NULL;

        code = log_reader_poll(reader, contract_wait_ms(c), &block, &failed, &c->err);
        assert_null(block);
    }
    assert_int_equal(code, ERR_TOPIC_GONE);
    assert_ptr_equal(failed.topic, topic);
    log_reader_close(reader);
    log_close(impatient);
}

/* --- records --- */

static void timestamps_around_zero_come_back(void **state)
{
    static const int64_t times[] = { -2, 0, 1, 1700000000000 };
    enum { TIMES = sizeof times / sizeof times[0] };
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "times", 1);
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    struct log_reader *reader = contract_reader(c);
    struct log_builder b = { 0 };
    struct log_block *block;

    for (size_t i = 0; i < TIMES; i++) {
        log_builder_add(&b, (struct bytes){ 0 }, bytes_of("v"), times[i], NULL, 0);
    }
    assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    block = contract_next(c, reader);
    assert_int_equal(block->record_count, TIMES);
    for (size_t i = 0; i < TIMES; i++) {
        assert_true(block->records[i].timestamp_ms == times[i]);
    }
    log_block_unref(block);
    log_builder_fini(&b);
    log_reader_close(reader);
    log_writer_close(writer);
}

static void append_waits_while_the_queue_is_full(void **state)
{
    enum { RECORDS = 3000 };
    const struct topic_config small = { BYTES("queue.buffering.max.messages"), BYTES("50") };
    struct contract *c = *state;
    struct log *log =
        create_at(bytes_of(getenv("SLUICE_TEST_KAFKA")), &small, 1, &c->clock, &c->err);
    const struct log_topic *made = contract_topic(c, "full", 1);
    const struct log_topic *topic = NULL;
    struct writer_spec spec = { .client_id = BYTES("c") };
    struct log_writer *writer = NULL;
    struct log_builder b = { 0 };
    struct log_range range;

    assert_non_null(log);
    assert_int_equal(log_open_topic(log, made->name, &topic, &c->err), 0);
    assert_int_equal(log_writer_open(log, &spec, &writer, &c->err), 0);
    for (uint32_t i = 0; i < RECORDS; i++) {
        log_builder_add(&b, (struct bytes){ 0 }, bytes_of("value"), 1, NULL, 0);
    }
    assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    assert_int_equal(log_topic_range(log, topic, 0, READ_COMMITTED, &range, &c->err), 0);
    assert_int_equal(range.end - range.begin, RECORDS);
    log_builder_fini(&b);
    log_writer_close(writer);
    log_close(log);
}

/* The broker refuses it, so it has taken up a place in the sequence. */
static void writer_goes_on_behind_a_refused_record(void **state)
{
    const struct topic_config limit = { BYTES("max.message.bytes"), BYTES("1000") };
    struct contract *c = *state;
    struct topic_spec spec = { .name = contract_name(c, "limited"),
                               .partition_count = 1,
                               .configs = &limit,
                               .config_count = 1 };
    struct log_writer *writer = contract_writer(c, (struct bytes){ 0 });
    const struct log_topic *topic = NULL;
    struct log_builder b = { 0 };
    char large[3000];

    for (size_t i = 0; i < sizeof large; i++) {
        large[i] = (char)(i * 7919 >> 3);
    }
    assert_int_equal(log_create_topic(c->log, &spec, &c->err), 0);
    assert_int_equal(log_open_topic(c->log, spec.name, &topic, &c->err), 0);
    for (int i = 0; i < 3; i++) {
        log_builder_add(&b, (struct bytes){ 0 }, (struct bytes){ large, sizeof large }, 1, NULL, 0);
        assert_int_equal(log_writer_append(writer, topic, 0, &b, NULL, &c->err), 0);
        assert_int_equal(log_writer_flush(writer, &c->err), ERR_RECORD_REFUSED);
        contract_put(c, writer, topic, 0, "small");
        assert_int_equal(log_writer_flush(writer, &c->err), 0);
    }
    contract_expect(c, topic, 0, "small small small");
    log_builder_fini(&b);
    log_writer_close(writer);
}

/* --- positions in the log --- */

static void position_passes_what_was_aborted(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "markers", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct log_reader *reader = contract_reader(c);
    struct log_range committed;
    struct log_range all;

    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "a");
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    contract_expect_next(c, reader, "a");
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "no no");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    assert_int_equal(log_topic_range(c->log, topic, 0, READ_COMMITTED, &committed, &c->err), 0);
    assert_int_equal(log_topic_range(c->log, topic, 0, READ_UNCOMMITTED, &all, &c->err), 0);
    assert_int_equal(committed.end + 2, all.end);
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    for (int i = 0; i < 100 && log_reader_position(reader, topic, 0) <= all.end; i++) {
        contract_expect_next(c, reader, "");
    }
    assert_int_equal(log_topic_range(c->log, topic, 0, READ_COMMITTED, &committed, &c->err), 0);
    assert_int_equal(log_reader_position(reader, topic, 0), committed.end);
    log_reader_close(reader);
    log_writer_close(writer);
}

/* --- the fence --- */

/* Before it has joined it has no generation, and no group may take it for a simple client. */
static void member_that_has_not_joined_yet_cannot_commit(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct member_spec spec = { .group = contract_name(c, "group"),
                                .topic = topic->name,
                                .client_id = BYTES("c"),
                                .session_timeout_ms = 10000 };
    struct group_position position = { topic, 0, 5, { 0 } };
    struct group_membership now;
    struct log_member *member = NULL;

    assert_int_equal(log_member_join(c->log, &spec, &member, &c->err), 0);
    now = log_member_current(member);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    assert_int_equal(log_writer_send_positions(writer, &now, &position, 1, &c->err), ERR_FENCED);
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    log_member_leave(member);
    log_writer_close(writer);
}

static void note_lost(void *context, const uint32_t *partitions, uint32_t count)
{
    bool *lost = context;

    (void)partitions;
    (void)count;
    *lost = true;
}

/* It restores what it was given, say; the client's heartbeat goes on. */
static void busy_member_keeps_its_partitions(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "slots", 4);
    bool lost = false;
    struct member_spec spec = { .group = contract_name(c, "group"),
                                .topic = topic->name,
                                .client_id = BYTES("c"),
                                .session_timeout_ms = 4000,
                                .poll_timeout_ms = 30000,
                                .lost = note_lost,
                                .context = &lost };
    struct log_reader *nothing = contract_reader(c);
    struct log_member *member = NULL;
    struct log_block *block = NULL;
    struct log_place failed;
    int32_t generation = 0;

    assert_int_equal(log_member_join(c->log, &spec, &member, &c->err), 0);
    for (int i = 0; i < 100 && generation == 0; i++) {
        assert_int_equal(log_member_poll(member, 100, &c->err), 0);
        generation = log_member_current(member).generation;
    }
    assert_true(generation > 0);
    assert_int_equal(log_reader_poll(nothing, 6000, &block, &failed, &c->err), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(log_member_poll(member, 100, &c->err), 0);
    }
    assert_false(lost);
    assert_int_equal(log_member_current(member).generation, generation);
    log_member_leave(member);
    log_reader_close(nothing);
}

static int64_t end_of(struct contract *c, const struct log_topic *topic,
                      enum log_isolation isolation)
{
    struct log_range range = { 0 };

    assert_int_equal(log_topic_range(c->log, topic, 0, isolation, &range, &c->err), 0);
    return range.end;
}

/* Else all that comes behind its records stays unseen until its time limit is over. */
static void transaction_of_a_sender_that_left_the_group_is_ended(void **state)
{
    struct contract *c = *state;
    const struct log_topic *slots = contract_topic(c, "slots", 1);
    const struct log_topic *data = contract_topic(c, "data", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct member_spec spec = { .group = contract_name(c, "group"),
                                .topic = slots->name,
                                .client_id = BYTES("c"),
                                .session_timeout_ms = 10000 };
    struct group_position position = { slots, 0, 5, { 0 } };
    struct group_membership now = { 0 };
    struct log_member *member = NULL;

    assert_int_equal(log_member_join(c->log, &spec, &member, &c->err), 0);
    for (int i = 0; i < 100 && now.generation <= 0; i++) {
        assert_int_equal(log_member_poll(member, 100, &c->err), 0);
        now = log_member_current(member);
    }
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, data, 0, "a");
    assert_int_equal(log_writer_send_positions(writer, &now, &position, 1, &c->err), 0);
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, data, 0, "b");
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    assert_int_equal(log_group_positions(c->log, spec.group, &position, 1, &c->arena, &c->err), 0);
    assert_true(end_of(c, data, READ_COMMITTED) < end_of(c, data, READ_UNCOMMITTED));
    log_member_leave(member);
    assert_int_equal(log_group_positions(c->log, spec.group, &position, 1, &c->arena, &c->err), 0);
    assert_int_equal(position.offset, 5);
    assert_null(position.metadata.data);
    assert_int_equal(end_of(c, data, READ_COMMITTED), end_of(c, data, READ_UNCOMMITTED));
    assert_int_equal(log_writer_commit(writer, &c->err), ERR_FENCED);
    log_writer_close(writer);
}

/* --- a random walk --- */

enum { WALK_PARTITIONS = 3, WALK_TRANSACTIONS = 60, WALK_STEPS = 600, WALK_RECORDS_MAX = 1000 };

/* What is committed of a partition, and how far a reader that walks about has come. */
struct walked {
    int64_t offsets[WALK_RECORDS_MAX];
    uint32_t count;
    bool is_assigned;
    bool is_paused;
    int64_t next;
};

struct walk {
    struct contract *c;
    const struct log_topic *topic;
    struct log_reader *reader;
    struct walked of[WALK_PARTITIONS];
    uint32_t records; /* that were read */
    uint64_t seed;
};

static uint32_t walk_random(struct walk *w)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(w->seed >> 33);
}

/* Every third transaction is aborted. */
static uint32_t fill_for_walk(struct walk *w)
{
    struct log_writer *writer = contract_writer(w->c, contract_name(w->c, "tx"));
    uint32_t committed = 0;

    for (uint32_t i = 0; i < WALK_TRANSACTIONS; i++) {
        assert_int_equal(log_writer_begin(writer, &w->c->err), 0);
        for (uint32_t partition = 0; partition < WALK_PARTITIONS; partition++) {
            contract_put(w->c, writer, w->topic, partition, i % 4 ? "a b c d e" : "a");
        }
        if (i % 3 == 1) {
            assert_int_equal(log_writer_flush(writer, &w->c->err), 0); /* they are in the log */
            assert_int_equal(log_writer_abort(writer, &w->c->err), 0);
        } else {
            assert_int_equal(log_writer_commit(writer, &w->c->err), 0);
            committed += i % 4 ? 5 : 1;
        }
    }
    log_writer_close(writer);
    return committed;
}

static void learn_offsets(struct walk *w, uint32_t committed)
{
    for (uint32_t i = 0; i < WALK_PARTITIONS; i++) {
        struct walked *of = &w->of[i];

        assert_int_equal(log_reader_assign(w->reader, w->topic, i, OFFSET_BEGIN, &w->c->err), 0);
        while (of->count < committed) {
            struct log_block *block = contract_next(w->c, w->reader);

            assert_non_null(block);
            for (uint32_t j = 0; j < block->record_count; j++) {
                of->offsets[of->count++] = block->records[j].offset;
            }
            log_block_unref(block);
        }
        assert_int_equal(of->count, committed);
        log_reader_unassign(w->reader, w->topic, i);
    }
}

static int64_t next_committed(const struct walked *of)
{
    for (uint32_t i = 0; i < of->count; i++) {
        if (of->offsets[i] >= of->next) {
            return of->offsets[i];
        }
    }
    return INT64_MAX;
}

static void walk_poll(struct walk *w, int64_t wait_ms)
{
    struct log_block *block = NULL;
    struct log_place failed;
    struct walked *of;

    assert_int_equal(log_reader_poll(w->reader, wait_ms, &block, &failed, &w->c->err), 0);
    if (!block) {
        return;
    }
    of = &w->of[block->partition];
    assert_true(of->is_assigned && !of->is_paused);
    for (uint32_t i = 0; i < block->record_count; i++) {
        assert_int_equal(block->records[i].offset, next_committed(of));
        of->next = block->records[i].offset + 1;
    }
    assert_true(block->next_offset >= of->next && block->next_offset <= next_committed(of));
    of->next = block->next_offset;
    w->records += block->record_count;
    log_block_unref(block);
}

static void walk_change(struct walk *w)
{
    uint32_t partition = walk_random(w) % WALK_PARTITIONS;
    struct walked *of = &w->of[partition];

    switch (walk_random(w) % 4) {
    case 0:
        of->next = walk_random(w) % of->offsets[of->count - 1];
        of->is_assigned = true;
        of->is_paused = false;
        assert_int_equal(log_reader_assign(w->reader, w->topic, partition, of->next, &w->c->err),
                         0);
        break;
    case 1:
        log_reader_unassign(w->reader, w->topic, partition);
        of->is_assigned = false;
        break;
    case 2:
        log_reader_pause(w->reader, w->topic, partition);
        of->is_paused = of->is_assigned;
        break;
    case 3:
        log_reader_resume(w->reader, w->topic, partition);
        of->is_paused = false;
    }
}

static void reader_that_walks_about_gets_each_record_once_in_order(void **state)
{
    struct contract *c = *state;
    struct walk *w = calloc(1, sizeof *w);

    w->c = c;
    w->seed = 1;
    w->topic = contract_topic(c, "walk", WALK_PARTITIONS);
    w->reader = contract_reader(c);
    learn_offsets(w, fill_for_walk(w));
    for (int i = 0; i < WALK_STEPS || (w->records <= WALK_STEPS && i < 100 * WALK_STEPS); i++) {
        if (walk_random(w) % 3) {
            walk_poll(w, walk_random(w) % 4);
        } else {
            walk_change(w);
        }
    }
    for (uint32_t i = 0; i < WALK_PARTITIONS; i++) {
        log_reader_resume(w->reader, w->topic, i);
        w->of[i].is_paused = false;
    }
    while (!log_reader_at_end(w->reader)) {
        walk_poll(w, 100);
    }
    for (uint32_t i = 0; i < WALK_PARTITIONS; i++) {
        assert_true(!w->of[i].is_assigned || next_committed(&w->of[i]) == INT64_MAX);
    }
    assert_true(w->records > WALK_STEPS);
    log_reader_close(w->reader);
    free(w);
}

static int run_own(void)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(properties_of_the_client_pass_through),
        CONTRACT_TEST(topic_that_exists_already_can_be_opened),
        CONTRACT_TEST(topic_deleted_by_another_is_gone_for_its_reader),
        CONTRACT_TEST(timestamps_around_zero_come_back),
        CONTRACT_TEST(append_waits_while_the_queue_is_full),
        CONTRACT_TEST(writer_goes_on_behind_a_refused_record),
        CONTRACT_TEST(position_passes_what_was_aborted),
        CONTRACT_TEST(reader_that_walks_about_gets_each_record_once_in_order),
        CONTRACT_TEST(member_that_has_not_joined_yet_cannot_commit),
        CONTRACT_TEST(busy_member_keeps_its_partitions),
        CONTRACT_TEST(transaction_of_a_sender_that_left_the_group_is_ended),
    };

    return CONTRACT_RUN("kafka alone", tests, &kafka);
}

int main(void)
{
    if (!getenv("SLUICE_TEST_KAFKA")) {
        (void)fprintf(stderr, "SLUICE_TEST_KAFKA is not set: use make kafka\n");
        return 1;
    }
    cmocka_set_test_filter(getenv("SLUICE_TEST_ONLY"));
    return log_contract_run(&kafka) + log_contract_run(&kafka_with_password) + run_own();
}
