/*
 * show_topics.c: SHOW TOPICS, and who of this service reads them.
 *
 * A query is a consumer group, as ksqlDB has it, and so is a connector; a consumer is who has
 * something of the topic to itself: a query's task on a partition, a connector's task.
 */
#include "engine/command/command_internal.h"

struct topic_use {
    int64_t consumers;
    int64_t groups;
};

static bool reads(const struct physical_plan *plan, struct bytes topic)
{
    for (uint32_t s = 0; s < plan->sub_count; s++) {
        for (uint32_t i = 0; i < plan->subs[s].input_count; i++) {
            if (bytes_equal(plan->subs[s].inputs[i].topic, topic)) {
                return true;
            }
        }
    }
    return false;
}

static void count_queries(const struct command *command, const struct log_topic *topic,
                          struct topic_use *use)
{
    MAP_FOREACH (entry, &command->engine->queries) {
        const struct running_query *query = entry->value;
        struct query_status status;

        if (reads(query->plan, topic->name) &&
            !runtime_query_status(command->engine->runtime, query->plan->query_id, &status, NULL) &&
            status.state != QUERY_ERROR) {
            use->consumers += topic->partition_count;
            use->groups++;
        }
    }
}

static void count_connectors(const struct command *command, const struct log_topic *topic,
                             struct topic_use *use)
{
    const struct connector_host *host = command->engine->config.connectors;
    const struct connector_entry *const *all = NULL;
    uint32_t count = catalog_list_connectors(command->catalog, command->arena, &all);

    for (uint32_t i = 0; host && i < count; i++) {
        struct connector_status status = { 0 };
        bool reads_it = false;

        if (host->status(host->context, all[i]->name, command->arena, &status, NULL)) {
            continue; /* it has gone meanwhile */
        }
        for (uint32_t t = 0; t < status.topic_count; t++) {
            reads_it |= bytes_equal(status.topics[t], topic->name);
        }
        if (reads_it && all[i]->is_sink) {
            use->consumers += status.task_count;
            use->groups++;
        }
    }
}

static void answer_topic(const struct command *command, const struct log_topic *topic,
                         struct answer_table *answer)
{
    struct topic_use use = { 0 };

    answer_cell(answer, topic->name);
    answer_cell_number(answer, topic->partition_count);
    answer_cell_number(answer, topic->replica_count);
    if (command->statement->show.extended) {
        count_queries(command, topic, &use);
        count_connectors(command, topic, &use);
        answer_cell_number(answer, use.consumers);
        answer_cell_number(answer, use.groups);
    }
}

int show_topics(struct command *command, struct error *err)
{
    static const char *const columns[] = { "Kafka Topic", "Partitions", "Partition Replicas",
                                           NULL };
    static const char *const extended_columns[] = { "Kafka Topic",        "Partitions",
                                                    "Partition Replicas", "Consumers",
                                                    "ConsumerGroups",     NULL };
    static const char *const fields[] = { "name", "partitions", "replicas", "consumerCount",
                                          "consumerGroupCount" };
    bool extended = command->statement->show.extended;
    const struct log_topic **topics = NULL;
    struct answer_table answer;
    uint32_t count = 0;

    TRY(log_list_topics(command->engine->config.log, command->arena, &topics, &count, err));
    answer_begin(&answer, command->arena, extended ? "kafka_topics_extended" : "kafka_topics",
                 extended ? extended_columns : columns);
    answer.table.fields = fields;
    for (uint32_t i = 0; i < count; i++) {
        if (command->statement->show.all ||
            !topic_is_listed(command->properties, "ksql.hidden.topics", topics[i]->name)) {
            answer_topic(command, topics[i], &answer);
        }
    }
    answer_end(&answer, command);
    return 0;
}
