/*
 * kafka_fake.c: see kafka_fake.h.
 */
#include "tests/unit/kafka_fake.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/log/log_kafka_wire.h"
#include "tests/unit/kafka_records.h"

enum {
    API_FETCH = 1,
    API_OFFSETS = 2,
    API_METADATA = 3,
    API_VERSIONS = 18,
    OUT_OF_RANGE = 1,
    NO_LEADER = 5,
    NOT_LEADER = 6,
    UNSUPPORTED_VERSION = 35,
    PRODUCER = 9,
};

/* --- records --- */

static bool is_aborted_batch(int64_t batch)
{
    return batch % 5 == 3;
}

bool fake_is_visible(int64_t offset)
{
    return !is_aborted_batch(offset / FAKE_BATCH);
}

/* An aborted one ends with its marker. */
static void put_fake_batch(const struct fake_kafka *fake, struct buffer *out, uint32_t partition,
                           int64_t batch)
{
    bool aborted = is_aborted_batch(batch);
    struct buffer texts[FAKE_BATCH] = { { 0 } };
    struct sent_record records[FAKE_BATCH];
    struct sent_batch sent = { .base_offset = batch * FAKE_BATCH,
                               .last_offset = batch * FAKE_BATCH + FAKE_BATCH - 1 - aborted,
                               .attributes = aborted ? SENT_TRANSACTIONAL : 0,
                               .base_timestamp_ms = 1000,
                               .producer_id = aborted ? PRODUCER : -1,
                               .records = records,
                               .count = FAKE_BATCH - aborted };

    for (uint32_t i = 0; i < FAKE_BATCH; i++) {
        char text[64];
        int64_t offset = sent.base_offset + i;

        (void)snprintf(text, sizeof text, "%u:%lld", partition, (long long)offset);
        buffer_append_bytes(&texts[i], bytes_of(text));
        if (texts[i].len < fake->value_bytes) {
            buffer_reserve(&texts[i], fake->value_bytes);
            memset(texts[i].data + texts[i].len, ' ', fake->value_bytes - texts[i].len);
            texts[i].len = fake->value_bytes;
        }
        records[i] = (struct sent_record){ .offset = offset,
                                           .timestamp_ms = 1000,
                                           .key = BYTES("k"),
                                           .value = buffer_bytes(&texts[i]) };
    }
    put_batch(out, &sent);
    if (aborted) {
        put_marker(out, sent.last_offset + 1, PRODUCER, 0);
    }
    for (uint32_t i = 0; i < FAKE_BATCH; i++) {
        buffer_fini(&texts[i]);
    }
}

/* --- answers --- */

static size_t begin_answer(struct buffer *out, int32_t correlation)
{
    size_t begin = out->len;

    wire_put_i32(out, 0);
    wire_put_i32(out, correlation);
    return begin;
}

static void end_answer(struct buffer *out, size_t begin)
{
    wire_set_i32(out, begin, (int32_t)(out->len - begin - 4));
}

static void answer_versions(const struct fake_kafka *fake, struct buffer *out, int16_t version)
{
    const int16_t spoken[][3] = { { API_FETCH, 4, fake->fetch_newest },
                                  { API_OFFSETS, 1, 1 },
                                  { API_METADATA, 4, 4 },
                                  { API_VERSIONS, 0, 0 } };

    wire_put_i16(out, version ? UNSUPPORTED_VERSION : 0);
    wire_put_i32(out, 4);
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 3; j++) {
            wire_put_i16(out, spoken[i][j]);
        }
    }
}

static void answer_partition_metadata(const struct fake_kafka *fake, struct buffer *out, uint32_t i)
{
    int leader = fake->partitions[i].leader;

    wire_put_i16(out, leader < 0 ? NO_LEADER : 0);
    wire_put_i32(out, (int32_t)i);
    wire_put_i32(out, leader < 0 ? -1 : leader + 1);
    for (int list = 0; list < 2; list++) { /* replicas, and those in sync */
        wire_put_i32(out, 1);
        wire_put_i32(out, leader < 0 ? 1 : leader + 1);
    }
}

