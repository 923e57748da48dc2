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

#include "cli/read_file.h"
#include "cli/report.h"
#include "cli/run_script.h"
#include "parser/parse.h"

enum { SKIPPED_SHOWN = 10, DEFAULT_WIDTH = 80 };

struct run {
    const struct run_options *options;
    struct clock clock;
    struct target target;
    struct output output;
    uint64_t skipped;
    uint32_t depth; /* of files that files run */
};

/* --- what goes wrong --- */

static void tell_skipped(void *context, struct bytes query_id, const struct row_origin *origin,
                         const char *what, const struct error *err)
{
    struct run *run = context;
    struct buffer line = { 0 };

    if (run->skipped++ >= SKIPPED_SHOWN) {
        return;
    }
    fflush(stdout);
    report_skipped(query_id, origin, what, err, &line);
    fwrite(line.data, 1, line.len, stderr);
    buffer_fini(&line);
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

int run_open_target(const struct run_options *options, const struct engine_config *base,
                    struct target *out, struct error *err)
{
    TRY(options->remote.url ? target_open_remote(&options->remote, out, err)
                            : target_open_local(&options->node, base, out, err));
    for (uint32_t i = 0; i < options->variables.count; i++) {
        TRY(session_define(out->session, options->variables.items[i].name,
                           options->variables.items[i].value, err));
    }
    return 0;
}

static int open_run(struct run *run, const struct run_options *options, struct error *err)
{
    const struct output_settings settings = { .to = stdout,
                                              .clock = &run->clock,
                                              .width = line_width(),
                                              .row_limit = options->row_limit,
                                              .timeout_ms = options->timeout_ms };

    const struct engine_config config = { .skipped = tell_skipped, .context = run };

    run->options = options;
    clock_init_real(&run->clock);
    output_init(&run->output, &settings);
    return run_open_target(options, &config, &run->target, err);
}

static void close_run(struct run *run)
{
    if (run->target.kind) {
        run->target.kind->close(run->target.context);
    }
    output_fini(&run->output);
}

/* --- texts --- */

static int execute_file(struct run *run, const char *name);

static int execute_script(struct run *run, const char *from, struct bytes text,
                          const struct text_part *part)
{
    struct error err = { 0 };
    FILE *in;
    int status;

    if (run->depth == RUN_SCRIPT_DEPTH_MAX) {
        (void)error_set(&err, ERR_TOO_DEEP, part->at,
                        "Files run files %d deep: does %s run itself?", RUN_SCRIPT_DEPTH_MAX,
                        part->file);
        return report_error(from, text, &err);
    }
    in = open_file(part->file, &err);
    if (!in) {
        err.at = part->at;
        return report_error(from, text, &err);
    }
    fclose(in);
    run->depth++;
    status = execute_file(run, part->file);
    run->depth--;
    return status;
}

static int execute_part(struct run *run, const char *from, struct bytes text,
                        const struct text_part *part)
{
    struct result_sink sink = output_sink(&run->output, run->options->output);
    struct error err = { 0 };

    if (part->file) {
        return execute_script(run, from, text, part);
    }
    return run->target.kind->execute(run->target.context, part->text, &sink, &err)
               ? report_error(from, text, &err)
               : EXIT_OK;
}

static int execute(struct run *run, const char *from, struct bytes text)
{
    struct text_part *parts = NULL;
    struct arena arena;
    uint32_t count;
    int status = EXIT_OK;

    arena_init(&arena, 0);
    count = run_script_cut(run->target.session, text, &arena, &parts);
    for (uint32_t i = 0; status == EXIT_OK && i < count; i++) {
        status = execute_part(run, from, text, &parts[i]);
    }
    arena_fini(&arena);
    return status;
}

/* The last ";" of a command line may be left out. */
static bool needs_semicolon(struct run *run, struct bytes text)
{
    struct ast_script script;
    struct arena arena;
    bool needs;

    arena_init(&arena, 0);
    needs = session_parse(run->target.session, &arena, text, &script, NULL) != 0;
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

static int execute_stream(struct run *run, FILE *in, const char *name)
{
    struct buffer text = { 0 };
    struct error err = { 0 };
    int status;

    if (read_stream(in, name, &text, &err)) {
        status = report_error(NULL, bytes_of(""), &err);
    } else {
        status = execute(run, name, buffer_bytes(&text));
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
    struct error err = { 0 };
    FILE *in = open_file(name, &err);
    int status;

    if (!in) {
        return report_error(NULL, bytes_of(""), &err);
    }
    status = execute_stream(run, in, name);
    fclose(in);
    return status;
}

static int execute_all(struct run *run)
{
    const struct run_options *options = run->options;
    int status = EXIT_OK;

    if (!options->statements && options->files.count == 0) {
        return execute_stream(run, stdin, "stdin");
    }
    for (uint32_t i = 0; status == EXIT_OK && i < options->files.count; i++) {
        status = execute_file(run, options->files.items[i]);
    }
    return status == EXIT_OK && options->statements ? execute_line(run, options->statements)
                                                    : status;
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
    if (status == EXIT_OK && run.target.kind->finish(run.target.context, &err)) {
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
