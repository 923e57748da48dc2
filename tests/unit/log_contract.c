/*
 * log_contract.c: what the log's contract tests share, and the suite's door.
 */
#include "tests/unit/log_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

enum { PATIENCE_POLLS = 300, REAL_WAIT_MS = 100 };

int log_contract_run(const struct log_contract_target *target)
{
    return contract_run_records(target) + contract_run_transactions(target) +
           contract_run_groups(target);
}

void contract_prepare(struct CMUnitTest *tests, size_t count,
                      const struct log_contract_target *target)
{
    for (size_t i = 0; i < count; i++) {
        tests[i].initial_state = (void *)(uintptr_t)target;
    }
}

int contract_setup(void **state)
{
    struct contract *c = memory_zalloc(1, sizeof *c);

    c->target = *state;
    if (c->target->real_time) {
        clock_init_real(&c->clock);
    } else {
        clock_init_virtual(&c->clock, 1000000);
    }
    arena_init(&c->arena, 0);
    c->log = c->target->create(&c->clock);
    *state = c;
    return c->log ? 0 : -1;
}

int contract_teardown(void **state)
{
    struct contract *c = *state;

    log_close(c->log);
    arena_fini(&c->arena);
    free(c);
    return 0;
}

struct bytes contract_name(struct contract *c, const char *stem)
{
    static uint32_t names;

    return arena_printf(&c->arena, "%s-%u", stem, ++names);
}

const struct log_topic *contract_topic(struct contract *c, const char *stem, uint32_t partitions)
{
    struct topic_spec spec = { .name = contract_name(c, stem), .partition_count = partitions };
    const struct log_topic *topic = NULL;

    assert_int_equal(log_create_topic(c->log, &spec, &c->err), 0);
    assert_int_equal(log_open_topic(c->log, spec.name, &topic, &c->err), 0);
    return topic;
}

struct log_writer *contract_writer(struct contract *c, struct bytes transactional_id)
{
    struct writer_spec spec = { .client_id = BYTES("contract"),
                                .transactional_id = transactional_id,
                                .transaction_timeout_ms = 60000 };
    struct log_writer *writer = NULL;

    assert_int_equal(log_writer_open(c->log, &spec, &writer, &c->err), 0);
    return writer;
}

struct log_reader *contract_reader(struct contract *c)
{
    struct reader_spec spec = { .client_id = BYTES("contract"), .isolation = READ_COMMITTED };
    struct log_reader *reader = NULL;

    assert_int_equal(log_reader_open(c->log, &spec, &reader, &c->err), 0);
    return reader;
}

void contract_put(struct contract *c, struct log_writer *writer, const struct log_topic *topic,
                  uint32_t partition, const char *values)
{
    struct log_builder builder = { 0 };

    while (*values) {
        size_t len = strcspn(values, " ");

        log_builder_add(&builder, (struct bytes){ 0 }, (struct bytes){ values, len }, 7, NULL, 0);
        values += len + (values[len] == ' ');
    }
    assert_int_equal(log_writer_append(writer, topic, partition, &builder, NULL, &c->err), 0);
    assert_int_equal(builder.record_count, 0);
    assert_int_equal(builder.bytes.len, 0);
    log_builder_fini(&builder);
}

int64_t contract_wait_ms(const struct contract *c)
{
    return c->target->real_time ? REAL_WAIT_MS : 0;
}

struct log_block *contract_poll(struct contract *c, struct log_reader *reader,
                                struct log_place *failed, int *code)
{
    struct log_block *block = NULL;

    *code = 0;
    for (int i = 0; i < PATIENCE_POLLS; i++) {
        *code = log_reader_poll(reader, contract_wait_ms(c), &block, failed, &c->err);
        if (*code || block || log_reader_at_end(reader)) {
            return *code ? NULL : block;
        }
    }
    fail_msg("the log has neither records nor an end");
    return NULL;
}

struct log_block *contract_next(struct contract *c, struct log_reader *reader)
{
    int tries = c->target->real_time ? PATIENCE_POLLS : 1;
    struct log_block *block;
    int code;

    do {
        block = contract_poll(c, reader, NULL, &code);
        assert_int_equal(code, 0);
    } while (!block && --tries > 0);
    assert_non_null(block);
    return block;
}

static void check_order(const struct log_block *block)
{
    assert_true(block->record_count > 0);
    assert_non_null(block->topic);
    for (uint32_t i = 1; i < block->record_count; i++) {
        assert_true(block->records[i].offset > block->records[i - 1].offset);
    }
    assert_true(block->next_offset > block->records[block->record_count - 1].offset);
}

struct bytes contract_drain(struct contract *c, struct log_reader *reader)
{
    struct buffer values = { 0 };
    struct log_block *block;
    struct bytes text;
    int code;

    while ((block = contract_poll(c, reader, NULL, &code))) {
        check_order(block);
        for (uint32_t i = 0; i < block->record_count; i++) {
            buffer_append_text(&values, values.len ? " " : "");
            buffer_append_bytes(&values, block->records[i].value);
        }
        log_block_unref(block);
    }
    assert_int_equal(code, 0);
    text = arena_printf(&c->arena, "%.*s", BYTES_ARG(buffer_bytes(&values)));
    buffer_fini(&values);
    return text;
}

void contract_expect_next(struct contract *c, struct log_reader *reader, const char *values)
{
    struct buffer found = { 0 };
    int tries = c->target->real_time ? PATIENCE_POLLS : 1;

    do {
        struct bytes more = contract_drain(c, reader);

        buffer_append_text(&found, found.len && more.len ? " " : "");
        buffer_append_bytes(&found, more);
    } while (found.len < strlen(values) && --tries > 0);
    buffer_append_char(&found, '\0');
    assert_string_equal(found.data, values);
    buffer_fini(&found);
}

void contract_expect(struct contract *c, const struct log_topic *topic, uint32_t partition,
                     const char *values)
{
    struct log_reader *reader = contract_reader(c);

    assert_int_equal(log_reader_assign(reader, topic, partition, OFFSET_BEGIN, &c->err), 0);
    contract_expect_next(c, reader, values);
    log_reader_close(reader);
}
