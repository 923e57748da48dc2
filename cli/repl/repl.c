/*
 * repl.c: the loop of the interactive shell: read, run, show.
 */
#include "cli/repl/repl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/repl/complete.h"
#include "cli/repl/input.h"
#include "cli/repl/interrupt.h"
#include "cli/repl/shell.h"
#include "cli/report.h"
#include "cli/version.h"

enum { DEFAULT_WIDTH = 80, SKIPPED_SHOWN = 10 };

static const char first_prompt[] = "sluice> ";
static const char next_prompt[] = "      > ";

/* --- showing --- */

void shell_say(struct shell *shell, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    if (shell->spool) {
        va_start(arguments, format);
        vfprintf(shell->spool, format, arguments);
        va_end(arguments);
    }
}

static void say_error(struct shell *shell, const char *from, struct bytes text,
                      const struct error *err)
{
    struct buffer message = { 0 };

    report_format(from, text, err, &message);
    shell_say(shell, "%.*s", BYTES_ARG(buffer_bytes(&message)));
    buffer_fini(&message);
}

/* Workers tell of it; it is shown before the next prompt. */
static void note_skipped(void *context, struct bytes query_id, const struct row_origin *origin,
                         const char *what, const struct error *err)
{
    struct shell *shell = context;

    pthread_mutex_lock(&shell->mutex);
    if (shell->skipped_count++ < SKIPPED_SHOWN) {
        report_skipped(query_id, origin, what, err, &shell->skipped);
    }
    pthread_mutex_unlock(&shell->mutex);
}

static void say_skipped(struct shell *shell)
{
    struct buffer lines;
    uint64_t count;

    pthread_mutex_lock(&shell->mutex);
    lines = shell->skipped;
    count = shell->skipped_count;
    shell->skipped = (struct buffer){ 0 };
    shell->skipped_count = 0;
    pthread_mutex_unlock(&shell->mutex);
    shell_say(shell, "%.*s", BYTES_ARG(buffer_bytes(&lines)));
    if (count > SKIPPED_SHOWN) {
        shell_say(shell, "WARNING: and %llu more records or rows had errors\n",
                  (unsigned long long)(count - SKIPPED_SHOWN));
    }
    buffer_fini(&lines);
}

static uint32_t terminal_width(void)
{
    struct winsize size = { 0 };

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : DEFAULT_WIDTH;
}

/* --- running statements; Ctrl-C ends what waits --- */

static void stop_query(void *context)
{
    struct shell *shell = context;

    atomic_store(&shell->wants_end, true);
    shell->target.kind->cancel(shell->target.context);
}

static void begin_rows(void *context, struct bytes query_id, const struct schema *schema)
{
    struct shell *shell = context;

    shell->kind->sink.rows_begin(&shell->output, query_id, schema);
    if (atomic_load(&shell->wants_end)) {
        shell->target.kind->cancel(shell->target.context);
    } else if (isatty(STDOUT_FILENO)) {
        printf("Press CTRL-C to interrupt\r");
        fflush(stdout);
    }
}

static bool tell_row(void *context, const struct value *cells, bool tombstone, int64_t timestamp_ms)
{
    struct shell *shell = context;

    return shell->kind->sink.row(&shell->output, cells, tombstone, timestamp_ms) &&
           !atomic_load(&shell->wants_end);
}

static void end_rows(void *context, struct bytes message)
{
    struct shell *shell = context;

    atomic_store(&shell->wants_end, false);
    shell->kind->sink.rows_end(&shell->output, message);
}

/* PRINT too goes on until it is ended. */
static void begin_print(void *context)
{
    struct shell *shell = context;

    if (atomic_load(&shell->wants_end)) {
        shell->target.kind->cancel(shell->target.context);
    }
}

static bool tell_printed(void *context, enum printed_line kind, struct bytes line)
{
    struct shell *shell = context;
    const struct result_sink to = output_sink(&shell->output, shell->kind);

    return to.printed(to.context, kind, line) && !atomic_load(&shell->wants_end);
}

static void end_print(void *context)
{
    struct shell *shell = context;
    const struct result_sink to = output_sink(&shell->output, shell->kind);

    atomic_store(&shell->wants_end, false);
    to.print_end(to.context);
}

static void tell_statement(void *context, struct bytes text)
{
    struct shell *shell = context;

    if (shell->kind->sink.statement) {
        shell->kind->sink.statement(&shell->output, text);
    }
}

static void tell_message(void *context, struct bytes message)
{
    struct shell *shell = context;

    shell->kind->sink.message(&shell->output, message);
}

static void tell_warning(void *context, struct bytes message)
{
    struct shell *shell = context;

    shell->kind->sink.warning(&shell->output, message);
}

static void tell_table(void *context, const struct result_table *table)
{
    struct shell *shell = context;

    shell->kind->sink.table(&shell->output, table);
}

void shell_execute(struct shell *shell, const char *from, struct bytes text)
{
    const struct result_sink sink = { .statement = tell_statement,
                                      .message = tell_message,
                                      .warning = tell_warning,
                                      .table = tell_table,
                                      .rows_begin = begin_rows,
                                      .row = tell_row,
                                      .rows_end = end_rows,
                                      .print_begin = begin_print,
                                      .printed = tell_printed,
                                      .print_end = end_print,
                                      .context = shell };
    struct error err = { 0 };

    shell->output.settings.width = terminal_width();
    atomic_store(&shell->wants_end, false);
    interrupt_arm(shell->interrupt, stop_query, shell);
    if (shell->target.kind->execute(shell->target.context, text, &sink, &err)) {
        say_error(shell, from, text, &err);
    }
    interrupt_disarm(shell->interrupt);
    fflush(stdout);
}

