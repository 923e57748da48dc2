/*
 * main.c: the command line: a table of commands, and a table of options for those that run
 * statements.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/help/help.h"
#include "cli/repl/repl.h"
#include "cli/run.h"
#include "cli/serve.h"
#include "cli/test/test.h"
#include "cli/version.h"
#include "engine/type/java_text.h"

/* --- what is wrong with the command line --- */

static int usage_error(const char *subject, const char *complaint)
{
    fprintf(stderr, "sluice: %s %s; see: sluice help\n", subject, complaint);
    return EXIT_USAGE;
}

static int not_built(const char *what, const char *instead)
{
    fprintf(stderr, "sluice: %s is not built yet%s\n", what, instead);
    return EXIT_USAGE;
}

/* --- options --- */

struct option_kind {
    const char *letter; /* NULL: none */
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *doc;
    int (*take)(struct run_options *options, const char *value);
};

static int take_statements(struct run_options *options, const char *value)
{
    if (options->statements) {
        return usage_error("-e", "is given twice");
    }
    options->statements = value;
    return EXIT_OK;
}

static int take_file(struct run_options *options, const char *value)
{
    *vec_push(&options->arena, &options->files) = value;
    return EXIT_OK;
}

static int take_output(struct run_options *options, const char *value)
{
    for (const struct output_kind *const *kind = all_outputs; *kind; kind++) {
        if (bytes_equal_text_nocase(bytes_of(value), (*kind)->name)) {
            options->output = *kind;
            return EXIT_OK;
        }
    }
    return usage_error("--output", "takes tabular or json");
}

static int take_setting(struct run_options *options, const char *value)
{
    const char *equals = strchr(value, '=');

    if (!equals || equals == value) {
        return usage_error("--set", "takes name=value");
    }
    *vec_push(&options->arena, &options->node.settings) = (struct config_entry){
        .name = { value, (size_t)(equals - value) },
        .value = bytes_of(equals + 1),
    };
    return EXIT_OK;
}

static int take_count(const char *name, const char *value, int64_t *out)
{
    int64_t count = 0;

    if (java_long_parse(bytes_of(value), &count, NULL) || count < 1) {
        return usage_error(name, "takes a whole number of at least 1");
    }
    *out = count;
    return EXIT_OK;
}

static int take_row_limit(struct run_options *options, const char *value)
{
    return take_count("--query-row-limit", value, &options->row_limit);
}

static int take_timeout(struct run_options *options, const char *value)
{
    return take_count("--query-timeout", value, &options->timeout_ms);
}

static int take_define(struct run_options *options, const char *value)
{
    const char *equals = strchr(value, '=');

    if (!equals || equals == value || strchr(equals + 1, '=')) {
        return usage_error("--define", "takes name=value");
    }
    *vec_push(&options->arena, &options->variables) = (struct config_entry){
        .name = { value, (size_t)(equals - value) },
        .value = bytes_of(equals + 1),
    };
    return EXIT_OK;
}

static int take_data(struct run_options *options, const char *value)
{
    options->node.data = value;
    return EXIT_OK;
}

static int take_bootstrap(struct run_options *options, const char *value)
{
    options->node.bootstrap = value;
    return EXIT_OK;
}

static int take_user(struct run_options *options, const char *value)
{
    options->remote.user = value;
    return EXIT_OK;
}

static int take_password(struct run_options *options, const char *value)
{
    options->remote.password = value;
    return EXIT_OK;
}

static bool is_url(const char *argument)
{
    return strncmp(argument, "http://", 7) == 0 || strncmp(argument, "https://", 8) == 0;
}

static int take_url(struct run_options *options, const char *value)
{
    if (options->remote.url) {
        return usage_error(value, "is a second server; statements go to one");
    }
    options->remote.url = value;
    return EXIT_OK;
}

