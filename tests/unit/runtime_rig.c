/*
 * runtime_rig.c: see runtime_rig.h.
 */
#include "tests/unit/runtime_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parser/parse.h"

static void must(int code, const struct error *err)
{
    if (code) {
        fail_msg("%s: %s", error_name((enum error_code)code), err->message);
    }
}

static void count_skipped(void *context, struct bytes query_id, const struct row_origin *origin,
                          const char *what, const struct error *err)
{
    struct rig *f = context;

    (void)query_id; /* counted whichever it was */
    (void)origin;
    (void)what;
    (void)err;
    f->skipped++;
}

const char *rig_text(struct rig *f, const char *text)
{
    struct buffer out = { 0 };
    const char *expanded;

    for (; *text; text++) {
        if (*text == '$' && f->prefix) {
            buffer_append_text(&out, f->prefix);
        } else {
            buffer_append_char(&out, *text);
        }
    }
    expanded = arena_copy_text(&f->arena, buffer_bytes(&out));
    buffer_fini(&out);
    return expanded;
}

void rig_init(struct rig *f)
{
    *f = (struct rig){ .workers = 1, .mode = RUNTIME_STEPPED, .service_id = "test" };
    clock_init_virtual(&f->clock, 1000);
    rig_init_on(f, log_memory_create(&f->clock));
}

void rig_init_on(struct rig *f, struct log *log)
{
    arena_init(&f->arena, 0);
    f->log = log;
    f->catalog = catalog_create(NULL);
    f->settings =
        (struct plan_settings){ .service_id = f->service_id,
                                .default_key_format = format_find((struct bytes)BYTES("KAFKA")),
                                .headers_enabled = true,
                                .wrap_single_values = -1 };
    f->options = (struct query_options){ .reset = RESET_EARLIEST, .commit_interval_ms = 100 };
}

void rig_open(struct rig *f, const char *node_id)
{
    struct error err = { 0 };
    struct runtime_config config = { .log = f->log,
                                     .clock = &f->clock,
                                     .service_id = bytes_of(f->service_id),
                                     .node_id = bytes_of(node_id),
                                     .worker_count = f->workers,
                                     .batch_rows = f->batch_rows,
                                     .guarantee = f->guarantee,
                                     .instance_id = bytes_of(f->is_lasting ? node_id : NULL),
                                     .is_shared = f->is_shared,
                                     .slot_count = f->slot_count,
                                     .retry_first_ms = f->retry_first_ms,
                                     .mode = f->mode,
                                     .database = f->database,
                                     .state_memory_bytes = f->state_memory_bytes,
                                     .skipped = count_skipped,
                                     .context = f };

    must(runtime_open(&config, &f->rt, &err), &err);
}

void rig_fini(struct rig *f)
{
    runtime_close(f->rt);
    catalog_destroy(f->catalog);
    log_close(f->log);
    arena_fini(&f->arena);
}

void rig_topic(struct rig *f, const char *name, uint32_t partitions)
{
    struct error err = { 0 };
    struct topic_spec spec = { .name = bytes_of(rig_text(f, name)), .partition_count = partitions };

    must(log_create_topic(f->log, &spec, &err), &err);
}

static struct ast_statement *parse_one(struct rig *f, const char *sql)
{
    struct error err = { 0 };
    struct ast_script script = { 0 };

    must(parse_script(&f->arena, bytes_of(rig_text(f, sql)), &script, &err), &err);
    assert_int_equal(script.statements.count, 1);
    return script.statements.items[0];
}

static struct plan_context context_of(struct rig *f)
{
    return (struct plan_context){
        .arena = &f->arena, .catalog = f->catalog, .log = f->log, .settings = &f->settings
    };
}

void rig_start(struct rig *f, const struct physical_plan *plan)
{
    struct error err = { 0 };

    must(runtime_start(f->rt, plan, &f->options, NULL, &err), &err);
}

void rig_restart(struct rig *f, const struct physical_plan *plan)
{
    f->options.ran_before = true;
    rig_start(f, plan);
    f->options.ran_before = false;
}

