/*
 * statistics.c: what DESCRIBE ... EXTENDED tells of a source beside its columns: what the queries
 * on this node have read of it and written to it, and where those that write it stand.
 *
 * Everything is counted by tasks, or asked of the log. There are no rates: nobody samples.
 */
#include <stdlib.h>

#include "engine/command/command_internal.h"
#include "engine/type/java_date.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* None, where the query does not run. */
static uint32_t list_tasks(const struct command *command, struct bytes query_id,
                           struct task_status **tasks)
{
    uint32_t count = 0;

    return runtime_list_tasks(command->engine->runtime, query_id, command->arena, tasks, &count,
                              NULL)
               ? 0
               : count;
}

/* --- metrics --- */

struct source_counts {
    uint64_t read;
    uint64_t failed;
    uint64_t written;
    int64_t read_ms;
    int64_t written_ms;
};

static void count_reader(const struct command *command, const struct result_source *about,
                         struct bytes query_id, struct source_counts *counts)
{
    struct task_status *tasks = NULL;
    uint32_t count = list_tasks(command, query_id, &tasks);

    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t p = 0; p < tasks[i].position_count; p++) {
            const struct task_position *position = &tasks[i].positions[p];

            if (bytes_equal(position->topic->name, about->source->topic)) {
                counts->read += position->rows_in;
                counts->failed += position->rows_skipped;
                counts->read_ms = later(counts->read_ms, tasks[i].active_ms);
            }
        }
    }
}

static void count_writer(const struct command *command, struct bytes query_id,
                         struct source_counts *counts)
{
    struct query_status status = { 0 };
    struct task_status *tasks = NULL;
    uint32_t count = list_tasks(command, query_id, &tasks);

    (void)runtime_query_status(command->engine->runtime, query_id, &status, NULL); /* zeros then */
    counts->written += status.rows_out;
    for (uint32_t i = 0; i < count; i++) {
        counts->written_ms = later(counts->written_ms, tasks[i].active_ms);
    }
}

static void find_metrics(const struct command *command, struct result_source *about)
{
    enum { MOST = 3 };
    struct result_metric *metrics = arena_array(command->arena, struct result_metric, MOST);
    struct bytes host = bytes_of(engine_host(command->engine));
    struct source_counts c = { 0 };
    uint32_t count = 0;

    for (uint32_t i = 0; i < about->reader_count; i++) {
        count_reader(command, about, about->readers[i].id, &c);
    }
    for (uint32_t i = 0; i < about->writer_count; i++) {
        count_writer(command, about->writers[i].id, &c);
    }
    if (about->reader_count > 0) {
        metrics[count++] = (struct result_metric){ host, BYTES("consumer-total-messages"), c.read,
                                                   c.read_ms, false };
        metrics[count++] = (struct result_metric){ host, BYTES("consumer-failed-messages"),
                                                   c.failed, c.failed ? c.read_ms : 0, true };
    }
    if (about->writer_count > 0) {
        metrics[count++] = (struct result_metric){ host, BYTES("total-messages"), c.written,
                                                   c.written ? c.written_ms : 0, false };
    }
    about->metrics = metrics;
    about->metric_count = count;
}

/* --- positions --- */

typedef VEC(struct result_offset) offset_list;

/* What is read by several of its tasks stands where the last of them does. */
static void add_offset(struct arena *arena, const struct task_position *position, offset_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct result_offset *had = &list->items[i];

        if (had->partition == position->partition &&
            bytes_equal(had->topic, position->topic->name)) {
            had->consumed =
                had->consumed < position->committed ? had->consumed : position->committed;
            return;
        }
    }
    *vec_push(arena, list) = (struct result_offset){ .topic = position->topic->name,
                                                     .partition = position->partition,
                                                     .begin = position->begin,
                                                     .end = position->end,
                                                     .consumed = position->committed };
}

/* --- and of other nodes: as of a moment ago, from the group that they tell (groups.c) --- */

static bool has_offset(const offset_list *list, const struct log_topic *topic, uint32_t partition)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].partition == partition &&
            bytes_equal(list->items[i].topic, topic->name)) {
            return true;
        }
    }
    return false;
}

typedef VEC(struct group_position) position_list;

/* Partitions of what the query reads that have no task here. */
static void find_missing(const struct command *command, const struct physical_plan *plan,
                         const offset_list *offsets, position_list *out)
{
    struct log *log = command->engine->config.log;

    for (uint32_t s = 0; s < plan->sub_count; s++) {
        for (uint32_t i = 0; i < plan->subs[s].input_count; i++) {
            const struct log_topic *topic = NULL;

            if (log_open_topic(log, plan->subs[s].inputs[i].topic, &topic, NULL)) {
                continue; /* it has gone */
            }
            for (uint32_t p = 0; p < topic->partition_count; p++) {
                if (!has_offset(offsets, topic, p)) {
                    *vec_push(command->arena, out) =
                        (struct group_position){ .topic = topic, .partition = p, .offset = -1 };
                }
            }
        }
    }
}

