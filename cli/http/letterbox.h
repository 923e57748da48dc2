/*
 * letterbox.h: calls that other threads leave for the loop's thread.
 */
#ifndef SLUICE_CLI_HTTP_LETTERBOX_H
#define SLUICE_CLI_HTTP_LETTERBOX_H

struct letterbox;

/* Runs call(context) on the loop's thread, soon. From any thread, in the order of posting. */
void letterbox_post(struct letterbox *letterbox, void (*call)(void *context), void *context);

#endif
