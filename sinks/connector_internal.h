/*
 * connector_internal.h: what the files of the connector frame share.
 *
 *   connector.c     connectors that are there, states, the host's interface
 *   connector_offsets.c  how far one has come, told and set from outside
 *   task.c          a thread: reads, writes, flushes, tries again
 *   task_input.c    topics that a task reads, and how their records are read
 *   task_group.c    how far a task has come, told to a group on the log
 *   dead_letter.c   records that cannot be written
 */
#ifndef SLUICE_SINKS_CONNECTOR_INTERNAL_H
#define SLUICE_SINKS_CONNECTOR_INTERNAL_H

#include <pthread.h>
#include <regex.h>

#include "base/vec.h"
#include "engine/operator/op.h"
#include "sinks/connector.h"
#include "sinks/sink.h"

struct sink_host;
struct connector_store;
struct dead_letters;

enum target_state { TARGET_RUNNING, TARGET_PAUSED, TARGET_STOPPED };

enum task_state { TASK_RUNNING, TASK_FAILED };

/* Sources over the topics that a connector may read. Replaced as a whole, never changed. */
struct source_list {
    struct arena arena;
    const struct source *items;
    uint32_t count;
};

struct connector {
    struct sink_host *host;
    struct arena arena;                  /* definition */
    const struct connector_entry *entry; /* the catalog's: its address says whether it changed */
    struct bytes name;
    struct bytes class_name;
    const struct sink_kind *kind;
    struct options options; /* references resolved */
    const struct bytes *topics;
    uint32_t topic_count;
    bool by_pattern;
    regex_t pattern;
    const struct bytes *warnings;
    uint32_t warning_count;
    struct task *tasks;
    uint32_t task_count;
    _Atomic bool ends;
    uint64_t restarted;   /* hash of the last restart that was told in the store */
    struct error failure; /* of a definition that does not work any more */

    pthread_mutex_t mutex; /* all below, and the tasks' fields that say so */
    pthread_cond_t changed;
    enum target_state target;
    uint64_t generation; /* tasks begin anew when it moves on */
    struct source_list *sources;
    uint64_t drain_wanted;
};

struct task_input {
    struct source source;
    const struct log_topic *topic;
    struct input_decoder *decoder;
    struct task *task;
};

/* A record at which the task has to stop: it cannot be written, and nothing says to go on. */
struct task_halt {
    bool is_set;
    struct bytes topic; /* in the task's arena */
    uint32_t partition;
    int64_t offset;
    struct error why;
    const char *stage; /* as in dead_letter.c */
    bool in_decode;
    struct sink_refusal refusal;
};

struct task {
    struct connector *connector;
    uint32_t number;
    pthread_t thread;
    _Atomic bool interrupted; /* an attempt must end: the sink looks at it while it waits */
    struct arena arena;       /* of one attempt */
    struct arena rows;        /* of one slice of a block */
    VEC(struct task_input *) inputs;
    struct positions positions; /* where reading stands */
    struct sink sink;
    VEC(struct log_block *) held; /* since the last flush */
    uint64_t held_rows;
    uint64_t most_rows; /* of a flush; less where the target could not take more */
    size_t held_bytes;
    int64_t held_since_us;
    struct error refusal; /* met while decoding */
    struct task_halt halt;
    struct arena halt_arena;
    struct dead_letters *letters;
    bool may_retry_at_once; /* as the last attempt's sink said */
    bool is_untold;         /* the group has not been told of the last flush */
    int64_t told_us;
    int64_t looked_us;   /* for topics that were missing */
    uint64_t failures;   /* in a row */
    uint64_t generation; /* of the attempt */
    struct log_reader *reader;

    /* Under the connector's mutex. */
    enum task_state state;
    enum placement placement;
    struct log_reader *wakeable; /* the reader, while another thread may wake it */
    char *trace;
    char *waits_for; /* topics that nothing declares; NULL: none */
    uint64_t drained;
};

/* --- connector.c --- */

struct log *connector_log(const struct connector *c);
const struct clock *connector_clock(const struct connector *c);
/* Where its task runs; any thread. */
enum placement connector_place(const struct connector *c, uint32_t task);
/* Whether other nodes may run its tasks. */
bool connector_is_shared(const struct connector *c);
/* Under which its positions are stored: a log in memory has nothing to do with a lasting one. */
struct bytes connector_sink_name(const struct connector *c, struct arena *arena);
bool connector_wants(const struct connector *c, struct bytes topic);
/*
 * What is stored is of an earlier topic: this process has seen it go; or the log ends with the
 * process, which has not started there yet.
 */
bool connector_is_fresh(const struct connector *c, const struct log_topic *topic,
                        uint32_t partition);
void connector_has_started(const struct connector *c, const struct positions *positions);

/* --- connector_offsets.c --- */

/* As struct connector_host says. */
int connector_read_offsets(const struct connector *c, struct arena *arena,
                           struct connector_offset **out, uint32_t *count, struct error *err);
int connector_write_offsets(const struct connector *c, const struct connector_offset *offsets,
                            uint32_t count, struct error *err);

/* --- task.c --- */

void task_start(struct task *task);
void task_join(struct task *task);
/* A record cannot be read. */
void task_refuse_record(struct task *task, const struct row_origin *origin, enum format_side side,
                        const struct error *why);
/* Topics that nothing declares, for the status; empty: none. */
void task_note_missing(struct task *task, struct bytes topics);

/* --- task_input.c --- */

/* Topics that are there and declared; where to begin in the task's partitions of them. */
int task_open_inputs(struct task *task, struct error *err);
void task_close_inputs(struct task *task);
/* Whether a topic that was missing has come, and is declared. */
bool task_misses_inputs(struct task *task);
struct task_input *task_find_input(struct task *task, const struct log_topic *topic);

/* --- task_group.c --- */

enum group_moment { GROUP_MEANWHILE, GROUP_AT_END };

/* Where the target keeps no positions: those of the group, where it has them. */
int task_group_read(struct task *task, struct error *err);
/* Tells what was flushed, unless it was told or, in a mirror, can wait. */
int task_group_tell(struct task *task, enum group_moment moment, struct error *err);

/* --- dead_letter.c --- */

struct letter {
    const struct log_record *record;
    const struct row_origin *origin;
    const struct error *why;
    const char *stage; /* KEY_CONVERTER, VALUE_CONVERTER, TASK_PUT */
    bool in_decode;
    struct sink_refusal refusal;
};

/* NULL when the connector names no topic for them. */
struct dead_letters *dead_letters_create(const struct connector *c, uint32_t task);
void dead_letters_destroy(struct dead_letters *letters);
/* The record is in the topic when it returns. */
int dead_letters_put(struct dead_letters *letters, const struct letter *letter, struct error *err);

#endif
