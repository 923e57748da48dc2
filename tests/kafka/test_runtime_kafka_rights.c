/*
 * test_runtime_kafka_rights.c: rights that are withdrawn while queries run, and given back.
 *
 * SLUICE_TEST_KAFKA_SASL is the broker's listener for alice, who has all rights but those that a
 * rule takes from her; rules are made by the other listener, whose users have all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "tests/kafka/kafka_rig.h"

/* --- rules --- */

enum { ADMIN_WAIT_MS = 60000 };

/* The one who makes them. */
struct admin {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
};

static struct admin open_admin(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct admin admin;
    char why[512];

    assert_int_equal(
        rd_kafka_conf_set(conf, "bootstrap.servers", getenv("SLUICE_TEST_KAFKA"), why, sizeof why),
        RD_KAFKA_CONF_OK);
    admin.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    assert_non_null(admin.rk);
    admin.queue = rd_kafka_queue_new(admin.rk);
    return admin;
}

static void close_admin(struct admin *admin)
{
    rd_kafka_queue_destroy(admin->queue);
    rd_kafka_destroy(admin->rk);
}

static void make_rule(struct admin *admin, rd_kafka_ResourceType_t type, const char *name,
                      const char *user, rd_kafka_AclOperation_t operation,
                      rd_kafka_AclPermissionType_t permission)
{
    char why[512];
    rd_kafka_AclBinding_t *rule =
        rd_kafka_AclBinding_new(type, name, RD_KAFKA_RESOURCE_PATTERN_LITERAL, user, "*", operation,
                                permission, why, sizeof why);
    rd_kafka_event_t *answer;
    const rd_kafka_acl_result_t **results;
    size_t count = 0;

    assert_non_null(rule);
    rd_kafka_CreateAcls(admin->rk, &rule, 1, NULL, admin->queue);
    answer = rd_kafka_queue_poll(admin->queue, ADMIN_WAIT_MS);
    assert_non_null(answer);
    results = rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(answer), &count);
    assert_int_equal(count, 1);
    assert_null(rd_kafka_acl_result_error(results[0]));
    rd_kafka_event_destroy(answer);
    rd_kafka_AclBinding_destroy(rule);
}

/* All but this. */
static void forbid(struct admin *admin, rd_kafka_ResourceType_t type, const char *name,
                   rd_kafka_AclOperation_t operation)
{
    make_rule(admin, type, name, "User:*", RD_KAFKA_ACL_OPERATION_ALL,
              RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW);
    make_rule(admin, type, name, "User:alice", operation, RD_KAFKA_ACL_PERMISSION_TYPE_DENY);
}

static void permit(struct admin *admin, rd_kafka_ResourceType_t type, const char *name)
{
    char why[512];
    rd_kafka_AclBindingFilter_t *filter = rd_kafka_AclBindingFilter_new(
        type, name, RD_KAFKA_RESOURCE_PATTERN_LITERAL, NULL, NULL, RD_KAFKA_ACL_OPERATION_ANY,
        RD_KAFKA_ACL_PERMISSION_TYPE_DENY, why, sizeof why);
    rd_kafka_event_t *answer;

    assert_non_null(filter);
    rd_kafka_DeleteAcls(admin->rk, &filter, 1, NULL, admin->queue);
    answer = rd_kafka_queue_poll(admin->queue, ADMIN_WAIT_MS);
    assert_non_null(answer);
    assert_int_equal(rd_kafka_event_error(answer), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(answer);
    rd_kafka_AclBinding_destroy(filter);
}

/* --- queries --- */

static void init_as_alice(struct rig *f)
{
    static const struct topic_config alice[] = {
        { BYTES("security.protocol"), BYTES("sasl_plaintext") },
        { BYTES("sasl.mechanism"), BYTES("PLAIN") },
        { BYTES("sasl.username"), BYTES("alice") },
        { BYTES("sasl.password"), BYTES("secret") },
        { BYTES("topic.metadata.refresh.interval.ms"), BYTES("1000") },
    };

    kafka_rig_init_at(f, getenv("SLUICE_TEST_KAFKA_SASL"), alice, sizeof alice / sizeof alice[0]);
}

/* One worker, so that all share its transaction. */
static void begin(struct rig *f)
{
    init_as_alice(f);
    f->workers = 1;
    rig_open(f, "node");
    rig_topic(f, "$orders", 2);
    rig_topic(f, "$others", 2);
    rig_sql(f, kafka_rig_orders);
    rig_sql(f, kafka_rig_others);
}

static void expect_error(struct rig *f, const struct physical_plan *plan, const char *words)
{
    struct query_status status;

    kafka_rig_await_state(f, plan, QUERY_ERROR);
    status = kafka_rig_status(f, plan);
    if (status.error.code != ERR_NOT_AUTHORIZED || !strstr(status.error.message, words)) {
        fail_msg("%s: %s", error_name(status.error.code), status.error.message);
    }
}

static void query_that_may_not_write_its_topic_stops_alone_until_it_may(void **state)
{
    const struct physical_plan *failing, *counting, *other;
    struct admin admin = open_admin();
    struct rig f;

    (void)state;
    begin(&f);
    failing = rig_sql(&f, kafka_rig_copy);
    counting = rig_sql(&f, kafka_rig_totals);
    other = rig_sql(&f, kafka_rig_neighbour);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 0, 100);
    rig_put_many(&f, "$others", 0, 100);
    rig_drain(&f);
    forbid(&admin, RD_KAFKA_RESOURCE_TOPIC, rig_text(&f, "$COPY"), RD_KAFKA_ACL_OPERATION_WRITE);
    rig_put_many(&f, "$orders", 100, 200);
    expect_error(&f, failing, rig_text(&f, "$COPY"));
    rig_put_many(&f, "$others", 100, 200);
    kafka_rig_await_count(&f, "$NEIGHBOUR", 200);
    kafka_rig_await_count(&f, "$TOTALS", 200);
    assert_int_equal(kafka_rig_status(&f, counting).state, QUERY_RUNNING);
    assert_int_equal(kafka_rig_status(&f, other).state, QUERY_RUNNING);
    permit(&admin, RD_KAFKA_RESOURCE_TOPIC, rig_text(&f, "$COPY"));
    kafka_rig_await_count(&f, "$COPY", 200);
    rig_put_many(&f, "$orders", 200, 250);
    rig_drain(&f);
    kafka_rig_await_count(&f, "$COPY", 250);
    kafka_rig_await_count(&f, "$TOTALS", 250);
    kafka_rig_await_count(&f, "$NEIGHBOUR", 200);
    rig_fini(&f);
    close_admin(&admin);
}

