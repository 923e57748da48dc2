/*
 * parse.c: the door: drives scanner and grammar over a text.
 *
 * Between the two stands one token of look-ahead. It serves the keywords that
 * have a meaning of their own where a name could stand as well (ARRAY, MAP,
 * STRUCT, EMIT, PARTITION, ...): by the token behind they are renamed to what
 * the grammar can tell from a name, or to a name.
 *
 * The grammar reads one statement at a time. After a syntax error the tokens of
 * that statement up to the wrong one are read again, because only before it is
 * pushed can the grammar say what would have fitted.
 */
#include "parser/parse.h"

#include "base/utf8.h"
#include "parser/ast_build.h"
#include "parser/grammar.h"
#include "parser/grammar_run.h"
#include "parser/substitute.h"
#include "parser/syntax_error.h"
#include "parser/text.h"

/* What a variable in a statement became. */
struct replacement {
    struct bytes source;
    struct bytes text;
};

typedef VEC(struct replacement) replacement_list;

/* Tokens with one of look-ahead. */
struct reader {
    struct lexer lexer;
    struct arena *arena;                     /* of values */
    const struct parse_variables *variables; /* NULL: there are none */
    struct token next;
    struct token queued;           /* behind the next one; kind 0: the scanner's */
    struct token previous;         /* the last one handed out; kind 0: none */
    replacement_list replacements; /* in the order of the text */
};

/* Behind such a token a sign would be an operator. */
static bool ends_value(int kind)
{
    return kind == TOKEN_NAME || kind == TOKEN_NUMBER || kind == TOKEN_TEXT ||
           kind == TOKEN_RPAREN || kind == TOKEN_RBRACKET;
}

static void note_replacement(struct reader *reader, const struct substituted *by)
{
    const struct token *first = &by->tokens[0];
    const struct token *last = &by->tokens[by->count - 1];
    struct bytes text = { first->text.data,
                          (size_t)(last->text.data + last->text.len - first->text.data) };

    if (text.data != first->source.data) {
        *vec_push(reader->arena, &reader->replacements) =
            (struct replacement){ first->source, text };
    }
}

static int reader_advance(struct reader *reader, struct error *err)
{
    struct substituted by = { 0 };
    struct token token = { 0 };
    int before = reader->next.kind;

    if (reader->queued.kind != 0) {
        reader->next = reader->queued;
        reader->queued = (struct token){ 0 };
        return 0;
    }
    TRY(lexer_next(&reader->lexer, &token, err));
    TRY(substitute_token(reader->arena, reader->variables, &token, &by, err));
    if (by.count == 2 && ends_value(before)) {
        return error_set(err, ERR_VARIABLE, token.at,
                         "The variable %.*s is a negative number, and stands behind a value",
                         BYTES_ARG(utf8_cut(token.text, 100)));
    }
    note_replacement(reader, &by);
    reader->next = by.tokens[0];
    reader->queued = by.count == 2 ? by.tokens[1] : (struct token){ 0 };
    return 0;
}

static int reader_start(struct reader *reader, const struct lexer *lexer, struct error *err)
{
    reader->lexer = *lexer;
    reader->next = (struct token){ 0 };
    reader->queued = (struct token){ 0 };
    reader->previous = (struct token){ 0 };
    return reader_advance(reader, err);
}

enum { ANY = -1 };

/* What a keyword becomes, given the token behind it; the first row that fits. */
static const struct {
    int keyword;
    int next;
    int becomes;
} renames[] = {
    { TOKEN_ARRAY, TOKEN_LBRACKET, TOKEN_ARRAY_VALUE },
    { TOKEN_ARRAY, TOKEN_LESS, TOKEN_ARRAY_TYPE },
    { TOKEN_MAP, TOKEN_LPAREN, TOKEN_MAP_VALUE },
    { TOKEN_MAP, TOKEN_LESS, TOKEN_MAP_TYPE },
    { TOKEN_MAP, ANY, TOKEN_NAME },
    { TOKEN_STRUCT, TOKEN_LPAREN, TOKEN_STRUCT_VALUE },
    { TOKEN_STRUCT, TOKEN_LESS, TOKEN_STRUCT_TYPE },
    { TOKEN_STRUCT, TOKEN_NOT_EQUAL, TOKEN_STRUCT_TYPE },
    { TOKEN_STRUCT, ANY, TOKEN_NAME },
    { TOKEN_SESSION, TOKEN_LPAREN, TOKEN_SESSION },
    { TOKEN_SESSION, ANY, TOKEN_NAME },
    { TOKEN_IF, TOKEN_NOT, TOKEN_IF },
    { TOKEN_IF, TOKEN_EXISTS, TOKEN_IF },
    { TOKEN_IF, TOKEN_NAME, TOKEN_IF }, /* EXISTS misspelt */
    { TOKEN_IF, ANY, TOKEN_NAME },
    { TOKEN_PARTITION, TOKEN_BY, TOKEN_PARTITION },
    { TOKEN_PARTITION, ANY, TOKEN_NAME },
    { TOKEN_ESCAPE, TOKEN_TEXT, TOKEN_ESCAPE },
    { TOKEN_ESCAPE, ANY, TOKEN_NAME },
    { TOKEN_EMIT, TOKEN_CHANGES, TOKEN_EMIT },
    { TOKEN_EMIT, TOKEN_FINAL, TOKEN_EMIT },
    { TOKEN_EMIT, TOKEN_SEMICOLON, TOKEN_EMIT }, /* a clause cut short */
    { TOKEN_EMIT, 0, TOKEN_EMIT },
    { TOKEN_EMIT, TOKEN_NAME, TOKEN_EMIT }, /* CHANGES misspelt */
    { TOKEN_EMIT, ANY, TOKEN_NAME },
};

