/*
 * engine_bed.c: an engine under test; its answers as lines of text.
 */
#include "tests/unit/engine_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/type/cast.h"

enum { START_MS = 1000 };

static void remember_skipped(void *context, struct bytes query_id, const struct row_origin *origin,
                             const char *what, const struct error *err)
{
    struct bed *bed = context;

    (void)query_id;
    (void)origin;
    (void)what;
    (void)err;
    bed->skipped++;
}

/* --- what is told --- */

static void say(struct bed *bed, const char *what, struct bytes text)
{
    buffer_printf(&bed->said, "%s %.*s\n", what, BYTES_ARG(text));
}

static void on_message(void *context, struct bytes message)
{
    say(context, "message", message);
}

static void on_warning(void *context, struct bytes message)
{
    say(context, "warning", message);
}

static void on_table(void *context, const struct result_table *table)
{
    struct bed *bed = context;

    buffer_printf(&bed->said, "table %s\n", table->kind);
    if (table->heading.data) {
        say(bed, "heading", table->heading);
    }
    if (table->text.data) {
        say(bed, "text", table->text);
    }
    for (uint32_t r = 0; r < table->row_count; r++) {
        for (uint32_t c = 0; c < table->column_count; c++) {
            buffer_append_text(&bed->said, c ? "|" : "cells ");
            buffer_append_bytes(&bed->said, table->cells[r * table->column_count + c]);
        }
        buffer_append_char(&bed->said, '\n');
    }
    if (table->footer.data) {
        say(bed, "footer", table->footer);
    }
}

static void on_rows_begin(void *context, struct bytes query_id, const struct schema *schema)
{
    struct bed *bed = context;

    (void)query_id;
    bed->schema = schema;
    bed->rows = 0;
    if (bed->rows_begun) {
        bed->rows_begun(bed);
    }
}

static bool on_row(void *context, const struct value *cells, bool tombstone, int64_t timestamp_ms)
{
    struct bed *bed = context;

    (void)timestamp_ms;
    buffer_append_text(&bed->said, tombstone ? "tombstone " : "row ");
    for (uint32_t c = 0; c < bed->schema->column_count; c++) {
        buffer_append_text(&bed->said, c ? "|" : "");
        cast_print(&cells[c], bed->schema->columns[c].type, &bed->said);
    }
    buffer_append_char(&bed->said, '\n');
    return ++bed->rows != bed->row_limit;
}

static void on_rows_end(void *context, struct bytes message)
{
    say(context, "end", message);
}

/* --- the engine --- */

void bed_init(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    arena_init(&bed->arena, 0);
    clock_init_virtual(&bed->clock, START_MS);
    bed->log = log_memory_create(&bed->clock);
    bed->config = (struct engine_config){ .log = bed->log,
                                          .clock = &bed->clock,
                                          .mode = RUNTIME_STEPPED,
                                          .skipped = remember_skipped,
                                          .context = bed };
}

void bed_open(struct bed *bed)
{
    assert_int_equal(engine_open(&bed->config, &bed->engine, &bed->error), 0);
    bed->session = session_create(bed->engine);
}

void bed_close(struct bed *bed)
{
    session_destroy(bed->session);
    engine_close(bed->engine);
    bed->session = NULL;
    bed->engine = NULL;
}

void bed_restart(struct bed *bed)
{
    bed_close(bed);
    bed_open(bed);
}

void bed_fini(struct bed *bed)
{
    bed_close(bed);
    log_close(bed->log);
    buffer_fini(&bed->said);
    arena_fini(&bed->arena);
}

int bed_try(struct bed *bed, const char *text)
{
    const struct result_sink sink = { .message = on_message,
                                      .warning = on_warning,
                                      .table = on_table,
                                      .rows_begin = on_rows_begin,
                                      .row = on_row,
                                      .rows_end = on_rows_end,
                                      .context = bed };
    int code;

    bed->said.len = 0;
    error_clear(&bed->error);
    code = engine_execute(bed->engine, bed->session, bytes_of(text), &sink, &bed->error);
    buffer_append_char(&bed->said, '\0');
    return code;
}

const char *bed_run(struct bed *bed, const char *text)
{
    if (bed_try(bed, text)) {
        fail_msg("%s\n%u:%u: %s", text, bed->error.at.line, bed->error.at.column,
                 bed->error.message);
    }
    return bed->said.data;
}

void bed_refuse(struct bed *bed, const char *text, enum error_code code, uint32_t line,
                uint32_t column)
{
    int got = bed_try(bed, text);

    if (got != (int)code) {
        fail_msg("%s\ngave %s (%s), not %s", text, error_name((enum error_code)got),
                 bed->error.message, error_name(code));
    }
    assert_int_equal(bed->error.code, code);
    if (line > 0) {
        assert_int_equal(bed->error.at.line, line);
        assert_int_equal(bed->error.at.column, column);
    }
}

/* --- the log --- */

bool bed_has_topic(struct bed *bed, const char *name)
{
    const struct log_topic *topic = NULL;

    return log_open_topic(bed->log, bytes_of(name), &topic, NULL) == 0;
}

static void print_block(const struct log_block *block, struct buffer *out)
{
    for (uint32_t i = 0; i < block->record_count; i++) {
        const struct log_record *record = &block->records[i];
        struct bytes key = record->key.data ? record->key : bytes_of("~");
        struct bytes value = record->value.data ? record->value : bytes_of("~");

        buffer_printf(out, "%s%.*s=%.*s@%lld", out->len ? " " : "", BYTES_ARG(key),
                      BYTES_ARG(value), (long long)record->timestamp_ms);
    }
}

const char *bed_records(struct bed *bed, const char *name)
{
    const struct reader_spec spec = { .client_id = BYTES("bed"), .isolation = READ_COMMITTED };
    const struct log_topic *topic = NULL;
    struct log_reader *reader = NULL;
    struct buffer text = { 0 };
    const char *copy;

    assert_int_equal(log_open_topic(bed->log, bytes_of(name), &topic, &bed->error), 0);
    for (uint32_t p = 0; p < topic->partition_count; p++) {
        struct log_block *block = NULL;
        struct log_place failed;

        assert_int_equal(log_reader_open(bed->log, &spec, &reader, &bed->error), 0);
        assert_int_equal(log_reader_assign(reader, topic, p, OFFSET_BEGIN, &bed->error), 0);
        while (!log_reader_poll(reader, 0, &block, &failed, &bed->error) && block) {
            print_block(block, &text);
            log_block_unref(block);
            block = NULL;
        }
        log_reader_close(reader);
    }
    copy = arena_copy_text(&bed->arena, buffer_bytes(&text));
    buffer_fini(&text);
    return copy;
}
