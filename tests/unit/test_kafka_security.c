/*
 * test_kafka_security.c: what the Java clients' security settings mean for the Kafka client.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/kafka_security.h"

enum { SETTINGS_MAX = 8 };

struct mapped {
    struct arena arena;
    client_setting_list list;
    struct error err;
    int code;
};

/* Settings as pairs of name and value, NULL behind the last. */
static struct mapped map(const char *const *pairs)
{
    struct property_text settings[SETTINGS_MAX];
    struct mapped mapped = { .code = 0 };
    uint32_t count = 0;

    for (; pairs[2 * count]; count++) {
        assert_true(count < SETTINGS_MAX);
        settings[count].name = bytes_of(pairs[2 * count]);
        settings[count].value = bytes_of(pairs[2 * count + 1]);
    }
    arena_init(&mapped.arena, 0);
    mapped.code = kafka_security_add(&mapped.arena, settings, count, &mapped.list, &mapped.err);
    return mapped;
}

static void expect(const struct mapped *mapped, uint32_t at, const char *name, const char *value)
{
    assert_int_equal(mapped->code, 0);
    assert_true(at < mapped->list.count);
    if (!bytes_equal_text(mapped->list.items[at].name, name) ||
        !bytes_equal_text(mapped->list.items[at].value, value)) {
        fail_msg("%.*s=%.*s", BYTES_ARG(mapped->list.items[at].name),
                 BYTES_ARG(mapped->list.items[at].value));
    }
}

static void expect_refusal(struct mapped *mapped, const char *words)
{
    assert_int_equal(mapped->code, ERR_INVALID_PROPERTY);
    if (!strstr(mapped->err.message, words)) {
        fail_msg("%s", mapped->err.message);
    }
    arena_fini(&mapped->arena);
}

static void nothing_comes_of_nothing(void **state)
{
    const char *const pairs[] = { "ksql.service.id", "a", NULL };
    struct mapped mapped = map(pairs);

    (void)state;
    assert_int_equal(mapped.code, 0);
    assert_int_equal(mapped.list.count, 0);
    arena_fini(&mapped.arena);
}

static void protocol_and_mechanism_are_passed_on_and_the_last_counts(void **state)
{
    const char *const pairs[] = {
        "security.protocol", "SSL", "security.protocol", "SASL_SSL", "sasl.mechanism",
        "SCRAM-SHA-256",     NULL
    };
    struct mapped mapped = map(pairs);

    (void)state;
    assert_int_equal(mapped.list.count, 2);
    expect(&mapped, 0, "security.protocol", "sasl_ssl");
    expect(&mapped, 1, "sasl.mechanism", "SCRAM-SHA-256");
    arena_fini(&mapped.arena);
}

static void jaas_config_gives_user_and_password(void **state)
{
    static const char *const texts[] = {
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"al ice\" "
        "password=\"s;e=c\\\"r'et\";",
        "  o.ScramLoginModule  required\n password = 's;e=c\"r\\'et' tokenauth=\"true\" username = "
        "\"al ice\" ;",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *const pairs[] = { "sasl.jaas.config", texts[i], NULL };
        struct mapped mapped = map(pairs);

        assert_int_equal(mapped.list.count, 2);
        expect(&mapped, 0, "sasl.username", "al ice");
        expect(&mapped, 1, "sasl.password", "s;e=c\"r'et");
        arena_fini(&mapped.arena);
    }
}

