/*
 * runtime_internal.h: what the files of this folder share.
 *
 *   fetch.c      the node's log readers: one head and one catch-up cursor per partition
 *   reader.c     a worker's side of it: decodes a block once for all tasks that read it
 *   task.c       one query's sub-topology on one partition
 *   worker.c     owns tasks and readers; mailbox, runs, when to commit
 *   commit.c     one transaction: rows, changelogs, progress, fence
 *   progress.c   positions and operator metadata as records
 *   recover.c    from the log back to live tasks
 *   drop.c       tasks that leave
 *   membership.c slots: which are ours
 *   groups.c     the Kafka groups that bear a query's name
 */
#ifndef SLUICE_ENGINE_RUNTIME_RUNTIME_INTERNAL_H
#define SLUICE_ENGINE_RUNTIME_RUNTIME_INTERNAL_H

#include <pthread.h>

#include "base/map.h"
#include "base/queue.h"
#include "base/vec.h"
#include "engine/runtime/runtime.h"

struct worker;
struct task;
struct reader;
struct fetcher;
struct channel;
struct standing;
struct lookout;
struct causal_gate;
struct mirror;

enum { SLOT_COUNT_DEFAULT = 64, SLOT_COUNT_MAX = 1024, BUILDER_DRAIN_BYTES = 64 * 1024 };
enum {
    MAX_COMMIT_PAUSE_MS = 100,
    CATCH_UP_PAUSE_MS = 1000,
    TRANSACTION_TIMEOUT_MS = 10000,
    SESSION_TIMEOUT_MS = 6000
};
enum { CHANGELOG_ENTRIES_LEAST = 4000 };
enum { RETRY_FIRST_MS = 15000, RETRY_MOST_MS = 900000 };

/* --- mailbox: messages to a worker, from any thread; what they carry bounds them --- */

struct message {
    struct message *next;
    bool exclusive; /* not while a commit is under way */
    void (*handle)(struct worker *worker, struct message *message); /* frees it */
};

struct mailbox {
    pthread_mutex_t mutex; /* first, last, woken */
    pthread_cond_t arrived;
    struct message *first;
    struct message *last;
    bool woken;
};

void mailbox_init(struct mailbox *box);
void mailbox_fini(struct mailbox *box);
void mailbox_post(struct mailbox *box, struct message *message);
/* All that is there, as a list; waits for the first or a wake at most that long. */
struct message *mailbox_take(struct mailbox *box, int64_t wait_ms);
void mailbox_wake(struct mailbox *box);

/* --- fetch.c --- */

enum cursor { CURSOR_HEAD, CURSOR_CATCH_UP };

/* What the fetcher tells a reader. */
enum fetch_event {
    FETCH_BLOCK,  /* records: offsets [from, next) */
    FETCH_MOVED,  /* the cursor is at `next` now, and this reader wanted nothing of it */
    FETCH_EMPTY,  /* [from, next) holds no records: markers, aborted or compacted ones */
    FETCH_GAP,    /* [from, next) is no longer in the log; next < from: it is another log, from its
                     begin */
    FETCH_BEYOND, /* the log ends before `from`, and no cursor has moved: who stands there or
                     behind stood in another log, and begins at `next` */
    FETCH_FAILED  /* the partition cannot be read any more, at `from` and before */
};

struct fetch_message {
    struct message message;
    struct reader *reader;
    enum fetch_event event;
    enum cursor cursor;
    struct log_block *block; /* FETCH_BLOCK: with a reference */
    int64_t from;
    int64_t next;
    struct error failure; /* FETCH_FAILED */
};

/*
 * A worker's reader as the fetcher sees it. The worker writes what it wants before it
 * counts down what is under way; the fetcher reads in the other order.
 */
struct fetch_subscriber {
    struct reader *reader;
    struct worker *worker;
    struct channel *channel; /* the fetcher's, while subscribed */
    _Atomic int64_t
        lagging;           /* lowest position below the head that a task waits for, or INT64_MAX */
    _Atomic int64_t ahead; /* the same, but not below where the catch-up was last seen */
    _Atomic int64_t leading; /* highest position of a task that can take more, or -1 */
    _Atomic bool follows;    /* that task keeps up with the head */
    _Atomic int64_t in_flight_bytes;
    _Atomic uint32_t in_flight;    /* blocks not done with yet */
    _Atomic uint32_t under_way[2]; /* by cursor: those and messages not handled yet */
    _Atomic uint32_t messages;     /* posted and not handled yet */
};

