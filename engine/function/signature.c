/*
 * signature.c: how a variant of a function is written: "LEN(VARCHAR input)".
 *
 * Types are spelled as in declarations (INT, VARCHAR), not as DESCRIBE spells
 * columns (INTEGER, STRING).
 */
#include "engine/function/function_internal.h"

static const char *const declared_names[T_COUNT] = {
    [T_BOOLEAN] = "BOOLEAN",     [T_INTEGER] = "INT",     [T_BIGINT] = "BIGINT",
    [T_DOUBLE] = "DOUBLE",       [T_DECIMAL] = "DECIMAL", [T_STRING] = "VARCHAR",
    [T_BYTES] = "BYTES",         [T_TIME] = "TIME",       [T_DATE] = "DATE",
    [T_TIMESTAMP] = "TIMESTAMP", [T_ARRAY] = "ARRAY",     [T_MAP] = "MAP",
    [T_STRUCT] = "STRUCT"
};

/* Tables nest containers by hand, two or three levels deep. */
void parameter_print_type(const struct parameter *parameter, struct buffer *out)
{
    switch (parameter->kind) {
    case PARAMETER_NONE:
        break;
    case PARAMETER_ANY:
        buffer_append_text(out, "ANY");
        break;
    case PARAMETER_VARIABLE:
        buffer_append_char(out, parameter->variable);
        break;
    case PARAMETER_TYPE:
        buffer_append_text(out, declared_names[parameter->type]);
        if (parameter->element) {
            buffer_append_char(out, '<');
            if (parameter->key) {
                parameter_print_type(parameter->key, out);
                buffer_append_text(out, ", ");
            }
            parameter_print_type(parameter->element, out);
            buffer_append_char(out, '>');
        }
        break;
    }
}

uint32_t parameter_count(const struct parameter takes[FUNCTION_MAX_PARAMETERS])
{
    uint32_t count = 0;

    while (count < FUNCTION_MAX_PARAMETERS && takes[count].kind != PARAMETER_NONE) {
        count++;
    }
    return count;
}

void parameters_print(const char *name, const struct parameter takes[FUNCTION_MAX_PARAMETERS],
                      unsigned flags, struct buffer *out)
{
    uint32_t count = parameter_count(takes);

    buffer_append_text(out, name);
    buffer_append_char(out, '(');
    for (uint32_t i = 0; i < count; i++) {
        bool repeated = (flags & FN_VARIADIC) && i + 1 == count;

        buffer_append_text(out, i ? ", " : "");
        parameter_print_type(&takes[i], out);
        buffer_printf(out, "%s %s", repeated ? "..." : "", takes[i].name);
    }
    buffer_append_char(out, ')');
}

void scalar_print_signature(const struct scalar_kind *kind, struct buffer *out)
{
    parameters_print(kind->name, kind->takes, kind->flags, out);
}

void aggregate_print_signature(const struct aggregate_kind *kind, struct buffer *out)
{
    if (parameter_count(kind->takes) == 0) {
        buffer_printf(out, "%s(*)", kind->name);
        return;
    }
    parameters_print(kind->name, kind->takes, 0, out);
}

/* With a STRING for a parameter that takes anything. False: it takes containers. */
static bool plan_with_any(const struct aggregate_kind *kind, struct arena *arena,
                          struct aggregate_plan *out)
{
    *out = (struct aggregate_plan){ .kind = kind, .argument_count = parameter_count(kind->takes) };
    for (uint32_t i = 0; i < out->argument_count; i++) {
        const struct parameter *taken = &kind->takes[i];
        enum type_id type = taken->kind == PARAMETER_TYPE ? taken->type : T_STRING;

        if (type >= T_ARRAY) {
            return false;
        }
        out->argument_types[i] = type == T_DECIMAL ? type_decimal(arena, 10, 0) : type_scalar(type);
    }
    return kind->plan(arena, out, NULL) == 0;
}

void aggregate_print_result_type(const struct aggregate_kind *kind, struct buffer *out)
{
    struct aggregate_plan plan;
    struct arena arena;

    arena_init(&arena, 0);
    if (!plan_with_any(kind, &arena, &plan)) {
        buffer_append_text(out, "ANY");
    } else if (plan.result_type->id == T_STRING && kind->takes[0].kind == PARAMETER_VARIABLE) {
        buffer_append_char(out, kind->takes[0].variable);
    } else {
        buffer_append_text(out, declared_names[plan.result_type->id]);
    }
    arena_fini(&arena);
}
