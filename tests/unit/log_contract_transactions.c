/*
 * log_contract_transactions.c: all or nothing, and only the last writer of an id.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/log_contract.h"

static void transaction_is_seen_once_committed(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "commit", 2);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct log_range before;
    struct log_range open;

    assert_int_equal(log_topic_range(c->log, topic, 0, READ_COMMITTED, &before, &c->err), 0);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "a b");
    contract_put(c, writer, topic, 1, "x");
    contract_put(c, writer, topic, 0, "c");
    contract_expect(c, topic, 0, "");
    contract_expect(c, topic, 1, "");
    assert_int_equal(log_topic_range(c->log, topic, 0, READ_COMMITTED, &open, &c->err), 0);
    assert_int_equal(open.end, before.end);
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    contract_expect(c, topic, 0, "a b c");
    contract_expect(c, topic, 1, "x");
    log_writer_close(writer);
}

static void aborted_records_are_never_seen(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "abort", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct log_reader *reader = contract_reader(c);

    assert_int_equal(log_reader_assign(reader, topic, 0, OFFSET_BEGIN, &c->err), 0);
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "no");
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    contract_expect_next(c, reader, "");
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "yes");
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    contract_expect_next(c, reader, "yes");
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    contract_expect_next(c, reader, "");
    log_reader_close(reader);
    log_writer_close(writer);
}

static void closing_aborts_what_is_open(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "close", 1);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));

    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "no");
    log_writer_close(writer);
    contract_expect(c, topic, 0, "");
}

static void large_transaction_appears_in_order(void **state)
{
    enum { ROUNDS = 60, PER_ROUND = 40 };
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "large", 3);
    struct log_writer *writer = contract_writer(c, contract_name(c, "tx"));
    struct log_builder b = { 0 };
    char value[200];

    memset(value, 'v', sizeof value);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    for (uint32_t i = 0; i < ROUNDS * PER_ROUND; i++) {
        struct bytes key = { (const char *)&i, sizeof i };

        log_builder_add(&b, key, (struct bytes){ value, i % 199 }, i, NULL, 0);
        if (i % PER_ROUND == PER_ROUND - 1) {
            assert_int_equal(log_writer_append(writer, topic, i / PER_ROUND % 3, &b, NULL, &c->err),
                             0);
        }
    }
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    for (uint32_t p = 0; p < 3; p++) {
        struct log_reader *reader = contract_reader(c);
        uint32_t next = p * PER_ROUND;
        int code;

        assert_int_equal(log_reader_assign(reader, topic, p, OFFSET_BEGIN, &c->err), 0);
        while (next < ROUNDS * PER_ROUND) {
            struct log_block *block = contract_next(c, reader);

            for (uint32_t i = 0; i < block->record_count; i++) {
                assert_memory_equal(block->records[i].key.data, &next, sizeof next);
                next += next % PER_ROUND == PER_ROUND - 1 ? 1 + 2 * PER_ROUND : 1;
            }
            log_block_unref(block);
        }
        assert_int_equal(next, ROUNDS * PER_ROUND + p * PER_ROUND);
        assert_null(contract_poll(c, reader, NULL, &code));
        log_reader_close(reader);
    }
    log_builder_fini(&b);
    log_writer_close(writer);
}

static void later_writer_of_an_id_fences_the_former(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic = contract_topic(c, "fence", 2);
    struct bytes id = contract_name(c, "tx");
    struct log_writer *former = contract_writer(c, id);
    struct log_writer *other = contract_writer(c, contract_name(c, "tx"));
    struct log_writer *later;

    assert_int_equal(log_writer_begin(former, &c->err), 0);
    contract_put(c, former, topic, 0, "no");
    assert_int_equal(log_writer_begin(other, &c->err), 0);
    contract_put(c, other, topic, 1, "other");
    later = contract_writer(c, id);
    assert_int_equal(log_writer_begin(later, &c->err), 0);
    contract_put(c, later, topic, 0, "yes");
    assert_int_equal(log_writer_commit(later, &c->err), 0);
    assert_int_equal(log_writer_commit(former, &c->err), ERR_FENCED);
    assert_int_equal(log_writer_commit(other, &c->err), 0);
    log_writer_close(former);
    contract_expect(c, topic, 0, "yes");
    contract_expect(c, topic, 1, "other");
    log_writer_close(later);
    log_writer_close(other);
}

struct refusals {
    uint32_t count;
    void *owner;
};

static void note_refusal(void *context, void *owner, const struct error *why)
{
    struct refusals *refusals = context;

    assert_true(why->code != ERR_NONE);
    refusals->count++;
    refusals->owner = owner;
}

static struct log_writer *noting_writer(struct contract *c, struct bytes id,
                                        struct refusals *refusals)
{
    struct writer_spec spec = { .client_id = BYTES("contract"),
                                .transactional_id = id,
                                .transaction_timeout_ms = 60000,
                                .refused = note_refusal,
                                .context = refusals };
    struct log_writer *writer = NULL;

    assert_int_equal(log_writer_open(c->log, &spec, &writer, &c->err), 0);
    return writer;
}

static void put_large(struct contract *c, struct log_writer *writer, const struct log_topic *topic,
                      void *owner)
{
    static char large[5000];
    struct log_builder b = { 0 };

    for (size_t i = 0; i < sizeof large; i++) {
        large[i] = (char)(i * 7919 >> 3); /* not worth compressing */
    }
    log_builder_add(&b, (struct bytes){ 0 }, (struct bytes){ large, sizeof large }, 1, NULL, 0);
    assert_int_equal(log_writer_append(writer, topic, 0, &b, owner, &c->err), 0);
    log_builder_fini(&b);
}