int fetcher_create(struct log *log, struct bytes client_id, struct fetcher **out,
                   struct error *err);
void fetcher_destroy(struct fetcher *fetcher);
/* From where the subscriber's wants say; nothing is read before they say so. */
void fetcher_subscribe(struct fetcher *fetcher, const struct log_topic *topic, uint32_t partition,
                       struct fetch_subscriber *subscriber);
/* Afterwards nothing new is posted for it. */
void fetcher_unsubscribe(struct fetcher *fetcher, struct fetch_subscriber *subscriber);
/* What it wants has changed. */
void fetcher_note(struct fetcher *fetcher, struct fetch_subscriber *subscriber);
/* Moves cursors and delivers at most a few blocks; false: nothing to do. */
bool fetcher_step(struct fetcher *fetcher, int64_t wait_ms);
bool fetcher_is_behind(const struct fetcher *fetcher); /* the next records are there; any thread */
/* The next step sees, too, where the log has moved without records. */
void fetcher_look(struct fetcher *fetcher);
/* The same of one partition. */
void fetcher_look_at(struct fetcher *fetcher, const struct log_topic *topic, uint32_t partition);
void fetcher_wake(struct fetcher *fetcher);

/* --- reader.c --- */

/* A decoded batch, shared by the tasks of one worker. */
struct shared_batch {
    struct shared_batch *next_free;
    struct reader *reader;
    struct arena arena;
    struct log_block *block;
    const struct row_batch *rows;
    int64_t next_offset; /* behind the last row */
    uint32_t references;
};

struct input_queue_item {
    struct shared_batch *batch;
    uint32_t next_row;
};

/* One input of one task. */
struct task_input {
    struct task *task;
    const struct input_plan *plan;
    const struct log_topic *topic;
    struct reader *reader;
    struct input_queue_item *queue; /* ring */
    uint32_t queue_capacity, queue_first, queue_count;
    uint64_t queued_rows;
    int64_t enqueued;  /* next offset to be offered */
    int64_t processed; /* next offset to be processed */
    int64_t committed; /* as the last commit has it; -1: not yet */
    int64_t promised;  /* as the commit under way will have it: reading may go on meanwhile */
    int64_t mirrored;  /* as the query's group was told; -1: not yet */
    int64_t gate;      /* offsets below it may be processed */
    int64_t cleared;   /* of a causal join's stream: those below it may be joined; else INT64_MAX */
    int64_t purged;    /* of a repartition topic: deleted below, as far as asked for */
    int64_t refused_at; /* the record that its query must not skip; INT64_MAX: there is none */
    bool is_at_refused; /* all before it is done */
    uint64_t rows_in;
    uint64_t rows_skipped;
    bool could_take; /* as its reader has told the fetcher */
    bool has_head;   /* while choosing what to run: the next two */
    uint32_t head_row;
    int64_t head_ms;
    uint64_t exhausted_in; /* the worker's step in which the log had nothing more */
    bool shares_topic; /* with another input of the task: a record goes to both before the next */
};

/* A topic partition decoded once for all inputs that read the same declared source. */
struct reader {
    struct reader *next;
    struct reader *next_active;
    bool active;   /* in its worker's list of those that have something to do */
    bool stale;    /* what the fetcher knows of its wants may be wrong */
    bool dead;     /* unsubscribed; goes with its last message and batch */
    bool has_twin; /* another one reads the partition for a source of the same name */
    struct worker *worker;
    struct fetcher *fetcher;
    struct fetch_subscriber subscriber;
    struct arena arena; /* source, topic_text */
    const char *topic_text;
    const struct log_topic *topic;
    uint32_t partition;
    const struct source *source;          /* NULL: a repartition topic */
    const struct input_plan *repartition; /* else NULL */
    struct input_decoder *decoder;
    struct input_decoder **retired; /* the former ones */
    uint32_t retired_count;
    bool *wanted; /* union of what the inputs want; NULL: all */
    struct task_input **inputs;
    uint32_t input_count, input_capacity;
    struct fetch_message *pending, *pending_last; /* blocks to decode, by their message.next */
    uint32_t pending_record;                      /* of the first: the next record to decode */
    int64_t pending_from; /* of the first: where that record's range begins */
    int64_t batch_next;   /* where the range ends that is being decoded, from pending_from */
    struct shared_batch *free_batches;
    uint32_t live_batches;
    struct error damage;  /* its tasks cannot go on: they are told when no commit is under way */
    bool has_refused;     /* an input has a record that stops its query */
    struct error barrier; /* the log cannot be read beyond it: told to tasks that get there */
    int64_t barrier_at;
    int64_t head;     /* as far as the head has come for this worker; -1: not known */
    int64_t catch_up; /* the same of the catch-up cursor */
};

