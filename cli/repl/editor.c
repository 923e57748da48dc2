/*
 * editor.c: libedit, with a read of its own, so that Ctrl-C ends a line at once.
 *
 * While a line is edited, the terminal hands Ctrl-C over as a character, so that it takes back what
 * was typed before it and nothing typed after; a signal would come at its own time.
 */
#include "cli/repl/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "cli/repl/interrupt.h"

enum { HISTORY_LINES = 2000, LISTED_WORDS = 200, LIST_WIDTH = 80, UTF8_BYTES = 4 };

struct editor {
    struct editor_config config;
    EditLine *line;
    History *history;
    const char *prompt;
    int interrupt_character; /* -1: none */
    bool was_interrupted;
};

static struct editor *editor_of(EditLine *line)
{
    void *editor = NULL;

    el_get(line, EL_CLIENTDATA, &editor);
    return editor;
}

static char *get_prompt(EditLine *line)
{
    return (char *)(uintptr_t)editor_of(line)->prompt; /* it is only read */
}

/* --- reading characters --- */

static int was_interrupted(struct editor *editor)
{
    editor->was_interrupted = true;
    return -1;
}

/* 1 and a byte, 0 at the end, -1 when interrupted. */
static int read_byte(struct editor *editor, unsigned char *out)
{
    struct pollfd from[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                             { .fd = interrupt_descriptor(editor->config.interrupt),
                               .events = POLLIN } };

    for (;;) {
        int ready = poll(from, 2, -1);

        if (ready < 0 && errno != EINTR) {
            return 0;
        }
        if (ready > 0 && from[1].revents) {
            interrupt_take(editor->config.interrupt);
            return was_interrupted(editor);
        }
        if (ready > 0 && from[0].revents) {
            ssize_t got = read(STDIN_FILENO, out, 1);

            if (got == 1 && *out == editor->interrupt_character) {
                return was_interrupted(editor);
            }
            if (got >= 0 || (errno != EINTR && errno != EAGAIN)) {
                return got > 0 ? 1 : 0;
            }
        }
    }
}

static int read_character(EditLine *line, wchar_t *out)
{
    struct editor *editor = editor_of(line);
    char text[UTF8_BYTES];
    uint32_t character = 0;
    size_t have = 0;

    while (have < UTF8_BYTES) {
        unsigned char byte = 0;
        int got = read_byte(editor, &byte);

        if (got <= 0) {
            return got;
        }
        text[have++] = (char)byte;
        if (utf8_decode((struct bytes){ text, have }, 0, &character) == have) {
            *out = (wchar_t)character;
            return 1;
        }
    }
    *out = L'?';
    return 1;
}

/* --- completion --- */

static bool is_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static size_t word_before(struct bytes line)
{
    size_t len = 0;

    while (len < line.len && is_word_character(line.data[line.len - 1 - len])) {
        len++;
    }
    return len;
}

static size_t common_prefix(const struct completions *found)
{
    size_t len = found->words.items[0].len;

    for (uint32_t i = 1; i < found->words.count; i++) {
        struct bytes word = found->words.items[i];
        size_t same = 0;

        while (same < len && same < word.len &&
               word.data[same] == found->words.items[0].data[same]) {
            same++;
        }
        len = same;
    }
    return len;
}

static void list_words(const struct completions *found)
{
    size_t widest = 0;
    size_t per_line;

    for (uint32_t i = 0; i < found->words.count; i++) {
        widest = found->words.items[i].len > widest ? found->words.items[i].len : widest;
    }
    per_line = widest + 2 < LIST_WIDTH ? LIST_WIDTH / (widest + 2) : 1;
    putchar('\n');
    for (uint32_t i = 0; i < found->words.count && i < LISTED_WORDS; i++) {
        bool ends = (i + 1) % per_line == 0 || i + 1 == found->words.count;

        printf("%-*.*s%s", ends ? 0 : (int)widest + 2, BYTES_ARG(found->words.items[i]),
               ends ? "\n" : "");
    }
    if (found->words.count > LISTED_WORDS) {
        printf("... and %u more\n", found->words.count - LISTED_WORDS);
    }
    fflush(stdout);
}

static void insert(EditLine *line, struct bytes text)
{
    char *copy = memory_alloc(text.len + 1);

    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    el_insertstr(line, copy);
    free(copy);
}

static unsigned char use_completions(EditLine *line, struct bytes word,
                                     const struct completions *found)
{
    struct bytes first;
    size_t shared;

    if (found->words.count == 0) {
        return CC_REFRESH_BEEP;
    }
    first = found->words.items[0];
    shared = common_prefix(found);
    if (found->words.count > 1 && shared <= word.len) {
        list_words(found);
        return CC_REDISPLAY;
    }
    el_deletestr(line, (int)utf8_count(word));
    insert(line, (struct bytes){ first.data, shared });
    if (found->words.count == 1) {
        el_insertstr(line, " ");
    }
    return CC_REFRESH;
}

