/*
 * processes.c: see processes.h.
 */
#include "tests/crash/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

void pause_ms(int64_t ms)
{
    const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

    (void)nanosleep(&pause, NULL);
}

int64_t now_ms(void)
{
    struct clock clock;

    clock_init_real(&clock);
    return clock_monotonic_us(&clock) / 1000;
}

enum { DESCRIPTORS_MAX = 1024 };

/* Connections of the driver are not the child's to keep open. */
static void close_others(void)
{
    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++) {
        (void)close(fd);
    }
}

/* In the child. */
static void become(const struct process *process, char *const *arguments, char *const *variables)
{
    int log = open(process->log, O_WRONLY | O_CREAT | O_APPEND, 0644);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (log >= 0) {
        (void)dup2(log, STDOUT_FILENO);
        (void)dup2(log, STDERR_FILENO);
    }
    close_others();
    (void)execve(arguments[0], arguments, variables);
    _exit(127);
}

bool process_start(struct process *process, char *const *arguments, char *const *variables)
{
    pid_t pid = fork();

    if (pid == 0) {
        become(process, arguments, variables);
    }
    process->pid = pid > 0 ? pid : 0;
    return pid > 0;
}

bool process_runs(struct process *process)
{
    if (process->pid && waitpid(process->pid, &process->status, WNOHANG) == process->pid) {
        process->pid = 0;
    }
    return process->pid != 0;
}

bool process_is_stopped(struct process *process)
{
    siginfo_t told = { 0 };

    return process->pid &&
           !waitid(P_PID, (id_t)process->pid, &told, WSTOPPED | WNOHANG | WNOWAIT) &&
           told.si_pid == process->pid;
}

void process_signal(struct process *process, int signal_number)
{
    if (process->pid) {
        (void)kill(process->pid, signal_number);
    }
}

void process_kill(struct process *process)
{
    if (process->pid) {
        (void)kill(process->pid, SIGKILL);
        (void)waitpid(process->pid, NULL, 0);
        process->pid = 0;
    }
}

bool process_await(struct process *process, int64_t within_ms)
{
    int64_t deadline = now_ms() + within_ms;

    while (process_runs(process)) {
        if (now_ms() >= deadline) {
            return false;
        }
        pause_ms(2);
    }
    return true;
}

bool process_end(struct process *process, int64_t within_ms)
{
    int64_t deadline = now_ms() + within_ms;
    int status = 0;

    if (!process->pid) {
        return true;
    }
    (void)kill(process->pid, SIGTERM);
    while (waitpid(process->pid, &status, WNOHANG) == 0) {
        if (now_ms() >= deadline) {
            return false;
        }
        pause_ms(5);
    }
    process->pid = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- the broker --- */

static void become_command(const char *command, uint16_t advertised_port, int out)
{
    char variable[64];

    (void)snprintf(variable, sizeof variable, "%u", advertised_port);
    (void)setenv("KAFKA_ADVERTISED_PORT", variable, 1);
    (void)dup2(out, STDOUT_FILENO);
    close_others();
    (void)execl("tests/services/kafka", "tests/services/kafka", command, (char *)NULL);
    _exit(127);
}

uint16_t broker_command(const char *command, uint16_t advertised_port)
{
    char text[100] = { 0 };
    const char *colon;
    int ends[2], status = 0;
    size_t len = 0;
    ssize_t got;
    pid_t pid;

    if (pipe(ends)) {
        return 0;
    }
    pid = fork();
    if (pid == 0) {
        become_command(command, advertised_port, ends[1]);
    }
    (void)close(ends[1]);
    while (len + 1 < sizeof text && (got = read(ends[0], text + len, sizeof text - len - 1)) > 0) {
        len += (size_t)got;
    }
    (void)close(ends[0]);
    (void)waitpid(pid, &status, 0);
    colon = strchr(text, ':');
    return status == 0 && colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}
