/*
 * interrupt.c: the thread that waits for SIGINT, and a pipe that tells of it.
 */
#include "cli/repl/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

struct interrupt {
    pthread_t thread;
    pthread_mutex_t mutex;
    bool ending;
    void (*stop)(void *context); /* NULL: nothing is armed */
    void *context;
    int pipe[2]; /* does not block */
};

/* The mutex is held over stop(): once disarmed, nobody is in it. */
static bool take_signal(struct interrupt *interrupt)
{
    bool ending;

    pthread_mutex_lock(&interrupt->mutex);
    ending = interrupt->ending;
    if (!ending && interrupt->stop) {
        interrupt->stop(interrupt->context);
    } else if (!ending) {
        ssize_t ignored = write(interrupt->pipe[1], "", 1); /* full: it is readable already */

        (void)ignored;
    }
    pthread_mutex_unlock(&interrupt->mutex);
    return !ending;
}

static void *wait_for_signals(void *context)
{
    sigset_t signals;
    int number;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    do {
        (void)sigwait(&signals, &number);
    } while (take_signal(context));
    return NULL;
}

static int open_pipe(int *ends)
{
    if (pipe(ends)) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        if (fcntl(ends[i], F_SETFL, O_NONBLOCK) || fcntl(ends[i], F_SETFD, FD_CLOEXEC)) {
            close(ends[0]);
            close(ends[1]);
            return -1;
        }
    }
    return 0;
}

struct interrupt *interrupt_create(void)
{
    struct interrupt *interrupt = memory_zalloc(1, sizeof *interrupt);
    sigset_t signals;
    int code;

    if (open_pipe(interrupt->pipe)) {
        free(interrupt);
        return NULL;
    }
    sigaction(SIGINT, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL); /* it may be ignored */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    pthread_mutex_init(&interrupt->mutex, NULL);
    code = pthread_create(&interrupt->thread, NULL, wait_for_signals, interrupt);
    if (code) {
        pthread_mutex_destroy(&interrupt->mutex);
        close(interrupt->pipe[0]);
        close(interrupt->pipe[1]);
        free(interrupt);
        errno = code;
        return NULL;
    }
    return interrupt;
}

void interrupt_destroy(struct interrupt *interrupt)
{
    if (!interrupt) {
        return;
    }
    pthread_mutex_lock(&interrupt->mutex);
    interrupt->ending = true;
    pthread_mutex_unlock(&interrupt->mutex);
    pthread_kill(interrupt->thread, SIGINT);
    pthread_join(interrupt->thread, NULL);
    pthread_mutex_destroy(&interrupt->mutex);
    close(interrupt->pipe[0]);
    close(interrupt->pipe[1]);
    free(interrupt);
}

void interrupt_arm(struct interrupt *interrupt, void (*stop)(void *context), void *context)
{
    pthread_mutex_lock(&interrupt->mutex);
    interrupt->stop = stop;
    interrupt->context = context;
    pthread_mutex_unlock(&interrupt->mutex);
}

void interrupt_disarm(struct interrupt *interrupt)
{
    interrupt_arm(interrupt, NULL, NULL);
}

int interrupt_descriptor(const struct interrupt *interrupt)
{
    return interrupt->pipe[0];
}

void interrupt_take(struct interrupt *interrupt)
{
    char ignored[64];

    while (read(interrupt->pipe[0], ignored, sizeof ignored) > 0) {
    }
}
