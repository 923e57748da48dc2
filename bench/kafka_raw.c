/*
 * kafka_raw.c: plain programs against librdkafka, as one writes them for speed: batches
 * from one queue, records copied into the producer once, synchronous commits.
 */
#include "bench/kafka_raw.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <librdkafka/rdkafka.h>

enum { BATCH = 1000, RECORDS_PER_COMMIT = 100000, CALL_MS = 60000, TEXT_BYTES = 512 };

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "raw: %s: %s\n", what, why);
    exit(1);
}

static void check(rd_kafka_error_t *error, const char *what)
{
    if (error) {
        die(what, rd_kafka_error_string(error));
    }
}

/* --- handles --- */

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[TEXT_BYTES];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
        die(name, why);
    }
}

static void silent(const rd_kafka_t *rk, int level, const char *facility, const char *message)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)message;
}

static rd_kafka_conf_t *make_conf(const struct raw_setup *setup)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char name[TEXT_BYTES];
    char value[TEXT_BYTES];

    set(conf, "bootstrap.servers", setup->bootstrap);
    rd_kafka_conf_set_log_cb(conf, silent);
    for (uint32_t i = 0; i < setup->property_count; i++) {
        const struct topic_config *property = &setup->properties[i];

        (void)snprintf(name, sizeof name, "%.*s", BYTES_ARG(property->name));
        (void)snprintf(value, sizeof value, "%.*s", BYTES_ARG(property->value));
        set(conf, name, value);
    }
    return conf;
}

static rd_kafka_t *open_handle(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char why[TEXT_BYTES];
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);

    if (!rk) {
        die("a handle", why);
    }
    return rk;
}

static rd_kafka_t *open_consumer(const struct raw_setup *setup)
{
    rd_kafka_conf_t *conf = make_conf(setup);

    set(conf, "isolation.level", "read_committed");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.auto.offset.store", "false");
    return open_handle(RD_KAFKA_CONSUMER, conf);
}

struct hop_run {
    const struct raw_setup *setup;
    struct raw_hop *hop;
};

/* The broker has it; the opaque is where the time goes. */
static void note_written(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    const struct hop_run *run = opaque;
    int64_t *written_us = message->_private;

    (void)rk;
    if (message->err) {
        die("producing", rd_kafka_err2str(message->err));
    }
    *written_us = clock_monotonic_us(run->setup->clock);
}

/* Without an id: one whose written records are noted. */
static rd_kafka_t *open_producer(const struct raw_setup *setup, const char *id,
                                 struct hop_run *writes)
{
    rd_kafka_conf_t *conf = make_conf(setup);
    rd_kafka_t *rk;

    if (id) {
        set(conf, "transactional.id", id);
        set(conf, "retry.backoff.ms", "5");
        set(conf, "delivery.report.only.error", "true");
    } else {
        set(conf, "linger.ms", "1");
        rd_kafka_conf_set_dr_msg_cb(conf, note_written);
        rd_kafka_conf_set_opaque(conf, writes);
    }
    rk = open_handle(RD_KAFKA_PRODUCER, conf);
    if (id) {
        check(rd_kafka_init_transactions(rk, CALL_MS), "transactions");
    }
    return rk;
}

/* With its partitions known: else the first commit takes a second. */
static rd_kafka_topic_t *open_topic(rd_kafka_t *rk, const char *name)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, topic, &metadata, CALL_MS);

    if (code) {
        die(name, rd_kafka_err2str(code));
    }
    rd_kafka_metadata_destroy(metadata);
    return topic;
}

static void produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);

    for (;;) {
        rd_kafka_resp_err_t code = rd_kafka_producev(
            rk, RD_KAFKA_VTYPE_RKT, topic, RD_KAFKA_VTYPE_PARTITION, message->partition,
            RD_KAFKA_VTYPE_MSGFLAGS, (int)RD_KAFKA_MSG_F_COPY, RD_KAFKA_VTYPE_KEY, message->key,
            message->key_len, RD_KAFKA_VTYPE_VALUE, message->payload, message->len,
            RD_KAFKA_VTYPE_TIMESTAMP, timestamp_ms, RD_KAFKA_VTYPE_END);

        if (!code) {
            return;
        }
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            die("producing", rd_kafka_err2str(code));
        }
        (void)rd_kafka_poll(rk, 5);
    }
}

