/*
 * task_group.c: the group connect-NAME on the log: how far a connector has come.
 *
 * Where the target keeps positions the group mirrors them for tools that show lag, a moment
 * later, and is never read. Where it does not, the group is what there is: positions are
 * told there behind every flush and read at the start, so a crash in between repeats rows.
 */
#include "base/trace.h"
#include "sinks/connector_internal.h"

enum { MIRROR_EVERY_US = 2000000 };

static struct bytes group_name(const struct task *task, struct arena *arena)
{
    return arena_printf(arena, "connect-%.*s", BYTES_ARG(task->connector->name));
}

static const struct log_topic *find_topic(const struct task *task, struct bytes name)
{
    for (uint32_t i = 0; i < task->inputs.count; i++) {
        if (bytes_equal(task->inputs.items[i]->topic->name, name)) {
            return task->inputs.items[i]->topic;
        }
    }
    return NULL;
}

/* Each position is of one of the task's inputs. */
static struct group_position *list_positions(const struct task *task, struct arena *arena)
{
    struct group_position *list = arena_array(arena, struct group_position, task->positions.count);

    for (uint32_t i = 0; i < task->positions.count; i++) {
        const struct position_at *at = &task->positions.items[i];

        list[i] = (struct group_position){ .topic = find_topic(task, at->topic),
                                           .partition = at->partition,
                                           .offset = at->offset };
    }
    return list;
}

int task_group_read(struct task *task, struct error *err)
{
    struct log *log = connector_log(task->connector);
    struct group_position *list;
    struct arena arena;
    int code;

    arena_init(&arena, 0);
    list = list_positions(task, &arena);
    code = log_group_positions(log, group_name(task, &arena), list, task->positions.count, &arena,
                               err);
    for (uint32_t i = 0; !code && i < task->positions.count; i++) {
        if (list[i].offset >= 0) {
            task->positions.items[i].offset = list[i].offset;
        }
    }
    arena_fini(&arena);
    return code;
}

static int tell(struct task *task, struct error *err)
{
    struct log *log = connector_log(task->connector);
    struct arena arena;
    int code;

    arena_init(&arena, 0);
    code = log_group_alter(log, group_name(task, &arena), list_positions(task, &arena),
                           task->positions.count, err);
    arena_fini(&arena);
    return code;
}

/* That a mirror cannot be kept holds up nobody. */
int task_group_tell(struct task *task, enum group_moment moment, struct error *err)
{
    int64_t now_us = clock_monotonic_us(connector_clock(task->connector));
    struct error ignored = { 0 };

    if (!task->is_untold || (task->sink.keeps_positions && moment == GROUP_MEANWHILE &&
                             now_us - task->told_us < MIRROR_EVERY_US)) {
        return 0;
    }
    if (!task->sink.keeps_positions) {
        TRY(tell(task, err));
    } else if (tell(task, &ignored)) {
        TRACE(TRACE_DEBUG, "connector", "%.*s: group: %s", BYTES_ARG(task->connector->name),
              ignored.message);
    }
    task->is_untold = false;
    task->told_us = now_us;
    return 0;
}