static void add_others(const struct command *command, const struct physical_plan *plan,
                       offset_list *offsets)
{
    struct log *log = command->engine->config.log;
    position_list missing = { 0 };

    find_missing(command, plan, offsets, &missing);
    if (missing.count == 0 || log_group_positions(log, plan->application_id, missing.items,
                                                  missing.count, command->arena, NULL)) {
        return;
    }
    for (uint32_t i = 0; i < missing.count; i++) {
        const struct group_position *position = &missing.items[i];
        struct task_position other = { .topic = position->topic,
                                       .partition = position->partition,
                                       .begin = -1,
                                       .end = -1,
                                       .committed = position->offset };
        struct log_range range;

        if (!log_topic_range(log, position->topic, position->partition, READ_COMMITTED, &range,
                             NULL)) {
            other.begin = range.begin;
            other.end = range.end;
        }
        add_offset(command->arena, &other, offsets);
    }
}

static int by_place(const void *left, const void *right)
{
    const struct result_offset *a = left, *b = right;
    int order = bytes_compare(a->topic, b->topic);

    return order ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

static struct result_group find_group(const struct command *command, struct bytes query_id)
{
    const struct query_entry *query = catalog_find_query(command->catalog, query_id);
    struct task_status *tasks = NULL;
    uint32_t count = list_tasks(command, query_id, &tasks);
    offset_list offsets = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t p = 0; p < tasks[i].position_count; p++) {
            add_offset(command->arena, &tasks[i].positions[p], &offsets);
        }
    }
    if (command->engine->config.is_shared) {
        add_others(command, query->plan, &offsets);
    }
    if (offsets.count > 0) {
        qsort(offsets.items, offsets.count, sizeof *offsets.items, by_place);
    }
    return (struct result_group){ query->plan->application_id, offsets.items, offsets.count };
}

void statistics_find(const struct command *command, struct result_source *about)
{
    struct result_group *groups =
        arena_array(command->arena, struct result_group, about->writer_count);

    find_metrics(command, about);
    for (uint32_t i = 0; i < about->writer_count; i++) {
        groups[i] = find_group(command, about->writers[i].id);
    }
    about->groups = groups;
    about->group_count = about->writer_count;
}

/* --- as they are shown --- */

void result_metrics_print(const struct result_metric *metrics, uint32_t count, struct buffer *out)
{
    if (count > 0) {
        buffer_append_text(out, "\nRuntime statistics\n------------------\n");
        buffer_printf(out, " %-22s | %-26s | %-12s | Last Message\n", "Host", "Metric", "Value");
    }
    for (uint32_t i = 0; i < count; i++) {
        char date[JAVA_DATE_MAX];
        size_t len = java_timestamp_print(metrics[i].timestamp_ms, date);

        buffer_printf(out, " %-22.*s | %-26.*s | %-12llu | %.*s\n", BYTES_ARG(metrics[i].host),
                      BYTES_ARG(metrics[i].name), (unsigned long long)metrics[i].value,
                      metrics[i].timestamp_ms ? (int)len : 0, date);
    }
}

static int64_t lag_of(const struct result_offset *offset)
{
    int64_t from = offset->consumed > offset->begin ? offset->consumed : offset->begin;

    return offset->end > from ? offset->end - from : 0;
}

/* Those of one topic; how many. */
static uint32_t print_topic(const struct result_offset *offsets, uint32_t count, struct buffer *out)
{
    int64_t most = 0;
    uint32_t end = 0;

    while (end < count && bytes_equal(offsets[end].topic, offsets[0].topic)) {
        most = later(most, lag_of(&offsets[end++]));
    }
    buffer_printf(out, "\n%-20s : %.*s\n%-20s : %lld\n\n", "Kafka topic",
                  BYTES_ARG(offsets[0].topic), "Max lag", (long long)most);
    buffer_printf(out, " %-9s | %-12s | %-12s | %-12s | Lag\n", "Partition", "Start Offset",
                  "End Offset", "Offset");
    for (uint32_t i = 0; i < end; i++) {
        buffer_printf(out, " %-9u | %-12lld | %-12lld | %-12lld | %lld\n", offsets[i].partition,
                      (long long)offsets[i].begin, (long long)offsets[i].end,
                      (long long)offsets[i].consumed, (long long)lag_of(&offsets[i]));
    }
    return end;
}

void result_groups_print(const struct result_group *groups, uint32_t count, struct buffer *out)
{
    if (count > 0) {
        buffer_append_text(out, "\nConsumer Groups summary:\n");
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct result_group *group = &groups[i];

        buffer_printf(out, "\n%-20s : %.*s\n", "Consumer Group", BYTES_ARG(group->id));
        for (uint32_t at = 0; at < group->offset_count;) {
            at += print_topic(&group->offsets[at], group->offset_count - at, out);
        }
    }
}
