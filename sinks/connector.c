/*
 * connector.c: connectors as the catalog defines them: made, ended, paused, told about.
 *
 * Called under the engine's lock by its commands; tasks never take that lock, so a connector
 * that ends can be waited for. What tasks need of the catalog (the sources over their topics) is
 * copied to them whenever the catalog has changed.
 */
#include "sinks/connector.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/trace.h"
#include "engine/command/properties.h"
#include "sinks/connector_internal.h"
#include "sinks/connector_store.h"
#include "sinks/definition.h"
#include "sinks/reference.h"

enum { TASKS_MAX = 64 };

struct sink_host {
    struct connector_host interface;
    struct arena arena;
    struct sink_host_config config;
    struct bytes worker_id;
    struct connector_store *store;
    struct map connectors; /* name of its entry -> struct connector */
    pthread_mutex_t started_mutex;
    struct arena started_arena; /* under that mutex; so the next */
    struct map started; /* connector/topic/partition -> uint64_t, incarnation that was begun with */
    pthread_mutex_t mutex; /* the map and the store: REST and commands may meet */
    pthread_mutex_t place_mutex;
    struct connector_placement placement; /* under that mutex */
};

struct log *connector_log(const struct connector *c)
{
    return c->host->config.log;
}

const struct clock *connector_clock(const struct connector *c)
{
    return c->host->config.clock;
}

/* --- several nodes --- */

static void place(void *context, const struct connector_placement *placement)
{
    struct sink_host *host = context;

    pthread_mutex_lock(&host->place_mutex);
    host->placement = placement ? *placement : (struct connector_placement){ NULL, NULL };
    pthread_mutex_unlock(&host->place_mutex);
}

enum placement connector_place(const struct connector *c, uint32_t task)
{
    struct sink_host *host = c->host;
    enum placement found = PLACED_HERE;

    pthread_mutex_lock(&host->place_mutex);
    if (host->placement.find) {
        found = host->placement.find(host->placement.context, c->name, task);
    }
    pthread_mutex_unlock(&host->place_mutex);
    return found;
}

bool connector_is_shared(const struct connector *c)
{
    struct sink_host *host = c->host;
    bool shared;

    pthread_mutex_lock(&host->place_mutex);
    shared = host->placement.find != NULL;
    pthread_mutex_unlock(&host->place_mutex);
    return shared;
}

/* --- topics that end before what is stored about them --- */

static struct bytes start_key(struct arena *arena, const struct connector *c, struct bytes topic,
                              uint32_t partition)
{
    return arena_printf(arena, "%.*s/%.*s/%u", BYTES_ARG(c->name), BYTES_ARG(topic), partition);
}

bool connector_is_fresh(const struct connector *c, const struct log_topic *topic,
                        uint32_t partition)
{
    struct sink_host *host = c->host;
    const uint64_t *begun;
    struct arena arena;
    bool is_fresh;

    arena_init(&arena, 0);
    pthread_mutex_lock(&host->started_mutex);
    begun = map_find(&host->started, start_key(&arena, c, topic->name, partition));
    is_fresh = begun ? log_topic_was_replaced(topic, *begun) : host->config.log_is_volatile;
    pthread_mutex_unlock(&host->started_mutex);
    arena_fini(&arena);
    return is_fresh;
}

struct bytes connector_sink_name(const struct connector *c, struct arena *arena)
{
    return c->host->config.log_is_volatile
               ? arena_printf(arena, "%.*s (in memory)", BYTES_ARG(c->name))
               : c->name;
}

void connector_has_started(const struct connector *c, const struct positions *positions)
{
    struct sink_host *host = c->host;
    struct arena arena;

    arena_init(&arena, 0);
    pthread_mutex_lock(&host->started_mutex);
    for (uint32_t i = 0; i < positions->count; i++) {
        const struct position_at *at = &positions->items[i];
        struct bytes key = start_key(&arena, c, at->topic, at->partition);
        uint64_t *begun = map_find(&host->started, key);

        if (!begun) {
            begun = arena_new(&host->started_arena, uint64_t);
            map_put(&host->started, arena_copy(&host->started_arena, key), begun);
        }
        *begun = at->incarnation;
    }
    pthread_mutex_unlock(&host->started_mutex);
    arena_fini(&arena);
}

/* --- making and ending --- */