int reader_attach(struct worker *worker, struct task_input *input, struct error *err);
void reader_detach(struct task_input *input);
/* Whether a query that runs so stops at such a record, instead of going on without it; and why. */
bool query_stops_at(const struct query_options *options, const struct error *err);
void query_stop_reason(const struct row_origin *origin, const char *what, const struct error *err,
                       struct error *out);
/* What its inputs can take has changed: the fetcher learns of it in the next step. */
void reader_touch(struct reader *reader);
void reader_handle(struct worker *worker, struct message *message); /* a fetch_message */
/* Decodes a batch per reader for those who wait for it; false: nothing was decoded. */
bool readers_step(struct worker *worker);
void shared_batch_unref(struct shared_batch *batch);

/* --- task.c --- */

struct query;

struct task {
    struct task *next;
    struct task *next_ready;
    bool ready; /* in its worker's list of those that may have something to run */
    struct query *query;
    struct worker *worker;
    const struct sub_plan *sub;
    uint32_t sub_index;
    uint32_t partition;
    uint32_t slot;
    uint64_t cohort;           /* in whose records it stands */
    uint64_t birth_partitions; /* tasks of its sub-topology when it first committed */
    uint64_t written_stores;   /* a bit for each of its first 64 stores: it has changelog records */
    struct arena arena;
    struct error refusal; /* of the first input with a record that stops the query */
    struct op_env env;
    struct op_chain chain;
    bool chain_open;
    struct task_input *inputs;
    struct causal_gate *gate;     /* NULL: no row waits for what derives from it */
    struct store **stores;        /* by index into plan->stores */
    struct buffer saved_metadata; /* as last committed */
    bool could_take;              /* not paused, and its client had room, when last asked */
    bool counted;                 /* in query->live_tasks */
    bool born;                    /* progress knows the task */
    bool saved;                   /* saved_metadata and cohort are what the log has */
    bool dirty;                   /* has done something since its last commit */
    bool buffers;                 /* emits at flush only */
    bool flushing;
    bool ticks; /* has operators that look at the clock */
    bool in_commit;
    int64_t last_flush_ms;
    int64_t active_ms; /* wall clock: when it last had rows to commit */
    uint64_t rows_in;
    uint64_t rows_skipped;
    size_t restored_bytes; /* of its state, until its worker has counted that */
};

int task_create(struct query *query, uint32_t sub_index, uint32_t partition, struct task **out,
                struct error *err);
void task_destroy(struct task *task);
/* Something was done that is to be committed. */
void task_touch(struct task *task);
/* Asks whether it is paused and whether its client has room, and tells its readers what has
 * changed. */
void task_refresh(struct task *task);
bool input_can_take(const struct task_input *input);
void input_offer(struct task_input *input, struct shared_batch *batch);
void input_skip_to(struct task_input *input, int64_t offset); /* what lies before is not there */
void input_clear(struct task_input *input);
/* One run; *ran says whether there was anything. An error stops the query. */
int task_run(struct task *task, bool *ran, struct error *err);
bool task_has_rows(const struct task *task);        /* something is queued */
bool input_is_held(const struct task_input *input); /* its head waits at a gate: causal.h */
void task_count_skipped(struct task *task, const struct row_origin *origin, const char *what,
                        const struct error *err);

/* --- queries and the runtime --- */

struct query_output {
    const struct log_topic *topic;
};

