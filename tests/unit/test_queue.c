/*
 * test_queue.c: a bounded queue keeps order, pushes back when full and hands
 * out what it holds after it was closed.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/queue.h"

enum { PRODUCER_COUNT = 4, CONSUMER_COUNT = 3, ITEMS_PER_PRODUCER = 5000, NO_LIMIT = -1 };

struct item {
    int producer;
    int number;
};

struct traffic {
    struct queue queue;
    struct item items[PRODUCER_COUNT][ITEMS_PER_PRODUCER];
    atomic_int next_producer;
    atomic_int next_consumer;
    atomic_int taken[PRODUCER_COUNT][ITEMS_PER_PRODUCER];
    atomic_int disorder; /* items of one producer that overtook an older one */
    atomic_int refused;
};

static struct traffic traffic;

static void items_come_out_in_order_round_the_ring(void **state)
{
    struct queue queue;
    int numbers[10];

    queue_init(&queue, 3);
    for (int i = 0; i < 10; i++) {
        assert_true(queue_try_put(&queue, &numbers[i]));
        if (i >= 2) {
            assert_ptr_equal(queue_try_take(&queue), &numbers[i - 2]);
        }
    }
    assert_int_equal(queue_count(&queue), 2);
    assert_ptr_equal(queue_take(&queue, 0), &numbers[8]);
    assert_ptr_equal(queue_take(&queue, NO_LIMIT), &numbers[9]);
    assert_null(queue_try_take(&queue));
    queue_fini(&queue);
}

static void full_queue_refuses_to_try(void **state)
{
    struct queue queue;
    int item = 0;

    queue_init(&queue, 2);
    assert_true(queue_try_put(&queue, &item));
    assert_true(queue_try_put(&queue, &item));
    assert_false(queue_try_put(&queue, &item));
    assert_non_null(queue_try_take(&queue));
    assert_true(queue_try_put(&queue, &item));
    queue_fini(&queue);
}

static void take_gives_up_after_its_time(void **state)
{
    struct queue queue;

    queue_init(&queue, 1);
    assert_null(queue_take(&queue, 0));
    assert_null(queue_take(&queue, 1));
    assert_null(queue_take(&queue, 5));
    queue_fini(&queue);
}

static void closed_queue_refuses_and_drains(void **state)
{
    struct queue queue;
    int item = 0;

    queue_init(&queue, 2);
    assert_true(queue_put(&queue, &item));
    queue_close(&queue);
    assert_false(queue_put(&queue, &item));
    assert_false(queue_try_put(&queue, &item));
    assert_ptr_equal(queue_take(&queue, NO_LIMIT), &item);
    assert_null(queue_take(&queue, NO_LIMIT));
    queue_fini(&queue);
}

static void wake_is_remembered_by_one_take(void **state)
{
    struct queue queue;

    queue_init(&queue, 1);
    queue_wake(&queue);
    assert_null(queue_take(&queue, NO_LIMIT)); /* would hang if the wake were lost */
    assert_null(queue_take(&queue, 0));
    queue_fini(&queue);
}

static void *put_two(void *argument)
{
    struct queue *queue = argument;
    static int items[2];

    if (!queue_put(queue, &items[0])) {
        return NULL;
    }
    return queue_put(queue, &items[1]) ? queue : NULL; /* waits: the queue holds one */
}

static void full_queue_makes_the_producer_wait_for_a_taker(void **state)
{
    struct queue queue;
    pthread_t thread;
    void *result = NULL;

    queue_init(&queue, 1);
    assert_int_equal(pthread_create(&thread, NULL, put_two, &queue), 0);
    assert_non_null(queue_take(&queue, NO_LIMIT));
    assert_non_null(queue_take(&queue, NO_LIMIT));
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &queue);
    queue_fini(&queue);
}

static void closing_frees_a_waiting_producer(void **state)
{
    struct queue queue;
    pthread_t thread;
    void *result = &queue;

    queue_init(&queue, 1);
    assert_int_equal(pthread_create(&thread, NULL, put_two, &queue), 0);
    queue_close(&queue);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    queue_fini(&queue);
}

static void *take_forever(void *argument)
{
    return queue_take(argument, NO_LIMIT);
}

static void closing_frees_a_waiting_taker(void **state)
{
    struct queue queue;
    pthread_t thread;
    void *result = &queue;

    queue_init(&queue, 1);
    assert_int_equal(pthread_create(&thread, NULL, take_forever, &queue), 0);
    queue_close(&queue);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    queue_fini(&queue);
}

static void *produce(void *argument)
{
    int self = atomic_fetch_add(&traffic.next_producer, 1);

    for (int i = 0; i < ITEMS_PER_PRODUCER; i++) {
        traffic.items[self][i] = (struct item){ self, i };
        if (!queue_put(&traffic.queue, &traffic.items[self][i])) {
            atomic_fetch_add(&traffic.refused, 1);
        }
    }
    return NULL;
}

static void *consume(void *argument)
{
    int last[PRODUCER_COUNT] = { -1, -1, -1, -1 };
    const struct item *item;

    while ((item = queue_take(&traffic.queue, NO_LIMIT))) {
        if (item->number <= last[item->producer]) {
            atomic_fetch_add(&traffic.disorder, 1);
        }
        last[item->producer] = item->number;
        atomic_fetch_add(&traffic.taken[item->producer][item->number], 1);
    }
    return NULL;
}

static void every_item_is_taken_once_and_in_its_producers_order(void **state)
{
    pthread_t producers[PRODUCER_COUNT];
    pthread_t consumers[CONSUMER_COUNT];

    queue_init(&traffic.queue, 8);
    for (int i = 0; i < PRODUCER_COUNT; i++) {
        assert_int_equal(pthread_create(&producers[i], NULL, produce, NULL), 0);
    }
    for (int i = 0; i < CONSUMER_COUNT; i++) {
        assert_int_equal(pthread_create(&consumers[i], NULL, consume, NULL), 0);
    }
    for (int i = 0; i < PRODUCER_COUNT; i++) {
        assert_int_equal(pthread_join(producers[i], NULL), 0);
    }
    queue_close(&traffic.queue);
    for (int i = 0; i < CONSUMER_COUNT; i++) {
        assert_int_equal(pthread_join(consumers[i], NULL), 0);
    }
    for (int i = 0; i < PRODUCER_COUNT; i++) {
        for (int k = 0; k < ITEMS_PER_PRODUCER; k++) {
            assert_int_equal(atomic_load(&traffic.taken[i][k]), 1);
        }
    }
    assert_int_equal(atomic_load(&traffic.disorder), 0);
    assert_int_equal(atomic_load(&traffic.refused), 0);
    queue_fini(&traffic.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order_round_the_ring),
        cmocka_unit_test(full_queue_refuses_to_try),
        cmocka_unit_test(take_gives_up_after_its_time),
        cmocka_unit_test(closed_queue_refuses_and_drains),
        cmocka_unit_test(wake_is_remembered_by_one_take),
        cmocka_unit_test(full_queue_makes_the_producer_wait_for_a_taker),
        cmocka_unit_test(closing_frees_a_waiting_producer),
        cmocka_unit_test(closing_frees_a_waiting_taker),
        cmocka_unit_test(every_item_is_taken_once_and_in_its_producers_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
