/*
 * help.c: finding what somebody wants to know.
 */
#include "cli/help/help.h"

#include "engine/command/manual.h"

const struct help_topic help_topics[] = {
    { "statements", "every statement", help_write_statements },
    { "with", "the properties of WITH", help_write_properties },
    { "settings", "what SET and --set change", help_write_settings },
    { "functions", "every function", help_write_functions },
    { "types", "types, and how values are written", help_write_types },
    { "formats", "formats of keys and values", help_write_formats },
    { "errors", "error codes", help_write_errors },
    { "keywords", "words that are no names", help_write_keywords },
    { NULL, NULL, NULL },
};

static const struct help_topic *find_topic(const struct help_topic *command_line, const char *name)
{
    if (bytes_equal_text_nocase(bytes_of(name), command_line->name)) {
        return command_line;
    }
    for (const struct help_topic *topic = help_topics; topic->name; topic++) {
        if (bytes_equal_text_nocase(bytes_of(name), topic->name)) {
            return topic;
        }
    }
    return NULL;
}

/* --- statements by their words --- */

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Whether one of the words of the text is this one, in any case. */
static bool has_word(const char *text, const char *word)
{
    while (*text) {
        size_t len = 0;

        while (is_letter(text[len])) {
            len++;
        }
        if (bytes_equal_text_nocase((struct bytes){ text, len }, word)) {
            return true;
        }
        text += len > 0 ? len : 1;
    }
    return false;
}

static bool has_words(const char *text, char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (!has_word(text, words[i])) {
            return false;
        }
    }
    return count > 0;
}

/* The words with a blank between each two. */
static struct bytes join_words(struct arena *arena, char *const *words, int count)
{
    struct bytes text = bytes_of(words[0]);

    for (int i = 1; i < count; i++) {
        text = arena_printf(arena, "%.*s %s", BYTES_ARG(text), words[i]);
    }
    return text;
}

/* What the words are looked for in; the first that has them decides. */
enum search { WHOLE_NAME, NAME, SYNTAX };

static bool fits(struct arena *arena, enum ast_statement_kind kind, enum search where,
                 char *const *words, int count)
{
    switch (where) {
    case WHOLE_NAME:
        return bytes_equal_text_nocase(join_words(arena, words, count), ast_statement_name(kind));
    case NAME:
        return has_words(ast_statement_name(kind), words, count);
    case SYNTAX:
        return has_words(manual_find(kind)->syntax, words, count);
    }
    return false;
}

static bool print_statements(struct page *page, enum search where, char *const *words, int count)
{
    bool found = false;

    for (int i = 0; i < AST_STATEMENT_KINDS; i++) {
        enum ast_statement_kind kind = (enum ast_statement_kind)i;

        if (fits(&page->arena, kind, where, words, count)) {
            help_write_statement(page, kind);
            found = true;
        }
    }
    return found;
}

/* --- the door --- */

bool help_print(const struct help_topic *command_line, char *const *words, int count)
{
    const struct help_topic *topic = count == 1 ? find_topic(command_line, words[0]) : NULL;
    struct page page;
    bool found = true;

    page_init(&page, stdout, &page_text);
    if (topic) {
        topic->write(&page);
    } else {
        found = print_statements(&page, WHOLE_NAME, words, count) ||
                print_statements(&page, NAME, words, count) ||
                (count == 1 && help_write_function(&page, bytes_of(words[0]))) ||
                print_statements(&page, SYNTAX, words, count);
    }
    page_fini(&page);
    return found;
}

bool help_print_markdown(const struct help_topic *command_line, const char *name)
{
    const struct help_topic *topic = name ? find_topic(command_line, name) : NULL;
    struct page page;

    if (!name) {
        printf("%s\n", command_line->name);
        for (topic = help_topics; topic->name; topic++) {
            printf("%s\n", topic->name);
        }
        return true;
    }
    if (!topic) {
        return false;
    }
    page_init(&page, stdout, &page_markdown);
    topic->write(&page);
    page_fini(&page);
    return true;
}
