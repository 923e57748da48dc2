/*
 * interrupt.h: Ctrl-C in a shell: it ends the query that runs, or the line that is typed.
 *
 * A thread waits for SIGINT, which every other thread of the process blocks: so it is created
 * before there are any.
 */
#ifndef SLUICE_CLI_REPL_INTERRUPT_H
#define SLUICE_CLI_REPL_INTERRUPT_H

struct interrupt;

/* NULL and errno when the system has no pipe or thread to give. */
struct interrupt *interrupt_create(void);
void interrupt_destroy(struct interrupt *interrupt);
/* Until interrupt_disarm, each Ctrl-C calls `stop`, from another thread. */
void interrupt_arm(struct interrupt *interrupt, void (*stop)(void *context), void *context);
void interrupt_disarm(struct interrupt *interrupt);
/* Readable when Ctrl-C came while nothing was armed; taking makes it unreadable. */
int interrupt_descriptor(const struct interrupt *interrupt);
void interrupt_take(struct interrupt *interrupt);

#endif