/* --- reading --- */

static void complete(void *context, struct bytes line, size_t word_len, struct completions *out)
{
    struct shell *shell = context;

    complete_word(&shell->target, shell_command_names, line, word_len, out);
}

static void remember(struct shell *shell, struct bytes text)
{
    struct buffer line = { 0 };

    input_join_lines(text, &line);
    if (line.len > 0) {
        editor_remember(shell->editor, buffer_bytes(&line));
    }
    buffer_fini(&line);
}

/* A "\" at the end of a line says that the statement goes on. */
static bool goes_on(struct buffer *text)
{
    if (text->len > 0 && text->data[text->len - 1] == '\\') {
        text->len--;
        return true;
    }
    return false;
}

/* One more line; whether `text` is to be run. */
static bool take_line(struct shell *shell, struct buffer *text, bool is_first)
{
    bool continued = goes_on(text);
    enum input_state state = input_examine(buffer_bytes(text));

    if (!continued && is_first && shell_run_command(shell, buffer_bytes(text))) {
        remember(shell, buffer_bytes(text));
        text->len = 0;
    } else if (!continued && state == INPUT_BLANK) {
        text->len = 0;
    } else if (!continued && state == INPUT_COMPLETE) {
        return true;
    } else {
        buffer_append_char(text, '\n');
    }
    return false;
}

/* False when the person has left. */
static bool read_statement(struct shell *shell, struct buffer *text)
{
    text->len = 0;
    while (!shell->is_over) {
        bool is_first = text->len == 0;
        const char *prompt = is_first ? first_prompt : next_prompt;
        size_t began = text->len;
        enum editor_outcome outcome;

        say_skipped(shell);
        outcome = editor_read(shell->editor, prompt, text);
        if (outcome == EDITOR_END) {
            printf("\n");
            return false;
        }
        if (outcome == EDITOR_INTERRUPTED) {
            text->len = 0;
            continue;
        }
        if (shell->spool) {
            fprintf(shell->spool, "%s%.*s\n", prompt, (int)(text->len - began), text->data + began);
        }
        if (take_line(shell, text, is_first)) {
            return true;
        }
    }
    return false;
}

/* --- the shell --- */

static void say_welcome(struct shell *shell)
{
    struct buffer about = { 0 };

    shell->target.kind->describe(shell->target.context, &about);
    shell_say(shell, "sluice %s\n%.*shelp lists commands and topics; a statement ends with ;\n\n",
              SLUICE_VERSION, BYTES_ARG(buffer_bytes(&about)));
    buffer_fini(&about);
}

static const char *history_file(struct arena *arena)
{
    const char *home = getenv("HOME");

    return home && *home ? arena_printf(arena, "%s/.sluice_history", home).data : NULL;
}

static void loop(struct shell *shell)
{
    struct buffer text = { 0 };
    struct arena arena;

    arena_init(&arena, 0);
    shell->editor = editor_create(&(struct editor_config){ .interrupt = shell->interrupt,
                                                           .history_file = history_file(&arena),
                                                           .complete = complete,
                                                           .context = shell });
    if (!shell->editor) {
        fprintf(stderr, "sluice: lines cannot be edited on this terminal; give statements with -e "
                        "or -f, or on standard input\n");
    } else {
        say_welcome(shell);
        while (read_statement(shell, &text)) {
            remember(shell, buffer_bytes(&text));
            shell_execute(shell, "", buffer_bytes(&text));
        }
        editor_destroy(shell->editor);
    }
    buffer_fini(&text);
    arena_fini(&arena);
}

int repl_run(const struct run_options *options)
{
    struct shell shell = { .options = options, .kind = options->output };
    struct output_settings settings = { .to = stdout,
                                        .clock = &shell.clock,
                                        .row_limit = options->row_limit,
                                        .timeout_ms = options->timeout_ms };
    const struct engine_config config = { .mode = RUNTIME_THREADED,
                                          .skipped = note_skipped,
                                          .context = &shell };
    struct error err = { 0 };
    int status = EXIT_OK;

    clock_init_real(&shell.clock);
    pthread_mutex_init(&shell.mutex, NULL);
    output_init(&shell.output, &settings);
    shell.interrupt = interrupt_create(); /* before there are other threads */
    if (!shell.interrupt) {
        fprintf(stderr, "sluice: the shell cannot be started: %s\n", strerror(errno));
        status = EXIT_USAGE;
    } else if (run_open_target(options, &config, &shell.target, &err)) {
        (void)report_error(NULL, bytes_of(""), &err);
        status = EXIT_USAGE;
    } else {
        loop(&shell);
    }
    if (shell.target.kind) {
        shell.target.kind->close(shell.target.context);
    }
    if (shell.spool) {
        fclose(shell.spool);
    }
    interrupt_destroy(shell.interrupt);
    output_fini(&shell.output);
    buffer_fini(&shell.skipped);
    pthread_mutex_destroy(&shell.mutex);
    return status;
}
