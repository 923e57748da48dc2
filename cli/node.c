/*
 * node.c: choosing the log, finding out who this node is, opening the engine.
 *
 * A node with a data directory has a lasting id and is a static member of its group: what it owned
 * waits for it over a short restart. Without one the id is random and gone with the process.
 */
#include "cli/node.h"

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/data_directory.h"
#include "base/memory.h"
#include "base/trace.h"
#include "cli/kafka_security.h"
#include "cli/remote/peers.h"
#include "engine/command/properties.h"
#include "engine/log/database.h"
#include "engine/log/log_disk.h"
#include "engine/log/log_kafka.h"
#include "sinks/connector.h"

static const char kafka_prefix[] = "kafka.";
static const char bootstrap_name[] = "bootstrap.servers";
static const char service_name[] = "ksql.service.id";
static const char server_data[] = "sluice-data";

/* --- settings --- */

typedef VEC(struct property_text) setting_list;

struct opening {
    struct node *node;
    const struct node_options *options;
    setting_list settings; /* by kept name; the last of a name counts */
    struct bytes bootstrap;
    const char *data; /* the data directory; NULL: there is none */
};

static struct bytes find_setting(const struct opening *opening, const char *name)
{
    struct bytes found = { NULL, 0 };

    for (uint32_t i = 0; i < opening->settings.count; i++) {
        if (bytes_equal_text(opening->settings.items[i].name, name)) {
            found = opening->settings.items[i].value;
        }
    }
    return found;
}

static void add_setting(struct opening *opening, const char *name, struct bytes value)
{
    *vec_push(&opening->node->arena, &opening->settings) =
        (struct property_text){ bytes_of(name), value };
}

static int check_setting(struct opening *opening, const struct config_entry *entry,
                         struct error *err)
{
    const struct setting_kind *kind = NULL;
    struct property_text setting = { .value = entry->value };

    TRY(setting_find(entry->name, NO_POSITION, &kind, &setting.name, err));
    TRY(setting_check(kind, entry->value, NO_POSITION, err));
    if (kind->effect == SETTING_UNUSED) {
        TRACE(TRACE_WARN, "settings", "'%.*s' has no effect yet", BYTES_ARG(entry->name));
    }
    *vec_push(&opening->node->arena, &opening->settings) = setting;
    return 0;
}

static int check_settings(struct opening *opening, struct error *err)
{
    const struct node_options *options = opening->options;

    for (uint32_t i = 0; i < options->settings.count; i++) {
        const struct config_entry *entry = &options->settings.items[i];

        if (check_setting(opening, entry, err)) {
            if (entry->line) {
                error_prefix(err, "%s:%u", options->config_file, entry->line);
            }
            return (int)err->code;
        }
    }
    return 0;
}

static int choose_trace(const struct opening *opening, struct error *err)
{
    struct bytes text = find_setting(opening, "log.level");
    enum trace_level level = TRACE_WARN;

    if (text.data && trace_parse_level(arena_copy_text(&opening->node->arena, text), &level)) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "log.level is off, error, warn, info or debug, not '%.*s'",
                         BYTES_ARG(text));
    }
    if (text.data) {
        trace_set_level(level);
    }
    return 0;
}

/* --- which log --- */

static bool is_on_command_line(const struct node_options *options, const char *kept_name)
{
    for (uint32_t i = 0; i < options->settings.count; i++) {
        const struct config_entry *entry = &options->settings.items[i];
        const struct setting_kind *kind = NULL;
        struct bytes name = { 0 };

        if (!entry->line && !setting_find(entry->name, NO_POSITION, &kind, &name, NULL) &&
            bytes_equal_text(name, kept_name)) {
            return true;
        }
    }
    return false;
}

/* The command line beats the environment, that the file. */
static int choose_log(struct opening *opening, struct error *err)
{
    const struct node_options *options = opening->options;
    const char *environment = getenv("SLUICE_BOOTSTRAP_SERVERS");

    if (options->in_memory && (options->bootstrap || options->data)) {
        return error_set(err, ERR_USAGE, NO_POSITION, "--memory and %s exclude each other",
                         options->bootstrap ? "--bootstrap" : "--data");
    }
    if (options->in_memory) {
        return 0;
    }
    if (options->bootstrap) {
        opening->bootstrap = bytes_of(options->bootstrap);
    } else if (environment && *environment && !is_on_command_line(options, bootstrap_name)) {
        opening->bootstrap = bytes_of(environment);
    } else {
        opening->bootstrap = find_setting(opening, bootstrap_name);
    }
    opening->data = options->data;
    if (opening->bootstrap.data) {
        add_setting(opening, bootstrap_name, opening->bootstrap);
    } else if (!options->data && options->role == NODE_SERVER) {
        opening->data = server_data;
    }
    return 0;
}

