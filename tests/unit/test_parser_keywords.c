/*
 * test_parser_keywords.c: the keyword table is searchable and its columns are true.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "parser/lexer.h"
#include "parser/parse.h"

static const struct {
    const char *spelling;
    enum keyword_use use;
} rows[] = {
#define KEYWORD(spelling, token, use) { spelling, KEYWORD_##use },
#include "parser/keywords.def"
#undef KEYWORD
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static int parse_alias(const char *quote, const char *word)
{
    struct arena arena;
    struct ast_script script;
    struct bytes text;
    int code;

    arena_init(&arena, 0);
    text = arena_printf(&arena, "SELECT 1 AS %s%s%s FROM s;", quote, word, quote);
    code = parse_script(&arena, text, &script, NULL);
    arena_fini(&arena);
    return code;
}

static void every_keyword_is_found_in_any_case(void **state)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct bytes spelling = bytes_of(rows[i].spelling);
        const struct keyword *keyword = keyword_find(spelling);
        char lower[32];

        assert_non_null(keyword);
        assert_true(bytes_equal(keyword->spelling, spelling));
        assert_ptr_equal(keyword_of_token(keyword->token), keyword);
        assert_true(spelling.len < sizeof lower);
        for (size_t c = 0; c < spelling.len; c++) {
            lower[c] = (char)(spelling.data[c] - 'A' + 'a');
        }
        assert_ptr_equal(keyword_find((struct bytes){ lower, spelling.len }), keyword);
    }
    assert_null(keyword_find(bytes_of("SELEC")));
    assert_null(keyword_find(bytes_of("SELECTS")));
    assert_null(keyword_find(bytes_of("ZZZ")));
    assert_null(keyword_find(bytes_of("A")));
    assert_null(keyword_find(bytes_of("")));
}

static void only_reserved_keywords_cannot_be_names(void **state)
{
    for (size_t i = 0; i < ROWS; i++) {
        bool reserved = rows[i].use == KEYWORD_RESERVED;

        assert_int_equal(parse_alias("", rows[i].spelling), reserved ? ERR_SYNTAX : 0);
        assert_int_equal(parse_alias("`", rows[i].spelling), 0);
        assert_int_equal(parse_alias("\"", rows[i].spelling), 0);
        assert_int_equal(parse_is_bare_name(bytes_of(rows[i].spelling)),
                         rows[i].use == KEYWORD_BARE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_keyword_is_found_in_any_case),
        cmocka_unit_test(only_reserved_keywords_cannot_be_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
