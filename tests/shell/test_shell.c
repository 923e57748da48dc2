/*
 * test_shell.c: the interactive shell, typed at through a terminal of its own.
 *
 * SLUICE names the program. Each expectation waits for its text behind the one before.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"

enum { PATIENCE_MS = 20000, PATH_BYTES = 256 };

static const char prompt[] = "sluice> ";

struct terminal {
    int fd;
    pid_t pid;
    struct buffer seen;
    size_t from;           /* what expectations have passed */
    char home[PATH_BYTES]; /* of the shell: its history */
};

/* --- a terminal --- */

static void become_shell(const char *terminal_name, const char *home, const char *argument)
{
    const char *program = getenv("SLUICE");
    int fd;

    setsid();
    fd = open(terminal_name, O_RDWR);
    ioctl(fd, TIOCSCTTY, 0);
    dup2(fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        close(fd);
    }
    setenv("HOME", home, 1);
    setenv("TERM", "dumb", 1);
    unsetenv("COLUMNS");
    execl(program, program, argument, (char *)NULL);
    _exit(127);
}

static void start(struct terminal *terminal, const char *argument)
{
    struct winsize size = { .ws_row = 40, .ws_col = 100 };

    terminal->fd = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal->fd >= 0 && grantpt(terminal->fd) == 0 && unlockpt(terminal->fd) == 0);
    ioctl(terminal->fd, TIOCSWINSZ, &size);
    terminal->seen.len = 0;
    terminal->from = 0;
    terminal->pid = fork();
    if (terminal->pid == 0) {
        become_shell(ptsname(terminal->fd), terminal->home, argument);
    }
    assert_true(terminal->pid > 0);
}

static bool read_more(struct terminal *terminal)
{
    struct pollfd from = { .fd = terminal->fd, .events = POLLIN };
    ssize_t got;

    buffer_reserve(&terminal->seen, 4096);
    if (poll(&from, 1, PATIENCE_MS) <= 0) {
        return false;
    }
    got = read(terminal->fd, terminal->seen.data + terminal->seen.len, 4096);
    terminal->seen.len += got > 0 ? (size_t)got : 0;
    return got > 0;
}

static const char *find(const struct terminal *terminal, const char *text)
{
    size_t len = strlen(text);

    for (size_t at = terminal->from; at + len <= terminal->seen.len; at++) {
        if (memcmp(terminal->seen.data + at, text, len) == 0) {
            return terminal->seen.data + at + len;
        }
    }
    return NULL;
}

static void expect(struct terminal *terminal, const char *text)
{
    const char *behind;

    while (!(behind = find(terminal, text))) {
        if (!read_more(terminal)) {
            fail_msg("'%s' did not come; there is:\n%.*s", text,
                     (int)(terminal->seen.len - terminal->from),
                     terminal->seen.data + terminal->from);
        }
    }
    terminal->from = (size_t)(behind - terminal->seen.data);
}