/* What is said in librdkafka's own words comes last, and counts. */
static int open_kafka(struct opening *opening, struct error *err)
{
    struct node *node = opening->node;
    struct log_kafka_config config = { .bootstrap = opening->bootstrap,
                                       .client_id = bytes_of(node->config.client_id) };
    client_setting_list properties = { 0 };
    struct bytes prefix = bytes_of(kafka_prefix);

    TRY(kafka_security_add(&node->arena, opening->settings.items, opening->settings.count,
                           &properties, err));
    for (uint32_t i = 0; i < opening->settings.count; i++) {
        struct bytes name = opening->settings.items[i].name;

        if (bytes_starts_with(name, prefix)) {
            *vec_push(&node->arena, &properties) =
                (struct topic_config){ { name.data + prefix.len, name.len - prefix.len },
                                       opening->settings.items[i].value };
        }
    }
    config.properties = properties.items;
    config.property_count = properties.count;
    return log_kafka_create(&config, &node->clock, &node->log, err);
}

/* What it makes is for this user alone, as all in a data directory. */
static int open_database(struct opening *opening, struct error *err)
{
    struct arena *arena = &opening->node->arena;
    struct bytes path = arena_printf(arena, "%s/db", data_directory_path(opening->node->directory));

    (void)umask(S_IRWXG | S_IRWXO);
    memory_return_large();
    return database_open(arena_copy_text(arena, path), &opening->node->database, err);
}

static int open_disk(struct opening *opening, struct error *err)
{
    struct node *node = opening->node;
    struct log_disk_config config = { .fsync = LOG_FSYNC_COMMIT };
    struct bytes fsync = find_setting(opening, "log.fsync");

    if (fsync.data && !log_fsync_parse(fsync, &config.fsync)) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "log.fsync is commit, interval or never, not '%.*s'", BYTES_ARG(fsync));
    }
    TRY(open_database(opening, err));
    config.database = node->database;
    return log_disk_create(&config, &node->clock, &node->log, err);
}

static int open_log(struct opening *opening, struct error *err)
{
    struct node *node = opening->node;

    node->is_on_kafka = opening->bootstrap.data != NULL;
    if (node->is_on_kafka) {
        TRY(node->directory ? open_database(opening, err) : 0);
        return open_kafka(opening, err);
    }
    if (node->directory) {
        return open_disk(opening, err);
    }
    node->log = log_memory_create(&node->clock);
    return 0;
}

/* --- who it is --- */

static int find_node_id(struct opening *opening, struct error *err)
{
    struct node *node = opening->node;
    char id[NODE_ID_SIZE];

    if (opening->data) {
        TRY(data_directory_open(opening->data, &node->directory, err));
        node->config.node_id = data_directory_node_id(node->directory);
        node->config.is_lasting = true;
        return 0;
    }
    TRY(node_id_make(id, err));
    node->config.node_id = arena_copy_text(&node->arena, bytes_of(id));
    return 0;
}

/* "cli_<user>_", of what a topic's name may hold. */
static struct bytes shell_service(struct arena *arena)
{
    const struct passwd *user = getpwuid(geteuid());
    struct bytes text = arena_printf(arena, "cli_%s_", user ? user->pw_name : "nobody");
    char *name = arena_copy_text(arena, text);

    for (size_t i = 0; i < text.len; i++) {
        name[i] = (char)(isalnum((unsigned char)name[i]) ? name[i] : '_');
    }
    return (struct bytes){ name, text.len };
}

static void find_service_id(struct opening *opening)
{
    struct arena *arena = &opening->node->arena;
    struct bytes id = find_setting(opening, service_name);

    if (!id.data && opening->options->role == NODE_SHELL && opening->bootstrap.data) {
        id = shell_service(arena);
        add_setting(opening, service_name, id);
    }
    opening->node->config.service_id = id.data ? arena_copy_text(arena, id) : NULL;
}

