/*
 * log_memory.h: what only the memory log has: switches for tests.
 *
 * Faults and gaps make it behave as a broker on a bad day, so that what is built
 * on the log can be tested against that without one. Callable from any thread.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_MEMORY_H
#define SLUICE_ENGINE_LOG_LOG_MEMORY_H

#include "engine/log/log.h"

enum log_fault {
    LOG_FAULT_COMMIT_LOST,    /* commit: ERR_LOG_UNAVAILABLE, nothing was applied */
    LOG_FAULT_COMMIT_APPLIED, /* commit: ERR_LOG_UNAVAILABLE, all of it was applied */
    LOG_FAULT_COMMIT_FENCED,  /* commit: as if the transactional id had been opened elsewhere */
    LOG_FAULT_APPEND_REFUSED, /* append: the records are refused */
    LOG_FAULT_TOPIC_VANISHES, /* append: the topic is deleted just before it */
    LOG_FAULT_COUNT
};

/* The countdown-th such call from now on fails (1: the next), once. 0 takes it back. */
void log_memory_fail(struct log *log, enum log_fault point, uint32_t countdown);

/*
 * How many offsets the end of a transaction consumes in each partition it touched: 0 by
 * default, 1 as in Kafka. If not 0, aborted records consume theirs as well.
 */
void log_memory_set_gaps(struct log *log, uint32_t offsets_per_transaction);

#endif
