/*
 * output.c: what both ways of printing share.
 */
#include "cli/output.h"

const struct output_kind *const all_outputs[] = { &output_table, &output_json, NULL };

void row_guard_begin(struct row_guard *guard, const struct output_settings *settings)
{
    guard->rows = 0;
    guard->began_us = clock_monotonic_us(settings->clock);
}

bool row_guard_next(struct row_guard *guard, const struct output_settings *settings)
{
    int64_t passed_us;

    guard->rows++;
    if (settings->row_limit > 0 && guard->rows >= settings->row_limit) {
        return false;
    }
    passed_us = clock_monotonic_us(settings->clock) - guard->began_us;
    return settings->timeout_ms == 0 || passed_us / 1000 < settings->timeout_ms;
}

void output_init(struct output *out, const struct output_settings *settings)
{
    *out = (struct output){ .settings = *settings };
    arena_init(&out->arena, 0);
}

/* Lines of PRINT are the same for all. */
static bool tell_printed(void *context, enum printed_line kind, struct bytes line)
{
    struct output *out = context;

    if (kind != PRINTED_IDLE) {
        buffer_append_bytes(&out->line, line);
        buffer_append_char(&out->line, '\n');
        output_show(out);
    }
    return !ferror(out->settings.to);
}

static void tell_print_end(void *context)
{
    struct output *out = context;

    buffer_append_text(&out->line, "Topic printing ceased\n");
    output_flush(out);
}

struct result_sink output_sink(struct output *out, const struct output_kind *kind)
{
    struct result_sink sink = kind->sink;

    sink.printed = tell_printed;
    sink.print_end = tell_print_end;
    sink.context = out;
    return sink;
}

void output_fini(struct output *out)
{
    arena_fini(&out->arena);
    buffer_fini(&out->line);
}

void output_flush(struct output *out)
{
    fwrite(out->line.data, 1, out->line.len, out->settings.to);
    if (out->settings.copy) {
        fwrite(out->line.data, 1, out->line.len, out->settings.copy);
    }
    out->line.len = 0;
}

void output_show(struct output *out)
{
    output_flush(out);
    fflush(out->settings.to);
    if (out->settings.copy) {
        fflush(out->settings.copy);
    }
}
