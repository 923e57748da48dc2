/*
 * print.c: PRINT: the records of a topic as they come, in the format they seem to be in.
 *
 * A block at a time is taken from the log: first all of its records say which formats are left,
 * then they are printed, so that no line of a block is in a format that another one refutes.
 * The engine is left to others meanwhile. A stepped one ends it once the log has nothing more.
 */
#include "base/near.h"
#include "engine/command/command_internal.h"
#include "engine/command/print_guess.h"
#include "engine/type/java_date.h"

enum { WAIT_MS = 100, IDLE_MS = 1000 };

struct printing {
    struct command *command;
    const struct log_topic *topic;
    struct log_reader *reader;
    struct guess key, value;
    struct buffer line;
    int64_t interval;
    int64_t left; /* lines; -1: no limit */
    uint64_t seen;
    bool has_named; /* the formats */
    bool stopped;   /* the one who listens has had enough */
};

/* --- before it runs --- */

static int find_topic(struct command *command, const struct log_topic **out, struct error *err)
{
    const struct ast_name *name = &command->statement->print.topic;
    struct log *log = command->engine->config.log;
    struct near_search search = near_begin(name->text);
    const struct log_topic **topics = NULL;
    uint32_t count = 0;

    if (log_open_topic(log, name->text, out, NULL) == 0) {
        return 0;
    }
    TRY(log_list_topics(log, command->arena, &topics, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        near_offer(&search, topics[i]->name);
    }
    return error_set(err, ERR_UNKNOWN_TOPIC, name->at, "There is no topic %.*s%s",
                     BYTES_ARG(name->text), near_hint(command->arena, search.best));
}

int print_check(struct command *command, struct error *err)
{
    const struct ast_print_topic *print = &command->statement->print;

    if (print->interval.given && print->interval.value < 1) {
        return error_set(err, ERR_INVALID_LIMIT, print->interval.at, "INTERVAL is 1 or more");
    }
    if (print->limit.given && print->limit.value < 0) {
        return error_set(err, ERR_INVALID_LIMIT, print->limit.at, "LIMIT must not be negative");
    }
    return 0; /* the topic may come from a statement before */
}

/* --- lines --- */

static void tell(struct printing *p, enum printed_line kind)
{
    const struct result_sink *sink = p->command->sink;

    if (sink->printed && !sink->printed(sink->context, kind, buffer_bytes(&p->line))) {
        p->stopped = true;
    }
    p->line.len = 0;
}

static void tell_formats(struct printing *p)
{
    buffer_append_text(&p->line, "Key format: ");
    guess_print_formats(&p->key, &p->line);
    tell(p, PRINTED_FORMAT);
    buffer_append_text(&p->line, "Value format: ");
    guess_print_formats(&p->value, &p->line);
    tell(p, PRINTED_FORMAT);
    p->has_named = true;
}

/* 2022/03/18 15:53:22.989 Z */
static void print_time(int64_t timestamp_ms, struct buffer *out)
{
    char text[JAVA_DATE_MAX];
    size_t len = timestamp_ms < 0 ? 0 : java_timestamp_print(timestamp_ms, text);

    if (len == 0) {
        buffer_append_text(out, "N/A");
        return;
    }
    for (size_t i = 0; i < len; i++) {
        buffer_append_char(out, (char)(text[i] == '-' ? '/' : text[i] == 'T' ? ' ' : text[i]));
    }
    buffer_append_text(out, " Z");
}

static void tell_record(struct printing *p, const struct log_record *record, uint32_t partition)
{
    buffer_append_text(&p->line, "rowtime: ");
    print_time(record->timestamp_ms, &p->line);
    buffer_append_text(&p->line, ", key: ");
    guess_print(&p->key, record->key, &p->line);
    buffer_append_text(&p->line, ", value: ");
    guess_print(&p->value, record->value, &p->line);
    buffer_printf(&p->line, ", partition: %u", partition);
    tell(p, PRINTED_RECORD);
}

static void print_block(struct printing *p, const struct log_block *block)
{
    bool is_news = !p->has_named && block->record_count > 0;

    for (uint32_t i = 0; i < block->record_count; i++) {
        is_news |= guess_see(&p->key, block->records[i].key);
        is_news |= guess_see(&p->value, block->records[i].value);
    }
    if (is_news) {
        tell_formats(p);
    }
    for (uint32_t i = 0; i < block->record_count && !p->stopped && p->left != 0; i++) {
        if (p->seen++ % (uint64_t)p->interval == 0) {
            tell_record(p, &block->records[i], block->partition);
            p->left -= p->left > 0;
        }
    }
}

/* --- following --- */

static int open_reader(struct printing *p, struct error *err)
{
    const struct command *command = p->command;
    struct reader_spec spec = { .client_id = bytes_of("print"), .isolation = READ_COMMITTED };
    bool from_begin =
        command->statement->print.from_beginning ||
        bytes_equal_text_nocase(property_get(command->properties, "auto.offset.reset"), "earliest");

    TRY(log_reader_open(command->engine->config.log, &spec, &p->reader, err));
    for (uint32_t i = 0; i < p->topic->partition_count; i++) {
        TRY(log_reader_assign(p->reader, p->topic, i, from_begin ? OFFSET_BEGIN : OFFSET_END, err));
    }
    return 0;
}

static bool is_over(const struct printing *p)
{
    bool is_stepped = p->command->engine->config.mode == RUNTIME_STEPPED;

    return p->stopped || p->left == 0 || session_is_cancelled(p->command->session) ||
           (is_stepped && log_reader_at_end(p->reader));
}

static int follow(struct printing *p, struct error *err)
{
    const struct clock *clock = p->command->engine->config.clock;
    int64_t told_ms = clock_elapsed_ms(clock);

    while (!is_over(p)) {
        struct log_place failed = { 0 };
        struct log_block *block = NULL;

        TRY(log_reader_poll(p->reader, WAIT_MS, &block, &failed, err));
        if (block) {
            print_block(p, block);
            log_block_unref(block);
            told_ms = clock_elapsed_ms(clock);
        } else if (clock_elapsed_ms(clock) - told_ms >= IDLE_MS) {
            tell(p, PRINTED_IDLE); /* whether the client is there */
            told_ms = clock_elapsed_ms(clock);
        }
    }
    return 0;
}

static int follow_apart(struct printing *p, struct error *err)
{
    const struct result_sink *sink = p->command->sink;
    pthread_mutex_t *mutex = &p->command->engine->mutex;
    int code;

    if (sink->print_begin) {
        sink->print_begin(sink->context);
    }
    pthread_mutex_unlock(mutex);
    code = follow(p, err);
    pthread_mutex_lock(mutex);
    if (!code && sink->print_end) {
        sink->print_end(sink->context);
    }
    return code;
}

int print_run(struct command *command, struct error *err)
{
    const struct ast_print_topic *print = &command->statement->print;
    struct printing p = { .command = command,
                          .key = { .side = GUESS_KEY },
                          .value = { .side = GUESS_VALUE },
                          .interval = print->interval.given ? print->interval.value : 1,
                          .left = print->limit.given ? print->limit.value : -1 };
    int code;

    if (command->engine->config.mode == RUNTIME_STEPPED) {
        TRY(runtime_drain(command->engine->runtime, err));
    }
    TRY(find_topic(command, &p.topic, err));
    code = open_reader(&p, err);
    code = code ? code : follow_apart(&p, err);
    log_reader_close(p.reader);
    buffer_fini(&p.line);
    return code;
}