bool connector_wants(const struct connector *c, struct bytes topic)
{
    struct bytes letters = options_text(&c->options, "errors.deadletterqueue.topic.name");
    char *name;
    bool wanted;

    for (uint32_t i = 0; i < c->topic_count; i++) {
        if (bytes_equal(c->topics[i], topic)) {
            return true;
        }
    }
    if (!c->by_pattern || bytes_starts_with(topic, bytes_of("_")) || bytes_equal(topic, letters)) {
        return false;
    }
    name = memory_alloc(topic.len + 1);
    memcpy(name, topic.data, topic.len);
    name[topic.len] = '\0';
    wanted = regexec(&c->pattern, name, 0, NULL, 0) == 0;
    free(name);
    return wanted;
}

static int resolve_options(struct sink_host *host, struct connector *c,
                           const struct connector_entry *entry, struct error *err)
{
    struct connector_option *given =
        arena_array(&c->arena, struct connector_option, entry->option_count);
    struct options_verdict verdict = { 0 };
    int code;

    for (uint32_t i = 0; i < entry->option_count; i++) {
        given[i].name = arena_copy(&c->arena, entry->options[i].name);
        TRY(reference_resolve(host->store, entry->name, entry->options[i].value, &c->arena,
                              &given[i].value, err));
    }
    c->options = definition_options(entry, NULL);
    c->options.given = given;
    TRY(definition_kind(&c->options, &c->kind, err));
    c->options.own = c->kind->options;
    code = options_check(&c->options, &c->arena, &verdict, err);
    c->warnings = verdict.warnings;
    c->warning_count = verdict.warning_count;
    return code;
}

static int define(struct sink_host *host, struct connector *c, const struct connector_entry *entry,
                  struct error *err)
{
    struct bytes *topics = NULL;
    const char *ignored;

    TRY(resolve_options(host, c, entry, err));
    c->class_name = options_text(&c->options, "connector.class");
    c->topic_count = options_list(&c->options, "topics", &c->arena, &topics);
    c->topics = topics;
    if (options_is_given(&c->options, "topics.regex")) {
        TRY(definition_pattern(options_text(&c->options, "topics.regex"), &c->pattern, err));
        c->by_pattern = true;
    }
    return c->kind->check ? c->kind->check(&c->options, &ignored, err) : 0;
}

static enum target_state stored_target(const struct sink_host *host, struct bytes name)
{
    struct bytes stored = connector_store_find(host->store, "state", name, bytes_of(""));

    return bytes_equal_text(stored, "PAUSED")    ? TARGET_PAUSED
           : bytes_equal_text(stored, "STOPPED") ? TARGET_STOPPED
                                                 : TARGET_RUNNING;
}

static uint64_t stored_restart(const struct sink_host *host, struct bytes name)
{
    struct bytes stored = connector_store_find(host->store, "restart", name, bytes_of(""));

    return stored.data ? bytes_hash(stored) : 0;
}

static void start_tasks(struct connector *c)
{
    int64_t wanted = c->failure.code ? 1 : options_integer(&c->options, "tasks.max");

    c->task_count = (uint32_t)(wanted < TASKS_MAX ? wanted : TASKS_MAX);
    c->tasks = memory_zalloc(c->task_count, sizeof *c->tasks);
    for (uint32_t i = 0; i < c->task_count; i++) {
        struct task *task = &c->tasks[i];

        task->connector = c;
        task->number = i;
        task->placement = connector_place(c, i);
        task_start(task);
    }
}

static struct source_list *collect_sources(const struct connector *c, const struct catalog *catalog)
{
    struct source_list *list = memory_zalloc(1, sizeof *list);
    const struct source *const *all = NULL;
    struct source *items;
    uint32_t count;

    arena_init(&list->arena, 0);
    count = catalog_list_sources(catalog, &list->arena, &all);
    items = arena_array(&list->arena, struct source, count);
    for (uint32_t i = 0; i < count; i++) {
        if (connector_wants(c, all[i]->topic)) {
            source_copy(&list->arena, all[i], &items[list->count++]);
        }
    }
    list->items = items;
    return list;
}

/* A definition that does not work any more makes a connector whose task has failed. */
static struct connector *connector_create(struct sink_host *host,
                                          const struct connector_entry *entry,
                                          const struct catalog *catalog)
{
    struct connector *c = memory_zalloc(1, sizeof *c);

    arena_init(&c->arena, 0);
    c->host = host;
    c->entry = entry;
    c->name = arena_copy(&c->arena, entry->name);
    c->generation = 1;
    c->target = stored_target(host, entry->name);
    pthread_mutex_init(&c->mutex, NULL);
    clock_cond_init(&c->changed);
    c->restarted = stored_restart(host, entry->name);
    (void)define(host, c, entry, &c->failure); /* its task tells */
    c->sources = collect_sources(c, catalog);
    start_tasks(c);
    return c;
}

