/*
 * reply.h: the answer to an exchange, given by another thread.
 *
 * Made on the loop's thread, which it takes the exchange's `drained` and `gone` from; then one
 * other thread begins, writes and ends it. A writer that is too fast waits until the network has
 * taken what it wrote before; once the client has left it is told by false. Ended, the reply is no
 * more for its writer.
 *
 * The body of a request may come the same way: what the client sends waits for the writer, and
 * the client waits for it to be read.
 */
#ifndef SLUICE_CLI_HTTP_REPLY_H
#define SLUICE_CLI_HTTP_REPLY_H

#include "cli/http/exchange.h"
#include "cli/http/letterbox.h"

struct reply;

struct reply *reply_create(struct exchange *exchange, struct letterbox *letterbox);
/*
 * Calls when the client leaves, at once if it has left already; on the loop's thread or the
 * caller's, under the reply's lock: it must not call back, nor wait. NULL call: no more.
 */
void reply_watch(struct reply *reply, void (*left)(void *context), void *context);

/* The exchange's body is read below, of any length. On the loop's thread, before the body comes. */
void reply_receive(struct reply *reply);
/* Waits; appends what has come. False: there is no more, or nobody who sends it. */
bool reply_read(struct reply *reply, struct buffer *out);
void reply_stop_reading(struct reply *reply); /* reads end now; any thread */

void reply_begin(struct reply *reply, int status, const char *content_type); /* kept: a literal */
bool reply_write(struct reply *reply, struct bytes data);
void reply_end(struct reply *reply);
/* Before reply_respond: where what a 201 tells of is. Copied; no line ends. */
void reply_set_location(struct reply *reply, struct bytes location);
/* All of it, and its end. */
void reply_respond(struct reply *reply, int status, const char *content_type, struct bytes body);

#endif
