/*
 * lexer.re: the scanner. re2c-options: -i
 *
 * The text has no NUL, so NUL stands for its end and the scanner needs neither
 * a sentinel nor a copy. The longest match wins; of equally long ones the first
 * rule, so 1e5 is a number and 1e5x a name. Lines and columns are counted in one
 * pass behind the cursor.
 */
#include "parser/lexer.h"

#include "parser/grammar.h"

void lexer_init(struct lexer *lexer, struct bytes text)
{
    lexer->cursor = text.data;
    lexer->limit = text.data + text.len;
    lexer->counted = text.data;
    lexer->line = 1;
    lexer->column = 1;
}

/* Moves the counted place forward; a character counts at its first byte. */
static struct position place_of(struct lexer *lexer, const char *at)
{
    for (; lexer->counted < at; lexer->counted++) {
        if (*lexer->counted == '\n') {
            lexer->line++;
            lexer->column = 1;
        } else if (((unsigned char)*lexer->counted & 0xC0) != 0x80) {
            lexer->column++;
        }
    }
    return (struct position){ lexer->line, lexer->column };
}

static int finish(struct lexer *lexer, int kind, const char *start, struct token *out)
{
    out->kind = kind;
    out->text.data = start;
    out->text.len = (size_t)(lexer->cursor - start);
    out->source = out->text;
    out->at = place_of(lexer, start);
    return 0;
}

static int finish_word(struct lexer *lexer, const char *start, struct token *out)
{
    const struct keyword *keyword;

    (void)finish(lexer, TOKEN_NAME, start, out);
    keyword = keyword_find(out->text);
    if (keyword) {
        out->kind = keyword->token;
    }
    return 0;
}

static int refuse(struct lexer *lexer, const char *start, const char *what, struct error *err)
{
    return error_set(err, ERR_SYNTAX, place_of(lexer, start), "%s", what);
}

static int refuse_character(struct lexer *lexer, const char *start, struct error *err)
{
    int len = 1;

    while (start + len < lexer->limit && ((unsigned char)start[len] & 0xC0) == 0x80) {
        len++;
    }
    if ((unsigned char)*start < ' ' || *start == 0x7F) {
        return error_set(err, ERR_SYNTAX, place_of(lexer, start),
                         "Unexpected control character 0x%02X", (unsigned)*start);
    }
    return error_set(err, ERR_SYNTAX, place_of(lexer, start),
                     "Unexpected character '%.*s'; names with other characters than letters, "
                     "digits, _ and @ need back quotes",
                     len, start);
}

int lexer_next(struct lexer *lexer, struct token *out, struct error *err)
{
    const char *marker = lexer->cursor;
    const char *start;

    for (;;) {
        start = lexer->cursor;
        /*!re2c
        re2c:flags:input = custom;
        re2c:api:style = free-form;
        re2c:yyfill:enable = 0;
        re2c:define:YYCTYPE = "unsigned char";
        re2c:define:YYPEEK = "(lexer->cursor < lexer->limit ? (unsigned char)*lexer->cursor : 0)";
        re2c:define:YYSKIP = "++lexer->cursor;";
        re2c:define:YYBACKUP = "marker = lexer->cursor;";
        re2c:define:YYRESTORE = "lexer->cursor = marker;";

        digit = [0-9];
        part = [A-Za-z0-9_@];
        digits = digit+;
        exponent = [eE] [+-]? digits;

        "\x00" { lexer->cursor = lexer->limit; return finish(lexer, 0, lexer->limit, out); }
        [ \t\r\n]+ { continue; }
        "--" [^\n\x00]* { continue; }
        "/*" ([^*\x00] | "*"+ [^*/\x00])* "*"+ "/" { continue; }
        "/*" { return refuse(lexer, start, "The comment opened here is not closed by */", err); }

        (digits | digits "." digit* | "." digits) exponent? {
            return finish(lexer, TOKEN_NUMBER, start, out);
        }
        [A-Za-z_] part* { return finish_word(lexer, start, out); }
        digit part+ { return finish(lexer, TOKEN_NAME, start, out); }
        "`" ([^`\x00] | "``")* "`" { return finish(lexer, TOKEN_NAME, start, out); }
        ["] ([^"\x00] | ["]["])* ["] { return finish(lexer, TOKEN_NAME, start, out); }
        "'" ([^'\x00] | "''")* "'" { return finish(lexer, TOKEN_TEXT, start, out); }
        "`" ([^`\x00] | "``")* {
            return refuse(lexer, start, "The name opened here is not closed by a back quote", err);
        }
        ["] ([^"\x00] | ["]["])* {
            return refuse(lexer, start, "The name opened here is not closed by a double quote", err);
        }
        "'" ([^'\x00] | "''")* {
            return refuse(lexer, start, "The string opened here is not closed by a quote", err);
        }
        "${" [A-Za-z_] part* "}" { return finish(lexer, TOKEN_VARIABLE, start, out); }

        ";" { return finish(lexer, TOKEN_SEMICOLON, start, out); }
        "," { return finish(lexer, TOKEN_COMMA, start, out); }
        "." { return finish(lexer, TOKEN_DOT, start, out); }
        "(" { return finish(lexer, TOKEN_LPAREN, start, out); }
        ")" { return finish(lexer, TOKEN_RPAREN, start, out); }
        "[" { return finish(lexer, TOKEN_LBRACKET, start, out); }
        "]" { return finish(lexer, TOKEN_RBRACKET, start, out); }
        "=" { return finish(lexer, TOKEN_EQUAL, start, out); }
        "<>" | "!=" { return finish(lexer, TOKEN_NOT_EQUAL, start, out); }
        "<" { return finish(lexer, TOKEN_LESS, start, out); }
        "<=" { return finish(lexer, TOKEN_LESS_EQUAL, start, out); }
        ">" { return finish(lexer, TOKEN_GREATER, start, out); }
        ">=" { return finish(lexer, TOKEN_GREATER_EQUAL, start, out); }
        "+" { return finish(lexer, TOKEN_PLUS, start, out); }
        "-" { return finish(lexer, TOKEN_MINUS, start, out); }
        "*" { return finish(lexer, TOKEN_STAR, start, out); }
        "/" { return finish(lexer, TOKEN_SLASH, start, out); }
        "%" { return finish(lexer, TOKEN_PERCENT, start, out); }
        "||" { return finish(lexer, TOKEN_CONCAT, start, out); }
        "->" { return finish(lexer, TOKEN_ARROW, start, out); }
        "=>" { return finish(lexer, TOKEN_LAMBDA, start, out); }
        ":=" { return finish(lexer, TOKEN_ASSIGN, start, out); }
        * { return refuse_character(lexer, start, err); }
        */
    }
}