static void free_sources(struct source_list *list)
{
    if (list) {
        arena_fini(&list->arena);
        free(list);
    }
}

/* Tasks look at it again, wherever they wait. */
static void disturb(struct connector *c)
{
    pthread_mutex_lock(&c->mutex);
    c->generation++;
    for (uint32_t i = 0; i < c->task_count; i++) {
        atomic_store(&c->tasks[i].interrupted, true);
        if (c->tasks[i].wakeable) {
            log_reader_wake(c->tasks[i].wakeable);
        }
    }
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

static void connector_destroy(struct connector *c)
{
    atomic_store(&c->ends, true);
    disturb(c);
    for (uint32_t i = 0; i < c->task_count; i++) {
        task_join(&c->tasks[i]);
    }
    free(c->tasks);
    free_sources(c->sources);
    if (c->by_pattern) {
        regfree(&c->pattern);
    }
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
    arena_fini(&c->arena);
    free(c);
}

/* --- the catalog has changed --- */

static bool same_sources(const struct source_list *a, const struct source_list *b)
{
    if (!a || a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->items[i].id != b->items[i].id ||
            !bytes_equal(a->items[i].topic, b->items[i].topic) ||
            !schema_equal(&a->items[i].schema, &b->items[i].schema)) {
            return false;
        }
    }
    return true;
}

static void publish_sources(struct connector *c, const struct catalog *catalog)
{
    struct source_list *list = collect_sources(c, catalog);
    struct source_list *old;

    pthread_mutex_lock(&c->mutex);
    old = same_sources(c->sources, list) ? list : c->sources;
    if (old != list) {
        c->sources = list;
    }
    pthread_mutex_unlock(&c->mutex);
    if (old != list) {
        disturb(c);
    }
    free_sources(old);
}

static void end_gone(struct sink_host *host, const struct catalog *catalog)
{
    MAP_FOREACH (at, &host->connectors) {
        struct connector *c = at->value;

        if (catalog_find_connector(catalog, c->name) != c->entry) {
            (void)map_remove(&host->connectors, c->name);
            connector_destroy(c);
        }
    }
}

static void reconcile(void *context, const struct catalog *catalog)
{
    struct sink_host *host = context;
    const struct connector_entry *const *entries = NULL;
    struct error err = { 0 };
    struct arena arena;
    uint32_t count;

    arena_init(&arena, 0);
    pthread_mutex_lock(&host->mutex);
    if (connector_store_read(host->store, &err)) {
        TRACE(TRACE_WARN, "connector", "%s", err.message);
    }
    end_gone(host, catalog);
    count = catalog_list_connectors(catalog, &arena, &entries);
    for (uint32_t i = 0; i < count; i++) {
        struct connector *c = map_find(&host->connectors, entries[i]->name);

        if (c) {
            publish_sources(c, catalog);
        } else {
            c = connector_create(host, entries[i], catalog);
            map_put(&host->connectors, c->name, c);
        }
    }
    pthread_mutex_unlock(&host->mutex);
    arena_fini(&arena);
}

/* --- what other nodes were told --- */

static void take_stored(struct sink_host *host, struct connector *c)
{
    enum target_state target = stored_target(host, c->name);
    uint64_t restarted = stored_restart(host, c->name);
    bool changes = restarted != c->restarted;

    c->restarted = restarted;
    pthread_mutex_lock(&c->mutex);
    changes = changes || c->target != target;
    c->target = target;
    pthread_mutex_unlock(&c->mutex);
    if (changes) {
        disturb(c);
    }
}

static void follow(void *context)
{
    struct sink_host *host = context;
    struct error err = { 0 };

    pthread_mutex_lock(&host->mutex);
    if (host->connectors.live_count > 0 && connector_store_take(host->store, &err)) {
        TRACE(TRACE_WARN, "connector", "%s", err.message);
    }
    MAP_FOREACH (at, &host->connectors) {
        take_stored(host, at->value);
    }
    pthread_mutex_unlock(&host->mutex);
}

/* --- states --- */