static void answer_metadata(struct fake_kafka *fake, struct buffer *out)
{
    fake->looks++;
    wire_put_i32(out, 0); /* throttling */
    wire_put_i32(out, FAKE_BROKERS);
    for (int i = 0; i < FAKE_BROKERS; i++) {
        wire_put_i32(out, i + 1);
        wire_put_text(out, bytes_of("127.0.0.1"));
        wire_put_i32(out, fake->brokers[i].port);
        wire_put_i16(out, -1); /* no rack */
    }
    wire_put_i16(out, -1); /* the cluster has no name */
    wire_put_i32(out, 1);  /* the controller */
    wire_put_i32(out, 1);
    wire_put_i16(out, fake->topic_error);
    wire_put_text(out, bytes_of(FAKE_TOPIC));
    buffer_append_char(out, 0);
    wire_put_i32(out, fake->topic_error ? 0 : (int32_t)fake->partition_count);
    for (uint32_t i = 0; i < fake->partition_count && !fake->topic_error; i++) {
        answer_partition_metadata(fake, out, i);
    }
}

static void answer_offsets(struct fake_kafka *fake, int broker, struct buffer *out,
                           struct wire_reader *in)
{
    uint32_t topics, count;

    (void)wire_take_i32(in); /* replica */
    topics = wire_take_count(in, 6);
    wire_put_i32(out, (int32_t)topics);
    for (uint32_t t = 0; t < topics; t++) {
        wire_put_text(out, wire_take_text(in));
        count = wire_take_count(in, 12);
        wire_put_i32(out, (int32_t)count);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t partition = (uint32_t)wire_take_i32(in);
            int64_t time = wire_take_i64(in);
            const struct fake_partition *p = &fake->partitions[partition % FAKE_PARTITIONS];

            wire_put_i32(out, (int32_t)partition);
            wire_put_i16(out, p->leader == broker ? fake->offsets_error : NOT_LEADER);
            wire_put_i64(out, -1);
            wire_put_i64(out, time == -2 ? p->begin : p->end);
        }
    }
}

/* --- fetches --- */

struct fetch {
    struct fake_kafka *fake;
    int broker;
    int16_t version;
    bool only_looks; /* answers nothing, but finds out whether there is something to say */
    bool is_due;
    struct buffer *out;
};

static int16_t error_of(const struct fetch *fetch, const struct fake_partition *p, int64_t from)
{
    if (p->leader != fetch->broker) {
        return NOT_LEADER;
    }
    if (p->error_count) {
        return p->error;
    }
    return from < p->begin || from > p->end ? OUT_OF_RANGE : 0;
}

static void put_aborted(struct buffer *out, int64_t batch, int64_t end)
{
    size_t at = out->len;
    int32_t count = 0;

    wire_put_i32(out, 0);
    for (; batch < end; batch++) {
        if (is_aborted_batch(batch)) {
            wire_put_i64(out, PRODUCER);
            wire_put_i64(out, batch * FAKE_BATCH);
            wire_set_i32(out, at, ++count);
        }
    }
}

static void answer_partition(struct fetch *fetch, uint32_t partition, int64_t from)
{
    struct fake_kafka *fake = fetch->fake;
    struct fake_partition *p = &fake->partitions[partition];
    bool is_hasty = fake->brokers[fetch->broker].manner == FAKE_HASTY;
    int16_t error = error_of(fetch, p, from);
    int64_t batch = from / FAKE_BATCH;
    int64_t end = error || is_hasty ? batch : p->end / FAKE_BATCH;
    size_t size_at;

    fetch->is_due = fetch->is_due || error || end > batch;
    if (fetch->only_looks) {
        return;
    }
    end = end > batch + fake->batches_max ? batch + fake->batches_max : end;
    wire_put_i32(fetch->out, (int32_t)partition);
    wire_put_i16(fetch->out, error);
    wire_put_i64(fetch->out, error ? -1 : p->end);
    wire_put_i64(fetch->out, error ? -1 : p->end);
    if (fetch->version >= 5) {
        wire_put_i64(fetch->out, error ? -1 : p->begin);
    }
    put_aborted(fetch->out, batch, end);
    if (fetch->version >= 11) {
        wire_put_i32(fetch->out, -1);
    }
    size_at = fetch->out->len;
    wire_put_i32(fetch->out, 0);
    for (; batch < end; batch++) {
        put_fake_batch(fake, fetch->out, partition, batch);
        p->batches_sent++;
    }
    wire_set_i32(fetch->out, size_at, (int32_t)(fetch->out->len - size_at - 4));
}

