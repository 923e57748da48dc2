/*
 * proxy.c: see proxy.h.
 *
 * Two threads per connection, one per direction. A frame is passed on whole, so an answer
 * that is to be lost is known before a byte of it has gone. The last thread of a connection
 * frees it.
 */
#include "tests/crash/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum { API_END_TXN = 26, REQUEST_HEAD = 8, FRAME_MAX = 256 * 1024 * 1024, MARKED_MAX = 16 };

struct proxy {
    int listener;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t mutex; /* all below, and connections */
    pthread_cond_t changed;
    uint16_t target;
    uint32_t to_lose;
    enum proxy_loss loss;
    struct connection *connections;
    bool stop;
};

struct connection {
    struct connection *next;
    struct proxy *proxy;
    int client;
    int broker;
    int threads;
    uint32_t marked[MARKED_MAX]; /* correlation ids whose answers get lost */
    uint32_t marked_count;
};

/* --- bytes --- */

static uint32_t read_u32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool take_all(int fd, unsigned char *at, size_t size)
{
    while (size > 0) {
        ssize_t got = recv(fd, at, size, 0);

        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            return false;
        }
        at += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool give_all(int fd, const unsigned char *at, size_t size)
{
    while (size > 0) {
        ssize_t gone = send(fd, at, size, MSG_NOSIGNAL);

        if (gone <= 0 && !(gone < 0 && errno == EINTR)) {
            return false;
        }
        at += gone > 0 ? gone : 0;
        size -= gone > 0 ? (size_t)gone : 0;
    }
    return true;
}

/* A frame with its size in front, in memory that grows; 0: the end. */
static size_t take_frame(int fd, unsigned char **frame, size_t *capacity)
{
    unsigned char head[4];
    size_t size;

    if (!take_all(fd, head, sizeof head)) {
        return 0;
    }
    size = read_u32(head) + sizeof head;
    if (size > FRAME_MAX) {
        return 0;
    }
    if (size > *capacity) {
        *frame = memory_resize(*frame, size, 1);
        *capacity = size;
    }
    memcpy(*frame, head, sizeof head);
    return take_all(fd, *frame + sizeof head, size - sizeof head) ? size : 0;
}

/* --- what is lost --- */

static void mark(struct connection *connection, const unsigned char *frame, size_t size)
{
    struct proxy *proxy = connection->proxy;

    if (size < 4 + REQUEST_HEAD || frame[4] != 0 || frame[5] != API_END_TXN) {
        return;
    }
    pthread_mutex_lock(&proxy->mutex);
    if (proxy->to_lose > 0 && connection->marked_count < MARKED_MAX) {
        proxy->to_lose--;
        connection->marked[connection->marked_count++] = read_u32(frame + 8);
    }
    pthread_mutex_unlock(&proxy->mutex);
}

static bool is_marked(struct connection *connection, const unsigned char *frame, size_t size)
{
    bool found = false;

    if (size < 8) {
        return false;
    }
    pthread_mutex_lock(&connection->proxy->mutex);
    for (uint32_t i = 0; i < connection->marked_count && !found; i++) {
        found = connection->marked[i] == read_u32(frame + 4);
        if (found) {
            connection->marked[i] = connection->marked[--connection->marked_count];
        }
    }
    pthread_mutex_unlock(&connection->proxy->mutex);
    return found;
}

/* --- a connection --- */

static void leave(struct connection *connection)
{
    struct proxy *proxy = connection->proxy;
    struct connection **at = &proxy->connections;

    pthread_mutex_lock(&proxy->mutex);
    (void)shutdown(connection->client, SHUT_RDWR);
    (void)shutdown(connection->broker, SHUT_RDWR);
    if (--connection->threads == 0) {
        while (*at != connection) {
            at = &(*at)->next;
        }
        *at = connection->next;
        (void)close(connection->client);
        (void)close(connection->broker);
        free(connection);
        pthread_cond_broadcast(&proxy->changed);
    }
    pthread_mutex_unlock(&proxy->mutex);
}

static void *requests_main(void *argument)
{
    struct connection *connection = argument;
    unsigned char *frame = NULL;
    size_t capacity = 0, size;

    while ((size = take_frame(connection->client, &frame, &capacity)) > 0) {
        mark(connection, frame, size);
        if (!give_all(connection->broker, frame, size)) {
            break;
        }
    }
    free(frame);
    leave(connection);
    return NULL;
}

static void *answers_main(void *argument)
{
    struct connection *connection = argument;
    unsigned char *frame = NULL;
    size_t capacity = 0, size;

    while ((size = take_frame(connection->broker, &frame, &capacity)) > 0) {
        bool lost = is_marked(connection, frame, size);

        if (lost && connection->proxy->loss == PROXY_CUTS) {
            break;
        }
        if (!lost && !give_all(connection->client, frame, size)) {
            break;
        }
    }
    free(frame);
    leave(connection);
    return NULL;
}

static struct sockaddr_in address_of(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int reach_broker(uint16_t port)
{
    struct sockaddr_in address = address_of(port);
    const int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address)) {
        (void)close(fd);
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static bool start_thread(struct connection *connection, void *(*run)(void *argument))
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, connection)) {
        return false;
    }
    (void)pthread_detach(thread);
    return true;
}

