/*
 * shell_commands.c: what the shell does itself: a table of commands, found by their first words.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/help/help.h"
#include "cli/read_file.h"
#include "cli/repl/shell.h"
#include "cli/version.h"
#include "engine/type/java_text.h"

enum { COLUMN_WIDTH_MIN = 5, COLUMN_WIDTH_MAX = 10000 };

/* --- help --- */

static void write_shell(struct page *page)
{
    static const char *const columns[] = { "`Command", "What it does", NULL };

    page_title(page, "The shell");
    page_paragraph(page, "A statement ends with ; and may take several lines. Ctrl-C ends a query "
                         "that runs, or forgets what is typed; Tab completes; Ctrl-R searches "
                         "the history; Ctrl-D leaves.");
    page_table_begin(page, columns);
    for (const struct shell_command *command = shell_commands; command->name; command++) {
        page_cell_bytes(page, arena_printf(&page->arena, "%s%s%s", command->name,
                                           *command->arguments ? " " : "", command->arguments));
        page_cell(page, command->doc);
    }
    page_table_end(page);
}

static const struct help_topic shell_topic = { "shell", "commands of the interactive shell",
                                               write_shell };

static void run_help(struct shell *shell, const struct bytes *words, uint32_t count)
{
    struct arena *arena = &shell->output.arena;
    char topic[] = "shell";
    char *arguments[SHELL_MAX_WORDS] = { topic };

    for (uint32_t i = 0; i < count; i++) {
        arguments[i] = arena_copy_text(arena, words[i]);
    }
    fflush(stdout);
    if (!help_print(&shell_topic, arguments, count ? (int)count : 1)) {
        shell_say(shell, "%s is no topic, statement or function; help lists what there is\n",
                  arguments[0]);
    } else if (count == 0) {
        shell_say(shell,
                  "\nhelp statements, help functions, help SELECT, help SUM ... tell more\n");
    }
    arena_reset(arena);
}

/* --- small ones --- */

static void run_exit(struct shell *shell, const struct bytes *words, uint32_t count)
{
    shell->is_over = true;
}

static void run_clear(struct shell *shell, const struct bytes *words, uint32_t count)
{
    printf("\033[H\033[2J");
}

static void run_version(struct shell *shell, const struct bytes *words, uint32_t count)
{
    shell_say(shell, "sluice %s\n", SLUICE_VERSION);
}

static void say_history_line(void *context, int number, const char *line)
{
    shell_say(context, "%4d: %s\n", number, line);
}

static void run_history(struct shell *shell, const struct bytes *words, uint32_t count)
{
    editor_list_history(shell->editor, say_history_line, shell);
}

/* --- where statements go --- */

static void say_server(struct shell *shell)
{
    struct buffer text = { 0 };

    shell->target.kind->describe(shell->target.context, &text);
    shell_say(shell, "%.*s", BYTES_ARG(buffer_bytes(&text)));
    buffer_fini(&text);
}

/* What was SET and DEFINEd goes along; what an engine in memory holds is gone. */
static int move_to(struct shell *shell, struct bytes url, struct error *err)
{
    struct remote_options remote = shell->options->remote;
    struct target target = { 0 };

    remote.url = arena_copy_text(&shell->output.arena, url);
    TRY(target_open_remote(&remote, &target, err));
    session_take_over(target.session, shell->target.session);
    shell->target.kind->close(shell->target.context);
    shell->target = target;
    shell->pipelining = false;
    return 0;
}

static void run_server(struct shell *shell, const struct bytes *words, uint32_t count)
{
    struct error err = { 0 };

    if (count > 0 && move_to(shell, words[0], &err)) {
        shell_say(shell, "%s\n", err.message);
    } else {
        say_server(shell);
    }
    arena_reset(&shell->output.arena);
}