static void answer_topic(struct fetch *fetch, struct wire_reader *in)
{
    struct bytes name = wire_take_text(in);
    uint32_t count = wire_take_count(in, 16);

    assert(bytes_equal(name, bytes_of(FAKE_TOPIC)));
    if (!fetch->only_looks) {
        wire_put_text(fetch->out, name);
        wire_put_i32(fetch->out, (int32_t)count);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t partition = (uint32_t)wire_take_i32(in);
        int64_t from;

        if (fetch->version >= 9) {
            (void)wire_take_i32(in); /* the leader's epoch */
        }
        from = wire_take_i64(in);
        if (fetch->version >= 5) {
            (void)wire_take_i64(in); /* the log's begin */
        }
        (void)wire_take_i32(in); /* how much */
        assert(partition < fetch->fake->partition_count);
        answer_partition(fetch, partition, from);
    }
}

static void count_errors(struct fake_kafka *fake, int broker)
{
    for (uint32_t i = 0; i < fake->partition_count; i++) {
        struct fake_partition *p = &fake->partitions[i];

        if (p->leader == broker && p->error_count > 0) {
            p->error_count--;
        }
    }
}

static int32_t run_fetch(struct fetch *fetch, struct wire_reader in)
{
    int32_t wait_ms;
    uint32_t topics;

    (void)wire_take_i32(&in); /* replica */
    wait_ms = wire_take_i32(&in);
    (void)wire_take_i64(&in); /* least and most bytes */
    (void)wire_take(&in, 1);  /* isolation */
    if (!fetch->only_looks) {
        wire_put_i32(fetch->out, 0); /* throttling */
    }
    if (fetch->version >= 7) {
        (void)wire_take_i64(&in); /* session */
        if (!fetch->only_looks) {
            wire_put_i16(fetch->out, 0);
            wire_put_i32(fetch->out, 0);
        }
    }
    topics = wire_take_count(&in, 6);
    if (!fetch->only_looks) {
        wire_put_i32(fetch->out, (int32_t)topics);
    }
    for (uint32_t i = 0; i < topics; i++) {
        answer_topic(fetch, &in);
    }
    assert(!in.wrong);
    return wait_ms;
}

/* True when it is answered. */
static bool answer_fetch(struct fake_kafka *fake, struct fake_connection *c, int16_t version,
                         struct wire_reader in)
{
    enum fake_manner manner = fake->brokers[c->broker].manner;
    struct fetch fetch = { fake, c->broker, version, true, false, &c->out };
    int64_t now_ms = clock_elapsed_ms(&fake->clock);
    int32_t wait_ms = run_fetch(&fetch, in);

    if (!c->due_ms) {
        fake->brokers[c->broker].fetches++;
        c->due_ms = now_ms + wait_ms;
    }
    if (manner == FAKE_WORDLESS) {
        wire_put_i32(&c->out, 0);
        if (version >= 7) {
            wire_put(&c->out, 0, 6);
        }
        wire_put_i32(&c->out, 0);
        return true;
    }
    if (manner == FAKE_PROPER && !fetch.is_due && now_ms < c->due_ms) {
        return false;
    }
    fetch.only_looks = false;
    (void)run_fetch(&fetch, in);
    count_errors(fake, c->broker);
    return true;
}