/* A tab where no word is begun indents, so that pasted text comes through. */
static unsigned char complete(EditLine *line, int key)
{
    struct editor *editor = editor_of(line);
    const LineInfo *info = el_line(line);
    struct bytes before = { info->buffer, (size_t)(info->cursor - info->buffer) };
    size_t word_len = word_before(before);
    struct completions found = { 0 };
    unsigned char outcome;

    if (word_len == 0) {
        return el_insertstr(line, "  ") ? CC_ERROR : CC_REFRESH;
    }
    arena_init(&found.arena, 0);
    editor->config.complete(editor->config.context, before, word_len, &found);
    outcome = use_completions(line, (struct bytes){ before.data + before.len - word_len, word_len },
                              &found);
    arena_fini(&found.arena);
    return outcome;
}

/* --- history --- */

static void load_history(struct editor *editor)
{
    HistEvent event;

    history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
    history(editor->history, &event, H_SETUNIQUE, 1);
    if (editor->config.history_file) {
        history(editor->history, &event, H_LOAD, editor->config.history_file);
    }
}

/* Statements may hold secrets: nobody else reads the file. */
static void save_history(struct editor *editor)
{
    const char *name = editor->config.history_file;
    int file = name ? open(name, O_WRONLY | O_CREAT, S_IRUSR | S_IWUSR) : -1;
    HistEvent event;

    if (file >= 0) {
        close(file);
        history(editor->history, &event, H_SAVE, name);
    }
}

void editor_remember(struct editor *editor, struct bytes line)
{
    char *copy = memory_alloc(line.len + 1);
    HistEvent event;

    memcpy(copy, line.data, line.len);
    copy[line.len] = '\0';
    history(editor->history, &event, H_ENTER, copy);
    free(copy);
}

void editor_list_history(struct editor *editor,
                         void (*each)(void *context, int number, const char *line), void *context)
{
    HistEvent event;
    int number = 1;

    for (int code = history(editor->history, &event, H_LAST); code >= 0;
         code = history(editor->history, &event, H_PREV)) {
        each(context, number++, event.str);
    }
}

/* --- the editor --- */

/* libedit draws what the locale calls printable. */
static void use_utf8(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        setlocale(LC_CTYPE, "C.UTF-8");
    }
}

struct editor *editor_create(const struct editor_config *config)
{
    struct editor *editor = memory_zalloc(1, sizeof *editor);

    use_utf8();
    editor->config = *config;
    editor->line = el_init("sluice", stdin, stdout, stderr);
    editor->history = history_init();
    if (!editor->line || !editor->history) {
        editor_destroy(editor);
        return NULL;
    }
    load_history(editor);
    el_set(editor->line, EL_CLIENTDATA, editor);
    el_set(editor->line, EL_PROMPT, get_prompt);
    el_set(editor->line, EL_EDITOR, "emacs");
    el_set(editor->line, EL_HIST, history, editor->history);
    /* The narrow call would copy the names, and never free them. */
    el_wset(editor->line, EL_ADDFN, L"sluice-complete", L"Complete the word", complete);
    el_set(editor->line, EL_BIND, "^I", "sluice-complete", NULL);
    el_set(editor->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(editor->line, EL_GETCFN, read_character);
    return editor;
}

void editor_destroy(struct editor *editor)
{
    if (editor->history && editor->line) {
        save_history(editor);
    }
    if (editor->line) {
        el_end(editor->line);
    }
    if (editor->history) {
        history_end(editor->history);
    }
    free(editor);
}

/* The line's end gives the terminal its own settings back. */
static void begin_editing(struct editor *editor)
{
    struct termios settings;

    el_set(editor->line, EL_PREP_TERM, 1); /* before the prompt invites to type */
    editor->interrupt_character = -1;
    if (tcgetattr(STDIN_FILENO, &settings) == 0 && settings.c_cc[VINTR] != _POSIX_VDISABLE) {
        editor->interrupt_character = settings.c_cc[VINTR];
        settings.c_cc[VINTR] = _POSIX_VDISABLE;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
    }
}

enum editor_outcome editor_read(struct editor *editor, const char *prompt, struct buffer *line)
{
    const char *text;
    int count = 0;

    editor->prompt = prompt;
    editor->was_interrupted = false;
    begin_editing(editor);
    text = el_gets(editor->line, &count);
    if (editor->was_interrupted) {
        printf("^C\n");
        return EDITOR_INTERRUPTED;
    }
    if (!text || count <= 0) {
        return EDITOR_END;
    }
    if (text[count - 1] == '\n') {
        count--;
    }
    buffer_append(line, text, (size_t)count);
    return EDITOR_LINE;
}