static void refused_record_names_its_owner_and_spoils_the_transaction(void **state)
{
    const struct topic_config limit = { BYTES("max.message.bytes"), BYTES("1000") };
    struct contract *c = *state;
    const struct log_topic *fine = contract_topic(c, "fine", 1);
    struct topic_spec spec = { .name = contract_name(c, "limited"),
                               .partition_count = 1,
                               .configs = &limit,
                               .config_count = 1 };
    const struct log_topic *limited = NULL;
    struct refusals refusals = { 0 };
    struct log_writer *writer = noting_writer(c, contract_name(c, "tx"), &refusals);

    assert_int_equal(log_create_topic(c->log, &spec, &c->err), 0);
    assert_int_equal(log_open_topic(c->log, spec.name, &limited, &c->err), 0);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, fine, 0, "no");
    put_large(c, writer, limited, &refusals);
    assert_int_equal(log_writer_commit(writer, &c->err), ERR_RECORD_REFUSED);
    assert_int_equal(refusals.count, 1);
    assert_ptr_equal(refusals.owner, &refusals);
    assert_int_equal(log_writer_abort(writer, &c->err), 0);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, fine, 0, "yes");
    contract_put(c, writer, limited, 0, "small");
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    contract_expect(c, fine, 0, "yes");
    contract_expect(c, limited, 0, "small");
    log_writer_close(writer);
}

static void flush_tells_of_a_refused_record_once(void **state)
{
    struct contract *c = *state;
    const struct log_topic *gone = contract_topic(c, "gone", 1);
    const struct log_topic *stays = contract_topic(c, "stays", 1);
    struct refusals refusals = { 0 };
    struct log_writer *writer = noting_writer(c, (struct bytes){ 0 }, &refusals);

    assert_int_equal(log_delete_topic(c->log, gone->name, &c->err), 0);
    put_large(c, writer, gone, &c->err);
    contract_put(c, writer, stays, 0, "a");
    assert_int_equal(log_writer_flush(writer, &c->err), ERR_RECORD_REFUSED);
    assert_int_equal(refusals.count, 1);
    assert_ptr_equal(refusals.owner, &c->err);
    assert_int_equal(log_writer_flush(writer, &c->err), 0);
    contract_expect(c, stays, 0, "a");
    log_writer_close(writer);
}

static void committed_transaction_outlives_a_restart_and_an_open_one_does_not(void **state)
{
    struct contract *c = *state;
    const struct log_topic *topic;
    struct log_writer *writer;
    struct bytes name;

    if (!c->target->restart) {
        skip();
    }
    topic = contract_topic(c, "kept", 1);
    name = arena_copy(&c->arena, topic->name);
    writer = contract_writer(c, contract_name(c, "tx"));
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "yes");
    assert_int_equal(log_writer_commit(writer, &c->err), 0);
    assert_int_equal(log_writer_begin(writer, &c->err), 0);
    contract_put(c, writer, topic, 0, "no");
    log_writer_close(writer);
    c->log = c->target->restart(c->log, &c->clock);
    assert_int_equal(log_open_topic(c->log, name, &topic, &c->err), 0);
    contract_expect(c, topic, 0, "yes");
}

int contract_run_transactions(const struct log_contract_target *target)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(transaction_is_seen_once_committed),
        CONTRACT_TEST(aborted_records_are_never_seen),
        CONTRACT_TEST(closing_aborts_what_is_open),
        CONTRACT_TEST(large_transaction_appears_in_order),
        CONTRACT_TEST(later_writer_of_an_id_fences_the_former),
        CONTRACT_TEST(refused_record_names_its_owner_and_spoils_the_transaction),
        CONTRACT_TEST(flush_tells_of_a_refused_record_once),
        CONTRACT_TEST(committed_transaction_outlives_a_restart_and_an_open_one_does_not),
    };

    return CONTRACT_RUN(target->name, tests, target);
}