static void query_that_may_not_read_its_source_stops_alone_until_it_may(void **state)
{
    const struct physical_plan *failing, *other;
    struct admin admin = open_admin();
    struct rig f;

    (void)state;
    begin(&f);
    failing = rig_sql(&f, kafka_rig_copy);
    other = rig_sql(&f, kafka_rig_neighbour);
    kafka_rig_await_slots(&f);
    rig_put_many(&f, "$orders", 0, 100);
    rig_drain(&f);
    forbid(&admin, RD_KAFKA_RESOURCE_TOPIC, rig_text(&f, "$orders"), RD_KAFKA_ACL_OPERATION_READ);
    rig_put_many(&f, "$orders", 100, 200);
    expect_error(&f, failing, rig_text(&f, "$orders"));
    rig_put_many(&f, "$others", 0, 200);
    kafka_rig_await_count(&f, "$NEIGHBOUR", 200);
    assert_int_equal(kafka_rig_status(&f, other).state, QUERY_RUNNING);
    permit(&admin, RD_KAFKA_RESOURCE_TOPIC, rig_text(&f, "$orders"));
    kafka_rig_await_count(&f, "$COPY", 200);
    kafka_rig_await_state(&f, failing, QUERY_RUNNING);
    kafka_rig_await_count(&f, "$NEIGHBOUR", 200);
    rig_fini(&f);
    close_admin(&admin);
}

/* --- ids and groups --- */

/* librdkafka 2.0 has no word for rules on these, so its own broker plays the refusal. */
static void writer_without_the_right_to_its_id_says_so(void **state)
{
    const struct writer_spec spec = { .transactional_id = BYTES("the-id"),
                                      .transaction_timeout_ms = 10000 };
    enum { INIT_PRODUCER_ID = 22 };
    struct admin admin = open_admin();
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(admin.rk, 1);
    struct log_writer *writer = NULL;
    struct error err = { 0 };
    struct rig f;

    (void)state;
    kafka_rig_init_at(&f, rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
    rd_kafka_mock_push_request_errors(cluster, INIT_PRODUCER_ID, 1,
                                      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    assert_int_equal(log_writer_open(f.log, &spec, &writer, &err), ERR_NOT_AUTHORIZED);
    assert_non_null(strstr(err.message, "'the-id'"));
    assert_non_null(strstr(err.message, "WRITE"));
    assert_int_equal(log_writer_open(f.log, &spec, &writer, &err), 0);
    log_writer_close(writer);
    rig_fini(&f);
    rd_kafka_mock_cluster_destroy(cluster);
    close_admin(&admin);
}

static bool poll_fails(struct rig *f, void *context)
{
    struct error err = { 0 };

    (void)f;
    return log_member_poll(context, 0, &err) == ERR_NOT_AUTHORIZED && strstr(err.message, "READ");
}

static bool poll_succeeds(struct rig *f, void *context)
{
    (void)f;
    return !log_member_poll(context, 0, NULL) && log_member_current(context).generation > 0;
}

static void member_without_the_right_to_its_group_says_so_until_it_has_it(void **state)
{
    struct admin admin = open_admin();
    struct member_spec spec = { .session_timeout_ms = 6000 };
    struct log_member *member = NULL;
    struct rig f;

    (void)state;
    init_as_alice(&f);
    rig_topic(&f, "$slots", 2);
    spec.topic = bytes_of(rig_text(&f, "$slots"));
    spec.group = bytes_of(rig_text(&f, "$group"));
    spec.client_id = bytes_of("alice");
    forbid(&admin, RD_KAFKA_RESOURCE_GROUP, rig_text(&f, "$group"), RD_KAFKA_ACL_OPERATION_READ);
    assert_int_equal(log_member_join(f.log, &spec, &member, NULL), 0);
    assert_true(kafka_rig_await(&f, poll_fails, member));
    permit(&admin, RD_KAFKA_RESOURCE_GROUP, rig_text(&f, "$group"));
    assert_true(kafka_rig_await(&f, poll_succeeds, member));
    log_member_leave(member);
    rig_fini(&f);
    close_admin(&admin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_that_may_not_write_its_topic_stops_alone_until_it_may),
        cmocka_unit_test(query_that_may_not_read_its_source_stops_alone_until_it_may),
        cmocka_unit_test(writer_without_the_right_to_its_id_says_so),
        cmocka_unit_test(member_without_the_right_to_its_group_says_so_until_it_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
