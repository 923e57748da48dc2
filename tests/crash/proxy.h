/*
 * proxy.h: a TCP proxy in front of a broker that loses answers to EndTxn.
 *
 * The broker advertises the proxy's address, so all that clients say goes through it. Of
 * Kafka's protocol it knows the frames: a request begins with size, api key, version and
 * correlation id, an answer with size and correlation id.
 */
#ifndef SLUICE_TESTS_CRASH_PROXY_H
#define SLUICE_TESTS_CRASH_PROXY_H

#include <stdint.h>

struct proxy;

/* How an answer gets lost: with its connection, or alone, so that its caller waits for it. */
enum proxy_loss { PROXY_CUTS, PROXY_SWALLOWS };

/* Listens on a free port of 127.0.0.1; NULL: cannot. */
struct proxy *proxy_open(void);
uint16_t proxy_port(const struct proxy *proxy);
void proxy_set_target(struct proxy *proxy, uint16_t port); /* of 127.0.0.1 */
/* The answers to the next so many EndTxn requests. The broker has carried them out. */
void proxy_lose(struct proxy *proxy, enum proxy_loss loss, uint32_t count);
uint32_t proxy_to_lose(struct proxy *proxy); /* of those, how many are still to come */
void proxy_cut_all(struct proxy *proxy);     /* every connection */
void proxy_close(struct proxy *proxy);

#endif