/* --- connections --- */

static void close_connection(struct fake_connection *c)
{
    (void)shutdown(c->fd, SHUT_RDWR);
    (void)close(c->fd);
    c->fd = -1;
    c->in.len = 0;
    c->out.len = 0;
    c->sent = 0;
    c->due_ms = 0;
}

static void push_out(struct fake_connection *c)
{
    while (c->fd >= 0 && c->sent < c->out.len) {
        ssize_t count =
            send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (count < 0) {
            return;
        }
        c->sent += (size_t)count;
    }
    c->out.len = 0;
    c->sent = 0;
}

uint32_t fake_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

/* Not what frames it: that is the connection's test. */
static void garble(struct fake_kafka *fake, struct buffer *out, size_t begin)
{
    for (uint32_t i = fake_random(&fake->seed) % 4; i > 0; i--) {
        size_t at = begin + fake_random(&fake->seed) % (out->len - begin);

        out->data[at] = (char)(fake_random(&fake->seed) % 3 ? fake_random(&fake->seed) : 255);
    }
}

/* A fetch's answer is cut short or garbled, or there is none. */
static void spoil(struct fake_kafka *fake, struct fake_connection *c, size_t begin)
{
    switch (fake->brokers[c->broker].manner) {
    case FAKE_PROPER:
    case FAKE_HASTY:
    case FAKE_WORDLESS:
        return;
    case FAKE_RUBBISH:
        c->out.len -= 7;
        end_answer(&c->out, begin);
        return;
    case FAKE_HANGS_UP:
        close_connection(c);
        return;
    case FAKE_GARBLES:
        garble(fake, &c->out, begin + 8);
        return;
    case FAKE_BREAKS_OFF:
        c->out.len -= 7;
        push_out(c);
        close_connection(c);
        return;
    }
}

/* The request in front; false when it has to wait, or is not whole yet. */
static bool serve_request(struct fake_kafka *fake, struct fake_connection *c)
{
    struct wire_reader in = { c->in.data, c->in.data + c->in.len, false };
    int32_t size = wire_take_i32(&in);
    size_t begin = c->out.len;
    int16_t api, version;

    if (in.wrong || in.end - in.at < size) {
        return false;
    }
    in.end = in.at + size;
    api = wire_take_i16(&in);
    version = wire_take_i16(&in);
    begin = begin_answer(&c->out, wire_take_i32(&in));
    (void)wire_take_text(&in); /* who asks */
    if (api == API_VERSIONS) {
        answer_versions(fake, &c->out, version);
    } else if (api == API_METADATA) {
        answer_metadata(fake, &c->out);
    } else if (api == API_OFFSETS) {
        answer_offsets(fake, c->broker, &c->out, &in);
    } else if (api != API_FETCH || !answer_fetch(fake, c, version, in)) {
        assert(api == API_FETCH);
        c->out.len = begin;
        return false;
    }
    end_answer(&c->out, begin);
    c->due_ms = 0;
    c->in.len -= (size_t)size + 4;
    memmove(c->in.data, c->in.data + size + 4, c->in.len);
    if (api == API_FETCH) {
        spoil(fake, c, begin);
    }
    return c->fd >= 0;
}

static void serve(struct fake_kafka *fake, struct fake_connection *c, short events)
{
    if (events & (POLLIN | POLLHUP | POLLERR)) {
        ssize_t count;

        buffer_reserve(&c->in, 4096);
        count = recv(c->fd, c->in.data + c->in.len, 4096, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN)) {
            close_connection(c);
            return;
        }
        c->in.len += count > 0 ? (size_t)count : 0;
    }
    while (serve_request(fake, c)) {
    }
    push_out(c);
}

