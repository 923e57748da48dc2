/*
 * url.c: connection.url as JDBC has it -> parameters of libpq.
 *
 * libpq reads the part in front of the "?"; parameters behind it have pgjdbc's names and are
 * translated. Those that only a Java driver could have are left out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/type/java_text.h"
#include "sinks/postgres/postgres_internal.h"

static const struct {
    const char *jdbc;
    const char *libpq;
} translations[] = {
    { "user", "user" },
    { "password", "password" },
    { "ssl", "sslmode" },
    { "sslmode", "sslmode" },
    { "sslcert", "sslcert" },
    { "sslkey", "sslkey" },
    { "sslrootcert", "sslrootcert" },
    { "sslpassword", "sslpassword" },
    { "ApplicationName", "application_name" },
    { "application_name", "application_name" },
    { "targetServerType", "target_session_attrs" },
    { "target_session_attrs", "target_session_attrs" },
    { "options", "options" },
};

static void add(struct connect_parameters *out, const char *keyword, const char *value)
{
    for (uint32_t i = 0; i < out->count; i++) {
        if (strcmp(out->keywords[i], keyword) == 0) {
            out->values[i] = value;
            return;
        }
    }
    if (out->count + 1 < sizeof out->keywords / sizeof out->keywords[0]) {
        out->keywords[out->count] = keyword;
        out->values[out->count++] = value;
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static char *decode_percent(struct arena *arena, struct bytes text)
{
    char *out = arena_copy_text(arena, text);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len ? hex_digit(text.data[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_digit(text.data[i + 2]) : -1;

        if (text.data[i] == '%' && high >= 0 && low >= 0) {
            out[len++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[len++] = text.data[i];
        }
    }
    out[len] = '\0';
    return out;
}

static const char *translate_value(const char *jdbc, const char *value)
{
    if (strcmp(jdbc, "ssl") == 0) {
        return strcmp(value, "true") == 0 || !*value ? "verify-full" : "prefer";
    }
    if (strcmp(jdbc, "targetServerType") == 0) {
        return strcmp(value, "primary") == 0 || strcmp(value, "master") == 0 ? "read-write"
               : strcmp(value, "secondary") == 0                             ? "standby"
               : strcmp(value, "preferSecondary") == 0                       ? "prefer-standby"
                                                                             : "any";
    }
    return value;
}

/* Seconds as JDBC has them. */
static void set_timeout(struct connect_parameters *out, const char *value)
{
    int64_t seconds = 0;

    if (!java_long_parse(bytes_of(value), &seconds, NULL) && seconds > 0) {
        out->timeout_ms = seconds * 1000;
    }
}

static void take_parameter(struct bytes name, const char *value, struct arena *arena,
                           struct connect_parameters *out)
{
    if (bytes_equal_text(name, "currentSchema")) {
        add(out, "options", arena_printf(arena, "-c search_path=%s", value).data);
    } else if (bytes_equal_text(name, "connectTimeout") || bytes_equal_text(name, "loginTimeout") ||
               bytes_equal_text(name, "connect_timeout")) {
        set_timeout(out, value);
    } else if (bytes_equal_text(name, "socketTimeout")) {
        add(out, "tcp_user_timeout", arena_printf(arena, "%s000", value).data);
    }
    for (size_t i = 0; i < sizeof translations / sizeof translations[0]; i++) {
        if (bytes_equal_text(name, translations[i].jdbc)) {
            add(out, translations[i].libpq, translate_value(translations[i].jdbc, value));
        }
    }
}

static void take_parameters(struct bytes text, struct arena *arena, struct connect_parameters *out)
{
    size_t begin = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.data[i] == '&') {
            struct bytes part = { text.data + begin, i - begin };
            const char *equals = memchr(part.data, '=', part.len);
            size_t name_len = equals ? (size_t)(equals - part.data) : part.len;
            struct bytes value = { part.data + name_len + (equals != NULL),
                                   part.len - name_len - (equals != NULL) };

            take_parameter((struct bytes){ part.data, name_len }, decode_percent(arena, value),
                           arena, out);
            begin = i + 1;
        }
    }
}

