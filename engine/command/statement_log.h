/*
 * statement_log.h: the topic that holds every statement that changed the catalog.
 *
 * A record is a JSON object: canonical SQL, the properties it ran under, the id of its query, the
 * version of the planner and the plan's signature. The order of the topic is the order
 * of the service: whoever appends has read to the end and validated before, and the
 * transactional id fences the other writers.
 */
#ifndef SLUICE_ENGINE_COMMAND_STATEMENT_LOG_H
#define SLUICE_ENGINE_COMMAND_STATEMENT_LOG_H

#include "engine/command/properties.h"
#include "engine/log/log.h"

enum { STATEMENT_FORMAT_VERSION = 1, STATEMENT_PLANNER_VERSION = 1 };

struct statement_record {
    struct bytes sql;
    struct bytes query_id; /* of the persistent query it starts; else absent */
    const struct property_text *properties;
    uint32_t property_count;
    uint32_t planner; /* version */
    uint64_t signature;
    bool has_signature; /* it starts a query */
    bool is_own;        /* read: the one that was appended here last */
};

struct statement_log;

/* Opening costs nothing: the topic is made by the first append. */
struct statement_log *statement_log_create(struct log *log, const char *service_id,
                                           const char *client_id);
void statement_log_destroy(struct statement_log *slog);

enum statement_log_extent {
    STATEMENTS_TO_END, /* asks the log where it ends, and waits until all is there */
    STATEMENTS_ARRIVED /* what has come by itself, without waiting */
};

/*
 * Records behind those that were read before, in order, in the arena. A record that is no
 * statement of a version known here comes with an absent sql.
 */
int statement_log_read(struct statement_log *slog, enum statement_log_extent extent,
                       struct arena *arena, const struct statement_record **out, uint32_t *count,
                       struct error *err);
/* Becomes the only writer, unless it is already: what was appended before can then be read. */
int statement_log_lock(struct statement_log *slog, struct error *err);
/*
 * *sequence: the record's number in the log as this process has read and written it.
 * ERR_FENCED, ERR_LOG_UNAVAILABLE: it may or may not be in the log; to find out: lock, read to the
 * end, and ask statement_log_has_own.
 */
int statement_log_append(struct statement_log *slog, const struct statement_record *record,
                         int64_t now_ms, int64_t *sequence, struct error *err);
/* Whether what was appended last has been read. */
bool statement_log_has_own(const struct statement_log *slog);

#endif