/* As they were found when the query last started. */
struct query_topics {
    struct arena arena;
    bool found; /* else all of it is empty */
    const struct log_topic **outputs;
    const struct log_topic **changelogs; /* by store */
    uint32_t *task_counts;               /* by sub-topology */
    uint64_t *birth_counts;            /* the same when the query was born; UINT64_MAX: not asked */
    const struct log_topic ***sources; /* by sub-topology and input; NULL: not a source */
    bool asked_group;
    struct group_position *left_behind; /* where another engine left the query's group */
    uint32_t left_behind_count;
};

struct query {
    struct runtime *rt;
    const struct physical_plan *plan;
    struct query_options options;
    struct row_queue *client;
    bool durable;
    bool fresh;      /* it has made all its internal topics itself */
    struct log *log; /* of internal topics: the node's, or the transient one */
    struct query_topics topics;
    uint32_t users; /* other threads that look at it; under rt->queries_mutex */
    struct standing *standing;
    struct standing **awaited; /* of other queries, by its causal joins */
    uint32_t awaited_count;
    _Atomic int state; /* QUERY_RUNNING or QUERY_ERROR */
    _Atomic bool paused;
    struct error error; /* under rt->leaf_mutex; so the next four */
    int64_t error_ms;   /* wall clock */
    int64_t running_since_ms;
    int64_t retry_at_ms;
    int64_t retry_delay_ms;
    bool has_grown; /* a source had more partitions at the last look; control thread */
    _Atomic uint64_t rows_in;
    _Atomic uint64_t rows_skipped;
    _Atomic uint64_t rows_out; /* to its sink */
    _Atomic uint32_t live_tasks;
};

struct progress;

struct slot {
    bool owned;
    bool fenced;  /* former owners can commit nothing any more; under leaf_mutex, so owned */
    bool pending; /* assigned, not recovered yet; the control thread's */
    uint32_t worker;
    struct progress *progress; /* as last read, to read on from; under rt->mutex */
    bool has_read;             /* all that former owners have left; under rt->mutex */
    bool has_cohort;           /* since it was recovered; under rt->mutex */
    uint64_t cohort;           /* the worker's */
    bool written;              /* in the transaction; the worker's */
    bool sent;                 /* its position, in the transaction; the worker's */
    bool claimed;              /* a position of this owner is committed; under leaf_mutex */
};

/* A copy of the membership, for those who commit. */
struct fence {
    struct buffer member_id;
    struct buffer instance_id;
    bool has_instance;
    int32_t generation;
};

struct refusal {
    struct query *query;
    struct error why;
};

/* Progress records of a slot that may be written once what they speak of is in the log. */
struct held_progress {
    uint32_t slot;
    struct log_builder records;
};

enum worker_phase { WORKER_IDLE, WORKER_COMMITTING, WORKER_LOST };

/* Records that nobody needs any more. */
struct purge {
    const struct log_topic *topic;
    uint32_t partition;
    int64_t before;
};

struct worker {
    struct runtime *rt;
    uint32_t index;
    struct mailbox mailbox;
    struct task *tasks;
    struct task *ready;
    uint32_t dirty_tasks;
    uint32_t transient_tasks;
    uint64_t removals; /* of tasks: lists must be walked anew */
    struct reader *readers;
    struct reader *active_readers;
    struct bytes transactional_id;
    struct log_writer *writer;           /* transactional */
    struct log_writer *transient_writer; /* topics of push queries, while there are some */
    struct log_builder scratch;          /* changelog and progress records */
    struct buffer litter; /* slots and keys of progress records that the next commit deletes */
    struct held_progress *held; /* at least once: waits until all before it is acknowledged */
    uint32_t held_count, held_capacity;
    enum worker_phase phase;
    bool settling;     /* from the start of a commit until tasks have run behind it */
    _Atomic bool lost; /* phase is WORKER_LOST: for the control thread */
    bool in_transaction;
    bool flush_now; /* drain: flush and commit whatever is dirty */
    bool pressed;   /* the same, as state takes too much memory */
    int64_t last_commit_ms;
    int64_t last_commit_us;                   /* duration of the last commit */
    struct arena run_arena;                   /* ends with each run */
    struct message *deferred, *deferred_last; /* wait until the commit is over */
    struct query *culprit;                    /* whose task is being flushed */
    struct query *forgotten;                  /* the next commit deletes its progress */
    struct save *save;                        /* what the commit thread does instead of a commit */
    int64_t saved_ms, looked_ms;
    uint64_t unsaved;              /* entries, when last looked; so the next four */
    uint64_t uncommitted;          /* entries */
    size_t young_bytes;            /* of state that a save would give way to other */
    size_t kept_bytes;             /* of state that it would not */
    atomic_size_t state_bytes;     /* both: for the other workers */
    atomic_size_t restoring_bytes; /* of tasks that it has not counted yet */
    struct refusal *refusals;      /* whose records were refused by the log */
    uint32_t refusal_count, refusal_capacity;
    struct error transient_refusal; /* of a push query's own topic */
    struct purge *purges;           /* done by the commit after the one that allowed them */
    uint32_t purge_count, purge_capacity;
    bool purge_denied; /* for want of a right; told once */
    int64_t last_tick_ms;
    _Atomic int64_t recover_at_ms;
    uint32_t failures; /* in a row: back-off */
    uint64_t activity; /* grows with everything done: quiescence */
    uint64_t step;
    /* threads */
    pthread_t thread;
    pthread_t commit_thread;
    bool has_threads;
    pthread_mutex_t commit_mutex; /* commit_requested, commit_stop */
    pthread_cond_t commit_wanted;
    bool commit_requested;
    bool commit_stop;
    _Atomic bool stop;
    uint64_t commit_number;
};