/* --- copying --- */

struct copy {
    rd_kafka_t *consumer;
    rd_kafka_t *producer;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *from;
    rd_kafka_topic_t *to;
    uint32_t one_in;
    uint64_t records;
    uint64_t committed;
    bool in_transaction;
};

static void copy_begin(struct copy *copy)
{
    if (copy->producer && !copy->in_transaction) {
        check(rd_kafka_begin_transaction(copy->producer), "begin");
        copy->in_transaction = true;
    }
}

static void copy_commit(struct copy *copy)
{
    if (copy->in_transaction) {
        check(rd_kafka_commit_transaction(copy->producer, CALL_MS), "commit");
        copy->in_transaction = false;
    }
    copy->committed = copy->records;
}

static void copy_batch(struct copy *copy, rd_kafka_message_t **messages, ssize_t count)
{
    copy_begin(copy);
    for (ssize_t i = 0; i < count; i++) {
        if (!messages[i]->err) {
            copy->records++;
            if (copy->one_in && copy->records % copy->one_in == 0) {
                produce(copy->producer, copy->to, messages[i]);
            }
        }
        rd_kafka_message_destroy(messages[i]);
    }
    if (copy->records - copy->committed >= RECORDS_PER_COMMIT) {
        copy_commit(copy);
    }
}

static ssize_t next_batch(struct copy *copy, rd_kafka_message_t **messages)
{
    ssize_t count = rd_kafka_consume_batch_queue(copy->queue, 0, messages, BATCH);

    if (count > 0) {
        return count;
    }
    count = rd_kafka_consume_batch_queue(copy->queue, 100, messages, 1);
    return count > 0 ? count : 0;
}

static void start_reading(struct copy *copy, const char *topic, int64_t from)
{
    copy->queue = rd_kafka_queue_new(copy->consumer);
    copy->from = rd_kafka_topic_new(copy->consumer, topic, NULL);
    for (int32_t p = 0; p < RAW_PARTITIONS; p++) {
        if (rd_kafka_consume_start_queue(copy->from, p, from, copy->queue)) {
            die(topic, rd_kafka_err2str(rd_kafka_last_error()));
        }
    }
}

static void stop_reading(struct copy *copy)
{
    for (int32_t p = 0; p < RAW_PARTITIONS; p++) {
        (void)rd_kafka_consume_stop(copy->from, p);
    }
    rd_kafka_topic_destroy(copy->from);
    rd_kafka_queue_destroy(copy->queue);
    rd_kafka_destroy(copy->consumer);
}

struct raw_cost raw_copy(const struct raw_setup *setup, const char *from, const char *to,
                         uint64_t records, uint32_t one_in)
{
    static rd_kafka_message_t *messages[BATCH];
    struct copy copy = { .one_in = one_in };
    struct raw_cost cost;

    if (one_in) {
        copy.producer = open_producer(setup, to, NULL);
        copy.to = open_topic(copy.producer, to);
    }
    copy.consumer = open_consumer(setup);
    cost.cpu_us = clock_cpu_us();
    cost.wall_us = clock_monotonic_us(setup->clock);
    start_reading(&copy, from, RD_KAFKA_OFFSET_BEGINNING);
    while (copy.records < records) {
        ssize_t count = next_batch(&copy, messages);

        if (count > 0) {
            copy_batch(&copy, messages, count);
        }
    }
    copy_commit(&copy);
    cost.cpu_us = clock_cpu_us() - cost.cpu_us;
    cost.wall_us = clock_monotonic_us(setup->clock) - cost.wall_us;
    stop_reading(&copy);
    if (copy.producer) {
        rd_kafka_topic_destroy(copy.to);
        rd_kafka_destroy(copy.producer);
    }
    return cost;
}

/* --- transactions --- */

static void send_positions(rd_kafka_t *rk, const char *topic, int64_t number)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(RAW_PARTITIONS);
    rd_kafka_consumer_group_metadata_t *group =
        rd_kafka_consumer_group_metadata_new_with_genid("raw", -1, "nobody", NULL);

    for (int32_t p = 0; p < RAW_PARTITIONS; p++) {
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = number;
    }
    check(rd_kafka_send_offsets_to_transaction(rk, list, group, CALL_MS), "positions");
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(list);
}

