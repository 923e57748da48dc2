/*
 * log_kafka_internal.h: what the files of the Kafka log share.
 */
#ifndef SLUICE_ENGINE_LOG_LOG_KAFKA_INTERNAL_H
#define SLUICE_ENGINE_LOG_LOG_KAFKA_INTERNAL_H

#include <pthread.h>

#include <librdkafka/rdkafka.h>

#include "base/map.h"
#include "engine/log/log_kind.h"

enum {
    KAFKA_CALL_MS = 15000,
    KAFKA_RETRY_MS = 5,
    KAFKA_ERROR_BYTES = 512,
    KAFKA_ANSWER_FRESH_MS = 1000
};

/* A topic as it was found. Of one name only the newest is not gone. */
struct kafka_topic {
    struct log_topic pub; /* first */
    _Atomic bool gone;    /* deleted, or another one has its name */
    bool has_grown;       /* handles may know of fewer partitions for a while */
    const char *name;     /* as librdkafka wants it */
    struct kafka_topic *next;
};

enum { KAFKA_FENCE_LOOK_MS = 10 };

struct kafka_log {
    struct log pub; /* first */
    const struct clock *clock;
    struct arena arena; /* config; with the mutex: topics */
    const char *client_id;
    bool is_plain;                         /* a connection needs no more than a socket */
    const struct topic_config *properties; /* NUL-terminated */
    uint32_t property_count;
    _Atomic int64_t answered_ms; /* when the range of a topic was last told; monotonic */
    _Atomic int fence_look_ms;   /* how long a writer waits before it asks for its id again */
    rd_kafka_t *control;         /* asks and changes; sees up to the last stable offset */
    pthread_mutex_t mutex;       /* the fields below */
    rd_kafka_t *uncommitted;     /* as control, but sees up to the end; NULL until it is needed */
    struct kafka_group_handle *groups; /* for requests about groups; NULL until the next one */
    struct map topics;                 /* name -> the newest struct kafka_topic */
    uint64_t count_from;               /* a topic's first incarnation; of this process alone */
    struct kafka_topic *all;           /* every one ever handed out */
};

struct kafka_log *kafka_log_of(struct log *log);
struct kafka_topic *kafka_topic_of(const struct log_topic *topic);
int64_t kafka_now_ms(const struct kafka_log *log); /* monotonic */
void kafka_wait_retry(void);                       /* between two tries */

/* --- handles --- */

enum kafka_role {
    KAFKA_CONTROL = 1,
    KAFKA_READER = 2,
    KAFKA_WRITER = 4,
    KAFKA_MEMBER = 8,
    KAFKA_ANY = 15
};

/* The role's defaults under the properties of the user. */
int kafka_conf(struct kafka_log *log, enum kafka_role role, rd_kafka_conf_t **out,
               struct error *err);
/* An absent value leaves the setting alone. A conf with a wrong setting is destroyed. */
int kafka_conf_set(rd_kafka_conf_t *conf, const char *name, struct bytes value, struct error *err);
int kafka_conf_set_number(rd_kafka_conf_t *conf, const char *name, int64_t value,
                          struct error *err);
/* Neither TLS nor SASL, and no replica that is nearer than the leader: log_kafka_fetch.c can read.
 */
bool kafka_conf_is_plain(const rd_kafka_conf_t *conf);
/* Takes the conf, also when it fails. */
int kafka_open(rd_kafka_conf_t *conf, enum kafka_role role, rd_kafka_t **out, struct error *err);

/* What librdkafka has to say, for the operator. */
void kafka_note_log(const rd_kafka_t *rk, int level, const char *facility, const char *message);

/* --- errors --- */

enum error_code kafka_error_code(rd_kafka_resp_err_t code);
/*
 * "<what> 'name': <librdkafka's words>" with the code that the condition has here; where a right is
 * missing, to which operation.
 */
int kafka_fail(struct error *err, rd_kafka_resp_err_t code, const char *detail, const char *what,
               struct bytes name);
bool kafka_is_unknown_topic(rd_kafka_resp_err_t code);

/* --- requests to the cluster --- */

struct kafka_group_handle;

struct kafka_request {
    struct kafka_log *log;
    rd_kafka_t *rk;                    /* to send it with */
    struct kafka_group_handle *handle; /* that one's; NULL: control */
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_event_t *answer; /* NULL: there was none in time */
    rd_kafka_resp_err_t failed;
};

void kafka_request_init(struct kafka_log *log, struct kafka_request *request,
                        rd_kafka_admin_op_t op);
/* One that goes to a group's coordinator. */
int kafka_group_request_init(struct kafka_log *log, struct kafka_request *request,
                             rd_kafka_admin_op_t op, const char *group, struct error *err);
/* Behind the call that sent it: the answer is there, or an error that concerns all of it. */
int kafka_request_wait(struct kafka_request *request, const char *what, struct bytes name,
                       struct error *err);
void kafka_request_fini(struct kafka_request *request);
void kafka_close_group_handle(struct kafka_group_handle *handle); /* may be NULL */

/* Positions as librdkafka wants them. */
rd_kafka_topic_partition_list_t *kafka_position_list(const struct group_position *positions,
                                                     uint32_t count);

/* --- the parts of the kind --- */

int kafka_create_topic(struct log *log, const struct topic_spec *spec, struct error *err);
int kafka_delete_topic(struct log *log, struct bytes name, struct error *err);
int kafka_open_topic(struct log *log, struct bytes name, const struct log_topic **out,
                     struct error *err);
