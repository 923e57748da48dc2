/*
 * target.c: where a topic's rows go: table, columns and key, by configuration alone.
 *
 * Order of columns: Kafka coordinates, value columns as declared, then the columns of the key by
 * name. What Postgres has is found out in describe.c.
 */
#include <stdlib.h>
#include <string.h>

#include "sinks/postgres/postgres_internal.h"

struct plan {
    const struct options *options;
    const struct row_shape *shape;
    PGconn *conn;
    struct arena *arena;
    struct target *target;
    struct bytes *key_names;
    uint32_t key_name_count;
    struct bytes *whitelist;
    uint32_t whitelist_count;
};

/* --- names --- */

static const char *quote(struct plan *plan, struct bytes name)
{
    char *quoted;
    const char *kept;

    if (options_is(plan->options, "quote.sql.identifiers", "NEVER")) {
        return arena_copy_text(plan->arena, name);
    }
    quoted = PQescapeIdentifier(plan->conn, name.data, name.len);
    kept = quoted ? arena_copy_text(plan->arena, bytes_of(quoted)) : "";
    PQfreemem(quoted);
    return kept;
}

static struct bytes table_name(struct plan *plan, struct bytes topic)
{
    static const struct bytes placeholder = BYTES("${topic}");
    struct bytes format = options_text(plan->options, "table.name.format");
    struct buffer name = { 0 };
    struct bytes kept;

    for (size_t i = 0; i < format.len; i++) {
        struct bytes rest = { format.data + i, format.len - i };

        if (bytes_starts_with(rest, placeholder)) {
            buffer_append_bytes(&name, topic);
            i += placeholder.len - 1;
        } else {
            buffer_append_char(&name, format.data[i]);
        }
    }
    kept = arena_copy(plan->arena, buffer_bytes(&name));
    buffer_fini(&name);
    return kept;
}

/* A part in double quotes is taken as it is; two in it stand for one. */
static struct bytes unquoted(struct plan *plan, struct bytes part)
{
    struct buffer name = { 0 };
    struct bytes kept;

    if (part.len < 2 || part.data[0] != '"' || part.data[part.len - 1] != '"') {
        return part;
    }
    for (size_t i = 1; i + 1 < part.len; i++) {
        buffer_append_char(&name, part.data[i]);
        i += part.data[i] == '"' && part.data[i + 1] == '"';
    }
    kept = arena_copy(plan->arena, buffer_bytes(&name));
    buffer_fini(&name);
    return kept;
}

/* schema.table is split at dots outside quotes. */
static void name_table(struct plan *plan, struct bytes topic)
{
    struct bytes name = table_name(plan, topic);
    struct buffer quoted = { 0 };
    size_t begin = 0;
    bool in_quotes = false;

    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && name.data[i] == '"') {
            in_quotes = !in_quotes;
        }
        if (i == name.len || (name.data[i] == '.' && !in_quotes)) {
            buffer_append_text(&quoted, begin ? "." : "");
            buffer_append_text(
                &quoted,
                quote(plan, unquoted(plan, (struct bytes){ name.data + begin, i - begin })));
            begin = i + 1;
        }
    }
    plan->target->name = name;
    plan->target->quoted = arena_copy_text(plan->arena, buffer_bytes(&quoted));
    buffer_fini(&quoted);
}

/* --- columns --- */

static bool is_in(const struct bytes *names, uint32_t count, struct bytes name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal(names[i], name)) {
            return true;
        }
    }
    return false;
}

static struct target_column *add_column(struct plan *plan, struct bytes name)
{
    struct target_column *column = &plan->target->columns[plan->target->column_count++];

    column->name = arena_copy(plan->arena, name);
    column->quoted = quote(plan, name);
    return column;
}

static void add_from_row(struct plan *plan, const struct shape_column *from, struct bytes name,
                         bool is_key)
{
    struct target_column *column = add_column(plan, name);

    column->at = from->at;
    column->type = from->type;
    column->is_key = is_key;
}

