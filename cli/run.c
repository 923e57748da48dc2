/*
 * run.c: -e, -f and standard input: statements on an engine of their own.
 *
 * On a log of its own the engine is stepped: it runs only inside statements and, once they are
 * through, until everything in the log has been. On Kafka, where there is no such end, it has
 * threads, and ends when the statements are through. Records that queries leave out are told on
 * standard error, the first of them one by one, then their number.
 */
#include "cli/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/report.h"
#include "parser/parse.h"

enum { SKIPPED_SHOWN = 10, DEFAULT_WIDTH = 80, READ_BYTES = 65536 };

struct run {
    const struct run_options *options;
    struct node node;
    struct session *session;
    struct output output;
    uint64_t skipped;
};

/* --- what goes wrong --- */

static void tell_skipped(void *context, struct bytes query_id, const struct row_origin *origin,
                         const char *what, const struct error *err)
{
    struct run *run = context;

    const char *topic = origin && origin->topic ? origin->topic : "?";
    uint32_t partition = origin ? origin->partition : 0;
    long long offset = origin ? (long long)origin->offset : -1LL;

    if (run->skipped++ >= SKIPPED_SHOWN) {
        return;
    }
    fflush(stdout);
    if (err->code == ERR_EVALUATE || err->code == ERR_OVERFLOW) {
        /* The row may have gone on with NULL for the expression. */
        fprintf(stderr, "WARNING: %.*s at %s-%u@%lld: %s: %s\n", BYTES_ARG(query_id), topic,
                partition, offset, what ? what : "an expression", err->message);
    } else {
        fprintf(stderr, "WARNING: %.*s skipped %s of %s-%u@%lld: %s\n", BYTES_ARG(query_id),
                what ? what : "a record", topic, partition, offset, err->message);
    }
}

static void tell_skipped_total(const struct run *run)
{
    if (run->skipped > 0) {
        fprintf(stderr, "WARNING: %llu record%s or row%s had errors%s\n",
                (unsigned long long)run->skipped, run->skipped == 1 ? "" : "s",
                run->skipped == 1 ? "" : "s",
                run->skipped > SKIPPED_SHOWN ? "; the first are above" : "");
    }
}

/* --- the engine --- */

static uint32_t line_width(void)
{
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;

    return width > 0 && width < 10000 ? (uint32_t)width : DEFAULT_WIDTH;
}

static int open_run(struct run *run, const struct run_options *options, struct error *err)
{
    const struct output_settings settings = { .to = stdout,
                                              .clock = &run->node.clock,
                                              .width = line_width(),
                                              .row_limit = options->row_limit,
                                              .timeout_ms = options->timeout_ms };

    const struct engine_config config = { .skipped = tell_skipped, .context = run };

    run->options = options;
    output_init(&run->output, &settings);
    TRY(node_open(&run->node, &options->node, &config, err));
    run->session = session_create(run->node.engine);
    for (uint32_t i = 0; i < options->variables.count; i++) {
        TRY(session_define(run->session, options->variables.items[i].name,
                           options->variables.items[i].value, err));
    }
    return 0;
}

static void close_run(struct run *run)
{
    session_destroy(run->session);
    node_close(&run->node);
    output_fini(&run->output);
}

/* --- texts --- */

static int execute(struct run *run, const char *from, struct bytes text)
{
    struct result_sink sink = output_sink(&run->output, run->options->output);
    struct error err = { 0 };

    if (engine_execute(run->node.engine, run->session, text, &sink, &err)) {
        return report_error(from, text, &err);
    }
    return EXIT_OK;
}

/* The last ";" of a command line may be left out. */
static bool needs_semicolon(struct run *run, struct bytes text)
{
    struct ast_script script;
    struct arena arena;
    bool needs;

    arena_init(&arena, 0);
    needs = session_parse(run->session, &arena, text, &script, NULL) != 0;
    arena_fini(&arena);
    return needs && text.len > 0 && text.data[text.len - 1] != ';';
}

static int execute_line(struct run *run, const char *line)
{
    struct buffer text = { 0 };
    size_t len = strlen(line);
    const char *last_line = strrchr(line, '\n');
    int status;

    while (len > 0 && strchr(" \t\r\n", line[len - 1])) {
        len--;
    }
    buffer_append(&text, line, len);
    if (needs_semicolon(run, buffer_bytes(&text))) {
        /* A comment would swallow it. */
        buffer_append_text(&text, strstr(last_line ? last_line : line, "--") ? "\n;" : ";");
    }
    status = execute(run, "-e", buffer_bytes(&text));
    buffer_fini(&text);
    return status;
}

static int read_all(FILE *in, const char *name, struct buffer *out)
{
    size_t got;

    do {
        buffer_reserve(out, READ_BYTES);
        got = fread(out->data + out->len, 1, READ_BYTES, in);
        out->len += got;
    } while (got > 0 && out->len <= PARSE_TEXT_MAX);
    if (ferror(in)) {
        fprintf(stderr, "sluice: %s cannot be read: %s\n", name, strerror(errno));
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

/* Some editors begin a file with a byte order mark. */
static struct bytes without_mark(struct bytes text)
{
    static const struct bytes mark = BYTES("\xEF\xBB\xBF");

    return bytes_starts_with(text, mark)
               ? (struct bytes){ text.data + mark.len, text.len - mark.len }
               : text;
}

static int execute_stream(struct run *run, FILE *in, const char *name)
{
    struct buffer text = { 0 };
    int status = read_all(in, name, &text);

    if (status == EXIT_OK) {
        status = execute(run, name, without_mark(buffer_bytes(&text)));
    }
    /* Where it could be told from a mistake: nothing was wrong, and no statement ended. */
    if (status == EXIT_OK && in != stdin && !(text.len > 0 && memchr(text.data, ';', text.len))) {
        fprintf(stderr, "WARNING: %s holds no statements\n", name);
    }
    buffer_fini(&text);
    return status;
}

static int execute_file(struct run *run, const char *name)
{
    FILE *in = fopen(name, "rb");
    int status;

    if (!in) {
        fprintf(stderr, "sluice: %s cannot be opened: %s\n", name, strerror(errno));
        return EXIT_USAGE;
    }
    status = execute_stream(run, in, name);
    fclose(in);
    return status;
}

static int execute_all(struct run *run)
{
    const struct run_options *options = run->options;
    int status = EXIT_OK;

    if (options->statements) {
        return execute_line(run, options->statements);
    }
    if (options->files.count == 0) {
        return execute_stream(run, stdin, "stdin");
    }
    for (uint32_t i = 0; status == EXIT_OK && i < options->files.count; i++) {
        status = execute_file(run, options->files.items[i]);
    }
    return status;
}

int run_statements(const struct run_options *options)
{
    struct run run = { 0 };
    struct error err = { 0 };
    int status = EXIT_OK;

    if (open_run(&run, options, &err)) {
        (void)report_error(NULL, bytes_of(""), &err);
        close_run(&run);
        return EXIT_USAGE;
    }
    status = execute_all(&run);
    if (status == EXIT_OK && !run.node.is_on_kafka && engine_drain(run.node.engine, &err)) {
        status = report_error(NULL, bytes_of(""), &err);
    }
    tell_skipped_total(&run);
    close_run(&run);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "sluice: results cannot be written: %s\n", strerror(errno));
        return EXIT_USAGE;
    }
    return status;
}