int kafka_list_topics(struct log *log, struct arena *arena, const struct log_topic ***out,
                      uint32_t *count, struct error *err);
int kafka_topic_configs(struct log *log, const struct log_topic *topic, struct arena *arena,
                        const struct topic_config **out, uint32_t *count, struct error *err);
int kafka_topic_range(struct log *log, const struct log_topic *topic, uint32_t partition,
                      enum log_isolation isolation, struct log_range *out, struct error *err);
int kafka_delete_records(struct log *log, const struct log_topic *topic, uint32_t partition,
                         int64_t before, struct error *err);
/*
 * The topic's metadata, one row of it, for the caller to destroy; NULL: there are none to be had in
 * the time, or no such topic. What they tell of it is noted.
 */
const struct rd_kafka_metadata *kafka_topic_look(struct kafka_log *log, struct bytes name,
                                                 int wait_ms, struct error *err);
int kafka_topic_gone(const struct log_topic *topic, struct error *err); /* sets ERR_TOPIC_GONE */

int kafka_reader_open(struct log *log, const struct reader_spec *spec, struct log_reader **out,
                      struct error *err);
void kafka_reader_close(struct log_reader *reader);
int kafka_reader_assign(struct log_reader *reader, const struct log_topic *topic,
                        uint32_t partition, int64_t from, struct error *err);
void kafka_reader_unassign(struct log_reader *reader, const struct log_topic *topic,
                           uint32_t partition);
void kafka_reader_pause(struct log_reader *reader, const struct log_topic *topic,
                        uint32_t partition);
void kafka_reader_resume(struct log_reader *reader, const struct log_topic *topic,
                         uint32_t partition);
int kafka_reader_poll(struct log_reader *reader, int64_t wait_ms, struct log_block **out,
                      struct log_place *failed, struct error *err);
void kafka_reader_wake(struct log_reader *reader);
bool kafka_reader_at_end(struct log_reader *reader);
int64_t kafka_reader_position(struct log_reader *reader, const struct log_topic *topic,
                              uint32_t partition);

int kafka_writer_open(struct log *log, const struct writer_spec *spec, struct log_writer **out,
                      struct error *err);
void kafka_writer_close(struct log_writer *writer);
int kafka_writer_begin(struct log_writer *writer, struct error *err);
int kafka_writer_append(struct log_writer *writer, const struct log_topic *topic,
                        uint32_t partition, struct log_builder *records, void *owner,
                        struct error *err);
int kafka_writer_flush(struct log_writer *writer, struct error *err);
int kafka_writer_send_positions(struct log_writer *writer, const struct group_membership *member,
                                const struct group_position *positions, uint32_t count,
                                struct error *err);
int kafka_writer_commit(struct log_writer *writer, struct error *err);
int kafka_writer_abort(struct log_writer *writer, struct error *err);

int kafka_member_join(struct log *log, const struct member_spec *spec, struct log_member **out,
                      struct error *err);
int kafka_member_poll(struct log_member *member, int64_t wait_ms, struct error *err);
void kafka_member_leave(struct log_member *member);
struct group_membership kafka_member_current(struct log_member *member);

int kafka_group_owners(struct log *log, struct bytes group, struct arena *arena,
                       struct group_owner **out, uint32_t *count, struct error *err);
/* Whether a member of this instance id is in the group that is not the one of this member id. */
int kafka_group_has_other(struct log *log, struct bytes group, struct bytes instance_id,
                          struct bytes member_id, bool *out, struct error *err);
/* Whether its members have settled, and then how many partitions of the topic somebody has. */
int kafka_group_count_owned(struct log *log, struct bytes group, const char *topic, bool *settled,
                            uint32_t *owned, struct error *err);
int kafka_group_await(struct log *log, struct bytes group, struct error *err); /* is reachable */
int kafka_group_positions(struct log *log, struct bytes group, struct group_position *positions,
                          uint32_t count, struct arena *arena, struct error *err);
int kafka_group_alter(struct log *log, struct bytes group, const struct group_position *positions,
                      uint32_t count, struct error *err);
int kafka_group_delete(struct log *log, struct bytes group, struct error *err);

/* --- blocks --- */

struct place;

struct kafka_block {
    struct log_block pub; /* first */
    struct place *place;  /* while the reader has it */
    struct kafka_block *next;
};

/*
 * log_kafka_block.c: the messages are `count` of one partition, without errors. Has room for as
 * many like the first, within a bound, and at least for it.
 */
struct kafka_block *kafka_block_new(const struct log_topic *topic,
                                    rd_kafka_message_t *const *messages, uint32_t count);
/* Copies the first, or is false when there is no room for it. */
bool kafka_block_add(struct kafka_block *block, rd_kafka_message_t *const *messages,
                     uint32_t count);

/* --- log_kafka_orphan.c --- */

/* Positions that carry nothing carry who sends them. */
void kafka_put_marks(rd_kafka_topic_partition_list_t *list, const rd_kafka_t *rk,
                     const struct group_membership *member);
bool kafka_is_mark(struct bytes metadata);
/* Ends the transactions of senders, as the positions' marks name them, that are not in the group.
 */
void kafka_end_orphans(struct log *log, const rd_kafka_ConsumerGroupDescription_t *group,
                       const struct group_position *positions, uint32_t count);

#endif