static int missing_key(struct plan *plan, struct bytes name, const char *where, struct error *err)
{
    return error_set(err, ERR_SINK_FAILED, NO_POSITION,
                     "'pk.fields' names %.*s, which is no column of the %s of topic %.*s",
                     BYTES_ARG(name), where, BYTES_ARG(plan->target->topic));
}

static int add_coordinates(struct plan *plan, struct error *err)
{
    static const char *const usual[] = { "__connect_topic", "__connect_partition",
                                         "__connect_offset" };
    static const enum column_origin origins[] = { FROM_TOPIC, FROM_PARTITION, FROM_OFFSET };
    static const enum type_id types[] = { T_STRING, T_INTEGER, T_BIGINT };

    if (plan->key_name_count != 0 && plan->key_name_count != 3) {
        return error_set(err, ERR_SINK_FAILED, NO_POSITION,
                         "'pk.fields' takes no or three names where 'pk.mode' is kafka: topic, "
                         "partition, offset");
    }
    for (uint32_t i = 0; i < 3; i++) {
        struct target_column *column =
            add_column(plan, plan->key_name_count ? plan->key_names[i] : bytes_of(usual[i]));

        column->origin = origins[i];
        column->type = type_scalar(types[i]);
        column->is_key = true;
    }
    return 0;
}

static int compare_columns(const void *a, const void *b)
{
    const struct target_column *left = a;
    const struct target_column *right = b;

    return bytes_compare(left->name, right->name);
}

/* A single column may be given another name; of several, those that are named. */
static int add_record_key(struct plan *plan, struct error *err)
{
    const struct row_shape *shape = plan->shape;
    uint32_t first = plan->target->column_count;
    bool renames = shape->key_count == 1 && plan->key_name_count == 1;

    if (shape->key_count == 0) {
        return error_set(err, ERR_SINK_FAILED, NO_POSITION,
                         "'pk.mode' is record_key, and the stream or table over %.*s has no key "
                         "column",
                         BYTES_ARG(plan->target->topic));
    }
    for (uint32_t i = 0; i < shape->key_count; i++) {
        const struct shape_column *column = &shape->columns[i];

        if (renames || !plan->key_name_count ||
            is_in(plan->key_names, plan->key_name_count, column->name)) {
            add_from_row(plan, column, renames ? plan->key_names[0] : column->name, true);
        }
    }
    for (uint32_t i = 0; !renames && i < plan->key_name_count; i++) {
        bool found = false;

        for (uint32_t k = 0; k < shape->key_count; k++) {
            found = found || bytes_equal(shape->columns[k].name, plan->key_names[i]);
        }
        if (!found) {
            return missing_key(plan, plan->key_names[i], "key", err);
        }
    }
    qsort(&plan->target->columns[first], plan->target->column_count - first,
          sizeof plan->target->columns[0], compare_columns);
    return 0;
}

static bool is_key_column(const struct plan *plan, struct bytes name)
{
    bool from_value = options_is(plan->options, "pk.mode", "record_value");

    return from_value &&
           (!plan->key_name_count || is_in(plan->key_names, plan->key_name_count, name));
}

/* A column of the record key hides one of the value with its name. */
static bool is_hidden(const struct plan *plan, struct bytes name)
{
    if (!options_is(plan->options, "pk.mode", "record_key")) {
        return false;
    }
    if (plan->shape->key_count == 1 && plan->key_name_count == 1) {
        return bytes_equal(plan->key_names[0], name);
    }
    for (uint32_t i = 0; i < plan->shape->key_count; i++) {
        if (bytes_equal(plan->shape->columns[i].name, name)) {
            return true;
        }
    }
    return false;
}