static void put_entries(struct rig *f, const struct physical_plan *plan)
{
    struct source sink = *plan->sink;
    const struct query_entry entry = { .id = plan->query_id, .sink = sink.name, .plan = plan };

    if (!catalog_find_source(f->catalog, sink.name)) {
        sink.query = plan->query_id;
        catalog_put_source(f->catalog, &sink);
    }
    catalog_put_query(f->catalog, &entry);
}

static const struct physical_plan *plan_as(struct rig *f, struct ast_statement *statement)
{
    struct plan_context context = context_of(f);
    const struct physical_plan *plan = NULL;
    struct error err = { 0 };
    struct bytes id = arena_printf(&f->arena, "QUERY_%u", f->query_count++);

    if (statement->kind == AST_INSERT_SELECT) {
        must(plan_insert_select(&context, statement, id, &plan, &err), &err);
    } else {
        must(plan_create_as(&context, statement, id, &plan, &err), &err);
    }
    for (uint32_t i = 0; i < plan->output_count; i++) {
        struct topic_spec spec = { .name = plan->outputs[i].topic,
                                   .partition_count = plan->outputs[i].partition_count };

        if (plan->outputs[i].role == TOPIC_SINK) {
            int code = log_create_topic(f->log, &spec, &err);

            assert_true(code == 0 || code == ERR_TOPIC_EXISTS);
        }
    }
    put_entries(f, plan);
    return plan;
}

const struct physical_plan *rig_plan(struct rig *f, const char *sql)
{
    return plan_as(f, parse_one(f, sql));
}

const struct physical_plan *rig_sql(struct rig *f, const char *sql)
{
    struct ast_statement *statement = parse_one(f, sql);
    struct plan_context context = context_of(f);
    struct error err = { 0 };
    struct source source = { 0 };

    if (statement->kind == AST_CREATE_AS || statement->kind == AST_INSERT_SELECT) {
        const struct physical_plan *plan = plan_as(f, statement);

        rig_start(f, plan);
        return plan;
    }
    must(plan_create_source(&context, statement, &source, &err), &err);
    catalog_put_source(f->catalog, &source);
    return NULL;
}

const struct physical_plan *rig_push(struct rig *f, const char *sql, struct row_queue *queue)
{
    struct plan_context context = context_of(f);
    const struct physical_plan *plan = NULL;
    struct error err = { 0 };
    struct bytes id = arena_printf(&f->arena, "PUSH_%u", f->query_count++);

    must(plan_push(&context, parse_one(f, sql), id, &plan, &err), &err);
    must(runtime_start(f->rt, plan, &f->options, queue, &err), &err);
    return plan;
}

const struct pull_lookup *rig_pull(struct rig *f, const char *sql)
{
    struct plan_context context = context_of(f);
    const struct pull_lookup *lookup = NULL;
    struct error err = { 0 };

    must(plan_pull(&context, parse_one(f, sql), &lookup, &err), &err);
    return lookup;
}

static struct log_writer *open_writer(struct rig *f)
{
    struct writer_spec spec = { .client_id = BYTES("test") };
    struct log_writer *writer = NULL;
    struct error err = { 0 };

    must(log_writer_open(f->log, &spec, &writer, &err), &err);
    return writer;
}

void rig_put_at(struct rig *f, const char *topic, uint32_t partition, const char *key,
                const char *value, int64_t timestamp_ms)
{
    struct log_writer *writer = open_writer(f);
    const struct log_topic *to = NULL;
    struct log_builder builder = { 0 };
    struct error err = { 0 };

    must(log_open_topic(f->log, bytes_of(rig_text(f, topic)), &to, &err), &err);
    log_builder_add(&builder, bytes_of(key), bytes_of(value), timestamp_ms, NULL, 0);
    must(log_writer_append(writer, to, partition, &builder, NULL, &err), &err);
    must(log_writer_flush(writer, &err), &err);
    log_writer_close(writer);
    log_builder_fini(&builder);
}

