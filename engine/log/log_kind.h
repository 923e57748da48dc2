/*
 * log_kind.h: what an implementation of the log provides; log.c dispatches to it.
 *
 * Each member mirrors the call of the same name in log.h, with the checks that
 * are common to all (names, ranges, states of a writer) already made there.
 * An implementation embeds the structs below as the first member of its own.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KIND_H
#define SLUICE_ENGINE_LOG_LOG_KIND_H

#include "engine/log/log.h"

struct log_kind {
    const char *name;
    void (*close)(struct log *log);
    int (*create_topic)(struct log *, const struct topic_spec *, struct error *);
    int (*delete_topic)(struct log *, struct bytes, struct error *);
    int (*open_topic)(struct log *, struct bytes, const struct log_topic **, struct error *);
    int (*list_topics)(struct log *, struct arena *, const struct log_topic ***, uint32_t *,
                       struct error *);
    int (*topic_configs)(struct log *, const struct log_topic *, struct arena *,
                         const struct topic_config **, uint32_t *, struct error *);
    int (*topic_range)(struct log *, const struct log_topic *, uint32_t, enum log_isolation,
                       struct log_range *, struct error *);
    int (*delete_records)(struct log *, const struct log_topic *, uint32_t, int64_t,
                          struct error *);
    int (*reader_open)(struct log *, const struct reader_spec *, struct log_reader **,
                       struct error *);
    void (*reader_close)(struct log_reader *);
    int (*reader_assign)(struct log_reader *, const struct log_topic *, uint32_t, int64_t,
                         struct error *);
    void (*reader_unassign)(struct log_reader *, const struct log_topic *, uint32_t);
    void (*reader_pause)(struct log_reader *, const struct log_topic *, uint32_t);
    void (*reader_resume)(struct log_reader *, const struct log_topic *, uint32_t);
    int (*reader_poll)(struct log_reader *, int64_t, struct log_block **, struct log_place *,
                       struct error *);
    void (*reader_wake)(struct log_reader *);
    bool (*reader_at_end)(struct log_reader *);
    int64_t (*reader_position)(struct log_reader *, const struct log_topic *, uint32_t);
    int (*writer_open)(struct log *, const struct writer_spec *, struct log_writer **,
                       struct error *);
    void (*writer_close)(struct log_writer *);
    int (*writer_begin)(struct log_writer *, struct error *);
    int (*writer_append)(struct log_writer *, const struct log_topic *, uint32_t,
                         struct log_builder *, void *, struct error *);
    int (*writer_flush)(struct log_writer *, struct error *);
    int (*writer_send_positions)(struct log_writer *, const struct group_membership *,
                                 const struct group_position *, uint32_t, struct error *);
    int (*writer_commit)(struct log_writer *, struct error *);
    int (*writer_abort)(struct log_writer *, struct error *);
    int (*member_join)(struct log *, const struct member_spec *, struct log_member **,
                       struct error *);
    int (*member_poll)(struct log_member *, int64_t, struct error *);
    void (*member_leave)(struct log_member *);
    struct group_membership (*member_current)(struct log_member *);
    int (*group_owners)(struct log *, struct bytes, struct arena *, struct group_owner **,
                        uint32_t *, struct error *);
    int (*group_positions)(struct log *, struct bytes, struct group_position *, uint32_t,
                           struct arena *, struct error *);
    int (*group_alter)(struct log *, struct bytes, const struct group_position *, uint32_t,
                       struct error *);
    int (*group_delete)(struct log *, struct bytes, struct error *);
    struct bytes (*cluster_id)(struct log *, struct arena *); /* NULL: it has none */
};

struct log {
    const struct log_kind *kind;
};

struct log_reader {
    struct log *log;
};

struct log_writer {
    struct log *log;
    bool transactional;
    bool in_transaction;
};

struct log_member {
    struct log *log;
};

/* --- the builder's layout, for those who store it --- */

/* Headers of all the builder's records. */
size_t log_builder_header_count(const struct log_builder *b);
/*
 * Fills record_count records that point into `bytes`, a copy of the builder's bytes or
 * these themselves (never NULL), and log_builder_header_count headers. Offsets count from 0.
 */
void log_builder_expand(const struct log_builder *b, const char *bytes, struct log_record *out,
                        struct record_header *headers);

#endif