static void serve(struct proxy *proxy, int client)
{
    struct connection *connection = memory_zalloc(1, sizeof *connection);
    const int yes = 1;

    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    pthread_mutex_lock(&proxy->mutex);
    *connection = (struct connection){ .proxy = proxy, .client = client, .threads = 2 };
    connection->broker = reach_broker(proxy->target);
    if (connection->broker < 0) {
        (void)close(client);
        free(connection);
        pthread_mutex_unlock(&proxy->mutex);
        return;
    }
    connection->next = proxy->connections;
    proxy->connections = connection;
    pthread_mutex_unlock(&proxy->mutex);
    if (!start_thread(connection, requests_main)) {
        leave(connection);
    }
    if (!start_thread(connection, answers_main)) {
        leave(connection);
    }
}

static void *accept_main(void *argument)
{
    struct proxy *proxy = argument;

    for (;;) {
        int client = accept(proxy->listener, NULL, NULL);
        bool stop;

        pthread_mutex_lock(&proxy->mutex);
        stop = proxy->stop;
        pthread_mutex_unlock(&proxy->mutex);
        if (stop) {
            if (client >= 0) {
                (void)close(client);
            }
            return NULL;
        }
        if (client >= 0) {
            serve(proxy, client);
        }
    }
}

/* --- the proxy --- */

struct proxy *proxy_open(void)
{
    struct proxy *proxy = memory_zalloc(1, sizeof *proxy);
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof address;

    pthread_mutex_init(&proxy->mutex, NULL);
    pthread_cond_init(&proxy->changed, NULL);
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (proxy->listener < 0 || bind(proxy->listener, (struct sockaddr *)&address, sizeof address) ||
        listen(proxy->listener, 64) ||
        getsockname(proxy->listener, (struct sockaddr *)&address, &size) ||
        pthread_create(&proxy->thread, NULL, accept_main, proxy)) {
        free(proxy);
        return NULL;
    }
    proxy->port = ntohs(address.sin_port);
    return proxy;
}

uint16_t proxy_port(const struct proxy *proxy)
{
    return proxy->port;
}

void proxy_set_target(struct proxy *proxy, uint16_t port)
{
    pthread_mutex_lock(&proxy->mutex);
    proxy->target = port;
    pthread_mutex_unlock(&proxy->mutex);
}

void proxy_lose(struct proxy *proxy, enum proxy_loss loss, uint32_t count)
{
    pthread_mutex_lock(&proxy->mutex);
    proxy->loss = loss;
    proxy->to_lose = count;
    pthread_mutex_unlock(&proxy->mutex);
}

uint32_t proxy_to_lose(struct proxy *proxy)
{
    uint32_t count;

    pthread_mutex_lock(&proxy->mutex);
    count = proxy->to_lose;
    pthread_mutex_unlock(&proxy->mutex);
    return count;
}

void proxy_cut_all(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->mutex);
    for (struct connection *at = proxy->connections; at; at = at->next) {
        (void)shutdown(at->client, SHUT_RDWR);
        (void)shutdown(at->broker, SHUT_RDWR);
    }
    pthread_mutex_unlock(&proxy->mutex);
}

void proxy_close(struct proxy *proxy)
{
    int knock;

    pthread_mutex_lock(&proxy->mutex);
    proxy->stop = true;
    pthread_mutex_unlock(&proxy->mutex);
    knock = reach_broker(proxy->port); /* so that accept returns */
    pthread_join(proxy->thread, NULL);
    if (knock >= 0) {
        (void)close(knock);
    }
    proxy_cut_all(proxy);
    pthread_mutex_lock(&proxy->mutex);
    while (proxy->connections) {
        pthread_cond_wait(&proxy->changed, &proxy->mutex);
    }
    pthread_mutex_unlock(&proxy->mutex);
    (void)close(proxy->listener);
    pthread_mutex_destroy(&proxy->mutex);
    pthread_cond_destroy(&proxy->changed);
    free(proxy);
}
