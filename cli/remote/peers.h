/*
 * peers.h: other nodes of the service, asked over HTTP for their parts of pull queries.
 */
#ifndef SLUICE_CLI_REMOTE_PEERS_H
#define SLUICE_CLI_REMOTE_PEERS_H

#include "engine/command/peer.h"

struct peers;

struct peers *peers_create(void);
void peers_destroy(struct peers *peers); /* when nobody asks any more */
/* Its calls are safe from any thread. */
const struct peer_host *peers_interface(struct peers *peers);

#endif
