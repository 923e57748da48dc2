/*
 * topic_config.c: a row per setting of a topic: its name and what it may hold.
 */
#include "engine/log/topic_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum config_type { CONFIG_INTEGER, CONFIG_RATIO, CONFIG_BOOLEAN, CONFIG_WORDS };

struct config_rule {
    const char *name;
    enum config_type type;
    int64_t least;     /* of an integer */
    const char *words; /* allowed, each between spaces; NULL: any text */
};

static const struct config_rule rules[] = {
    { "cleanup.policy", CONFIG_WORDS, 0, " compact delete " },
    { "compression.gzip.level", CONFIG_INTEGER, -1, NULL },
    { "compression.lz4.level", CONFIG_INTEGER, 1, NULL },
    { "compression.type", CONFIG_WORDS, 0, " uncompressed zstd lz4 snappy gzip producer " },
    { "compression.zstd.level", CONFIG_INTEGER, -131072, NULL },
    { "delete.retention.ms", CONFIG_INTEGER, 0, NULL },
    { "file.delete.delay.ms", CONFIG_INTEGER, 0, NULL },
    { "flush.messages", CONFIG_INTEGER, 1, NULL },
    { "flush.ms", CONFIG_INTEGER, 0, NULL },
    { "follower.replication.throttled.replicas", CONFIG_WORDS, 0, NULL },
    { "index.interval.bytes", CONFIG_INTEGER, 0, NULL },
    { "leader.replication.throttled.replicas", CONFIG_WORDS, 0, NULL },
    { "local.retention.bytes", CONFIG_INTEGER, -2, NULL },
    { "local.retention.ms", CONFIG_INTEGER, -2, NULL },
    { "max.compaction.lag.ms", CONFIG_INTEGER, 1, NULL },
    { "max.message.bytes", CONFIG_INTEGER, 0, NULL },
    { "message.timestamp.after.max.ms", CONFIG_INTEGER, 0, NULL },
    { "message.timestamp.before.max.ms", CONFIG_INTEGER, 0, NULL },
    { "message.timestamp.type", CONFIG_WORDS, 0, " CreateTime LogAppendTime " },
    { "min.cleanable.dirty.ratio", CONFIG_RATIO, 0, NULL },
    { "min.compaction.lag.ms", CONFIG_INTEGER, 0, NULL },
    { "min.insync.replicas", CONFIG_INTEGER, 1, NULL },
    { "preallocate", CONFIG_BOOLEAN, 0, NULL },
    { "remote.storage.enable", CONFIG_BOOLEAN, 0, NULL },
    { "retention.bytes", CONFIG_INTEGER, -1, NULL },
    { "retention.ms", CONFIG_INTEGER, -1, NULL },
    { "segment.bytes", CONFIG_INTEGER, 14, NULL },
    { "segment.index.bytes", CONFIG_INTEGER, 4, NULL },
    { "segment.jitter.ms", CONFIG_INTEGER, 0, NULL },
    { "segment.ms", CONFIG_INTEGER, 1, NULL },
    { "unclean.leader.election.enable", CONFIG_BOOLEAN, 0, NULL },
};

enum { NUMBER_TEXT_MAX = 32 };

static bool parse_integer(struct bytes text, int64_t *out)
{
    char copy[NUMBER_TEXT_MAX];
    char *end;

    if (!text.len || text.len >= sizeof copy || strchr(" \t+", text.data[0])) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    errno = 0;
    *out = strtoll(copy, &end, 10);
    return end == copy + text.len && errno == 0;
}

static bool is_ratio(struct bytes text)
{
    char copy[NUMBER_TEXT_MAX];
    char *end;
    double value;

    if (!text.len || text.len >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    value = strtod(copy, &end);
    return end == copy + text.len && value >= 0 && value <= 1;
}

/* Is the word, with a space on either side, in the list? */
static bool is_listed(const char *words, struct bytes word)
{
    for (const char *at = words; word.len && (at = strchr(at, ' ')) && at[1]; at++) {
        size_t len = strcspn(at + 1, " ");

        if (len == word.len && memcmp(at + 1, word.data, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes the text up to the next comma off the list, without the spaces around it. */
static struct bytes next_word(struct bytes *list)
{
    const char *comma = memchr(list->data, ',', list->len);
    struct bytes word = { list->data, comma ? (size_t)(comma - list->data) : list->len };

    *list = comma ? (struct bytes){ comma + 1, list->len - word.len - 1 } : (struct bytes){ 0 };
    while (word.len && word.data[0] == ' ') {
        word = (struct bytes){ word.data + 1, word.len - 1 };
    }
    while (word.len && word.data[word.len - 1] == ' ') {
        word.len--;
    }
    return word;
}

static bool are_words(const char *words, struct bytes list)
{
    bool legal = list.len > 0 || !words;

    while (legal && words && list.data) {
        legal = is_listed(words, next_word(&list));
    }
    return legal;
}

static bool fits(const struct config_rule *rule, struct bytes value)
{
    int64_t number;

    switch (rule->type) {
    case CONFIG_INTEGER:
        return parse_integer(value, &number) && number >= rule->least;
    case CONFIG_RATIO:
        return is_ratio(value);
    case CONFIG_BOOLEAN:
        return bytes_equal_text_nocase(value, "true") || bytes_equal_text_nocase(value, "false");
    case CONFIG_WORDS:
        return are_words(rule->words, value);
    }
    return false;
}

int topic_config_check(const struct topic_config *config, struct error *err)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!bytes_equal_text(config->name, rules[i].name)) {
            continue;
        }
        if (config->value.data && fits(&rules[i], config->value)) {
            return 0;
        }
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "'%.*s' is no value of the topic setting %s", BYTES_ARG(config->value),
                         rules[i].name);
    }
    return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION, "there is no topic setting '%.*s'",
                     BYTES_ARG(config->name));
}

static struct bytes find(const struct topic_config *configs, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal_text(configs[i].name, name)) {
            return configs[i].value;
        }
    }
    return (struct bytes){ 0 };
}

int64_t topic_config_integer(const struct topic_config *configs, uint32_t count, const char *name,
                             int64_t fallback)
{
    struct bytes value = find(configs, count, name);
    int64_t number;

    return parse_integer(value, &number) ? number : fallback;
}

bool topic_config_has_policy(const struct topic_config *configs, uint32_t count, const char *policy)
{
    struct bytes value = find(configs, count, "cleanup.policy");

    if (!value.data) {
        return strcmp(policy, "delete") == 0;
    }
    while (value.data) {
        if (bytes_equal_text(next_word(&value), policy)) {
            return true;
        }
    }
    return false;
}