struct runtime {
    struct runtime_config config;
    struct log *log;
    struct log *transient_log;
    const struct clock *clock;
    struct arena arena;
    struct bytes service_id, node_id, client_id, instance_id, group;
    const struct log_topic *slots_topic;
    const struct log_topic *progress_topic;
    struct fetcher *fetcher;
    struct fetcher *transient_fetcher;
    struct log_reader *recovery; /* of changelogs and progress */
    struct worker *workers;
    uint32_t worker_count;
    struct slot *slots;
    uint32_t slot_count;
    uint32_t *seats;      /* by slot: the partition of the slots topic that stands for it */
    uint32_t *seat_slots; /* and back */
    struct log_member *member;
    int64_t join_again_ms; /* monotonic; another member has this node's id until then; 0: none */
    pthread_mutex_t mutex; /* queries, member, recovery */
    pthread_mutex_t queries_mutex; /* for those who only look: queries, their users and topics */
    pthread_cond_t query_unused;
    pthread_mutex_t leaf_mutex; /* fence, slots, queries' errors; nothing is called under it */
    struct fence fence;
    struct map queries;
    pthread_mutex_t standings_mutex; /* standings and their references */
    struct map standings;            /* query id -> struct standing */
    struct lookout *lookout;
    struct mirror *mirror;
    bool joined;
    int64_t look_at_ms; /* when growth.c looks at the topics next */
    bool has_stopped;   /* a query that ran here */
    _Atomic bool stop;
    _Atomic uint32_t lost_workers;
    _Atomic uint32_t failed_queries; /* in QUERY_ERROR */
    struct queue control_wake;       /* ends the control thread's pause */
    struct queue drain_pause;        /* never has anything: a pause */
    pthread_t control_thread, fetch_thread;
    bool has_control_thread, has_fetch_thread;
};

/* --- query.c --- */

int query_create(struct runtime *rt, const struct physical_plan *plan,
                 const struct query_options *options, struct row_queue *client, struct query **out,
                 struct error *err);
/* What was created is the runtime's, until it is removed; rt->mutex held for both. */
void query_add(struct query *query);
void query_remove(struct query *query); /* and destroys it */
/* For a look without rt->mutex, which a recovery holds for long; NULL: there is none. */
struct query *query_hold(struct runtime *rt, struct bytes query_id);
void query_release(struct query *query);
/* Finds its topics, and makes those of its own that are not there. It has no tasks. */
int query_open_topics(struct query *query, struct error *err);
void query_delete_topics(struct query *query);
void query_set_error(struct query *query, const struct error *why); /* any thread */
bool query_retry_is_due(struct query *query, int64_t now_ms);
void query_begin_again(struct query *query); /* has no tasks: finds its topics anew, and runs */
void query_set_running(struct query *query);

/* --- worker.c --- */

