/*
 * fault_log.h: a log around another log that says which step of its work a node has
 * reached, so that a test can end the node there.
 *
 * Every call that changes something is announced before and after; so are the parts of
 * a recovery, by the topics that only a recovery reads. The steps of a commit:
 *
 *   begin  append ...  positions  commit  (purge)
 *
 * and of a start or a take-over:
 *
 *   open  join  assigned [ fence  progress  changelog ... ]
 *
 * What the hook answers decides: 0 goes on, an error is what the call answers: BEFORE, the
 * call is not made; AFTER, it was made and its answer is lost. Nothing of the product knows
 * that it is watched.
 */
#ifndef SLUICE_TESTS_CRASH_FAULT_LOG_H
#define SLUICE_TESTS_CRASH_FAULT_LOG_H

#include "engine/log/log.h"

enum fault_step {
    FAULT_OPEN,      /* a transactional writer is opened: the former one is fenced */
    FAULT_BEGIN,     /* of a transaction */
    FAULT_APPEND,    /* in a transaction */
    FAULT_POSITIONS, /* the fence of the group */
    FAULT_COMMIT,    /* the transaction ends */
    FAULT_PURGE,     /* consumed records are deleted */
    FAULT_JOIN,      /* the group */
    FAULT_ASSIGNED,  /* around the callback that takes slots */
    FAULT_REVOKED,   /* around the callback that gives up slots */
    FAULT_FENCE,     /* the former owners' transactions are waited for */
    FAULT_PROGRESS,  /* a slot's progress is read, from first to last record */
    FAULT_CHANGELOG, /* a store's changelog likewise */
    FAULT_RECORDS,   /* a block of one of these two has been read */
    FAULT_STEP_COUNT
};

enum fault_moment { FAULT_BEFORE, FAULT_AFTER };

struct fault_hook {
    /* Any thread. Not 0: an error code. */
    int (*reached)(void *context, enum fault_step step, enum fault_moment moment);
    void *context;
};

/* The inner log is borrowed; log_close ends only what is around it. */
struct log *fault_log_create(struct log *inner, const struct fault_hook *hook);
/*
 * From now on writers and members that are closed stay open inside, as those of a process that
 * was killed; they end with the log.
 */
void fault_log_die(struct log *log);

const char *fault_step_name(enum fault_step step);
/* "commit:before:3": the third time. False: it is none. */
bool fault_parse(const char *text, enum fault_step *step, char moment[16], uint32_t *count);

#endif
