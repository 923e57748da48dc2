/*
 * servers.c: see servers.h.
 */
#include "tests/crash/servers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READY_MS = 180000, ANSWER_BYTES = 4096 };

void servers_start(struct cluster *c, int node)
{
    struct process *process = &c->nodes[node];
    char program[200], data[300], service[100], session[48];
    char offsets[] = "auto.offset.reset=earliest", cache[] = "cache.max.bytes.buffering=0";
    char *arguments[] = { program,
                          (char[]){ "server" },
                          (char[]){ "--bootstrap" },
                          c->bootstrap,
                          (char[]){ "--listeners" },
                          (char[]){ "http://127.0.0.1:0" },
                          (char[]){ "--data" },
                          data,
                          (char[]){ "--set" },
                          service,
                          (char[]){ "--set" },
                          session,
                          (char[]){ "--set" },
                          offsets,
                          (char[]){ "--set" },
                          cache,
                          NULL };
    char *variables[] = { NULL };

    (void)snprintf(program, sizeof program, "%s", c->server_program);
    (void)snprintf(data, sizeof data, "%s/%s-data%d", c->evidence, c->service, node);
    (void)snprintf(service, sizeof service, "ksql.service.id=%s", c->service);
    (void)snprintf(session, sizeof session, "session.timeout.ms=%lld", (long long)c->session_ms);
    (void)snprintf(process->name, sizeof process->name, "server%d", node);
    (void)snprintf(process->log, sizeof process->log, "%s/%s-server%d.log", c->evidence, c->service,
                   node);
    cluster_step(c, "start %s", process->name);
    if (!process_start(process, arguments, variables)) {
        cluster_fail(c, "a server cannot be started");
    }
}

/* As its latest life has told; 0: not yet. */
static uint16_t read_port(const struct process *process)
{
    static const char word[] = "listening on port ";
    FILE *log = fopen(process->log, "r");
    uint16_t port = 0;
    char line[400];

    while (log && fgets(line, sizeof line, log)) {
        if (strncmp(line, word, sizeof word - 1) == 0) {
            port = (uint16_t)strtoul(line + sizeof word - 1, NULL, 10);
        }
    }
    if (log) {
        (void)fclose(log);
    }
    return port;
}

static bool ask(uint16_t port, const char *request, char answer[ANSWER_BYTES])
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t len = 0;
    ssize_t got = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) ||
        send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
        (void)close(fd);
        return false;
    }
    while (got > 0 && len + 1 < ANSWER_BYTES) {
        got = recv(fd, answer + len, ANSWER_BYTES - len - 1, 0);
        len += got > 0 ? (size_t)got : 0;
    }
    answer[len] = '\0';
    (void)close(fd);
    return strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

void servers_apply(struct cluster *c, int node)
{
    int64_t deadline = now_ms() + READY_MS;
    uint16_t port;

    while ((port = read_port(&c->nodes[node])) == 0) {
        if (now_ms() > deadline) {
            cluster_fail(c, "the server is not ready");
        }
        cluster_watch(c, 10);
    }
    for (int i = 0; i < WORLD_STATEMENTS; i++) {
        char sql[400], body[500], request[800], answer[ANSWER_BYTES] = { 0 };

        world_statement(c->service, i, sql);
        (void)snprintf(body, sizeof body, "{\"ksql\":\"%s\"}", sql);
        (void)snprintf(request, sizeof request,
                       "POST /ksql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                       "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                       strlen(body), body);
        if (!ask(port, request, answer)) {
            cluster_fail(c, "%s: %s", sql, answer);
        }
    }
}
