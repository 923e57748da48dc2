/*
 * complete.c: the words that fit, from the tables of parser and functions and from the target.
 */
#include "cli/repl/complete.h"

#include <stdlib.h>
#include <string.h>

#include "engine/function/function.h"
#include "parser/lexer.h"
#include "parser/parse.h"

struct search {
    struct bytes prefix;
    bool lower; /* the word has begun in lower case */
    struct completions *out;
};

static bool is_lower(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] >= 'A' && word.data[i] <= 'Z') {
            return false;
        }
    }
    return true;
}

static bool begins_with(struct bytes word, struct bytes prefix)
{
    return word.len >= prefix.len &&
           bytes_equal_nocase((struct bytes){ word.data, prefix.len }, prefix);
}

static struct bytes in_case(struct search *search, struct bytes word)
{
    char *copy = arena_alloc(&search->out->arena, word.len);

    for (size_t i = 0; i < word.len; i++) {
        bool turns = search->lower && word.data[i] >= 'A' && word.data[i] <= 'Z';

        copy[i] = (char)(turns ? word.data[i] + ('a' - 'A') : word.data[i]);
    }
    return (struct bytes){ copy, word.len };
}

static void offer(struct search *search, struct bytes word)
{
    struct completions *out = search->out;

    if (begins_with(word, search->prefix)) {
        *vec_push(&out->arena, &out->words) = in_case(search, word);
    }
}

/* A name that would be read in capitals is offered like a keyword; another in quotes. */
static void offer_name(struct search *search, struct bytes name)
{
    struct completions *out = search->out;

    if (parse_is_bare_name(name)) {
        offer(search, name);
    } else if (begins_with(name, search->prefix)) {
        *vec_push(&out->arena, &out->words) = arena_printf(&out->arena, "`%.*s`", BYTES_ARG(name));
    }
}

/* --- where words come from --- */

static void offer_commands(struct search *search, const char *const *commands)
{
    for (; *commands; commands++) {
        offer(search, bytes_of(*commands));
    }
}

static void offer_language(struct search *search)
{
    const struct keyword *keyword;
    const struct scalar_kind *scalar;
    const struct aggregate_kind *aggregate;

    for (uint32_t i = 0; (keyword = keyword_at(i)); i++) {
        offer(search, keyword->spelling);
    }
    for (uint32_t i = 0; (scalar = scalar_at(i)); i++) {
        offer(search, bytes_of(scalar->name));
    }
    for (uint32_t i = 0; (aggregate = aggregate_at(i)); i++) {
        offer(search, bytes_of(aggregate->name));
    }
}

/* What is listed has its name in the first column. */
static void take_names(void *context, const struct result_table *table)
{
    for (uint32_t i = 0; i < table->row_count; i++) {
        offer_name(context, table->cells[(size_t)i * table->column_count]);
    }
}

static void offer_sources(struct search *search, const struct target *target)
{
    static const char listing[] = "SHOW STREAMS; SHOW TABLES; DESCRIBE STREAMS; DESCRIBE TABLES;";
    const struct result_sink sink = { .table = take_names, .context = search };

    /* Without an answer there are only fewer words. */
    (void)target->kind->execute(target->context, bytes_of(listing), &sink, NULL);
}

static int compare(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static void sort_without_repeats(struct completions *out)
{
    uint32_t kept = 0;

    if (out->words.count > 0) {
        qsort(out->words.items, out->words.count, sizeof *out->words.items, compare);
    }
    for (uint32_t i = 0; i < out->words.count; i++) {
        if (kept == 0 || !bytes_equal(out->words.items[i], out->words.items[kept - 1])) {
            out->words.items[kept++] = out->words.items[i];
        }
    }
    out->words.count = kept;
}

void complete_word(const struct target *target, const char *const *commands, struct bytes line,
                   size_t word_len, struct completions *out)
{
    struct bytes word = { line.data + line.len - word_len, word_len };
    struct search search = { .prefix = word, .lower = is_lower(word), .out = out };

    if (word_len == line.len) {
        offer_commands(&search, commands);
    }
    offer_language(&search);
    offer_sources(&search, target);
    sort_without_repeats(out);
}
