/*
 * log_disk.h: what only the log on disk has: where it is kept, and its housekeeping.
 *
 * For one node: no copies on others, no clients from elsewhere. All else is log.h's.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_DISK_H
#define SLUICE_ENGINE_LOG_LOG_DISK_H

#include "engine/log/log.h"

struct database;

/* What a commit waits for. A killed process loses nothing under any of them; a power cut may. */
enum log_fsync {
    LOG_FSYNC_COMMIT,   /* it is on the disk; one wait serves all commits of that moment */
    LOG_FSYNC_INTERVAL, /* nothing: the last second may be lost, whole transactions at a time */
    LOG_FSYNC_NEVER,    /* nothing: what the system has not written yet may be lost */
};

struct log_disk_config {
    struct database *database; /* borrowed until the log is closed */
    enum log_fsync fsync;
    size_t resident_bytes; /* of the newest records that stay in memory; 0: a default */
};

/* ERR_LOG_DAMAGED, ERR_LOG_UNAVAILABLE. Under a real clock it has a thread for its housekeeping. */
int log_disk_create(const struct log_disk_config *config, const struct clock *clock,
                    struct log **out, struct error *err);
bool log_fsync_parse(struct bytes text, enum log_fsync *out); /* commit, interval, never */

/*
 * A bounded piece of the housekeeping that is due: retention, compaction. False when there is
 * nothing to do. The log's own thread calls it; under a virtual clock its user does.
 */
bool log_disk_tidy(struct log *log);

#endif