static void run_pipelining(struct shell *shell, const struct bytes *words, uint32_t count)
{
    bool is_on = count == 1 && bytes_equal_text_nocase(words[0], "on");

    if (count > 0 && !is_on && !bytes_equal_text_nocase(words[0], "off")) {
        shell_say(shell, "request-pipelining takes ON or OFF\n");
        return;
    }
    if (count > 0) {
        shell->pipelining = is_on;
        if (shell->target.kind->set_pipelining) {
            shell->target.kind->set_pipelining(shell->target.context, is_on);
        }
    }
    shell_say(shell, "Request pipelining is %s\n", shell->pipelining ? "ON" : "OFF");
}

/* --- how results look --- */

static void run_output(struct shell *shell, const struct bytes *words, uint32_t count)
{
    for (const struct output_kind *const *kind = all_outputs; count > 0 && *kind; kind++) {
        if (bytes_equal_text_nocase(words[0], (*kind)->name)) {
            shell->kind = *kind;
            count = 0;
        }
    }
    if (count > 0) {
        shell_say(shell, "Output is TABULAR or JSON, not %.*s\n", BYTES_ARG(words[0]));
    } else {
        shell_say(shell, "Output is %s\n", shell->kind == &output_table ? "TABULAR" : "JSON");
    }
}

static void run_wrap(struct shell *shell, const struct bytes *words, uint32_t count)
{
    bool *cut = &shell->output.settings.cut_cells;

    if (count == 1 && bytes_equal_text_nocase(words[0], "on")) {
        *cut = false;
    } else if (count == 1 && bytes_equal_text_nocase(words[0], "off")) {
        *cut = true;
    } else {
        shell_say(shell, "set cli WRAP takes ON or OFF\n");
        return;
    }
    shell_say(shell, "Long cells are %s\n", *cut ? "cut" : "folded");
}

static void run_column_width(struct shell *shell, const struct bytes *words, uint32_t count)
{
    int64_t width = -1;

    if (count != 1 || java_long_parse(words[0], &width, NULL) ||
        (width != 0 && width < COLUMN_WIDTH_MIN) || width > COLUMN_WIDTH_MAX) {
        shell_say(shell, "set cli COLUMN-WIDTH takes %d to %d characters, or 0 for an even share\n",
                  COLUMN_WIDTH_MIN, COLUMN_WIDTH_MAX);
        return;
    }
    shell->output.settings.column_width = (uint32_t)width;
    shell_say(shell, "Cells are %s\n", width ? "of that width" : "as wide as the line allows");
}

/* --- files --- */

static void run_script(struct shell *shell, const struct bytes *words, uint32_t count)
{
    struct buffer text = { 0 };
    struct error err = { 0 };
    struct arena arena;
    const char *name;

    if (count != 1) {
        shell_say(shell, "run script takes the name of one file\n");
        return;
    }
    arena_init(&arena, 0);
    name = arena_copy_text(&arena, words[0]);
    if (read_file(name, &text, &err)) {
        shell_say(shell, "%s\n", err.message);
    } else {
        shell_execute(shell, name, buffer_bytes(&text));
    }
    buffer_fini(&text);
    arena_fini(&arena);
}

static void stop_spool(struct shell *shell)
{
    if (!shell->spool) {
        shell_say(shell, "Nothing is spooled; spool FILE begins\n");
        return;
    }
    if (fclose(shell->spool)) {
        printf("The spool could not be written to its end: %s\n", strerror(errno));
    }
    shell->spool = NULL;
    shell->output.settings.copy = NULL;
    shell_say(shell, "The spool is closed\n");
}

static void run_spool(struct shell *shell, const struct bytes *words, uint32_t count)
{
    char *name;

    if (count == 1 && bytes_equal_text_nocase(words[0], "off")) {
        stop_spool(shell);
        return;
    }
    if (count != 1 || shell->spool) {
        shell_say(shell, "%s\n",
                  count != 1 ? "spool takes the name of one file, or OFF"
                             : "There is a spool; end it first: spool OFF");
        return;
    }
    name = arena_copy_text(&shell->output.arena, words[0]);
    shell->spool = fopen(name, "w");
    shell->output.settings.copy = shell->spool;
    if (shell->spool) {
        shell_say(shell, "All that is shown goes to %s too\n", name);
    } else {
        shell_say(shell, "%s cannot be written: %s\n", name, strerror(errno));
    }
    arena_reset(&shell->output.arena);
}

