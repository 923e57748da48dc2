/*
 * test_arena.c: arena memory is aligned, zeroed where promised and ends at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include "base/arena.h"
#include "base/vec.h"

static void blocks_are_aligned_and_do_not_overlap(void **state)
{
    enum { COUNT = 2000 };
    struct arena arena;
    unsigned char *blocks[COUNT];
    size_t sizes[COUNT];

    arena_init(&arena, 0);
    for (int i = 0; i < COUNT; i++) {
        sizes[i] = (size_t)(i * 7 % 301);
        blocks[i] = arena_alloc(&arena, sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], i & 0xFF, sizes[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            assert_int_equal(blocks[i][k], i & 0xFF);
        }
    }
    arena_fini(&arena);
}

static void text_and_blocks_share_chunks_without_touching(void **state)
{
    enum { COUNT = 1000 };
    struct arena arena;
    char *texts[COUNT];
    int64_t *numbers[COUNT];

    arena_init(&arena, 512);
    for (int i = 0; i < COUNT; i++) {
        size_t len = (size_t)(i % 13);

        texts[i] = arena_alloc_text(&arena, len);
        memset(texts[i], 'a' + i % 26, len);
        numbers[i] = arena_new(&arena, int64_t);
        assert_int_equal((uintptr_t)numbers[i] % 16, 0);
        assert_int_equal(*numbers[i], 0);
        *numbers[i] = i;
    }
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(*numbers[i], i);
        for (int k = 0; k < i % 13; k++) {
            assert_int_equal(texts[i][k], 'a' + i % 26);
        }
    }
    arena_fini(&arena);
}

static void zeroed_initialiser_works_like_init(void **state)
{
    struct arena arena = { 0 };

    assert_non_null(arena_alloc(&arena, 10));
    assert_non_null(arena_alloc_text(&arena, 100000));
    arena_fini(&arena);
    arena = (struct arena){ 0 };
    assert_non_null(arena_alloc_text(&arena, 3));
    arena_fini(&arena);
}

static void empty_block_has_an_address(void **state)
{
    struct arena arena;

    arena_init(&arena, 0);
    assert_non_null(arena_alloc(&arena, 0));
    assert_non_null(arena_alloc_text(&arena, 0));
    assert_non_null(arena_copy(&arena, (struct bytes){ "", 0 }).data);
    arena_fini(&arena);
}

static void memory_is_zeroed_again_after_reset(void **state)
{
    struct arena arena;
    unsigned char *block;

    arena_init(&arena, 256);
    memset(arena_alloc(&arena, 100), 0xFF, 100);
    arena_reset(&arena);
    block = arena_zalloc(&arena, 100);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(block[i], 0);
    }
    arena_fini(&arena);
}

static void reset_keeps_only_the_largest_chunk(void **state)
{
    struct arena arena;
    size_t held;

    arena_init(&arena, 256);
    for (int i = 0; i < 1000; i++) {
        (void)arena_alloc(&arena, 100);
    }
    (void)arena_alloc(&arena, 5000000);
    assert_true(arena.total_bytes > 5000000);
    arena_reset(&arena);
    held = arena.total_bytes;
    assert_in_range(held, 5000000, 5000100);
    (void)arena_alloc(&arena, 4000000); /* fits what is held */
    assert_int_equal(arena.total_bytes, held);
    arena_reset(&arena);
    assert_int_equal(arena.total_bytes, held);
    arena_fini(&arena);
    assert_int_equal(arena.total_bytes, 0);
}

static void reset_of_an_unused_arena_does_nothing(void **state)
{
    struct arena arena;

    arena_init(&arena, 0);
    arena_reset(&arena);
    assert_int_equal(arena.total_bytes, 0);
    arena_fini(&arena);
}

static void memory_is_poisoned_outside_of_blocks(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    struct arena arena;
    char *block;
    char *text;

    arena_init(&arena, 1024);
    block = arena_alloc(&arena, 24);
    text = arena_alloc_text(&arena, 5);
    assert_false(__asan_address_is_poisoned(block));
    assert_false(__asan_address_is_poisoned(block + 23));
    assert_true(__asan_address_is_poisoned(block + 24));
    assert_false(__asan_address_is_poisoned(text));
    assert_false(__asan_address_is_poisoned(text + 4));
    arena_reset(&arena);
    assert_true(__asan_address_is_poisoned(block));
    assert_true(__asan_address_is_poisoned(text));
    assert_ptr_equal(arena_alloc(&arena, 8), block);
    assert_false(__asan_address_is_poisoned(block + 7));
    assert_true(__asan_address_is_poisoned(block + 8));
    arena_fini(&arena);
#else
    skip();
#endif
}

/* Exit status of a child that asks for an array of `count` items; -1 if it was stopped. */
static int ask_in_child(size_t count)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct arena arena;

        (void)close(STDERR_FILENO);
        arena_init(&arena, 0);
        (void)arena_array(&arena, int64_t, count);
        _exit(7);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 7 : -1;
}

static void array_size_overflow_stops_the_process(void **state)
{
    assert_int_equal(ask_in_child(10), 7);
    assert_int_equal(ask_in_child(SIZE_MAX / 4), -1);
    assert_int_equal(ask_in_child(SIZE_MAX / 8), -1);
}

static void copy_keeps_absent_and_empty_apart(void **state)
{
    struct arena arena;
    struct bytes copy;

    arena_init(&arena, 0);
    assert_null(arena_copy(&arena, (struct bytes){ 0 }).data);
    copy = arena_copy(&arena, (struct bytes)BYTES(""));
    assert_non_null(copy.data);
    assert_int_equal(copy.len, 0);
    copy = arena_copy(&arena, (struct bytes)BYTES("río"));
    assert_true(bytes_equal_text(copy, "río"));
    assert_string_equal(arena_copy_text(&arena, copy), "río");
    assert_string_equal(arena_copy_text(&arena, (struct bytes){ 0 }), "");
    arena_fini(&arena);
}

static void printf_result_is_terminated_and_sized(void **state)
{
    struct arena arena;
    struct bytes text;

    arena_init(&arena, 256);
    text = arena_printf(&arena, "%d-%s", 42, "x");
    assert_string_equal(text.data, "42-x");
    assert_int_equal(text.len, 4);
    text = arena_printf(&arena, "%2000d", 1);
    assert_int_equal(text.len, 2000);
    assert_int_equal(strlen(text.data), 2000);
    arena_fini(&arena);
}

static void vec_keeps_items_in_order_as_it_grows(void **state)
{
    struct arena arena;
    VEC(int) numbers = { 0 };

    arena_init(&arena, 0);
    for (int i = 0; i < 5000; i++) {
        *vec_push(&arena, &numbers) = i;
    }
    assert_int_equal(numbers.count, 5000);
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(numbers.items[i], i);
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_do_not_overlap),
        cmocka_unit_test(text_and_blocks_share_chunks_without_touching),
        cmocka_unit_test(zeroed_initialiser_works_like_init),
        cmocka_unit_test(empty_block_has_an_address),
        cmocka_unit_test(memory_is_zeroed_again_after_reset),
        cmocka_unit_test(reset_keeps_only_the_largest_chunk),
        cmocka_unit_test(reset_of_an_unused_arena_does_nothing),
        cmocka_unit_test(memory_is_poisoned_outside_of_blocks),
        cmocka_unit_test(array_size_overflow_stops_the_process),
        cmocka_unit_test(copy_keeps_absent_and_empty_apart),
        cmocka_unit_test(printf_result_is_terminated_and_sized),
        cmocka_unit_test(vec_keeps_items_in_order_as_it_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
