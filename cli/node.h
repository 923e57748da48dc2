/*
 * node.h: what an engine works on: its log, who it is in its service, its properties.
 *
 * Which log (docs/kafka.md): --bootstrap, bootstrap.servers of --set, SLUICE_BOOTSTRAP_SERVERS,
 * bootstrap.servers of the configuration file, in this order, choose a Kafka cluster; else a data
 * directory has the log; else it is memory. A server without any of these, and without --memory,
 * has its data directory in ./sluice-data. Shells, files and the server all open their engine here.
 */
#ifndef SLUICE_CLI_NODE_H
#define SLUICE_CLI_NODE_H

#include "cli/config.h"
#include "engine/command/engine.h"

/* A shell never takes over what the server of a cluster runs: its service is its user's. */
enum node_role { NODE_SHELL, NODE_SERVER };

struct node_options {
    enum node_role role;
    const char *bootstrap;   /* --bootstrap; NULL: not given */
    const char *data;        /* --data; NULL: not given */
    bool in_memory;          /* --memory */
    const char *config_file; /* for messages; NULL: there is none */
    config_list settings;    /* line 0: of the command line; the last of a name counts */
};

struct node {
    struct arena arena;
    struct clock clock;
    struct log *log;
    struct sink_host *sinks; /* runs the engine's connectors */
    struct peers *peers;     /* other nodes of the service; NULL: there cannot be any */
    struct engine *engine;
    struct data_directory *directory; /* NULL: there is none */
    struct database *database;        /* in it: the log, unless that is on Kafka; NULL likewise */
    bool is_on_kafka;                 /* threaded, and others may work on the same log */
    struct engine_config config;
};

/*
 * A node works with threads when it is a server, on Kafka, or the base config says so.
 * Settings are checked before anything is reached for: errors name file and line. What of the
 * base config is about log, clock, mode, identity and settings is filled in here. The node is to
 * be closed also when this fails.
 */
int node_open(struct node *node, const struct node_options *options,
              const struct engine_config *base, struct error *err);
void node_close(struct node *node);
/* What it works on: a line for a person. */
void node_describe(const struct node *node, struct buffer *out);

#endif