static void jaas_config_that_is_not_understood_is_refused_without_being_told(void **state)
{
    static const char *const cases[][2] = {
        { "com.sun.security.auth.module.Krb5LoginModule required keyTab=\"hush\";",
          "kafka.sasl.kerberos" },
        { "x.OAuthBearerLoginModule required clientSecret=\"hush\";", "kafka.sasl.oauthbearer" },
        { "x.PlainLoginModule required password=\"hush\";", "username" },
        { "x.PlainLoginModule required = hush", "username" },
        { "x.PlainLoginModule required username=\"hush", "username" },
        { "hush", "PlainLoginModule" },
        { "", "PlainLoginModule" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const pairs[] = { "sasl.jaas.config", cases[i][0], NULL };
        struct mapped mapped = map(pairs);

        assert_null(strstr(mapped.err.message, "hush"));
        expect_refusal(&mapped, cases[i][1]);
    }
}

static void pem_stores_are_passed_on(void **state)
{
    const char *const pairs[] = { "ssl.truststore.type",
                                  "PEM",
                                  "ssl.truststore.location",
                                  "/ca.pem",
                                  "ssl.keystore.type",
                                  "pem",
                                  "ssl.keystore.location",
                                  "/me.pem",
                                  "ssl.key.password",
                                  "p",
                                  "ssl.endpoint.identification.algorithm",
                                  "",
                                  NULL };
    struct mapped mapped = map(pairs);

    (void)state;
    assert_int_equal(mapped.list.count, 5);
    expect(&mapped, 0, "ssl.ca.location", "/ca.pem");
    expect(&mapped, 1, "ssl.certificate.location", "/me.pem");
    expect(&mapped, 2, "ssl.key.location", "/me.pem");
    expect(&mapped, 3, "ssl.key.password", "p");
    expect(&mapped, 4, "ssl.endpoint.identification.algorithm", "none");
    arena_fini(&mapped.arena);
}

static void pem_in_the_settings_is_passed_on(void **state)
{
    const char *const pairs[] = { "ssl.truststore.certificates",
                                  "CA",
                                  "ssl.keystore.key",
                                  "KEY",
                                  "ssl.keystore.certificate.chain",
                                  "ME",
                                  NULL };
    struct mapped mapped = map(pairs);

    (void)state;
    assert_int_equal(mapped.list.count, 3);
    expect(&mapped, 0, "ssl.ca.pem", "CA");
    expect(&mapped, 1, "ssl.certificate.pem", "ME");
    expect(&mapped, 2, "ssl.key.pem", "KEY");
    arena_fini(&mapped.arena);
}

static void java_stores_are_refused_with_the_way_out(void **state)
{
    const char *const trust[] = { "ssl.truststore.type", "JKS", "ssl.truststore.location",
                                  "/ca.jks", NULL };
    const char *const key[] = { "ssl.keystore.type", "JKS", "ssl.keystore.location", "/me.jks",
                                NULL };
    const char *const pkcs12[] = { "ssl.truststore.type", "PKCS12", "ssl.truststore.location",
                                   "/ca.p12", NULL };
    const char *const other[] = { "ssl.truststore.type", "BCFKS", NULL };
    struct mapped mapped;

    (void)state;
    mapped = map(trust);
    expect_refusal(&mapped, "keytool -importkeystore");
    mapped = map(key);
    expect_refusal(&mapped, "openssl pkcs12 -in store.p12 -nodes");
    mapped = map(pkcs12);
    expect_refusal(&mapped, "openssl pkcs12 -in FILE -nokeys");
    mapped = map(other);
    expect_refusal(&mapped, "PEM and PKCS12");
}

static void without_a_type_the_file_tells(void **state)
{
    static const char jks[] = "\xfe\xed\xfe\xed\0\0\0\2";
    static const char der[] = "\x30\x82\x09\x59";
    char path[64];
    int file;
    const char *const pairs[] = { "ssl.keystore.location", path, "ssl.keystore.password", "p",
                                  NULL };
    struct mapped mapped;

    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/sluice-store-%d", (int)getpid());
    file = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, jks, sizeof jks, 0), sizeof jks);
    mapped = map(pairs);
    expect_refusal(&mapped, "JKS");
    assert_int_equal(pwrite(file, der, sizeof der, 0), sizeof der);
    mapped = map(pairs);
    expect(&mapped, 0, "ssl.keystore.location", path);
    expect(&mapped, 1, "ssl.keystore.password", "p");
    arena_fini(&mapped.arena);
    assert_int_equal(pwrite(file, "-----BEGIN", 10, 0), 10);
    mapped = map(pairs);
    expect(&mapped, 0, "ssl.certificate.location", path);
    arena_fini(&mapped.arena);
    (void)close(file);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_of_nothing),
        cmocka_unit_test(protocol_and_mechanism_are_passed_on_and_the_last_counts),
        cmocka_unit_test(jaas_config_gives_user_and_password),
        cmocka_unit_test(jaas_config_that_is_not_understood_is_refused_without_being_told),
        cmocka_unit_test(pem_stores_are_passed_on),
        cmocka_unit_test(pem_in_the_settings_is_passed_on),
        cmocka_unit_test(java_stores_are_refused_with_the_way_out),
        cmocka_unit_test(without_a_type_the_file_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
