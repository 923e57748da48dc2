/*
 * kafka_security.c: see kafka_security.h.
 *
 *   security.protocol, sasl.mechanism             as they are
 *   sasl.jaas.config                              user name and password of PLAIN and SCRAM
 *   ssl.truststore.*                              the certificates to trust: PEM
 *   ssl.keystore.*, ssl.key.password              one's own certificate and key: PEM or PKCS12
 *   ssl.endpoint.identification.algorithm         whether the broker's name is checked
 *
 * A Java keystore is Java's alone: it is refused with the commands that convert it. Where no type
 * is given Java takes JKS; here the file's first bytes tell.
 */
#include "cli/kafka_security.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum store_type { STORE_PEM, STORE_JKS, STORE_PKCS12 };

struct mapping {
    struct arena *arena;
    const struct property_text *settings;
    uint32_t count;
    client_setting_list *out;
};

static struct bytes find(const struct mapping *m, const char *name)
{
    struct bytes found = { NULL, 0 };

    for (uint32_t i = 0; i < m->count; i++) {
        if (bytes_equal_text(m->settings[i].name, name)) {
            found = m->settings[i].value;
        }
    }
    return found;
}

static void add(const struct mapping *m, const char *name, struct bytes value)
{
    *vec_push(m->arena, m->out) = (struct topic_config){ bytes_of(name), value };
}

static void pass(const struct mapping *m, const char *from, const char *to)
{
    struct bytes value = find(m, from);

    if (value.data) {
        add(m, to, value);
    }
}

static int refuse(struct error *err, const char *name, const char *why)
{
    return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION, "%s: %s", name, why);
}

/* --- sasl.jaas.config --- */

static void skip_space(struct bytes *rest)
{
    while (rest->len > 0 && isspace((unsigned char)*rest->data)) {
        rest->data++;
        rest->len--;
    }
}

static char cut_char(struct bytes *rest)
{
    char c = *rest->data++;

    rest->len--;
    return c;
}

/* A word, or what stands between quotes, in which a backslash takes the next character as it is. */
static struct bytes cut_token(struct arena *arena, struct bytes *rest)
{
    char *text = arena_alloc(arena, rest->len + 1);
    size_t len = 0;
    char quote = 0;

    while (rest->len > 0) {
        char c = *rest->data;

        if (!quote && (isspace((unsigned char)c) || c == '=' || c == ';')) {
            break;
        }
        (void)cut_char(rest);
        if (quote ? c == quote : c == '"' || c == '\'') {
            quote = quote ? 0 : c;
        } else {
            text[len++] = quote && c == '\\' && rest->len > 0 ? cut_char(rest) : c;
        }
    }
    return (struct bytes){ text, len };
}