static int rename_keyword(int kind, int next)
{
    for (size_t i = 0; i < sizeof renames / sizeof renames[0]; i++) {
        if (renames[i].keyword == kind && (renames[i].next == next || renames[i].next == ANY)) {
            return renames[i].becomes;
        }
    }
    return kind;
}

static int reader_take(struct reader *reader, struct token *out, struct error *err)
{
    struct token token = reader->next;

    if (token.kind != 0) {
        TRY(reader_advance(reader, err));
        token.kind = rename_keyword(token.kind, reader->next.kind);
    }
    reader->previous = token;
    *out = token;
    return 0;
}

/* --- one statement, expression or type --- */

struct unit {
    struct grammar *grammar;
    struct ast_build build;
    struct lexer start;   /* where it begins */
    struct arena *values; /* of variables */
    const struct parse_variables *variables;
    int start_token;
    uint32_t pushed; /* tokens of it */
};

static void unit_start(struct unit *unit, const struct reader *reader)
{
    unit->start = reader->lexer;
    unit->start.cursor = reader->next.source.data;
    unit->variables = reader->variables;
    unit->values = reader->arena;
    unit->pushed = 0;
    unit->build.failed = 0;
    unit->build.unexpected = false;
    grammar_restart(unit->grammar, &unit->build);
    grammar_push(unit->grammar, unit->start_token, (struct token){ 0 });
}

static int unit_push(struct unit *unit, struct token token)
{
    unit->build.position = token.at;
    grammar_push(unit->grammar, token.kind, token);
    unit->build.end = token.source.data + token.source.len;
    unit->pushed++;
    return unit->build.failed;
}

/* Reads the unit again up to the token that did not fit. */
static int unit_repeat(struct unit *unit, uint32_t count, struct token *last, struct error *err)
{
    struct reader reader = { .arena = unit->values, .variables = unit->variables };

    TRY(reader_start(&reader, &unit->start, err));
    unit_start(unit, &reader);
    for (uint32_t i = 0; i < count; i++) {
        TRY(reader_take(&reader, last, err));
        TRY(unit_push(unit, *last));
    }
    return 0;
}

/* Asks what would have fitted; the nodes made for that are of no use. */
static int unit_report(struct unit *unit, struct token found, struct error *err)
{
    bool expected[GRAMMAR_TOKENS_MAX] = { false };
    struct token previous = { 0 };
    struct arena *arena = unit->build.arena;
    struct arena scratch;
    int code;

    arena_init(&scratch, 0);
    unit->build.arena = &scratch;
    code = unit_repeat(unit, unit->pushed - 1, &previous, err);
    unit->build.arena = arena;
    arena_fini(&scratch);
    TRY(code);
    grammar_expected(unit->grammar, expected);
    return syntax_error_report(found, previous, expected, err);
}

static void unit_open(struct unit *unit, struct arena *arena, int start_token, struct error *err)
{
    *unit = (struct unit){ .build = { .arena = arena, .err = err }, .start_token = start_token };
    unit->grammar = grammar_create(&unit->build);
}

/* Pushes tokens until the one of the kind `last`, which is pushed too. */
static int unit_read(struct unit *unit, struct reader *reader, int last, struct error *err)
{
    struct token token = { 0 };

    unit_start(unit, reader);
    do {
        int failed;

        TRY(reader_take(reader, &token, err));
        failed = unit_push(unit, token);
        if (unit->build.unexpected) {
            return unit_report(unit, token, err);
        }
        TRY(failed);
    } while (token.kind != last && token.kind != 0);
    return 0;
}