static void type(struct terminal *terminal, const char *text)
{
    assert_int_equal(write(terminal->fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* The terminal is the process's until it has left. */
static void expect_exit(struct terminal *terminal, int status)
{
    int found = 0;

    while (read_more(terminal)) {
    }
    assert_int_equal(waitpid(terminal->pid, &found, 0), terminal->pid);
    assert_true(WIFEXITED(found));
    assert_int_equal(WEXITSTATUS(found), status);
    close(terminal->fd);
}

static int set_up(void **state)
{
    static struct terminal terminal;

    memset(&terminal, 0, sizeof terminal);
    snprintf(terminal.home, sizeof terminal.home,
             "/tmp/sluice-shell-"
             "XX"
             "XX"
             "XX");
    assert_non_null(mkdtemp(terminal.home));
    start(&terminal, NULL);
    expect(&terminal, prompt);
    *state = &terminal;
    return 0;
}

static int tear_down(void **state)
{
    struct terminal *terminal = *state;
    char path[PATH_BYTES + 32];

    snprintf(path, sizeof path, "%s/.sluice_history", terminal->home);
    unlink(path);
    snprintf(path, sizeof path, "%s/spooled", terminal->home);
    unlink(path);
    rmdir(terminal->home);
    buffer_fini(&terminal->seen);
    return 0;
}

static void leave(struct terminal *terminal)
{
    type(terminal, "exit\n");
    expect_exit(terminal, 0);
}

static const char make_clicks[] =
    "CREATE STREAM clicks (id INT KEY, page STRING) WITH (KAFKA_TOPIC = 'clicks', "
    "VALUE_FORMAT = 'JSON', PARTITIONS = 1);\n";

/* --- statements --- */

static void statement_runs_at_its_semicolon(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, "SHOW\n");
    expect(terminal, "      > ");
    type(terminal, "STREAMS -- all; of them\n");
    expect(terminal, "      > ");
    type(terminal, ";\n");
    expect(terminal, "Stream Name");
    expect(terminal, prompt);
    leave(terminal);
}

static void mistake_shows_its_place_and_the_shell_goes_on(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, "SHOW STREEMS;\n");
    expect(terminal, "1:6: ");
    expect(terminal, "^");
    expect(terminal, prompt);
    type(terminal, "SHOW TABLES;\n");
    expect(terminal, "Table Name");
    leave(terminal);
}

static void query_of_rows_to_come_ends_at_ctrl_c(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, make_clicks);
    expect(terminal, "Stream created");
    expect(terminal, prompt);
    type(terminal, "INSERT INTO clicks VALUES (7, 'front');\n");
    expect(terminal, prompt);
    type(terminal, "SET 'auto.offset.reset' = 'earliest';\n");
    expect(terminal, prompt);
    for (int round = 0; round < 2; round++) {
        type(terminal, "SELECT id, page FROM clicks EMIT CHANGES;\n");
        expect(terminal, "|front");
        type(terminal, "\003");
        expect(terminal, "Query terminated");
        expect(terminal, prompt);
    }
    leave(terminal);
}

static void print_shows_records_until_ctrl_c_and_again(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, make_clicks);
    expect(terminal, "Stream created");
    type(terminal, "INSERT INTO clicks VALUES (1, 'home');\n");
    for (int i = 0; i < 2; i++) {
        type(terminal, "PRINT clicks FROM BEGINNING;\n");
        expect(terminal, "Value format: JSON");
        expect(terminal, "key: 1, value: {\"PAGE\":\"home\"}");
        type(terminal, "\003");
        expect(terminal, "Topic printing ceased");
        expect(terminal, prompt);
    }
    type(terminal, "SET 'auto.offset.reset' = 'earliest';\n");
    type(terminal, "SELECT * FROM clicks EMIT CHANGES;\n");
    expect(terminal, "|home");
    type(terminal, "\003");
    expect(terminal, "Query terminated");
    expect(terminal, prompt);
    leave(terminal);
}

static void assert_of_a_long_time_ends_at_ctrl_c(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, make_clicks);
    expect(terminal, "Stream created");
    type(terminal, "SHOW TYPES; ASSERT TOPIC nowhere TIMEOUT 1 DAYS;\n");
    expect(terminal, "Type Name");
    type(terminal, "\003");
    expect(terminal, "The topic nowhere does not exist");
    expect(terminal, prompt);
    type(terminal,
         "SET 'auto.offset.reset' = 'earliest'; INSERT INTO clicks VALUES (1, 'home');\n");
    type(terminal, "SELECT * FROM clicks EMIT CHANGES LIMIT 1;\n");
    expect(terminal, "|home");
    leave(terminal);
}

static void ctrl_c_forgets_what_was_typed(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, "SELECT nonsense\n");
    expect(terminal, "      > ");
    type(terminal, "more\003");
    expect(terminal, "^C");
    expect(terminal, prompt);
    type(terminal, "SHOW TABLES;\n");
    expect(terminal, "Table Name");
    leave(terminal);
}

static void ctrl_c_leaves_what_is_typed_behind_it(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, "SHOW STREAMS\003SHOW TABLES;\n");
    expect(terminal, "Table Name");
    expect(terminal, prompt);
    leave(terminal);
}

static void end_of_input_leaves(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, "\004");
    expect_exit(terminal, 0);
}

/* --- completion and history --- */