static bool ends_with(struct bytes text, const char *end)
{
    size_t len = strlen(end);

    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

static int check_module(struct bytes module, struct error *err)
{
    if (ends_with(module, "PlainLoginModule") || ends_with(module, "ScramLoginModule")) {
        return 0;
    }
    if (ends_with(module, "Krb5LoginModule")) {
        return refuse(err, "sasl.jaas.config",
                      "Kerberos is set up with kafka.sasl.kerberos.principal, "
                      "kafka.sasl.kerberos.keytab and their like");
    }
    if (ends_with(module, "OAuthBearerLoginModule")) {
        return refuse(err, "sasl.jaas.config",
                      "OAUTHBEARER is set up with kafka.sasl.oauthbearer.method, "
                      "kafka.sasl.oauthbearer.client.id and their like");
    }
    return refuse(err, "sasl.jaas.config",
                  "it does not begin with PlainLoginModule or ScramLoginModule, which are the "
                  "login modules known here");
}

/* MODULE required username="..." password="..."; */
static int map_jaas(const struct mapping *m, struct error *err)
{
    struct bytes rest = find(m, "sasl.jaas.config"), user = { 0 }, password = { 0 };

    if (!rest.data) {
        return 0;
    }
    skip_space(&rest);
    TRY(check_module(cut_token(m->arena, &rest), err));
    for (skip_space(&rest); rest.len > 0 && *rest.data != ';'; skip_space(&rest)) {
        struct bytes name = cut_token(m->arena, &rest);

        skip_space(&rest);
        if (rest.len == 0 || *rest.data != '=') {
            if (name.len == 0) {
                break;
            }
            continue; /* required, sufficient, ... */
        }
        (void)cut_char(&rest);
        skip_space(&rest);
        if (bytes_equal_text(name, "username")) {
            user = cut_token(m->arena, &rest);
        } else if (bytes_equal_text(name, "password")) {
            password = cut_token(m->arena, &rest);
        } else {
            (void)cut_token(m->arena, &rest);
        }
    }
    if (!user.data || !password.data) {
        return refuse(err, "sasl.jaas.config", "it has no username=\"...\" and password=\"...\"");
    }
    add(m, "sasl.username", user);
    add(m, "sasl.password", password);
    return 0;
}

/* --- stores --- */

static enum store_type sniff(const char *path)
{
    static const unsigned char jks[] = { 0xfe, 0xed, 0xfe, 0xed };
    unsigned char head[sizeof jks] = { 0 };
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(head, 1, sizeof head, file) : 0;

    if (file) {
        (void)fclose(file);
    }
    if (size == sizeof head && memcmp(head, jks, sizeof jks) == 0) {
        return STORE_JKS;
    }
    return size > 0 && head[0] == 0x30 ? STORE_PKCS12 : STORE_PEM; /* a DER sequence, or text */
}

static int find_type(const struct mapping *m, const char *name, struct bytes path,
                     enum store_type *out, struct error *err)
{
    struct bytes type = find(m, name);

    if (!type.data) {
        *out = path.data ? sniff(arena_copy_text(m->arena, path)) : STORE_PEM;
    } else if (bytes_equal_text_nocase(type, "PEM")) {
        *out = STORE_PEM;
    } else if (bytes_equal_text_nocase(type, "PKCS12")) {
        *out = STORE_PKCS12;
    } else if (bytes_equal_text_nocase(type, "JKS")) {
        *out = STORE_JKS;
    } else {
        return refuse(err, name, "the types known here are PEM and PKCS12");
    }
    return 0;
}

static int refuse_store(const char *name, struct bytes path, bool with_key, enum store_type type,
                        struct error *err)
{
    const char *store = type == STORE_JKS ? "store.p12" : "FILE";
    const char *convert = type == STORE_JKS
                              ? "keytool -importkeystore -srckeystore FILE -destkeystore store.p12 "
                                "-deststoretype PKCS12; "
                              : "";

    return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                     "%s: '%.*s' is a %s store, which cannot be read here. Convert it to PEM: "
                     "%sopenssl pkcs12 -in %s %s -out store.pem; then set the type to PEM",
                     name, BYTES_ARG(path), type == STORE_JKS ? "Java (JKS)" : "PKCS12", convert,
                     store, with_key ? "-nodes" : "-nokeys");
}

static int map_truststore(const struct mapping *m, struct error *err)
{
    struct bytes path = find(m, "ssl.truststore.location");
    enum store_type type;

    TRY(find_type(m, "ssl.truststore.type", path, &type, err));
    if (path.data && type != STORE_PEM) {
        return refuse_store("ssl.truststore.location", path, false, type, err);
    }
    pass(m, "ssl.truststore.location", "ssl.ca.location");
    pass(m, "ssl.truststore.certificates", "ssl.ca.pem");
    return 0;
}

static int map_keystore(const struct mapping *m, struct error *err)
{
    struct bytes path = find(m, "ssl.keystore.location");
    enum store_type type;

    TRY(find_type(m, "ssl.keystore.type", path, &type, err));
    if (path.data && type == STORE_JKS) {
        return refuse_store("ssl.keystore.location", path, true, type, err);
    }
    if (type == STORE_PKCS12) {
        pass(m, "ssl.keystore.location", "ssl.keystore.location");
        pass(m, "ssl.keystore.password", "ssl.keystore.password");
    } else {
        pass(m, "ssl.keystore.location", "ssl.certificate.location");
        pass(m, "ssl.keystore.location", "ssl.key.location");
    }
    pass(m, "ssl.keystore.certificate.chain", "ssl.certificate.pem");
    pass(m, "ssl.keystore.key", "ssl.key.pem");
    pass(m, "ssl.key.password", "ssl.key.password");
    return 0;
}

/* --- all --- */

static struct bytes lower(const struct mapping *m, struct bytes text)
{
    char *copy = arena_copy_text(m->arena, text);

    for (size_t i = 0; i < text.len; i++) {
        copy[i] = (char)tolower((unsigned char)copy[i]);
    }
    return (struct bytes){ copy, text.len };
}

static void map_name_check(const struct mapping *m)
{
    struct bytes algorithm = find(m, "ssl.endpoint.identification.algorithm");

    if (algorithm.data) {
        add(m, "ssl.endpoint.identification.algorithm",
            algorithm.len > 0 ? lower(m, algorithm) : bytes_of("none"));
    }
}

int kafka_security_add(struct arena *arena, const struct property_text *settings, uint32_t count,
                       client_setting_list *out, struct error *err)
{
    const struct mapping m = { arena, settings, count, out };
    struct bytes protocol = find(&m, "security.protocol");

    if (protocol.data) {
        add(&m, "security.protocol", lower(&m, protocol));
    }
    pass(&m, "sasl.mechanism", "sasl.mechanism");
    TRY(map_jaas(&m, err));
    TRY(map_truststore(&m, err));
    TRY(map_keystore(&m, err));
    map_name_check(&m);
    return 0;
}
