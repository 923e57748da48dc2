/*
 * processes.h: the broker and the nodes as child processes: started, killed, frozen.
 *
 * All of them die with the driver; the broker's end is seen to by run.sh.
 */
#ifndef SLUICE_TESTS_CRASH_PROCESSES_H
#define SLUICE_TESTS_CRASH_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid;    /* 0: does not run */
    int status;   /* as it ended by itself; waitpid's */
    bool may_die; /* that is its plan */
    char name[32];
    char log[200]; /* its standard error is appended there */
};

/* The program and its arguments, NULL at the end; variables: NAME=VALUE, NULL at the
 * end; it has no others. */
bool process_start(struct process *process, char *const *arguments, char *const *variables);
bool process_runs(struct process *process);       /* reaps it if it has ended */
bool process_is_stopped(struct process *process); /* by SIGSTOP, until SIGCONT */
void process_signal(struct process *process, int signal_number);
void process_kill(struct process *process); /* SIGKILL; it is gone when this returns */
/* SIGTERM; false: it did not end properly, or not within the time. */
bool process_end(struct process *process, int64_t within_ms);
/* Waits until it has ended by itself. */
bool process_await(struct process *process, int64_t within_ms);

void pause_ms(int64_t ms);
int64_t now_ms(void); /* monotonic */

/* tests/services/kafka COMMAND; the port it prints, 0: it failed. */
uint16_t broker_command(const char *command, uint16_t advertised_port);

#endif