/* jdbc:postgresql:db and jdbc:postgresql:/db mean a server here. */
static const char *libpq_url(struct arena *arena, struct bytes url)
{
    static const struct bytes jdbc = BYTES("jdbc:");
    static const struct bytes scheme = BYTES("postgresql:");

    if (bytes_starts_with(url, jdbc)) {
        url = (struct bytes){ url.data + jdbc.len, url.len - jdbc.len };
    }
    if (bytes_starts_with(url, scheme) && !bytes_starts_with(url, bytes_of("postgresql://"))) {
        struct bytes rest = { url.data + scheme.len, url.len - scheme.len };

        while (rest.len > 0 && rest.data[0] == '/') {
            rest = (struct bytes){ rest.data + 1, rest.len - 1 };
        }
        return arena_printf(arena, "postgresql://localhost/%.*s", BYTES_ARG(rest)).data;
    }
    return arena_copy_text(arena, url);
}

static int refuse_url(struct bytes url, const char *why, struct error *err)
{
    return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                     "'connection.url' is not a URL of a Postgres database (%s): write "
                     "jdbc:postgresql://HOST:PORT/DATABASE instead of %.*s",
                     why, BYTES_ARG(url));
}

static int take_url(struct bytes url, struct arena *arena, struct connect_parameters *out,
                    struct error *err)
{
    bool is_jdbc = bytes_starts_with(url, bytes_of("jdbc:"));
    const char *question = is_jdbc ? memchr(url.data, '?', url.len) : NULL;
    size_t len = question ? (size_t)(question - url.data) : url.len;
    char *complaint = NULL;
    PQconninfoOption *parsed;

    if (is_jdbc && !bytes_starts_with(url, bytes_of("jdbc:postgresql:"))) {
        return refuse_url(url, "only Postgres can be written to", err);
    }
    parsed = PQconninfoParse(libpq_url(arena, (struct bytes){ url.data, len }), &complaint);
    if (!parsed) {
        const char *why = complaint ? arena_copy_text(arena, java_trim(bytes_of(complaint)))
                                    : "it cannot be read";

        PQfreemem(complaint);
        return refuse_url(url, why, err);
    }
    for (const PQconninfoOption *at = parsed; at->keyword; at++) {
        if (at->val) {
            add(out, arena_copy_text(arena, bytes_of(at->keyword)),
                arena_copy_text(arena, bytes_of(at->val)));
        }
    }
    PQconninfoFree(parsed);
    if (question) {
        take_parameters((struct bytes){ question + 1, url.len - len - 1 }, arena, out);
    }
    return 0;
}

static int read_password(const char *path, struct arena *arena, const char **out, struct error *err)
{
    char line[1024];
    FILE *in = fopen(path, "rb");

    if (!in || !fgets(line, sizeof line, in)) {
        int code = error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                             "'connection.password.file': %s cannot be read: %s", path,
                             in ? "it is empty" : strerror(errno));

        if (in) {
            fclose(in);
        }
        return code;
    }
    fclose(in);
    line[strcspn(line, "\r\n")] = '\0';
    *out = arena_copy_text(arena, bytes_of(line));
    return 0;
}

static int take_credentials(const struct options *options, struct arena *arena,
                            struct connect_parameters *out, struct error *err)
{
    static const char *const users[] = { "connection.user", "connection.username" };
    const char *password = NULL;

    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        if (options_is_given(options, users[i])) {
            add(out, "user", arena_copy_text(arena, options_text(options, users[i])));
        }
    }
    if (options_is_given(options, "connection.password")) {
        add(out, "password", arena_copy_text(arena, options_text(options, "connection.password")));
    }
    if (options_is_given(options, "connection.password.file")) {
        TRY(read_password(arena_copy_text(arena, options_text(options, "connection.password.file")),
                          arena, &password, err));
        add(out, "password", password);
    }
    return 0;
}

static struct bytes value_of(const struct connect_parameters *parameters, const char *keyword,
                             const char *usual)
{
    for (uint32_t i = 0; i < parameters->count; i++) {
        if (strcmp(parameters->keywords[i], keyword) == 0) {
            return bytes_of(parameters->values[i]);
        }
    }
    return bytes_of(usual);
}

int url_parse(const struct options *options, struct arena *arena, struct connect_parameters *out,
              struct error *err)
{
    struct bytes url = options_text(options, "connection.url");

    memset(out, 0, sizeof *out);
    out->timeout_ms = options_integer(options, "connection.loginTimeout") * 1000;
    add(out, "application_name", "sluice");
    add(out, "client_encoding", "UTF8");
    add(out, "target_session_attrs", "read-write");
    TRY(take_url(url, arena, out, err));
    TRY(take_credentials(options, arena, out, err));
    out->host = value_of(out, "host", "localhost");
    out->port = value_of(out, "port", "5432");
    out->user = value_of(out, "user", "(of this process)");
    out->database = value_of(out, "dbname", "(the user's)");
    return 0;
}