int worker_init(struct worker *worker, struct runtime *rt, uint32_t index);
void worker_fini(struct worker *worker);
bool worker_step(struct worker *worker, int64_t wait_ms); /* false: nothing to do */
/* Unless they are open. */
int worker_open_writer(struct worker *worker, struct error *err);
int worker_open_transient_writer(struct worker *worker, struct error *err);
bool worker_is_exactly_once(const struct worker *worker);
int worker_add_task(struct worker *worker, struct task *task, struct error *err);
void worker_remove_task(struct worker *worker, struct task *task);
void worker_make_ready(struct task *task); /* it may have something to run */
/*
 * Something went wrong on behalf of the query, or of nobody in particular (NULL). Transient
 * errors: recovers; others: the query cannot go on. A refused record is its owner's fault.
 */
void worker_fail(struct worker *worker, struct query *query, const struct error *why);
/* The query goes to ERROR and back-off; the worker's others recover without it. */
void worker_fail_query(struct worker *worker, struct query *query, const struct error *why);
/* Drops all durable tasks: they are recovered from what the log has, later each time. */
void worker_lose(struct worker *worker, const struct error *why);
int worker_start_threads(struct worker *worker);
void worker_stop_threads(struct worker *worker);
/* Runs f on the worker's thread and waits for it (stepped: calls it). */
void worker_call(struct worker *worker, void (*f)(struct worker *worker, void *context),
                 void *context);
/* The same for those that change nothing: also while a commit is under way. */
void worker_ask(struct worker *worker, void (*f)(struct worker *worker, void *context),
                void *context);

/* --- commit.c --- */

int commit_begin(struct worker *worker, struct error *err); /* unless it has begun */
/* Drains builders that have grown; begins the transaction on the way. */
int commit_drain_outputs(struct task *task, size_t at_least_bytes, struct error *err);
bool commit_is_due(struct worker *worker, bool drained);
/* How long to wait for messages: not beyond the moment when a commit may follow the last one. */
int64_t commit_pause_ms(const struct worker *worker, int64_t most_ms);
/* Gathers, appends and fences; then commits: here (stepped) or on the commit thread. */
void commit_start(struct worker *worker);
/* Everything dirty takes part, whatever its interval. */
void commit_now(struct worker *worker);
void commit_finish(struct worker *worker, int code, const struct error *err);
/* Positions for every slot of the worker under the current generation. */
int commit_send_fence(struct worker *worker, struct error *err);
int commit_execute(struct worker *worker, struct error *err); /* the waiting part */
void commit_hand_over(struct worker *worker);                 /* to the commit thread */

/* --- checkpoints (save.c) --- */

struct save;

/* Between commits: begins to write a checkpoint if one is due. */
bool save_start(struct worker *worker);
int save_execute(struct worker *worker, struct error *err); /* the waiting part */
void save_finish(struct worker *worker, int code, const struct error *err);
void save_at_close(struct worker *worker);       /* threads have ended; all is committed */
bool save_is_pressed(struct worker *worker);     /* the memory budget asks for a commit */
bool save_is_large(const struct worker *worker); /* so much is uncommitted that it cannot wait */
/* Attaches the store's checkpoint and loads what is in it; position -1: replay everything. */
int save_open_store(struct task *task, uint32_t number, int64_t *position, struct error *err);
/* Of a task that begins anew. */
int save_open_empty(struct task *task, uint32_t number, struct error *err);
/* During recovery: the changelog was replayed up to the position. */
int save_restored(struct task *task, uint32_t number, int64_t position, struct error *err);
/* The query is dropped, the slot given up, the checkpoint damaged. */
void save_count_restored(struct task *task); /* among the worker's, or it is gone */
void save_forget_task(struct task *task);
void save_forget_slot(struct runtime *rt, uint32_t slot);
int save_check_store(struct store *store, struct error *err);

/* --- progress.c --- */

/* What a slot's partition says; kept with the slot, so only what is new is read. */
int progress_read(struct runtime *rt, uint32_t slot, struct progress **out, struct error *err);
/* All at once, so that the next progress_read of each of these slots has little to read. */
int progress_read_ahead(struct runtime *rt, const uint32_t *slots, uint32_t count,
                        struct error *err);
void progress_free(struct progress *progress);
uint32_t progress_record_count(const struct progress *progress); /* NULL: 0 */
/* On the slot's worker: its tasks stand together from now on, whoever stood there before. */
void progress_begin_cohort(const struct progress *progress, uint32_t slot, struct worker *worker);
/*
 * Only of a task that was born; -1: the topic is another one than then. *noted_here: so much is
 * known of the topic's incarnation; else another process has counted it.
 */