static int find_connector(struct sink_host *host, struct bytes name, struct connector **out,
                          struct error *err)
{
    MAP_FOREACH (at, &host->connectors) {
        struct connector *c = at->value;

        if (bytes_equal_nocase(c->name, name)) {
            *out = c;
            return 0;
        }
    }
    return error_set(err, ERR_UNKNOWN_CONNECTOR, NO_POSITION, "There is no connector %.*s",
                     BYTES_ARG(name));
}

static const char *target_text(enum target_state target)
{
    static const char *const texts[] = {
        [TARGET_RUNNING] = "RUNNING", [TARGET_PAUSED] = "PAUSED", [TARGET_STOPPED] = "STOPPED"
    };

    return texts[target];
}

static struct connector_task_status task_status(const struct connector *c, const struct task *task,
                                                struct arena *arena)
{
    struct connector_task_status status = { .state = "RUNNING" };

    if (task->placement != PLACED_HERE) {
        status.state = "UNASSIGNED";
    } else if (task->state == TASK_FAILED) {
        status.state = "FAILED";
    } else if (c->target == TARGET_PAUSED) {
        status.state = "PAUSED";
    }
    if (task->trace) {
        status.trace = arena_copy(arena, bytes_of(task->trace));
    }
    return status;
}

/* What the definition says, and what is missing now. */
static void fill_warnings(const struct connector *c, struct arena *arena,
                          struct connector_status *out)
{
    struct bytes *warnings = arena_array(arena, struct bytes, c->warning_count + 1);

    for (uint32_t i = 0; i < c->warning_count; i++) {
        warnings[i] = arena_copy(arena, c->warnings[i]);
    }
    out->warning_count = c->warning_count;
    if (c->task_count > 0 && c->tasks[0].waits_for) {
        warnings[out->warning_count++] =
            arena_printf(arena, "waits for a stream or table over %s", c->tasks[0].waits_for);
    }
    out->warnings = warnings;
}

static void fill_topics(const struct connector *c, struct arena *arena,
                        struct connector_status *out)
{
    uint32_t room = c->topic_count + c->sources->count;
    struct bytes *topics = arena_array(arena, struct bytes, room);

    for (uint32_t i = 0; i < c->topic_count; i++) {
        topics[out->topic_count++] = arena_copy(arena, c->topics[i]);
    }
    for (uint32_t i = 0; i < c->sources->count; i++) {
        bool known = false;

        for (uint32_t t = 0; t < out->topic_count; t++) {
            known = known || bytes_equal(topics[t], c->sources->items[i].topic);
        }
        if (!known) {
            topics[out->topic_count++] = arena_copy(arena, c->sources->items[i].topic);
        }
    }
    out->topics = topics;
}

static void fill_status(struct connector *c, struct arena *arena, struct connector_status *out)
{
    struct connector_task_status *tasks;

    out->name = arena_copy(arena, c->name);
    out->class_name = arena_copy(arena, c->class_name);
    out->is_sink = true;
    out->worker_id = arena_copy(arena, c->host->worker_id);
    pthread_mutex_lock(&c->mutex);
    out->state = target_text(c->target);
    out->task_count = c->target == TARGET_STOPPED ? 0 : c->task_count;
    tasks = arena_array(arena, struct connector_task_status, out->task_count);
    for (uint32_t i = 0; i < out->task_count; i++) {
        tasks[i] = task_status(c, &c->tasks[i], arena);
    }
    out->tasks = tasks;
    fill_warnings(c, arena, out);
    fill_topics(c, arena, out);
    pthread_mutex_unlock(&c->mutex);
}

static int status(void *context, struct bytes name, struct arena *arena,
                  struct connector_status *out, struct error *err)
{
    struct sink_host *host = context;
    struct connector *c = NULL;
    int code;

    memset(out, 0, sizeof *out);
    pthread_mutex_lock(&host->mutex);
    code = find_connector(host, name, &c, err);
    if (!code) {
        fill_status(c, arena, out);
    }
    pthread_mutex_unlock(&host->mutex);
    return code;
}

static int set_target(struct sink_host *host, struct connector *c, enum target_state target,
                      struct error *err)
{
    bool changes;

    TRY(connector_store_put(host->store, "state", c->name, bytes_of(""),
                            bytes_of(target_text(target)), clock_now_ms(host->config.clock), err));
    pthread_mutex_lock(&c->mutex);
    changes = c->target != target;
    c->target = target;
    pthread_mutex_unlock(&c->mutex);
    if (changes) {
        disturb(c);
    }
    return 0;
}