static void tab_completes_keywords_functions_and_names(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, make_clicks);
    expect(terminal, "Stream created");
    expect(terminal, prompt);
    type(terminal, "DESCR\tCLI\t;\n");
    expect(terminal, "Field");
    expect(terminal, "PAGE");
    expect(terminal, prompt);
    type(terminal, "select coal\t");
    expect(terminal, "coalesce");
    type(terminal, "\003");
    expect(terminal, prompt);
    type(terminal, "SHOW TA\t\t");
    expect(terminal, "TABLE");
    expect(terminal, "TABLES");
    type(terminal, "\003");
    expect(terminal, prompt);
    leave(terminal);
}

static void history_is_kept_for_the_next_shell(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, "SHOW\n");
    expect(terminal, "      > ");
    type(terminal, "TABLES;\n");
    expect(terminal, "Table Name");
    expect(terminal, prompt);
    leave(terminal);
    start(terminal, NULL);
    expect(terminal, prompt);
    type(terminal, "history\n");
    expect(terminal, "1: SHOW TABLES;");
    expect(terminal, prompt);
    leave(terminal);
}

/* --- commands of the shell --- */

static void commands_need_no_semicolon_and_no_case(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, "HELP\n");
    expect(terminal, "column-width");
    expect(terminal, prompt);
    type(terminal, "help select;\n");
    expect(terminal, "EMIT CHANGES");
    expect(terminal, prompt);
    type(terminal, "version\n");
    expect(terminal, "sluice ");
    expect(terminal, prompt);
    type(terminal, "Output json\n");
    expect(terminal, "JSON");
    expect(terminal, prompt);
    type(terminal, "SHOW TABLES;\n");
    expect(terminal, "{\"@type\":\"tables\"");
    expect(terminal, prompt);
    type(terminal, "output xml\n");
    expect(terminal, "TABULAR or JSON");
    leave(terminal);
}

static void set_cli_of_something_else_is_told(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, "set cli colour on\n");
    expect(terminal, "WRAP ON, WRAP OFF or COLUMN-WIDTH N");
    expect(terminal, prompt);
    leave(terminal);
}

static void long_cells_are_folded_or_cut(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, make_clicks);
    expect(terminal, "Stream created");
    type(terminal, "SET 'auto.offset.reset' = 'earliest';\n");
    type(terminal, "INSERT INTO clicks VALUES (1, 'abcdefghijklmnop');\n");
    type(terminal, "set cli column-width 8\n");
    expect(terminal, "of that width");
    type(terminal, "SELECT page FROM clicks EMIT CHANGES LIMIT 1;\n");
    expect(terminal, "|abcdefgh |");
    expect(terminal, "|ijklmnop |");
    expect(terminal, prompt);
    type(terminal, "set cli wrap off\n");
    expect(terminal, "cut");
    type(terminal, "SELECT page FROM clicks EMIT CHANGES LIMIT 1;\n");
    expect(terminal, "|abcde... |");
    expect(terminal, prompt);
    leave(terminal);
}

static void spool_gets_a_copy(void **state)
{
    struct terminal *terminal = *state;
    char path[PATH_BYTES + 32];
    char line[2 * PATH_BYTES];
    char text[4096] = "";
    FILE *file;

    snprintf(path, sizeof path, "%s/spooled", terminal->home);
    snprintf(line, sizeof line, "spool '%s'\n", path);
    type(terminal, line);
    expect(terminal, "goes to");
    expect(terminal, prompt);
    type(terminal, "SHOW TABLES;\n");
    expect(terminal, prompt);
    type(terminal, "spool off\n");
    expect(terminal, "closed");
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_non_null(strstr(text, "sluice> SHOW TABLES;"));
    assert_non_null(strstr(text, "Table Name"));
    leave(terminal);
}

static void script_is_run_as_one_text(void **state)
{
    struct terminal *terminal = *state;
    char path[PATH_BYTES + 32];
    char line[2 * PATH_BYTES];
    FILE *file;

    snprintf(path, sizeof path, "%s/spooled", terminal->home);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(make_clicks, file);
    fputs("SHOW STREEMS;\n", file);
    fclose(file);
    snprintf(line, sizeof line, "run script '%s';\n", path);
    type(terminal, line);
    expect(terminal, "spooled:2:6: ");
    expect(terminal, prompt);
    type(terminal, "SHOW STREAMS;\n");
    expect(terminal, "Windowed");
    assert_null(find(terminal, "CLICKS")); /* nothing of it was run */
    leave(terminal);
}

