/*
 * log_kafka_fetch_settings.c: see log_kafka_fetch_settings.h.
 */
#include "engine/log/log_kafka_fetch_settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int64_t number_of(const rd_kafka_conf_t *conf, const char *name)
{
    char text[32] = "";
    size_t size = sizeof text;

    (void)rd_kafka_conf_get(conf, name, text, &size); /* librdkafka knows it and has checked it */
    return strtoll(text, NULL, 10);
}

static int32_t pause_of(const rd_kafka_conf_t *conf, const char *name)
{
    int64_t pause_ms = number_of(conf, name);

    return pause_ms < LEAST_PAUSE_MS ? LEAST_PAUSE_MS : (int32_t)pause_ms;
}

static bool setting_is(const rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[32] = "";
    size_t size = sizeof text;

    (void)rd_kafka_conf_get(conf, name, text, &size);
    return strcmp(text, value) == 0;
}

bool kafka_conf_is_plain(const rd_kafka_conf_t *conf)
{
    return setting_is(conf, "security.protocol", "plaintext") &&
           setting_is(conf, "client.rack", "");
}

static struct link_settings link_settings(const rd_kafka_conf_t *conf)
{
    struct link_settings link = {
        .family = setting_is(conf, "broker.address.family", "v4")   ? AF_INET
                  : setting_is(conf, "broker.address.family", "v6") ? AF_INET6
                                                                    : AF_UNSPEC,
        .timeout_ms = number_of(conf, "socket.timeout.ms"),
        .connect_ms = number_of(conf, "socket.connection.setup.timeout.ms"),
        .backoff_ms = number_of(conf, "reconnect.backoff.ms"),
        .backoff_max_ms = number_of(conf, "reconnect.backoff.max.ms"),
        .receive_max_bytes = number_of(conf, "receive.message.max.bytes"),
        .receive_buffer_bytes = (int)number_of(conf, "socket.receive.buffer.bytes"),
        .keeps_alive = setting_is(conf, "socket.keepalive.enable", "true"),
    };
    size_t size = sizeof link.client_id;

    (void)rd_kafka_conf_get(conf, "client.id", link.client_id, &size);
    return link;
}

int fetch_settings_read(struct kafka_log *log, const struct reader_spec *spec,
                        struct fetch_settings *out, struct error *err)
{
    rd_kafka_conf_t *conf = NULL;

    TRY(kafka_conf(log, KAFKA_READER, &conf, err));
    TRY(kafka_conf_set(conf, "client.id", spec->client_id, err)); /* which ends a conf it refuses */
    *out = (struct fetch_settings){
        .link = link_settings(conf),
        .is_brief = spec->is_brief,
        .wait_ms = pause_of(conf, "fetch.wait.max.ms"),
        .min_bytes = (int32_t)number_of(conf, "fetch.min.bytes"),
        .max_bytes = (int32_t)number_of(conf, "fetch.max.bytes"),
        .partition_bytes = (int32_t)number_of(conf, "fetch.message.max.bytes"),
        .backoff_ms = pause_of(conf, "fetch.error.backoff.ms"),
        .checks_crc = setting_is(conf, "check.crcs", "true"),
    };
    rd_kafka_conf_destroy(conf);
    return 0;
}
