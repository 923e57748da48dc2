/*
 * planner.c: what the commands will do around the planner, without doing anything lasting.
 */
#include "tests/unit/planner.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/vec.h"
#include "parser/parse.h"

void planner_init(struct planner *p)
{
    memset(p, 0, sizeof *p);
    arena_init(&p->arena, 0);
    clock_init_virtual(&p->clock, 0);
    p->log = log_memory_create(&p->clock);
    p->catalog = catalog_create(NULL);
    p->settings = (struct plan_settings){
        .service_id = "some.service",
        .default_key_format = format_find(bytes_of("KAFKA")),
        .topic_prefix = BYTES(""),
        .headers_enabled = true,
        .wrap_single_values = -1,
    };
}

void planner_fini(struct planner *p)
{
    buffer_fini(&p->explained);
    catalog_destroy(p->catalog);
    log_close(p->log);
    arena_fini(&p->arena);
}

static void add_topic(struct planner *p, struct bytes name, uint32_t partitions)
{
    const struct log_topic *topic = NULL;
    struct topic_spec spec = { .name = name, .partition_count = partitions };

    if (log_open_topic(p->log, name, &topic, NULL) != 0) {
        assert_int_equal(log_create_topic(p->log, &spec, &p->err), 0);
    }
}

void planner_add_topic(struct planner *p, const char *name, uint32_t partitions)
{
    add_topic(p, bytes_of(name), partitions);
}

static int run_create_as(struct planner *p, struct plan_context *context,
                         const struct ast_statement *statement)
{
    const struct ast_create_as *create = &statement->create_as;
    struct bytes id =
        arena_printf(&p->arena, "C%sAS_%.*s_%u", create->kind == AST_TABLE ? "T" : "S",
                     BYTES_ARG(create->name.text), p->next_query);
    struct query_entry entry = { .id = id, .sink = create->name.text };

    TRY(plan_create_as(context, statement, id, &p->plan, &p->err));
    p->next_query++;
    add_topic(p, p->plan->sink->topic, p->plan->sink->partition_count);
    p->source = catalog_put_source(p->catalog, p->plan->sink);
    entry.plan = p->plan;
    entry.sources = p->plan->source_names;
    entry.source_count = p->plan->source_count;
    catalog_put_query(p->catalog, &entry);
    plan_explain(p->plan, &p->explained);
    buffer_append_char(&p->explained, '\n');
    return 0;
}

static int run_insert_select(struct planner *p, struct plan_context *context,
                             const struct ast_statement *statement)
{
    struct bytes id;

    TRY(plan_insert_query_id(context, &statement->insert_select, &id, &p->err));
    id = id.data ? id : arena_printf(&p->arena, "INSERTQUERY_%u", p->next_query);
    TRY(plan_insert_select(context, statement, id, &p->plan, &p->err));
    p->next_query++;
    catalog_put_query(p->catalog, &(struct query_entry){ .id = id, .plan = p->plan });
    plan_explain(p->plan, &p->explained);
    buffer_append_char(&p->explained, '\n');
    return 0;
}

static int run_statement(struct planner *p, const struct ast_statement *statement)
{
    struct plan_context context = { &p->arena, p->catalog, p->log, &p->settings };
    struct source source;

    switch (statement->kind) {
    case AST_CREATE_SOURCE:
        TRY(plan_create_source(&context, statement, &source, &p->err));
        add_topic(p, source.topic, source.partition_count);
        p->source = catalog_put_source(p->catalog, &source);
        return 0;
    case AST_CREATE_AS:
        return run_create_as(p, &context, statement);
    case AST_INSERT_SELECT:
        return run_insert_select(p, &context, statement);
    case AST_INSERT_VALUES:
        return plan_insert_values(&context, statement, &p->row, &p->err);
    case AST_SELECT:
        if (statement->select->emit == AST_EMIT_NONE) {
            return plan_pull(&context, statement, &p->pull, &p->err);
        }
        TRY(plan_push(&context, statement, bytes_of("transient_1"), &p->plan, &p->err));
        plan_explain(p->plan, &p->explained);
        return 0;
    default: /* not the planner's */
        fail_msg("%s is not planned", ast_statement_name(statement->kind));
        return -1;
    }
}

int planner_run(struct planner *p, const char *sql)
{
    struct ast_script script;

    error_clear(&p->err);
    TRY(parse_script(&p->arena, bytes_of(arena_copy_text(&p->arena, bytes_of(sql))), &script,
                     &p->err));
    for (uint32_t i = 0; i < script.statements.count; i++) {
        TRY(run_statement(p, script.statements.items[i]));
    }
    return 0;
}

void planner_accept(struct planner *p, const char *sql)
{
    if (planner_run(p, sql) != 0) {
        fail_msg("%s\n  %s at %u:%u: %s", sql, error_name(p->err.code), p->err.at.line,
                 p->err.at.column, p->err.message);
    }
}

void planner_refuse(struct planner *p, const char *sql, enum error_code code)
{
    int got = planner_run(p, sql);

    if (got != (int)code) {
        fail_msg("%s\n  wanted %s, got %s: %s", sql, error_name(code),
                 error_name((enum error_code)got), p->err.message);
    }
    assert_int_equal(p->err.code, code);
    assert_true(p->err.message[0] != '\0');
}

struct bytes planner_read_file(struct planner *p, const char *path)
{
    struct buffer text = { 0 };
    FILE *file = fopen(path, "rb");
    char chunk[4096];
    size_t got;
    struct bytes copy;

    if (!file) {
        fail_msg("cannot read %s", path);
        return (struct bytes){ NULL, 0 };
    }
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) {
        buffer_append(&text, chunk, got);
    }
    (void)fclose(file); /* it was only read */
    copy = bytes_of(arena_copy_text(&p->arena, buffer_bytes(&text)));
    buffer_fini(&text);
    return copy;
}

static int compare_names(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

uint32_t planner_list_files(struct planner *p, const char *folder, const char *ending,
                            struct bytes **out)
{
    VEC(struct bytes) names = { 0 };
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir) {
        fail_msg("cannot list %s", folder);
        return 0;
    }
    while ((entry = readdir(dir)) != NULL) {
        struct bytes name = bytes_of(entry->d_name);
        size_t len = strlen(ending);

        if (name.len > len && strcmp(name.data + name.len - len, ending) == 0) {
            *vec_push(&p->arena, &names) = arena_copy(&p->arena, name);
        }
    }
    (void)closedir(dir); /* it was only read */
    qsort(names.items, names.count, sizeof *names.items, compare_names);
    *out = names.items;
    return names.count;
}