/* --- where statements go --- */

static void pipelining_is_switched_and_told(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, "request-pipelining\n");
    expect(terminal, "is OFF");
    type(terminal, "Request-Pipelining on;\n");
    expect(terminal, "is ON");
    type(terminal, "request-pipelining maybe\n");
    expect(terminal, "takes ON or OFF");
    type(terminal, "request-pipelining\n");
    expect(terminal, "is ON");
    leave(terminal);
}

/* A server in memory on a free port; its port. */
static unsigned start_server(pid_t *pid, FILE **told)
{
    const char *program = getenv("SLUICE");
    unsigned port = 0;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    *pid = fork();
    if (*pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(program, program, "server", "--memory", "--listeners", "http://127.0.0.1:0",
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *told = fdopen(ends[0], "r");
    assert_int_equal(fscanf(*told, "listening on port %u", &port), 1);
    return port;
}

static void shell_moves_to_a_server_with_what_was_set(void **state)
{
    struct terminal *terminal = *state;
    char line[PATH_BYTES];
    FILE *told = NULL;
    pid_t server = 0;
    unsigned port = start_server(&server, &told);

    type(terminal, "DEFINE of_s = 'moved';\n");
    type(terminal, "request-pipelining on\n");
    expect(terminal, "is ON");
    snprintf(line, sizeof line, "server http://127.0.0.1:%u\n", port);
    type(terminal, line);
    expect(terminal, "server http://127.0.0.1:");
    expect(terminal, "RUNNING");
    type(terminal, "request-pipelining\n");
    expect(terminal, "is OFF");
    type(terminal, "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC = '${of_s}', VALUE_FORMAT = 'JSON', "
                   "PARTITIONS = 1);\n");
    expect(terminal, "Stream created");
    type(terminal, "INSERT INTO s VALUES (7);\n");
    type(terminal, "PRINT moved FROM BEGINNING;\n");
    expect(terminal, "value: {\"A\":7}, partition: 0\r\n");
    type(terminal, "\003");
    expect(terminal, "Topic printing ceased");
    expect(terminal, prompt);
    type(terminal, "request-pipelining on\n");
    expect(terminal, "is ON");
    type(terminal, "SHOW TOPICS;\n");
    expect(terminal, "moved");
    leave(terminal);
    kill(server, SIGTERM);
    assert_int_equal(waitpid(server, NULL, 0), server);
    fclose(told);
}

static void server_that_is_not_there_leaves_the_shell_where_it_was(void **state)
{
    struct terminal *terminal = *state;

    type(terminal, make_clicks);
    expect(terminal, "Stream created");
    type(terminal, "server http://127.0.0.1:1\n");
    expect(terminal, "127.0.0.1:1");
    expect(terminal, prompt);
    type(terminal, "SHOW STREAMS;\n");
    expect(terminal, "CLICKS");
    type(terminal, "server\n");
    expect(terminal, "in memory");
    leave(terminal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(statement_runs_at_its_semicolon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistake_shows_its_place_and_the_shell_goes_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(query_of_rows_to_come_ends_at_ctrl_c, set_up, tear_down),
        cmocka_unit_test_setup_teardown(print_shows_records_until_ctrl_c_and_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(assert_of_a_long_time_ends_at_ctrl_c, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ctrl_c_forgets_what_was_typed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ctrl_c_leaves_what_is_typed_behind_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(end_of_input_leaves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tab_completes_keywords_functions_and_names, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(history_is_kept_for_the_next_shell, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commands_need_no_semicolon_and_no_case, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_cells_are_folded_or_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spool_gets_a_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(script_is_run_as_one_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(set_cli_of_something_else_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pipelining_is_switched_and_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shell_moves_to_a_server_with_what_was_set, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(server_that_is_not_there_leaves_the_shell_where_it_was,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