static void take_connection(struct fake_kafka *fake, int broker)
{
    int fd = accept(fake->brokers[broker].listener, NULL, NULL);

    fake->brokers[broker].connections++;
    for (int i = 0; i < FAKE_CONNECTIONS && fd >= 0; i++) {
        if (fake->connections[i].fd < 0) {
            fake->connections[i].fd = fd;
            fake->connections[i].broker = broker;
            return;
        }
    }
    assert(fd < 0);
}

/* --- the thread --- */

enum { POLLED = 1 + FAKE_BROKERS + FAKE_CONNECTIONS };

static int prepare(struct fake_kafka *fake, struct pollfd *polled)
{
    int64_t until_ms = INT64_MAX;
    int64_t wait_ms;

    polled[0] = (struct pollfd){ .fd = fake->wake[0], .events = POLLIN };
    for (int i = 0; i < FAKE_BROKERS; i++) {
        polled[1 + i] = (struct pollfd){ .fd = fake->brokers[i].listener, .events = POLLIN };
    }
    for (int i = 0; i < FAKE_CONNECTIONS; i++) {
        const struct fake_connection *c = &fake->connections[i];

        polled[1 + FAKE_BROKERS + i] =
            (struct pollfd){ .fd = c->fd,
                             .events = (short)(POLLIN | (c->sent < c->out.len ? POLLOUT : 0)) };
        if (c->fd >= 0 && c->due_ms && c->due_ms < until_ms) {
            until_ms = c->due_ms;
        }
    }
    if (until_ms == INT64_MAX) {
        return -1;
    }
    wait_ms = until_ms - clock_elapsed_ms(&fake->clock);
    return wait_ms < 0 ? 0 : (int)wait_ms;
}

static void act(struct fake_kafka *fake, const struct pollfd *polled)
{
    char drained[64];

    if (polled[0].revents) {
        (void)!read(fake->wake[0], drained, sizeof drained);
    }
    for (int i = 0; i < FAKE_CONNECTIONS; i++) {
        struct fake_connection *c = &fake->connections[i];

        if (c->fd >= 0 && c->fd == polled[1 + FAKE_BROKERS + i].fd) {
            serve(fake, c, polled[1 + FAKE_BROKERS + i].revents);
        }
    }
    for (int i = 0; i < FAKE_BROKERS; i++) {
        if (polled[1 + i].revents && polled[1 + i].fd == fake->brokers[i].listener) {
            take_connection(fake, i);
        }
    }
}

static void *run(void *argument)
{
    struct fake_kafka *fake = argument;
    struct pollfd polled[POLLED];
    bool ends;

    do {
        int wait_ms;

        (void)pthread_mutex_lock(&fake->mutex);
        wait_ms = prepare(fake, polled);
        (void)pthread_mutex_unlock(&fake->mutex);
        (void)poll(polled, POLLED, wait_ms);
        (void)pthread_mutex_lock(&fake->mutex);
        act(fake, polled);
        ends = fake->ends;
        (void)pthread_mutex_unlock(&fake->mutex);
    } while (!ends);
    return NULL;
}

/* --- opening and closing --- */

static void listen_at(struct fake_broker *broker)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(broker->port) };
    socklen_t size = sizeof address;
    int on = 1;
    int failed;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    broker->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert(broker->listener >= 0);
    failed = setsockopt(broker->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) |
             bind(broker->listener, (struct sockaddr *)&address, sizeof address) |
             listen(broker->listener, 64) |
             getsockname(broker->listener, (struct sockaddr *)&address, &size) |
             fcntl(broker->listener, F_SETFL, O_NONBLOCK);
    assert(!failed);
    (void)failed;
    broker->port = ntohs(address.sin_port);
}

void fake_open(struct fake_kafka *fake, uint32_t partition_count)
{
    int failed;

    *fake = (struct fake_kafka){ .partition_count = partition_count,
                                 .batches_max = 2,
                                 .fetch_newest = 11 };
    clock_init_real(&fake->clock);
    for (int i = 0; i < FAKE_BROKERS; i++) {
        listen_at(&fake->brokers[i]);
    }
    for (uint32_t i = 0; i < partition_count; i++) {
        fake->partitions[i].leader = (int)(i % FAKE_BROKERS);
    }
    for (int i = 0; i < FAKE_CONNECTIONS; i++) {
        fake->connections[i].fd = -1;
    }
    failed = pipe(fake->wake) || pthread_mutex_init(&fake->mutex, NULL) ||
             pthread_create(&fake->thread, NULL, run, fake);
    assert(!failed);
    (void)failed;
}