static const struct option_kind option_kinds[] = {
    { "-e", "--execute", "SQL",
      "run these statements, behind those of files; the last ; may be left out", take_statements },
    { "-f", "--file", "FILE", "run the statements of a file; may be repeated", take_file },
    { NULL, "--output", "tabular|json", "how results are printed", take_output },
    { NULL, "--set", "NAME=VALUE", "set a property; may be repeated", take_setting },
    { NULL, "--query-row-limit", "N", "end every SELECT after N rows", take_row_limit },
    { NULL, "--query-timeout", "MS", "end every SELECT at the first row after MS milliseconds",
      take_timeout },
    { "-u", "--user", "NAME", "who to be on the server", take_user },
    { "-p", "--password", "TEXT", "that user's; better in SLUICE_PASSWORD, where nobody lists it",
      take_password },
    { "-d", "--define", "NAME=VALUE", "define a variable: ${NAME}; may be repeated", take_define },
    { NULL, "--data", "DIR", "keep everything in this directory; with --bootstrap: who the node is",
      take_data },
    { NULL, "--bootstrap", "HOST:PORT", "work on this Kafka cluster", take_bootstrap },
};

enum { OPTION_COUNT = sizeof option_kinds / sizeof option_kinds[0] };

/* "--name=value" is "--name value". */
static const struct option_kind *find_option(const char *argument, const char **value)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_kind *kind = &option_kinds[i];
        size_t len = strlen(kind->name);

        if ((kind->letter && strcmp(argument, kind->letter) == 0) ||
            strcmp(argument, kind->name) == 0) {
            *value = NULL;
            return kind;
        }
        if (strncmp(argument, kind->name, len) == 0 && argument[len] == '=') {
            *value = argument + len + 1;
            return kind;
        }
    }
    return NULL;
}

static int take_options(struct run_options *options, int argc, char **argv)
{
    int status = EXIT_OK;

    for (int i = 0; status == EXIT_OK && i < argc; i++) {
        const char *value = NULL;
        const struct option_kind *kind = find_option(argv[i], &value);

        if (!kind && is_url(argv[i])) {
            status = take_url(options, argv[i]);
            continue;
        }
        if (!kind && argv[i][0] != '-') {
            return usage_error(argv[i], access(argv[i], F_OK) == 0
                                            ? "is no command; to run the file: -f FILE"
                                            : "is no command; a server is "
                                              "http://host:port");
        }
        if (!kind) {
            return usage_error(argv[i], "is no option");
        }
        if (!value && i + 1 == argc) {
            return usage_error(argv[i], "needs a value");
        }
        status = kind->take(options, value ? value : argv[++i]);
    }
    return status;
}

/* What says that statements run here makes no sense where they go to a server. */
static int check_remote(struct run_options *options)
{
    if (!options->remote.url) {
        return options->remote.user ? usage_error("--user", "needs a server: http://host:port")
                                    : EXIT_OK;
    }
    if (options->node.bootstrap || options->node.data || options->node.settings.count > 0) {
        return usage_error("a server's URL", "does not go with --bootstrap, --data or --set: the "
                                             "server has its own; SET works in statements");
    }
    if (options->remote.user && !options->remote.password) {
        options->remote.password = getenv("SLUICE_PASSWORD");
    }
    return EXIT_OK;
}

static int run_main(int argc, char **argv)
{
    struct run_options options = { .output = &output_table };
    int status;

    arena_init(&options.arena, 0);
    status = take_options(&options, argc, argv);
    status = status == EXIT_OK ? check_remote(&options) : status;
    if (status == EXIT_OK && !options.statements && options.files.count == 0 &&
        isatty(STDIN_FILENO)) {
        status = repl_run(&options);
    } else if (status == EXIT_OK) {
        status = run_statements(&options);
    }
    arena_fini(&options.arena);
    return status;
}

/* --- commands --- */

struct command_line {
    const char *name;
    const char *arguments;
    const char *doc;
    int (*main)(int argc, char **argv); /* argv[0] is the name; NULL: not built yet */
    void (*usage)(FILE *to);            /* its options; NULL: none */
};

static int help_main(int argc, char **argv);
static int version_main(int argc, char **argv);

