/*
 * test_catalog.c: overlays hide, show and merge; entries outlive what replaced them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/near.h"
#include "engine/catalog/catalog.h"

static const struct source *put(struct catalog *catalog, const char *name, const char *topic)
{
    struct column columns[] = { { .name = BYTES("K"), .role = COLUMN_KEY } };
    struct source source = { .name = bytes_of(name), .topic = bytes_of(topic) };

    columns[0].type = type_scalar(T_STRING);
    source.schema = (struct schema){ columns, 1, 1 };
    return catalog_put_source(catalog, &source);
}

static void assert_topic(const struct catalog *catalog, const char *name, const char *topic)
{
    const struct source *source = catalog_find_source(catalog, bytes_of(name));

    assert_non_null(source);
    assert_true(bytes_equal_text(source->topic, topic));
}

static void entries_are_deep_copies_with_an_id_of_their_own(void **state)
{
    struct catalog *catalog = catalog_create(NULL);
    char name[] = "A";
    const struct source *a = put(catalog, name, "a");
    const struct source *b = put(catalog, "B", "b");

    name[0] = 'X';
    assert_true(bytes_equal_text(a->name, "A"));
    assert_true(bytes_equal_text(a->schema.columns[0].name, "K"));
    assert_int_not_equal(a->id, 0);
    assert_int_not_equal(a->id, b->id);
    assert_ptr_equal(catalog_find_source(catalog, bytes_of("A")), a);
    assert_null(catalog_find_source(catalog, bytes_of("a")));
    catalog_destroy(catalog);
}

static void a_child_sees_its_parent_and_changes_only_itself(void **state)
{
    struct catalog *root = catalog_create(NULL);
    struct catalog *child;

    (void)put(root, "A", "a");
    (void)put(root, "B", "b");
    child = catalog_create(root);
    (void)put(child, "A", "other");
    (void)put(child, "C", "c");
    catalog_remove_source(child, bytes_of("B"));
    assert_topic(child, "A", "other");
    assert_topic(child, "C", "c");
    assert_null(catalog_find_source(child, bytes_of("B")));
    assert_topic(root, "A", "a");
    assert_topic(root, "B", "b");
    assert_null(catalog_find_source(root, bytes_of("C")));
    catalog_destroy(child);
    assert_topic(root, "A", "a");
    catalog_destroy(root);
}

static void merging_moves_additions_replacements_and_removals(void **state)
{
    struct catalog *root = catalog_create(NULL);
    struct catalog *child;
    const struct source *old = put(root, "A", "a");
    const struct source *added;
    uint32_t next;

    (void)put(root, "B", "b");
    child = catalog_create(root);
    (void)put(child, "A", "other");
    added = put(child, "C", "c");
    catalog_remove_source(child, bytes_of("B"));
    catalog_merge(child, root);
    assert_topic(root, "A", "other");
    assert_ptr_equal(catalog_find_source(root, bytes_of("C")), added);
    assert_null(catalog_find_source(root, bytes_of("B")));
    assert_true(bytes_equal_text(old->topic, "a"));
    next = catalog_next_source_id(root);
    assert_true(next > added->id);
    catalog_destroy(root);
}

static void a_grandchild_hides_what_any_ancestor_has(void **state)
{
    struct catalog *root = catalog_create(NULL);
    struct catalog *child;
    struct catalog *grandchild;

    (void)put(root, "A", "a");
    child = catalog_create(root);
    grandchild = catalog_create(child);
    catalog_remove_source(grandchild, bytes_of("A"));
    catalog_merge(grandchild, child);
    assert_null(catalog_find_source(child, bytes_of("A")));
    assert_topic(root, "A", "a");
    catalog_merge(child, root);
    assert_null(catalog_find_source(root, bytes_of("A")));
    catalog_destroy(root);
}

static void lists_are_ordered_by_name_and_have_each_name_once(void **state)
{
    struct catalog *root = catalog_create(NULL);
    struct catalog *child;
    struct arena arena;
    const struct source *const *list = NULL;

    arena_init(&arena, 0);
    (void)put(root, "C", "c");
    (void)put(root, "A", "a");
    (void)put(root, "D", "d");
    child = catalog_create(root);
    (void)put(child, "B", "b");
    (void)put(child, "A", "newer");
    catalog_remove_source(child, bytes_of("D"));
    assert_int_equal(catalog_list_sources(child, &arena, &list), 3);
    assert_true(bytes_equal_text(list[0]->topic, "newer"));
    assert_true(bytes_equal_text(list[1]->name, "B"));
    assert_true(bytes_equal_text(list[2]->name, "C"));
    catalog_destroy(child);
    assert_int_equal(catalog_list_sources(root, &arena, &list), 3);
    arena_fini(&arena);
    catalog_destroy(root);
}

static void queries_are_kept_beside_sources(void **state)
{
    struct catalog *root = catalog_create(NULL);
    struct catalog *child;
    struct arena arena;
    struct bytes reads[] = { BYTES("S") };
    struct query_entry entry = {
        .id = BYTES("CSAS_O_0"), .sink = BYTES("O"), .sources = reads, .source_count = 1
    };
    const struct query_entry *const *list = NULL;

    arena_init(&arena, 0);
    catalog_put_query(root, &entry);
    child = catalog_create(root);
    catalog_remove_query(child, bytes_of("CSAS_O_0"));
    assert_null(catalog_find_query(child, bytes_of("CSAS_O_0")));
    assert_int_equal(catalog_list_queries(child, &arena, &list), 0);
    assert_int_equal(catalog_list_queries(root, &arena, &list), 1);
    assert_true(bytes_equal_text(list[0]->sources[0], "S"));
    catalog_merge(child, root);
    assert_null(catalog_find_query(root, bytes_of("CSAS_O_0")));
    arena_fini(&arena);
    catalog_destroy(root);
}

static bool is_near(const char *wanted, const char *candidate)
{
    struct near_search search = near_begin(bytes_of(wanted));

    near_offer(&search, bytes_of(candidate));
    return search.best.data != NULL;
}

static void one_slip_is_near_and_two_are_not(void **state)
{
    assert_true(is_near("ORDERS", "orders"));
    assert_true(is_near("ORDRS", "ORDERS"));
    assert_true(is_near("ORDDERS", "ORDERS"));
    assert_true(is_near("ORDARS", "ORDERS"));
    assert_true(is_near("OREDRS", "orders"));
    assert_false(is_near("ODRES", "ORDERS"));
    assert_false(is_near("SREDRO", "ORDERS"));
    assert_false(is_near("A", "B"));
    assert_false(is_near("", "AB"));
}

static void case_alone_is_nearer_than_a_slip(void **state)
{
    struct catalog *root = catalog_create(NULL);
    struct catalog *child;

    (void)put(root, "ORDER", "x");
    (void)put(root, "orders", "y");
    (void)put(root, "GONE", "z");
    child = catalog_create(root);
    catalog_remove_source(child, bytes_of("GONE"));
    assert_true(bytes_equal_text(catalog_near_source(child, bytes_of("ORDERS")), "orders"));
    assert_null(catalog_near_source(child, bytes_of("gone")).data);
    assert_null(catalog_near_source(child, bytes_of("PAYMENTS")).data);
    catalog_destroy(child);
    catalog_destroy(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_deep_copies_with_an_id_of_their_own),
        cmocka_unit_test(a_child_sees_its_parent_and_changes_only_itself),
        cmocka_unit_test(merging_moves_additions_replacements_and_removals),
        cmocka_unit_test(a_grandchild_hides_what_any_ancestor_has),
        cmocka_unit_test(lists_are_ordered_by_name_and_have_each_name_once),
        cmocka_unit_test(queries_are_kept_beside_sources),
        cmocka_unit_test(one_slip_is_near_and_two_are_not),
        cmocka_unit_test(case_alone_is_nearer_than_a_slip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
