/*
 * servers.h: sluice server as a node of the cluster, and statements sent to it over HTTP.
 */
#ifndef SLUICE_TESTS_CRASH_SERVERS_H
#define SLUICE_TESTS_CRASH_SERVERS_H

#include "tests/crash/cluster.h"

/* Its data directory is that of its former life. */
void servers_start(struct cluster *c, int node);
/* The world's statements; the others hear of them through the statement log. */
void servers_apply(struct cluster *c, int node);

#endif