void raw_transactions(const struct raw_setup *setup, const char *to, uint32_t count,
                      int64_t *whole_us, int64_t *commit_us)
{
    rd_kafka_t *rk = open_producer(setup, "raw-transactions", NULL);
    rd_kafka_topic_t *topic = open_topic(rk, to);
    char value[160];

    memset(value, 'v', sizeof value);
    for (uint32_t i = 0; i < count; i++) {
        rd_kafka_message_t message = { .payload = value, .len = sizeof value };
        int64_t began_us = clock_monotonic_us(setup->clock);
        int64_t ready_us;

        check(rd_kafka_begin_transaction(rk), "begin");
        for (message.partition = 0; message.partition < RAW_PARTITIONS; message.partition++) {
            (void)rd_kafka_produce(topic, message.partition, RD_KAFKA_MSG_F_COPY, value,
                                   sizeof value, NULL, 0, NULL);
        }
        send_positions(rk, to, i);
        ready_us = clock_monotonic_us(setup->clock);
        check(rd_kafka_commit_transaction(rk, CALL_MS), "commit");
        commit_us[i] = clock_monotonic_us(setup->clock) - ready_us;
        whole_us[i] = commit_us[i] + ready_us - began_us;
    }
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
}

/* --- one hop --- */

static void wait_until(const struct clock *clock, int64_t at_us)
{
    int64_t left_us = at_us - clock_monotonic_us(clock);
    struct timespec pause = { .tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000 };

    if (left_us > 0) {
        (void)nanosleep(&pause, NULL);
    }
}

static void *send_records(void *argument)
{
    struct hop_run *run = argument;
    struct raw_hop *hop = run->hop;
    const struct clock *clock = run->setup->clock;
    rd_kafka_t *rk = open_producer(run->setup, NULL, run);
    rd_kafka_topic_t *topic = open_topic(rk, hop->from);
    int64_t start_us = clock_monotonic_us(clock);
    struct buffer key = { 0 };
    struct buffer value = { 0 };
    int32_t partition;

    for (uint32_t i = 0; i < hop->count; i++) {
        wait_until(clock, start_us + (int64_t)i * 1000000 / hop->per_second);
        key.len = 0;
        value.len = 0;
        hop->make(hop->context, i, &key, &value);
        partition = (int32_t)log_partition_of(buffer_bytes(&key), RAW_PARTITIONS);
        if (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, value.data, value.len, key.data,
                             key.len, &hop->sent_us[i])) {
            die(hop->from, rd_kafka_err2str(rd_kafka_last_error()));
        }
        (void)rd_kafka_poll(rk, 0);
    }
    (void)rd_kafka_flush(rk, CALL_MS);
    buffer_fini(&key);
    buffer_fini(&value);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return NULL;
}

static bool note_read(struct hop_run *run, const rd_kafka_message_t *message)
{
    struct raw_hop *hop = run->hop;
    struct bytes value = { message->payload, message->len };
    uint32_t number = message->err ? hop->count : hop->number_of(hop->context, value);

    if (number >= hop->count || hop->read_us[number]) {
        return false;
    }
    hop->read_us[number] = clock_monotonic_us(run->setup->clock);
    return true;
}

void raw_hop(const struct raw_setup *setup, struct raw_hop *hop)
{
    struct hop_run run = { setup, hop };
    struct copy reading = { .consumer = open_consumer(setup) };
    int64_t deadline_us = clock_monotonic_us(setup->clock) + INT64_C(60000000) +
                          (int64_t)hop->count * 1000000 / hop->per_second;
    pthread_t sender;
    uint32_t seen = 0;

    start_reading(&reading, hop->to, RD_KAFKA_OFFSET_BEGINNING);
    if (pthread_create(&sender, NULL, send_records, &run)) {
        die("thread", "not started");
    }
    while (seen < hop->count && clock_monotonic_us(setup->clock) < deadline_us) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(reading.queue, 100);

        if (message) {
            seen += note_read(&run, message);
            rd_kafka_message_destroy(message);
        }
    }
    (void)pthread_join(sender, NULL);
    stop_reading(&reading);
}