void fake_close(struct fake_kafka *fake)
{
    fake_lock(fake);
    fake->ends = true;
    fake_unlock(fake);
    (void)pthread_join(fake->thread, NULL);
    for (int i = 0; i < FAKE_CONNECTIONS; i++) {
        if (fake->connections[i].fd >= 0) {
            close_connection(&fake->connections[i]);
        }
        buffer_fini(&fake->connections[i].in);
        buffer_fini(&fake->connections[i].out);
    }
    for (int i = 0; i < FAKE_BROKERS; i++) {
        if (fake->brokers[i].listener >= 0) {
            (void)close(fake->brokers[i].listener);
        }
    }
    (void)close(fake->wake[0]);
    (void)close(fake->wake[1]);
    (void)pthread_mutex_destroy(&fake->mutex);
}

void fake_bootstrap(const struct fake_kafka *fake, char *out, size_t size)
{
    (void)snprintf(out, size, "127.0.0.1:%u,127.0.0.1:%u", fake->brokers[0].port,
                   fake->brokers[1].port);
}

/* --- orders --- */

void fake_lock(struct fake_kafka *fake)
{
    (void)pthread_mutex_lock(&fake->mutex);
}

void fake_unlock(struct fake_kafka *fake)
{
    (void)!write(fake->wake[1], "", 1);
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_append(struct fake_kafka *fake, uint32_t partition, int64_t batches)
{
    fake_lock(fake);
    fake->partitions[partition].end += batches * FAKE_BATCH;
    fake_unlock(fake);
}

void fake_set_leader(struct fake_kafka *fake, uint32_t partition, int leader)
{
    fake_lock(fake);
    fake->partitions[partition].leader = leader;
    fake_unlock(fake);
}

void fake_set_manner(struct fake_kafka *fake, int broker, enum fake_manner manner)
{
    fake_lock(fake);
    fake->brokers[broker].manner = manner;
    fake_unlock(fake);
}

void fake_set_error(struct fake_kafka *fake, uint32_t partition, int16_t error, int32_t count)
{
    fake_lock(fake);
    fake->partitions[partition].error = error;
    fake->partitions[partition].error_count = count;
    fake_unlock(fake);
}

void fake_set_down(struct fake_kafka *fake, int broker)
{
    fake_lock(fake);
    if (fake->brokers[broker].listener >= 0) {
        (void)shutdown(fake->brokers[broker].listener, SHUT_RDWR); /* poll may still have it */
        (void)close(fake->brokers[broker].listener);
        fake->brokers[broker].listener = -1;
    }
    for (int i = 0; i < FAKE_CONNECTIONS; i++) {
        if (fake->connections[i].fd >= 0 && fake->connections[i].broker == broker) {
            close_connection(&fake->connections[i]);
        }
    }
    fake_unlock(fake);
}

void fake_set_up(struct fake_kafka *fake, int broker)
{
    fake_lock(fake);
    if (fake->brokers[broker].listener < 0) {
        listen_at(&fake->brokers[broker]);
    }
    fake_unlock(fake);
}

static uint32_t read_count(struct fake_kafka *fake, const uint32_t *count)
{
    uint32_t now;

    fake_lock(fake);
    now = *count;
    fake_unlock(fake);
    return now;
}

uint32_t fake_fetches(struct fake_kafka *fake, int broker)
{
    return read_count(fake, &fake->brokers[broker].fetches);
}

uint32_t fake_connections_made(struct fake_kafka *fake, int broker)
{
    return read_count(fake, &fake->brokers[broker].connections);
}
