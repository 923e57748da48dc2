/*
 * describe_function.c: DESCRIBE FUNCTION: the rows of its variants, and how they are shown.
 */
#include "base/near.h"
#include "engine/command/command_internal.h"
#include "engine/function/function.h"

/* --- how they are shown --- */

static void print_variant(const struct bytes name, const struct result_variant *variant,
                          struct buffer *out)
{
    buffer_printf(out, "\n\tVariation   : %.*s(", BYTES_ARG(name));
    for (uint32_t i = 0; i < variant->argument_count; i++) {
        const struct result_argument *argument = &variant->arguments[i];

        buffer_printf(out, "%s%.*s %.*s%s", i ? ", " : "", BYTES_ARG(argument->name),
                      BYTES_ARG(argument->type), argument->is_variadic ? "[]" : "");
    }
    buffer_printf(out, ")\n\tReturns     : %.*s\n", BYTES_ARG(variant->returns));
    if (variant->doc.len > 0) {
        buffer_printf(out, "\tDescription : %.*s\n", BYTES_ARG(variant->doc));
    }
    if (variant->example.len > 0) {
        buffer_printf(out, "\tExample     : %.*s\n", BYTES_ARG(variant->example));
    }
}

void result_function_print(const struct result_function *function, struct buffer *out)
{
    buffer_printf(out, "%-12s: %.*s\n", "Name", BYTES_ARG(function->name));
    buffer_printf(out, "%-12s: %.*s\n", "Author", BYTES_ARG(function->author));
    buffer_printf(out, "%-12s: %.*s\n", "Overview", BYTES_ARG(function->doc));
    buffer_printf(out, "%-12s: %.*s\n", "Type", BYTES_ARG(function->type));
    buffer_printf(out, "%-12s: %s\n", "Jar", "internal");
    buffer_printf(out, "%-12s:\n", "Variations");
    for (uint32_t i = 0; i < function->variant_count; i++) {
        print_variant(function->name, &function->variants[i], out);
    }
}

/* --- what there is --- */

typedef VEC(struct result_variant) variant_list;

static void describe_arguments(struct arena *arena, struct result_variant *variant,
                               const struct parameter takes[FUNCTION_MAX_PARAMETERS],
                               unsigned flags)
{
    uint32_t count = parameter_count(takes);
    struct result_argument *arguments = arena_array(arena, struct result_argument, count);

    for (uint32_t i = 0; i < count; i++) {
        struct buffer type = { 0 };

        parameter_print_type(&takes[i], &type);
        arguments[i] =
            (struct result_argument){ .name = bytes_of(takes[i].name),
                                      .type = answer_take(arena, &type),
                                      .is_variadic = (flags & FN_VARIADIC) && i + 1 == count };
    }
    variant->arguments = arguments;
    variant->argument_count = count;
}

static void add_scalars(struct arena *arena, struct bytes name, variant_list *variants)
{
    for (uint32_t i = 0; scalar_at(i); i++) {
        const struct scalar_kind *kind = scalar_at(i);
        struct result_variant *variant;
        struct buffer returns = { 0 };

        if (!bytes_equal_text_nocase(name, kind->name)) {
            continue;
        }
        variant = vec_push(arena, variants);
        *variant = (struct result_variant){ .doc = bytes_of(kind->doc),
                                            .example = bytes_of(kind->example) };
        describe_arguments(arena, variant, kind->takes, kind->flags);
        parameter_print_type(&kind->returns, &returns);
        variant->returns = returns.len > 0 ? answer_take(arena, &returns) : bytes_of("ANY");
    }
}

static void add_aggregates(struct arena *arena, struct bytes name, variant_list *variants)
{
    for (uint32_t i = 0; aggregate_at(i); i++) {
        const struct aggregate_kind *kind = aggregate_at(i);
        struct result_variant *variant;
        struct buffer returns = { 0 };

        if (!bytes_equal_text_nocase(name, kind->name)) {
            continue;
        }
        variant = vec_push(arena, variants);
        *variant = (struct result_variant){ .doc = bytes_of(kind->doc) };
        describe_arguments(arena, variant, kind->takes, 0);
        aggregate_print_result_type(kind, &returns);
        variant->returns = answer_take(arena, &returns);
    }
}

static struct bytes first_doc(const variant_list *variants)
{
    for (uint32_t i = 0; i < variants->count; i++) {
        if (variants->items[i].doc.len > 0) {
            return variants->items[i].doc;
        }
    }
    return bytes_of("");
}

/* --- the statement --- */

int function_check(struct command *command, struct error *err)
{
    const struct ast_name *name = &command->statement->describe.name;
    struct near_search search = near_begin(name->text);

    if (function_exists(name->text)) {
        return 0;
    }
    for (uint32_t i = 0; scalar_at(i); i++) {
        near_offer(&search, bytes_of(scalar_at(i)->name));
    }
    for (uint32_t i = 0; aggregate_at(i); i++) {
        near_offer(&search, bytes_of(aggregate_at(i)->name));
    }
    return error_set(err, ERR_UNKNOWN_FUNCTION, name->at, "There is no function %.*s%s",
                     BYTES_ARG(name->text), near_hint(command->arena, search.best));
}

int function_describe(struct command *command)
{
    static const char *const no_columns[] = { NULL };
    struct bytes name = command->statement->describe.name.text;
    struct result_function about = { .name = name, .author = bytes_of("sluice") };
    variant_list variants = { 0 };
    struct buffer text = { 0 };
    struct answer_table answer;

    add_scalars(command->arena, name, &variants);
    about.type = bytes_of(variants.count > 0 ? "SCALAR" : "AGGREGATE");
    add_aggregates(command->arena, name, &variants);
    about.variants = variants.items;
    about.variant_count = variants.count;
    about.doc = first_doc(&variants);
    result_function_print(&about, &text);
    answer_begin(&answer, command->arena, "describe_function", no_columns);
    answer.table.function = &about;
    answer.table.text = answer_take(command->arena, &text);
    answer_end(&answer, command);
    return 0;
}