/* Other nodes, which may have the tasks, see a new value in the store. */
static int restart(struct sink_host *host, struct connector *c, struct error *err)
{
    int64_t now_ms = clock_now_ms(host->config.clock);
    struct arena arena;
    struct bytes stamp;
    int code = 0;

    arena_init(&arena, 0);
    stamp = arena_printf(&arena, "%.*s %" PRId64 " %" PRIu64, BYTES_ARG(host->worker_id), now_ms,
                         c->generation);
    if (connector_is_shared(c)) {
        code =
            connector_store_put(host->store, "restart", c->name, bytes_of(""), stamp, now_ms, err);
    }
    if (!code) {
        c->restarted = stored_restart(host, c->name);
        disturb(c);
    }
    arena_fini(&arena);
    return code;
}

static int control(void *context, struct bytes name, enum connector_action action,
                   struct error *err)
{
    struct sink_host *host = context;
    struct connector *c = NULL;
    int code;

    pthread_mutex_lock(&host->mutex);
    code = find_connector(host, name, &c, err);
    if (!code) {
        switch (action) {
        case CONNECTOR_PAUSE:
            code = set_target(host, c, TARGET_PAUSED, err);
            break;
        case CONNECTOR_RESUME:
            code = set_target(host, c, TARGET_RUNNING, err);
            break;
        case CONNECTOR_STOP:
            code = set_target(host, c, TARGET_STOPPED, err);
            break;
        case CONNECTOR_RESTART:
            code = restart(host, c, err);
            break;
        }
    }
    pthread_mutex_unlock(&host->mutex);
    return code;
}

/* One of that name may have been stopped and dropped. */
static int set_initial(void *context, struct bytes connector, enum connector_action action,
                       struct error *err)
{
    static const enum target_state targets[] = { [CONNECTOR_RESUME] = TARGET_RUNNING,
                                                 [CONNECTOR_PAUSE] = TARGET_PAUSED,
                                                 [CONNECTOR_STOP] = TARGET_STOPPED };
    struct sink_host *host = context;
    int code = 0;

    pthread_mutex_lock(&host->mutex);
    if (stored_target(host, connector) != targets[action]) {
        code = connector_store_put(host->store, "state", connector, bytes_of(""),
                                   bytes_of(target_text(targets[action])),
                                   clock_now_ms(host->config.clock), err);
    }
    pthread_mutex_unlock(&host->mutex);
    return code;
}

static int keep_secret(void *context, struct bytes connector, struct bytes option,
                       struct bytes value, struct error *err)
{
    struct sink_host *host = context;
    int code;

    pthread_mutex_lock(&host->mutex);
    code = connector_store_put(host->store, "secret", connector, option, value,
                               clock_now_ms(host->config.clock), err);
    pthread_mutex_unlock(&host->mutex);
    return code;
}

/* --- offsets --- */

static int read_offsets(void *context, struct bytes name, struct arena *arena,
                        struct connector_offset **out, uint32_t *count, struct error *err)
{
    struct sink_host *host = context;
    struct connector *c = NULL;
    int code;

    pthread_mutex_lock(&host->mutex);
    code = find_connector(host, name, &c, err);
    code = code ? code : connector_read_offsets(c, arena, out, count, err);
    pthread_mutex_unlock(&host->mutex);
    return code;
}

static int write_offsets(void *context, struct bytes name, const struct connector_offset *offsets,
                         uint32_t count, struct error *err)
{
    struct sink_host *host = context;
    struct connector *c = NULL;
    int code;

    pthread_mutex_lock(&host->mutex);
    code = find_connector(host, name, &c, err);
    if (!code && c->target != TARGET_STOPPED) {
        code = error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "Connectors must be in the STOPPED state before their offsets can be "
                         "modified. This can be done for the specified connector by issuing a "
                         "'PUT' request to the '/connectors/%.*s/stop' endpoint",
                         BYTES_ARG(c->name));
    }
    code = code ? code : connector_write_offsets(c, offsets, count, err);
    pthread_mutex_unlock(&host->mutex);
    return code;
}

/* --- draining --- */