void rig_put(struct rig *f, const char *topic, const char *key, const char *value,
             int64_t timestamp_ms)
{
    const struct log_topic *to = NULL;
    struct error err = { 0 };

    must(log_open_topic(f->log, bytes_of(rig_text(f, topic)), &to, &err), &err);
    rig_put_at(f, topic, key ? log_partition_of(bytes_of(key), to->partition_count) : 0, key, value,
               timestamp_ms);
}

void rig_put_many(struct rig *f, const char *topic, int from, int upto)
{
    struct log_writer *writer = open_writer(f);
    struct log_builder builders[8] = { 0 };
    const struct log_topic *to = NULL;
    struct error err = { 0 };
    char key[32], value[64];

    must(log_open_topic(f->log, bytes_of(rig_text(f, topic)), &to, &err), &err);
    assert_true(to->partition_count <= 8);
    for (int i = from; i < upto; i++) {
        snprintf(key, sizeof key, "o%d", i);
        snprintf(value, sizeof value, "{\"ITEM\":\"k%d\",\"QTY\":%d}", i % 5, i);
        log_builder_add(&builders[log_partition_of(bytes_of(key), to->partition_count)],
                        bytes_of(key), bytes_of(value), i, NULL, 0);
    }
    for (uint32_t p = 0; p < to->partition_count; p++) {
        must(log_writer_append(writer, to, p, &builders[p], NULL, &err), &err);
        log_builder_fini(&builders[p]);
    }
    must(log_writer_flush(writer, &err), &err);
    log_writer_close(writer);
}

void rig_drain(struct rig *f)
{
    struct error err = { 0 };
    int code = runtime_drain(f->rt, &err);

    for (int i = 0; code == ERR_LOG_UNAVAILABLE && i < 10; i++) {
        clock_advance(&f->clock, 60000); /* back-off passes */
        code = runtime_drain(f->rt, &err);
    }
    must(code, &err);
}

static void print_block(const struct log_block *block, struct buffer *out)
{
    for (uint32_t i = 0; i < block->record_count; i++) {
        const struct log_record *record = &block->records[i];

        if (record->key.data) {
            buffer_append_bytes(out, record->key);
        }
        buffer_append_char(out, '=');
        if (record->value.data) {
            buffer_append_bytes(out, record->value);
        } else {
            buffer_append_text(out, "null");
        }
        buffer_printf(out, "@%lld\n", (long long)record->timestamp_ms);
    }
}

static void print_partition(struct rig *f, const struct log_topic *topic, uint32_t partition,
                            struct buffer *out)
{
    struct reader_spec spec = { .isolation = READ_COMMITTED };
    struct log_reader *reader = NULL;
    struct log_range range;
    struct error err = { 0 };

    must(log_topic_range(f->log, topic, partition, READ_COMMITTED, &range, &err), &err);
    must(log_reader_open(f->log, &spec, &reader, &err), &err);
    must(log_reader_assign(reader, topic, partition, range.begin, &err), &err);
    while (log_reader_position(reader, topic, partition) < range.end) {
        struct log_block *block = NULL;
        struct log_place failed;

        must(log_reader_poll(reader, 100, &block, &failed, &err), &err);
        if (block) {
            print_block(block, out);
            log_block_unref(block);
        }
    }
    log_reader_close(reader);
}

struct bytes rig_read(struct rig *f, const char *topic)
{
    const struct log_topic *from = NULL;
    struct buffer out = { 0 };
    struct error err = { 0 };
    struct bytes text;

    must(log_open_topic(f->log, bytes_of(rig_text(f, topic)), &from, &err), &err);
    for (uint32_t p = 0; p < from->partition_count; p++) {
        print_partition(f, from, p, &out);
    }
    text = arena_printf(&f->arena, "%.*s", (int)out.len, out.data ? out.data : "");
    buffer_fini(&out);
    return text;
}

uint64_t rig_count(struct rig *f, const char *topic)
{
    struct bytes text = rig_read(f, topic);
    uint64_t lines = 0;

    for (size_t i = 0; i < text.len; i++) {
        lines += text.data[i] == '\n';
    }
    return lines;
}
