/*
 * job.c: from an exchange on the loop to a job on a thread.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "cli/http/ksql/api_internal.h"

static void end_job(struct ksql_job *job)
{
    arena_fini(&job->arena);
    free(job);
}

static void submit(struct ksql_job *job, struct lane *lane)
{
    const struct api_error refusal =
        error_entity_make(503, 50300, bytes_of("Too many requests wait already"));

    if (!lane_submit(lane, &job->lane)) {
        error_entity_reply(job->reply, &refusal);
        end_job(job);
    }
}

static void run_job(struct lane_job *lane_job)
{
    struct ksql_job *job = (struct ksql_job *)lane_job;

    job->next = NULL;
    job->run(job);
    if (job->next) {
        submit(job, job->next);
    } else {
        end_job(job);
    }
}

static bool is_refused(struct exchange *exchange, struct ksql_api *api, const struct job_spec *spec,
                       struct api_error *out)
{
    if (!api_check_state(api, out)) {
        return true;
    }
    if (spec->streams && !exchange->can_stream) {
        *out =
            error_entity_make(400, 40000, bytes_of("This needs HTTP/1.1: the answer is a stream"));
        return true;
    }
    return false;
}

void job_submit(struct exchange *exchange, struct ksql_api *api, const struct job_spec *spec,
                struct bytes body)
{
    enum media media = spec->usual;
    struct api_error refusal;
    struct ksql_job *job;

    if (spec->offered) {
        media = media_choose(exchange_find_header(exchange, "accept"), spec->offered,
                             spec->offered_count, spec->usual);
    }
    if (media == MEDIA_NONE) {
        exchange_respond(exchange, 404, "text/plain", bytes_of("Not Found"));
        return;
    }
    if (is_refused(exchange, api, spec, &refusal)) {
        error_entity_respond(exchange, &refusal);
        return;
    }
    job = memory_zalloc(1, sizeof *job);
    job->lane.run = run_job;
    job->api = api;
    job->media = media;
    job->is_stream = spec->is_query_stream;
    job->run = spec->run;
    arena_init(&job->arena, 0);
    job->body = arena_copy(&job->arena, body);
    job->accept = arena_copy(&job->arena, exchange_find_header(exchange, "accept"));
    job->reply = reply_create(exchange, api->letterbox);
    if (spec->receives) {
        reply_receive(job->reply);
    }
    submit(job, spec->lane);
}