static int failed_task(const struct connector *c, const struct task *task, struct error *err)
{
    if (task->placement == PLACED_HERE && task->state == TASK_FAILED) {
        return error_set(err, ERR_CONNECTOR_FAILED, NO_POSITION, "Connector %.*s stopped: %s",
                         BYTES_ARG(c->name), task->trace ? task->trace : "");
    }
    if (task->drained == c->drain_wanted && task->waits_for) {
        return error_set(err, ERR_CONNECTOR_FAILED, NO_POSITION,
                         "Connector %.*s waits for %s: CREATE STREAM or CREATE TABLE over such a "
                         "topic says what its records are",
                         BYTES_ARG(c->name), task->waits_for);
    }
    return 0;
}

static int drain_task(struct connector *c, struct task *task, struct error *err)
{
    int code = failed_task(c, task, err);

    while (!code && c->target == TARGET_RUNNING && task->placement != PLACED_ELSEWHERE &&
           task->drained != c->drain_wanted) {
        pthread_cond_wait(&c->changed, &c->mutex);
        code = failed_task(c, task, err);
    }
    return code;
}

static int drain_connector(struct connector *c, struct error *err)
{
    int code = 0;

    pthread_mutex_lock(&c->mutex);
    c->drain_wanted++;
    for (uint32_t i = 0; i < c->task_count; i++) {
        if (c->tasks[i].wakeable) {
            log_reader_wake(c->tasks[i].wakeable);
        }
    }
    pthread_cond_broadcast(&c->changed);
    for (uint32_t i = 0; !code && i < c->task_count; i++) {
        code = drain_task(c, &c->tasks[i], err);
    }
    pthread_mutex_unlock(&c->mutex);
    return code;
}

static int drain(void *context, struct error *err)
{
    struct sink_host *host = context;
    int code = 0;

    pthread_mutex_lock(&host->mutex);
    MAP_FOREACH (at, &host->connectors) {
        code = code ? code : drain_connector(at->value, err);
    }
    pthread_mutex_unlock(&host->mutex);
    return code;
}

/* --- the host --- */

static const struct connector_plugin *list_plugins(struct arena *arena)
{
    VEC(struct connector_plugin) plugins = { 0 };

    for (const struct sink_kind *const *kind = all_sinks; *kind; kind++) {
        for (const char *const *name = (*kind)->classes; *name; name++) {
            *vec_push(arena, &plugins) = (struct connector_plugin){ *name, "sink", NULL };
        }
    }
    *vec_push(arena, &plugins) = (struct connector_plugin){ NULL, NULL, NULL };
    return plugins.items;
}

static const char *usual_service_id(struct arena *arena)
{
    struct property_set usual;
    const char *id;

    property_set_init(&usual, NULL);
    id = arena_copy_text(arena, property_get(&usual, "ksql.service.id"));
    property_set_fini(&usual);
    return id;
}

struct sink_host *sink_host_create(const struct sink_host_config *config)
{
    struct sink_host *host = memory_zalloc(1, sizeof *host);

    arena_init(&host->arena, 0);
    host->config = *config;
    host->worker_id = arena_copy(&host->arena, bytes_of(config->worker_id));
    host->store = connector_store_create(
        config->log, config->service_id ? config->service_id : usual_service_id(&host->arena));
    map_init(&host->connectors);
    map_init(&host->started);
    arena_init(&host->started_arena, 0);
    pthread_mutex_init(&host->started_mutex, NULL);
    pthread_mutex_init(&host->mutex, NULL);
    pthread_mutex_init(&host->place_mutex, NULL);
    host->interface = (struct connector_host){ .context = host,
                                               .plugins = list_plugins(&host->arena),
                                               .check = definition_check,
                                               .options = definition_describe,
                                               .validate = definition_validate,
                                               .read_offsets = read_offsets,
                                               .write_offsets = write_offsets,
                                               .set_initial = set_initial,
                                               .keep_secret = keep_secret,
                                               .place = place,
                                               .follow = follow,
                                               .reconcile = reconcile,
                                               .status = status,
                                               .control = control,
                                               .drain = drain };
    return host;
}

void sink_host_destroy(struct sink_host *host)
{
    if (!host) {
        return;
    }
    MAP_FOREACH (at, &host->connectors) {
        connector_destroy(at->value);
    }
    connector_store_destroy(host->store);
    map_fini(&host->connectors);
    map_fini(&host->started);
    arena_fini(&host->started_arena);
    pthread_mutex_destroy(&host->started_mutex);
    pthread_mutex_destroy(&host->mutex);
    pthread_mutex_destroy(&host->place_mutex);
    arena_fini(&host->arena);
    free(host);
}

const struct connector_host *sink_host_interface(struct sink_host *host)
{
    return &host->interface;
}