/* --- the table --- */

const struct shell_command shell_commands[] = {
    { "help", "[TOPIC]", "this; or a topic, a statement, a function", run_help },
    { "clear", "", "clears the screen", run_clear },
    { "exit", "", "leaves the shell; so does Ctrl-D", run_exit },
    { "quit", "", "leaves the shell", run_exit },
    { "version", "", "the version of this program", run_version },
    { "history", "", "what was typed", run_history },
    { "output", "[TABULAR|JSON]", "how results are shown", run_output },
    { "server", "[URL]", "where statements go; a URL: they go to that server from now on",
      run_server },
    { "request-pipelining", "[ON|OFF]",
      "ON: a statement does not wait until the server has applied those before it",
      run_pipelining },
    { "run script", "FILE", "runs the statements of a file", run_script },
    { "spool", "FILE|OFF", "writes all that is shown to a file too", run_spool },
    { "set cli wrap", "ON|OFF", "folds long cells of rows over several lines, or cuts them",
      run_wrap },
    { "set cli column-width", "N", "characters per cell of rows; 0: an even share of the line",
      run_column_width },
    { NULL, NULL, NULL, NULL },
};

const char *const shell_command_names[] = { "HELP",    "CLEAR",  "EXIT",   "QUIT",  "VERSION",
                                            "HISTORY", "OUTPUT", "SERVER", "SPOOL", NULL };

/* --- taking a line apart --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Behind the command's words, or 0 when the line does not begin with them. */
static size_t match_words(struct bytes line, const char *name)
{
    size_t at = 0;

    for (const char *c = name; *c; c++) {
        if (*c == ' ') {
            if (at == line.len || !is_blank(line.data[at])) {
                return 0;
            }
            while (at < line.len && is_blank(line.data[at])) {
                at++;
            }
        } else if (at == line.len || tolower((unsigned char)line.data[at++]) != *c) {
            return 0;
        }
    }
    return at == line.len || is_blank(line.data[at]) ? at : 0;
}

/* Without blanks around it and the ";" behind it. */
static struct bytes trim(struct bytes line)
{
    while (line.len > 0 && is_blank(line.data[0])) {
        line.data++;
        line.len--;
    }
    while (line.len > 0 && (is_blank(line.data[line.len - 1]) || line.data[line.len - 1] == ';')) {
        line.len--;
    }
    return line;
}

/* One word, quotes taken off; absent at the end. */
static struct bytes next_word(struct bytes *rest)
{
    struct bytes word = { NULL, 0 };
    char end = ' ';

    *rest = trim(*rest);
    if (rest->len == 0) {
        return word;
    }
    if (rest->data[0] == '\'') {
        end = '\'';
        rest->data++;
        rest->len--;
    }
    word.data = rest->data;
    while (word.len < rest->len && rest->data[word.len] != end &&
           !(end == ' ' && rest->data[word.len] == '\t')) {
        word.len++;
    }
    rest->data += word.len;
    rest->len -= word.len;
    if (end == '\'' && rest->len > 0) {
        rest->data++;
        rest->len--;
    }
    return word;
}

bool shell_run_command(struct shell *shell, struct bytes line)
{
    struct bytes words[SHELL_MAX_WORDS];
    uint32_t count = 0;
    size_t behind = 0;

    line = trim(line);
    for (const struct shell_command *command = shell_commands; command->name; command++) {
        behind = match_words(line, command->name);
        if (behind > 0) {
            struct bytes rest = { line.data + behind, line.len - behind };

            while (count < SHELL_MAX_WORDS &&
                   (words[count] = next_word(&rest), words[count].data != NULL)) {
                count++;
            }
            command->run(shell, words, count);
            return true;
        }
    }
    if (match_words(line, "set cli") > 0) {
        shell_say(shell, "set cli takes WRAP ON, WRAP OFF or COLUMN-WIDTH N\n");
        return true;
    }
    return false;
}
