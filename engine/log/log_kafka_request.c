/*
 * log_kafka_request.c: requests to the cluster, and the handle for those that concern groups.
 *
 * librdkafka 2.0 ends the process when a request that waits for a group's coordinator runs into
 * its time limit and the coordinator is found later on (rd_kafka_enq_once_del_source_return), as
 * it is when a broker was away for a while. So the limit that librdkafka knows is one that is
 * never reached. Who has waited long enough walks away from the request, and its handle takes no
 * more of them; when the others who wait there are done, it is destroyed, which takes
 * the request back:
 *
 *   handle 1:  ask ... answer     ask ............ abandoned, destroyed
 *   handle 2:                                      ask ... answer
 *
 * It also ends the process when positions are asked of a broker that is not the coordinator any
 * more, or still loading, on a handle without a group of its own (rd_kafka_handle_OffsetFetch).
 * So the handle has one: the first that was asked for. It never joins it.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "engine/log/log_kafka_internal.h"

enum { GROUP_LIMIT_MS = 10 * 60 * 1000 }; /* longer than anybody who shares the handle waits */

struct kafka_group_handle {
    rd_kafka_t *rk;
    uint32_t users;
    bool abandoned; /* a request is still out: nobody new may come */
};

/* --- the handle for groups --- */

static int open_group_handle(struct kafka_log *log, struct bytes group,
                             struct kafka_group_handle **out, struct error *err)
{
    struct kafka_group_handle *handle;
    rd_kafka_conf_t *conf = NULL;
    rd_kafka_t *rk = NULL;

    TRY(kafka_conf(log, KAFKA_CONTROL, &conf, err));
    TRY(kafka_conf_set(conf, "group.id", group, err));
    TRY(kafka_open(conf, KAFKA_CONTROL, &rk, err));
    handle = memory_zalloc(1, sizeof *handle);
    handle->rk = rk;
    *out = handle;
    return 0;
}

void kafka_close_group_handle(struct kafka_group_handle *handle)
{
    if (handle) {
        rd_kafka_destroy_flags(handle->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        free(handle);
    }
}

static int enter(struct kafka_log *log, struct bytes group, struct kafka_group_handle **out,
                 struct error *err)
{
    int code = 0;

    (void)pthread_mutex_lock(&log->mutex);
    if (!log->groups) {
        code = open_group_handle(log, group, &log->groups, err);
    }
    if (!code) {
        log->groups->users++;
        *out = log->groups;
    }
    (void)pthread_mutex_unlock(&log->mutex);
    return code;
}

static void leave(struct kafka_log *log, struct kafka_group_handle *handle, bool abandons)
{
    bool last;

    (void)pthread_mutex_lock(&log->mutex);
    if (abandons) {
        handle->abandoned = true;
        log->groups = log->groups == handle ? NULL : log->groups;
    }
    last = --handle->users == 0 && handle->abandoned;
    (void)pthread_mutex_unlock(&log->mutex);
    if (last) {
        kafka_close_group_handle(handle);
    }
}

/* --- requests --- */

static void init_request(struct kafka_request *request, rd_kafka_admin_op_t op, int limit_ms)
{
    char why[KAFKA_ERROR_BYTES];

    request->queue = rd_kafka_queue_new(request->rk);
    request->options = rd_kafka_AdminOptions_new(request->rk, op);
    request->answer = NULL;
    request->failed = RD_KAFKA_RESP_ERR_NO_ERROR;
    /* Fails only for a time out of bounds. */
    (void)rd_kafka_AdminOptions_set_request_timeout(request->options, limit_ms, why, sizeof why);
}

void kafka_request_init(struct kafka_log *log, struct kafka_request *request,
                        rd_kafka_admin_op_t op)
{
    *request = (struct kafka_request){ .log = log, .rk = log->control };
    init_request(request, op, KAFKA_CALL_MS);
}

int kafka_group_request_init(struct kafka_log *log, struct kafka_request *request,
                             rd_kafka_admin_op_t op, const char *group, struct error *err)
{
    *request = (struct kafka_request){ .log = log };
    TRY(enter(log, bytes_of(group), &request->handle, err));
    request->rk = request->handle->rk;
    init_request(request, op, GROUP_LIMIT_MS);
    return 0;
}

int kafka_request_wait(struct kafka_request *request, const char *what, struct bytes name,
                       struct error *err)
{
    const char *detail = NULL;

    if (request->handle) {
        request->answer = rd_kafka_queue_poll(request->queue, KAFKA_CALL_MS);
        (void)rd_kafka_poll(request->rk, 0); /* what it has to tell beside */
    } else {
        request->answer = rd_kafka_queue_poll(request->queue, -1); /* it has a time limit */
    }
    request->failed =
        request->answer ? rd_kafka_event_error(request->answer) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (!request->failed) {
        return 0;
    }
    if (request->answer) {
        detail = rd_kafka_event_error_string(request->answer);
    }
    return kafka_fail(err, request->failed, detail, what, name);
}

void kafka_request_fini(struct kafka_request *request)
{
    if (request->answer) {
        rd_kafka_event_destroy(request->answer);
    }
    rd_kafka_AdminOptions_destroy(request->options);
    rd_kafka_queue_destroy(request->queue);
    if (request->handle) {
        leave(request->log, request->handle, !request->answer);
    }
}