int64_t progress_position(const struct progress *progress, const struct task_input *input,
                          bool *noted_here);
/* Of how many tasks the sub-topology had when its first was born; 0: it was not. */
uint64_t progress_birth_count(const struct progress *progress, const struct query *query,
                              uint32_t sub_index);
/* False: the task has never committed. Else the task knows its cohort. */
bool progress_find_task(const struct progress *progress, struct task *task, struct bytes *metadata);
/* Records for what the included tasks of the worker have changed, slot by slot. */
int progress_write(struct worker *worker, struct error *err);
/* At least once: the records that were held back until now. */
int progress_write_held(struct worker *worker, struct error *err);
/* The query is gone: forget its tasks. *any is set when there was one. */
int progress_forget(struct worker *worker, struct query *query, bool *any, struct error *err);

/* --- recover.c --- */

struct recover_range {
    const struct log_topic *topic; /* of the node's log */
    uint32_t partition;
    int64_t from; /* OFFSET_BEGIN: all */
    int64_t end;  /* told: read up to here */
    void (*on_block)(void *context, const struct log_block *block);
    void *context;
};

/* Reads these, all at once, up to what is committed; rt->mutex held. */
int recover_read(struct runtime *rt, struct recover_range *ranges, uint32_t count,
                 struct error *err);
/* No commit of a former owner of these slots can come behind the return; the slots know. */
int recover_fence(struct runtime *rt, const uint32_t *slots, uint32_t count, struct error *err);
/* The slot's worker is lost: all of it is recovered after a while. */
void recover_later(struct runtime *rt, uint32_t slot, struct error *why);
/* Makes, restores and attaches the tasks of the slot, or does so later; rt->mutex held. */
int recover_slot(struct runtime *rt, uint32_t slot, struct error *err);
int recover_query(struct runtime *rt, struct query *query, struct error *err);
/* One that has not run here: what others have left of it was there when its slots came. */
int recover_new_query(struct runtime *rt, struct query *query, struct error *err);
/* Reads what the recovery of these slots begins with, all at once; at worst it is read later. */
void recover_read_ahead(struct runtime *rt, const uint32_t *slots, uint32_t count);
int recover_worker(struct runtime *rt, struct worker *worker, struct error *err);
uint32_t slot_of(const struct runtime *rt, struct bytes root_topic, uint32_t partition);

/* --- drop.c --- */

/* Which tasks leave: those of a query, or the durable ones of some slots. */
struct drop {
    const struct query *query;
    const uint32_t *slots;
    uint32_t slot_count;
};

/* Commits what there is, on all workers. */
void drop_commit(struct runtime *rt);
/* Removes tasks; a worker that has something of them in its open transaction is lost. */
void drop_tasks(struct runtime *rt, const struct drop *drop);
/* Removes the tasks of a query and its progress. */
int drop_query(struct runtime *rt, struct query *query, struct error *err);

/* --- groups.c --- */

struct mirror {
    struct runtime *rt;
    bool owes;          /* not all that was collected was written */
    struct queue pause; /* closed at the end */
    pthread_t thread;
    bool has_thread;
};

void mirror_init(struct mirror *mirror, struct runtime *rt);
void mirror_fini(struct mirror *mirror);
/* Tells the groups of queries what has changed; not under a lock, the log may take its time. */
void mirror_step(struct mirror *mirror);
int mirror_start_thread(struct mirror *mirror);
void mirror_stop_thread(struct mirror *mirror);
/* The query is gone, and its group with it. */
void group_forget(struct runtime *rt, const struct physical_plan *plan);
/* Where another engine left off for a task that has never committed; -1: nowhere in the range. */
int group_position_left(const struct task_input *input, const struct log_range *range, int64_t *out,
                        struct error *err);

/* --- membership.c --- */

void membership_seat(struct runtime *rt); /* fills seats and seat_slots */
int membership_join(struct runtime *rt, struct error *err);
void membership_leave(struct runtime *rt);
void membership_poll(struct runtime *rt);

/* --- growth.c --- */

void growth_look(struct runtime *rt);         /* partitions that were added to sources */
bool membership_owns_all(struct runtime *rt); /* no other node has a slot; any thread */

#endif
