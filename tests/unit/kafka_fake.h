/*
 * kafka_fake.h: brokers of Kafka, played by a thread, that can be told to behave badly.
 *
 * One topic, whose partitions hold batches of FAKE_BATCH offsets each, as far as they are told to
 * reach. Every fifth batch is an aborted transaction with its marker: nothing of it may be seen.
 * They answer what finding leaders, offsets and records takes, and wait for records to come as
 * brokers do.
 */
#ifndef SLUICE_TESTS_UNIT_KAFKA_FAKE_H
#define SLUICE_TESTS_UNIT_KAFKA_FAKE_H

#include <pthread.h>

#include "base/bytes.h"
#include "base/clock.h"

enum { FAKE_BROKERS = 2, FAKE_PARTITIONS = 100, FAKE_BATCH = 4, FAKE_CONNECTIONS = 64 };

#define FAKE_TOPIC "t"

/* What a fetch gets. */
enum fake_manner {
    FAKE_PROPER,
    FAKE_HASTY,      /* nothing new, at once */
    FAKE_WORDLESS,   /* an answer that names no partition, at once */
    FAKE_RUBBISH,    /* an answer that breaks off */
    FAKE_HANGS_UP,   /* no answer, and the end of the connection */
    FAKE_BREAKS_OFF, /* the same within the answer */
    FAKE_GARBLES     /* some bytes of the answer are others */
};

struct fake_partition {
    int leader; /* of the brokers; -1: none */
    int64_t begin;
    int64_t end;
    int16_t error; /* that the next answers have, this many */
    int32_t error_count;
    uint32_t batches_sent;
};

struct fake_broker {
    int listener; /* -1: it is down */
    uint16_t port;
    enum fake_manner manner;
    uint32_t fetches;
    uint32_t connections; /* ever made */
};

struct fake_connection {
    int fd; /* -1: none */
    int broker;
    struct buffer in;
    struct buffer out;
    size_t sent;
    int64_t due_ms; /* of the fetch at hand, which waits; 0: none does */
};

struct fake_kafka {
    pthread_t thread;
    struct clock clock;
    int wake[2];
    pthread_mutex_t mutex; /* the fields below */
    bool ends;
    struct fake_broker brokers[FAKE_BROKERS];
    struct fake_partition partitions[FAKE_PARTITIONS];
    uint32_t partition_count;
    uint32_t batches_max; /* of a partition in an answer */
    size_t value_bytes;   /* at least, filled up with spaces */
    int16_t fetch_newest;
    int16_t topic_error;   /* in metadata */
    int16_t offsets_error; /* when asked for the begin or the end */
    uint32_t looks;        /* for metadata */
    uint64_t seed;         /* of what is garbled */
    struct fake_connection connections[FAKE_CONNECTIONS];
};

/* Partitions are empty, and the brokers' in turns. */
void fake_open(struct fake_kafka *fake, uint32_t partition_count);
void fake_close(struct fake_kafka *fake);
/* "127.0.0.1:port,..." */
void fake_bootstrap(const struct fake_kafka *fake, char *out, size_t size);

/* Around changes of the fields; unlocking makes the brokers look at what waits. */
void fake_lock(struct fake_kafka *fake);
void fake_unlock(struct fake_kafka *fake);
void fake_append(struct fake_kafka *fake, uint32_t partition, int64_t batches);
void fake_set_leader(struct fake_kafka *fake, uint32_t partition, int leader);
void fake_set_manner(struct fake_kafka *fake, int broker, enum fake_manner manner);
void fake_set_error(struct fake_kafka *fake, uint32_t partition, int16_t error, int32_t count);
void fake_set_down(struct fake_kafka *fake, int broker);
void fake_set_up(struct fake_kafka *fake, int broker);
uint32_t fake_fetches(struct fake_kafka *fake, int broker);
uint32_t fake_connections_made(struct fake_kafka *fake, int broker);

uint32_t fake_random(uint64_t *seed);
/* Whether read committed sees the offset. */
bool fake_is_visible(int64_t offset);

#endif
