/*
 * log_kafka_link.h: a connection to one broker, for one request at a time.
 *
 * Nothing here waits but for a host's name to be resolved: kafka_link_wants says what to poll
 * for, kafka_link_advance goes on. A connection that fails is made anew, later and later.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_LINK_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_LINK_H

#include <poll.h>

#include "engine/log/log_kafka_batch.h"

/* As the client's properties have them. */
struct link_settings {
    char client_id[256];
    int family;         /* of addresses; AF_UNSPEC: any */
    int64_t timeout_ms; /* of an answer */
    int64_t connect_ms;
    int64_t backoff_ms;
    int64_t backoff_max_ms;
    int64_t receive_max_bytes;
    int receive_buffer_bytes; /* of the socket; 0: the system's */
    bool keeps_alive;
};

enum link_state { LINK_CLOSED, LINK_CONNECTING, LINK_GREETING, LINK_READY };

struct kafka_link {
    const struct link_settings *settings;
    int32_t broker;
    char *host;
    uint16_t port;
    enum link_state state;
    int fd;
    int16_t fetch_version; /* to speak */
    uint32_t address;      /* of the host's, which to try */
    uint32_t address_count;
    int64_t backoff_ms;    /* doubles until a fetch is answered */
    int64_t not_before_ms; /* closed: when to try again */
    int64_t deadline_ms;   /* of the answer, or of connecting */
    int32_t correlation;
    bool is_asked; /* an answer is to come */
    struct buffer out;
    size_t sent;
    char head[4]; /* of the answer: its size */
    size_t head_len;
    struct fetched_bytes *answer;
    size_t answer_len;
};

void kafka_link_init(struct kafka_link *link, const struct link_settings *settings, int32_t broker,
                     const char *host, uint16_t port);
void kafka_link_fini(struct kafka_link *link);
/* Ready for a request. */
bool kafka_link_is_free(const struct kafka_link *link);
/* Begins a fetch; what the request consists of is appended to link->out. */
void kafka_link_begin(struct kafka_link *link);
void kafka_link_send(struct kafka_link *link, int64_t now_ms, int64_t wait_ms);
/* What to poll for, 0 for nothing, and until when. */
short kafka_link_wants(const struct kafka_link *link, int64_t *until_ms);
/*
 * Goes on, as poll said; connects where it is time. The answer to a fetch, behind its correlation
 * id, is the caller's to give back (NULL: none yet). An error closes the connection, and an answer
 * that was to come does not.
 */
int kafka_link_advance(struct kafka_link *link, int64_t now_ms, short events,
                       struct fetched_bytes **answer, struct error *err);

#endif