/* --- the door --- */

/* The text with the variables in it replaced. */
static struct bytes splice(struct reader *reader, struct bytes text)
{
    const char *from = text.data;
    const char *end = text.data + text.len;
    struct buffer out = { 0 };
    struct bytes copy;

    for (uint32_t i = 0; i < reader->replacements.count; i++) {
        const struct replacement *r = &reader->replacements.items[i];

        if (r->source.data >= from && r->source.data + r->source.len <= end) {
            buffer_append(&out, from, (size_t)(r->source.data - from));
            buffer_append_bytes(&out, r->text);
            from = r->source.data + r->source.len;
        }
    }
    buffer_append(&out, from, (size_t)(end - from));
    copy = arena_copy(reader->arena, buffer_bytes(&out));
    buffer_fini(&out);
    return copy;
}

static void finish_statement(struct reader *reader, struct ast_statement *statement)
{
    if (reader->replacements.count > 0) {
        statement->text = splice(reader, statement->text);
        if (statement->kind == AST_EXPLAIN && statement->explain.statement) {
            statement->explain.statement->text = splice(reader, statement->explain.statement->text);
        }
        reader->replacements.count = 0;
    }
}

/* The token behind a statement is read once its variables count. */
static int read_statements(struct unit *unit, struct reader *reader,
                           struct parse_variables *variables, struct ast_script *script,
                           struct error *err)
{
    while (reader->next.kind != 0) {
        TRY(unit_read(unit, reader, TOKEN_SEMICOLON, err));
        grammar_push(unit->grammar, 0, (struct token){ 0 });
        finish_statement(reader, unit->build.statement);
        if (variables) {
            variables->read(variables->context, unit->build.statement);
        }
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
        *vec_push(unit->build.arena, &script->statements) = unit->build.statement;
    }
    return 0;
}

int parse_script_with(struct arena *arena, struct bytes text, struct parse_variables *variables,
                      struct ast_script *out, struct error *err)
{
    struct ast_script script = { .text = text };
    struct reader reader = { .arena = arena, .variables = variables };
    struct lexer lexer;
    struct unit unit;
    int code;

    TRY(text_check(text, err));
    lexer_init(&lexer, text);
    TRY(reader_start(&reader, &lexer, err));
    unit_open(&unit, arena, TOKEN_START_STATEMENT, err);
    code = read_statements(&unit, &reader, variables, &script, err);
    grammar_destroy(unit.grammar);
    if (code == 0) {
        *out = script;
    }
    return code;
}

int parse_script(struct arena *arena, struct bytes text, struct ast_script *out, struct error *err)
{
    return parse_script_with(arena, text, NULL, out, err);
}

static int read_single(struct arena *arena, struct bytes text, int start_token,
                       struct ast_build *out, struct error *err)
{
    struct reader reader = { .arena = arena };
    struct lexer lexer;
    struct unit unit;
    int code;

    TRY(text_check(text, err));
    lexer_init(&lexer, text);
    TRY(reader_start(&reader, &lexer, err));
    unit_open(&unit, arena, start_token, err);
    code = unit_read(&unit, &reader, 0, err);
    grammar_destroy(unit.grammar);
    if (code == 0) {
        *out = unit.build;
    }
    return code;
}

int parse_expression(struct arena *arena, struct bytes text, struct ast_expr **out,
                     struct error *err)
{
    struct ast_build build;

    TRY(read_single(arena, text, TOKEN_START_EXPRESSION, &build, err));
    *out = build.expr;
    return 0;
}

int parse_type(struct arena *arena, struct bytes text, struct ast_type **out, struct error *err)
{
    struct ast_build build;

    TRY(read_single(arena, text, TOKEN_START_TYPE, &build, err));
    *out = build.type;
    return 0;
}

/* A name is bare when the scanner makes one token of it that is a name, and folding leaves it. */
bool parse_is_bare_name(struct bytes name)
{
    const struct keyword *keyword;
    struct lexer lexer;
    struct token token;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '@')) {
            return false;
        }
    }
    lexer_init(&lexer, name);
    if (name.len == 0 || lexer_next(&lexer, &token, NULL) != 0 || token.text.len != name.len) {
        return false;
    }
    keyword = keyword_of_token(token.kind);
    return keyword ? keyword->use == KEYWORD_BARE : token.kind == TOKEN_NAME;
}