static int add_values(struct plan *plan, struct error *err)
{
    const struct row_shape *shape = plan->shape;

    for (uint32_t i = shape->key_count; i < shape->column_count; i++) {
        const struct shape_column *column = &shape->columns[i];
        bool is_key = is_key_column(plan, column->name);

        if (column->role != COLUMN_VALUE || is_hidden(plan, column->name)) {
            continue;
        }
        if (is_key || !plan->whitelist_count ||
            is_in(plan->whitelist, plan->whitelist_count, column->name)) {
            add_from_row(plan, column, column->name, is_key);
        }
    }
    if (options_is(plan->options, "pk.mode", "record_value")) {
        for (uint32_t k = 0; k < plan->key_name_count; k++) {
            bool found = false;

            for (uint32_t i = 0; i < plan->target->column_count; i++) {
                found = found || bytes_equal(plan->target->columns[i].name, plan->key_names[k]);
            }
            if (!found) {
                return missing_key(plan, plan->key_names[k], "value", err);
            }
        }
    }
    return 0;
}

static int add_columns(struct plan *plan, struct error *err)
{
    if (options_is(plan->options, "pk.mode", "kafka")) {
        TRY(add_coordinates(plan, err));
    }
    TRY(add_values(plan, err));
    if (options_is(plan->options, "pk.mode", "record_key")) {
        TRY(add_record_key(plan, err));
    }
    return plan->target->column_count
               ? 0
               : error_set(err, ERR_SINK_FAILED, NO_POSITION,
                           "There is no column to write: the stream or table over %.*s has none "
                           "that 'fields.whitelist' and 'pk.mode' leave",
                           BYTES_ARG(plan->target->topic));
}

/* --- the key --- */

static uint32_t find_column(const struct target *target, struct bytes name)
{
    uint32_t i = 0;

    while (i < target->column_count && !bytes_equal(target->columns[i].name, name)) {
        i++;
    }
    return i;
}

/* In the order of pk.fields, else of the columns. */
static void list_keys(struct plan *plan)
{
    struct target *target = plan->target;
    uint32_t *keys = arena_array(plan->arena, uint32_t, target->column_count);

    for (uint32_t i = 0; i < plan->key_name_count; i++) {
        uint32_t at = find_column(target, plan->key_names[i]);

        if (at < target->column_count && target->columns[at].is_key) {
            keys[target->key_count++] = at;
        }
    }
    for (uint32_t i = 0; !plan->key_name_count && i < target->column_count; i++) {
        if (target->columns[i].is_key) {
            keys[target->key_count++] = i;
        }
    }
    target->keys = keys;
}

static void set_modes(struct plan *plan)
{
    const struct options *options = plan->options;
    struct target *target = plan->target;
    int64_t rows = options_integer(options, "batch.size");

    target->mode = options_is(options, "insert.mode", "upsert")   ? MODE_UPSERT
                   : options_is(options, "insert.mode", "update") ? MODE_UPDATE
                                                                  : MODE_INSERT;
    target->deletes =
        options_boolean(options, "delete.enabled") && options_is(options, "pk.mode", "record_key");
    target->way = target->mode == MODE_INSERT && !target->deletes &&
                          !options_is(options, "load.strategy", "unnest")
                      ? LOAD_COPY
                      : LOAD_ARRAYS;
    target->batch_rows = rows < 1 ? 1 : rows > UINT32_MAX ? UINT32_MAX : (uint32_t)rows;
}

int target_plan(const struct options *options, const struct row_batch *batch, PGconn *conn,
                struct arena *arena, struct target *out, struct error *err)
{
    struct plan plan = {
        .options = options, .shape = batch->shape, .conn = conn, .arena = arena, .target = out
    };

    memset(out, 0, sizeof *out);
    out->shape = batch->shape;
    out->topic = arena_copy(arena, bytes_of(batch->origins[0].topic));
    out->columns = arena_array(arena, struct target_column, batch->shape->column_count + 3);
    if (!options_is(options, "pk.mode", "none")) {
        plan.key_name_count = options_list(options, "pk.fields", arena, &plan.key_names);
    }
    plan.whitelist_count = options_list(options, "fields.whitelist", arena, &plan.whitelist);
    name_table(&plan, out->topic);
    TRY(add_columns(&plan, err));
    list_keys(&plan);
    set_modes(&plan);
    return 0;
}