static const struct command_line commands[] = {
    { "help", "[TOPIC]", "this; or a command, a topic, a statement, a function", help_main, NULL },
    { "version", "", "the version of this program; also --version", version_main, NULL },
    { "test", "[OPTIONS] FILE...", "run test files", test_main, test_usage },
    { "server", "[OPTIONS] [FILE]", "serve HTTP", serve_main, serve_usage },
    { "datagen", "NAME=VALUE...", "write generated records", NULL, NULL },
    { "migrate", "COMMAND", "apply migrations", NULL, NULL },
    { "check", "FILE", "check a file of statements", NULL, NULL },
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static const struct command_line *find_command(const char *name)
{
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return &commands[0];
    }
    if (strcmp(name, "--version") == 0) {
        return &commands[1];
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

/* --- help --- */

static int print_command(const struct command_line *command)
{
    printf("usage: sluice %s%s%s\n%s%s\n", command->name, *command->arguments ? " " : "",
           command->arguments, command->doc, command->main ? "" : " (not built yet)");
    if (command->usage) {
        putchar('\n');
        command->usage(stdout);
    }
    return EXIT_OK;
}

static const char *usage_of(struct arena *arena, const struct command_line *command)
{
    return arena_printf(arena, "sluice %s%s%s", command->name, *command->arguments ? " " : "",
                        command->arguments)
        .data;
}

static void write_commands(struct page *page)
{
    static const char *const columns[] = { "`Command", "What it does", NULL };

    page_table_begin(page, columns);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        page_cell(page, usage_of(&page->arena, &commands[i]));
        page_cell_bytes(page, arena_printf(&page->arena, "%s%s", commands[i].doc,
                                           commands[i].main ? "" : " (not built yet)"));
    }
    page_table_end(page);
}

static void write_options(struct page *page)
{
    static const char *const columns[] = { "`Option", "What it does", NULL };

    page_table_begin(page, columns);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_kind *kind = &option_kinds[i];

        page_cell_bytes(page,
                        arena_printf(&page->arena, "%s%s%s %s", kind->letter ? kind->letter : "",
                                     kind->letter ? ", " : "", kind->name, kind->argument));
        page_cell(page, kind->doc);
    }
    page_table_end(page);
}

static void write_topics(struct page *page)
{
    static const char *const columns[] = { "`Help", "What it tells", NULL };

    page_table_begin(page, columns);
    for (const struct help_topic *topic = help_topics; topic->name; topic++) {
        page_cell_bytes(page, arena_printf(&page->arena, "sluice help %s", topic->name));
        page_cell(page, topic->doc);
    }
    page_cell(page, "sluice help SELECT");
    page_cell(page, "a statement, by its words; likewise a function");
    page_table_end(page);
}

static void write_command_line(struct page *page)
{
    page_title(page, "The command line");
    page_code(page, "",
              "usage: sluice [OPTIONS] [http://HOST:PORT]\n"
              "       sluice COMMAND [ARGUMENTS]");
    page_paragraph(page,
                   "Without a command: a shell; with -e, -f or something on standard input, "
                   "those statements. They go to the server that is named; or to a Kafka "
                   "cluster: --bootstrap, SLUICE_BOOTSTRAP_SERVERS, or --set bootstrap.servers; "
                   "or else to an engine in memory, which is gone at the end. "
                   "Results go to standard output, errors and warnings to standard error. "
                   "Exit status: 0, 1 for a rejected statement or a failed test, 255 for "
                   "usage and start-up errors.");
    write_commands(page);
    write_options(page);
    write_topics(page);
}

static int help_main(int argc, char **argv)
{
    static const struct help_topic command_line = { "command-line", "commands and options",
                                                    write_command_line };
    const struct command_line *command = argc > 1 ? find_command(argv[1]) : NULL;
    char name[] = "command-line";
    char *everything[] = { name };
    bool found;

    if (argc > 1 && strcmp(argv[1], "--markdown") == 0) {
        found = help_print_markdown(&command_line, argc > 2 ? argv[2] : NULL);
    } else if (command) {
        return print_command(command);
    } else {
        found =
            help_print(&command_line, argc > 1 ? argv + 1 : everything, argc > 1 ? argc - 1 : 1);
    }
    return found ? EXIT_OK
                 : usage_error(argv[argc - 1], "is no command, topic, statement or function");
}

static int version_main(int argc, char **argv)
{
    printf("sluice %s\n", SLUICE_VERSION);
    return EXIT_OK;
}

static bool wants_help(int argc, char **argv)
{
    return argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
}

int main(int argc, char **argv)
{
    const struct command_line *command = argc > 1 ? find_command(argv[1]) : NULL;

    memory_keep_large();
    if (!command) {
        return run_main(argc - 1, argv + 1);
    }
    if (wants_help(argc, argv)) {
        return print_command(command);
    }
    return command->main ? command->main(argc - 1, argv + 1) : not_built(command->name, "");
}