/* An address that stands for all of the machine's leads others nowhere: its name does. */
static const char *name_host(const char *url, struct arena *arena)
{
    static const char *const every[] = { "://0.0.0.0", "://[::]" };
    char name[256] = "";

    for (size_t i = 0; i < sizeof every / sizeof every[0]; i++) {
        const char *at = strstr(url, every[i]);

        if (at && gethostname(name, sizeof name - 1) == 0) {
            return arena_printf(arena, "%.*s://%s%s", (int)(at - url), url, name,
                                at + strlen(every[i]))
                .data;
        }
    }
    return url;
}

/* What others know the node by: where it can be reached, if it can. */
static void find_client_id(struct opening *opening)
{
    struct arena *arena = &opening->node->arena;
    struct bytes url = find_setting(opening, "ksql.advertised.listener");
    struct bytes listeners = find_setting(opening, "listeners");
    const char *comma;

    if (opening->options->role == NODE_SHELL) {
        opening->node->config.client_id = "sluice-shell";
        return;
    }
    if (!url.data) {
        url = listeners.data ? listeners : bytes_of("http://127.0.0.1:8088");
        comma = memchr(url.data, ',', url.len);
        url.len = comma ? (size_t)(comma - url.data) : url.len;
    }
    opening->node->config.client_id = name_host(arena_copy_text(arena, url), arena);
}

/* --- connectors --- */

/* As statuses show it: host:port of the client id. */
static const char *find_worker_id(const struct opening *opening)
{
    const char *id = opening->node->config.client_id;
    const char *scheme = strstr(id, "://");

    return scheme ? scheme + 3 : id;
}

static void open_sinks(struct opening *opening)
{
    struct node *node = opening->node;
    const struct sink_host_config config = { .log = node->log,
                                             .clock = &node->clock,
                                             .service_id = node->config.service_id,
                                             .log_is_volatile =
                                                 !node->is_on_kafka && !node->directory,
                                             .worker_id = find_worker_id(opening) };

    node->sinks = sink_host_create(&config);
    node->config.connectors = sink_host_interface(node->sinks);
}

/* --- open and close --- */

static int open_all(struct opening *opening, struct error *err)
{
    struct node *node = opening->node;

    TRY(check_settings(opening, err));
    TRY(choose_trace(opening, err));
    TRY(choose_log(opening, err));
    TRY(find_node_id(opening, err));
    find_service_id(opening);
    find_client_id(opening);
    TRY(open_log(opening, err));
    open_sinks(opening);
    node->config.log = node->log;
    node->config.database = node->database;
    node->config.clock = &node->clock;
    if (opening->options->role == NODE_SERVER || node->is_on_kafka) {
        node->config.mode = RUNTIME_THREADED;
    }
    node->config.is_shared = node->is_on_kafka;
    if (node->is_on_kafka) {
        node->peers = peers_create();
        node->config.peers = peers_interface(node->peers);
    }
    node->config.settings = opening->settings.items;
    node->config.setting_count = opening->settings.count;
    return engine_open(&node->config, &node->engine, err);
}

int node_open(struct node *node, const struct node_options *options,
              const struct engine_config *base, struct error *err)
{
    struct opening opening = { .node = node, .options = options };

    *node = (struct node){ .config = *base };
    arena_init(&node->arena, 0);
    clock_init_real(&node->clock);
    return open_all(&opening, err);
}

void node_describe(const struct node *node, struct buffer *out)
{
    if (node->is_on_kafka) {
        buffer_printf(out, "on a Kafka cluster, as service %s\n",
                      node->config.service_id ? node->config.service_id : "default_");
    } else if (node->directory) {
        buffer_printf(out, "in %s\n", data_directory_path(node->directory));
    } else {
        buffer_append_text(out, "in memory: what is made here is gone at the end\n");
    }
}

void node_close(struct node *node)
{
    sink_host_destroy(node->sinks);
    engine_close(node->engine);
    peers_destroy(node->peers);
    if (node->log) {
        log_close(node->log);
    }
    database_close(node->database);
    data_directory_close(node->directory);
    arena_fini(&node->arena);
}
