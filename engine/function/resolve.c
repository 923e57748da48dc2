/*
 * resolve.c: which variant of a function fits these argument types.
 *
 * First without casts; only if nothing fits, and never for aggregates, numbers
 * may widen and text may become a time or bytes. Of several that fit the ranking
 * of expressions.md 12 takes the best: no repeated parameter, more parameters,
 * fewer that take anything, no repeated ANY. (Its last rule, a later repeated
 * parameter, decides nothing while that one is always the last.) A tie is an
 * error that tells the author to cast.
 */
#include <ctype.h>

#include "base/near.h"
#include "engine/function/function_internal.h"

enum casting { CASTS_NONE, CASTS_WIDEN };

struct bindings {
    const struct sql_type *of[26]; /* by letter of the type variable */
};

/* One variant against the arguments of a call. */
struct candidate {
    const struct parameter *takes;
    uint32_t parameter_count;
    unsigned flags;
    struct bindings bindings;
    bool spread; /* the last argument is an ARRAY for the repeated parameter */
};

struct call {
    struct arena *arena;
    struct bytes name;
    struct position at;
    const struct sql_type *const *types;
    uint32_t count;
};

static const struct sql_type **binding(struct bindings *bindings, char variable)
{
    return &bindings->of[toupper((unsigned char)variable) - 'A'];
}

static int number_rank(enum type_id id)
{
    static const int ranks[T_COUNT] = {
        [T_INTEGER] = 1, [T_BIGINT] = 2, [T_DECIMAL] = 3, [T_DOUBLE] = 4
    };

    return ranks[id];
}

static bool widens(enum type_id from, enum type_id to)
{
    if (from == T_STRING) {
        return type_is_temporal(to) || to == T_BYTES;
    }
    return number_rank(from) && number_rank(from) < number_rank(to);
}

/* Recursion: as deep as parameters are nested in tables. */
static bool accepts(const struct parameter *parameter, const struct sql_type *given,
                    enum casting casting, struct bindings *bindings)
{
    const struct sql_type **bound = NULL;

    if (!given || parameter->kind == PARAMETER_ANY) {
        return true;
    }
    if (parameter->kind == PARAMETER_VARIABLE) {
        bound = binding(bindings, parameter->variable);
        if (*bound) {
            return type_equal(*bound, given);
        }
        *bound = given;
        return true;
    }
    if (parameter->type != given->id) {
        return casting == CASTS_WIDEN && widens(given->id, parameter->type);
    }
    return (!parameter->key || accepts(parameter->key, given->key, CASTS_NONE, bindings)) &&
           (!parameter->element ||
            accepts(parameter->element, given->element, CASTS_NONE, bindings));
}

static bool repeated_accepts(const struct call *call, struct candidate *c, enum casting casting)
{
    const struct parameter *repeated = &c->takes[c->parameter_count - 1];
    struct bindings before = c->bindings;
    const struct sql_type *last = call->count ? call->types[call->count - 1] : NULL;
    bool all = true;

    for (uint32_t i = c->parameter_count - 1; i < call->count && all; i++) {
        all = accepts(repeated, call->types[i], casting, &c->bindings);
    }
    if (all) {
        return true;
    }
    c->bindings = before;
    c->spread = call->count == c->parameter_count && last && last->id == T_ARRAY &&
                accepts(repeated, last->element, CASTS_NONE, &c->bindings);
    return c->spread;
}

static bool candidate_fits(const struct call *call, struct candidate *c, enum casting casting)
{
    bool variadic = (c->flags & FN_VARIADIC) != 0;
    uint32_t fixed = c->parameter_count - variadic;

    c->bindings = (struct bindings){ { NULL } };
    c->spread = false;
    if (variadic ? call->count < fixed : call->count != fixed) {
        return false;
    }
    for (uint32_t i = 0; i < fixed; i++) {
        if (!accepts(&c->takes[i], call->types[i], casting, &c->bindings)) {
            return false;
        }
    }
    return !variadic || repeated_accepts(call, c, casting);
}

/* Recursion as in accepts. */
static bool mentions(const struct parameter *parameter, enum parameter_kind kind, char variable)
{
    if (!parameter) {
        return false;
    }
    return (parameter->kind == kind && (!variable || parameter->variable == variable)) ||
           mentions(parameter->key, kind, variable) || mentions(parameter->element, kind, variable);
}

static int generic_count(const struct candidate *c)
{
    int count = 0;

    for (uint32_t i = 0; i < c->parameter_count; i++) {
        count += mentions(&c->takes[i], PARAMETER_VARIABLE, 0) ||
                 mentions(&c->takes[i], PARAMETER_ANY, 0);
    }
    return count;
}

static bool repeats_any(const struct candidate *c)
{
    return (c->flags & FN_VARIADIC) && c->takes[c->parameter_count - 1].kind == PARAMETER_ANY;
}

/* Above 0: a is the better choice; 0: a tie. */
static int candidate_rank(const struct candidate *a, const struct candidate *b)
{
    int difference = !(a->flags & FN_VARIADIC) - !(b->flags & FN_VARIADIC);

    if (!difference) {
        difference = (int)a->parameter_count - (int)b->parameter_count;
    }
    if (!difference) {
        difference = generic_count(b) - generic_count(a);
    }
    if (!difference) {
        difference = repeats_any(b) - repeats_any(a);
    }
    return difference;
}

/* --- messages --- */

static void print_given_types(const struct call *call, struct buffer *out)
{
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_append_text(out, i ? ", " : "");
        if (call->types[i]) {
            type_print(call->types[i], out);
        } else {
            buffer_append_text(out, "null");
        }
    }
}

static void print_variants(const struct call *call, struct buffer *out)
{
    const struct scalar_kind *scalar = NULL;
    const struct aggregate_kind *aggregate = NULL;

    for (uint32_t i = 0; (scalar = scalar_at(i)); i++) {
        if (bytes_equal_text_nocase(call->name, scalar->name)) {
            buffer_append_text(out, "\n  ");
            scalar_print_signature(scalar, out);
        }
    }
    for (uint32_t i = 0; (aggregate = aggregate_at(i)); i++) {
        if (bytes_equal_text_nocase(call->name, aggregate->name)) {
            buffer_append_text(out, "\n  ");
            aggregate_print_signature(aggregate, out);
        }
    }
}

static int refuse(const struct call *call, enum error_code code, struct error *err)
{
    struct buffer types = { 0 };
    struct buffer variants = { 0 };

    print_given_types(call, &types);
    print_variants(call, &variants);
    if (code == ERR_AMBIGUOUS_FUNCTION) {
        error_set(err, code, call->at,
                  "%.*s(%.*s) could be any of several variants; use CAST on the arguments to "
                  "choose one of:%.*s",
                  BYTES_ARG(call->name), BYTES_ARG(buffer_bytes(&types)),
                  BYTES_ARG(buffer_bytes(&variants)));
    } else {
        error_set(err, code, call->at, "%.*s does not take the arguments (%.*s); it can be:%.*s",
                  BYTES_ARG(call->name), BYTES_ARG(buffer_bytes(&types)),
                  BYTES_ARG(buffer_bytes(&variants)));
    }
    buffer_fini(&types);
    buffer_fini(&variants);
    return code;
}

static int unknown_function(struct arena *arena, struct bytes name, struct position at,
                            struct error *err)
{
    struct near_search search = near_begin(name);

    for (uint32_t i = 0; scalar_at(i); i++) {
        near_offer(&search, bytes_of(scalar_at(i)->name));
    }
    for (uint32_t i = 0; aggregate_at(i); i++) {
        near_offer(&search, bytes_of(aggregate_at(i)->name));
    }
    return error_set(err, ERR_UNKNOWN_FUNCTION, at, "There is no function %.*s%s", BYTES_ARG(name),
                     near_hint(arena, search.best));
}

/* --- the plan of a call --- */

static const struct sql_type *cast_target(struct arena *arena, enum type_id from, enum type_id to)
{
    if (to == T_DECIMAL) {
        return type_decimal(arena, from == T_INTEGER ? 10 : 19, 0);
    }
    return type_scalar(to);
}

/* NULL when a variable in it is not bound. Recursion as in accepts. */
static const struct sql_type *parameter_type(struct arena *arena, const struct parameter *parameter,
                                             struct bindings *bindings)
{
    const struct sql_type *key = NULL;
    const struct sql_type *element = NULL;

    if (parameter->kind == PARAMETER_VARIABLE) {
        return *binding(bindings, parameter->variable);
    }
    if (parameter->kind != PARAMETER_TYPE || parameter->type == T_DECIMAL) {
        return NULL;
    }
    if (!parameter->element) {
        return parameter->type < T_ARRAY ? type_scalar(parameter->type) : NULL;
    }
    element = parameter_type(arena, parameter->element, bindings);
    key = parameter->key ? parameter_type(arena, parameter->key, bindings) : NULL;
    if (!element || (parameter->key && !key)) {
        return NULL;
    }
    return key ? type_map(arena, key, element) : type_array(arena, element);
}

static const struct parameter *parameter_of(const struct candidate *c, uint32_t argument)
{
    return &c->takes[argument < c->parameter_count ? argument : c->parameter_count - 1];
}

static void plan_arguments(const struct call *call, struct candidate *c,
                           const struct sql_type **types, const struct sql_type **casts)
{
    for (uint32_t i = 0; i < call->count; i++) {
        const struct parameter *parameter = parameter_of(c, i);
        const struct sql_type *given = call->types[i];

        casts[i] = NULL;
        if (!given) {
            types[i] = parameter_type(call->arena, parameter, &c->bindings);
        } else if (c->spread && i + 1 == call->count) {
            types[i] = given->element;
        } else if (parameter->kind == PARAMETER_TYPE && parameter->type != given->id) {
            casts[i] = cast_target(call->arena, given->id, parameter->type);
            types[i] = casts[i];
        } else {
            types[i] = given;
        }
    }
}

/* A NULL cannot stand where it would have to say what the result's type is. */
static int check_nulls(const struct call *call, const struct candidate *c,
                       const struct parameter *returns, struct error *err)
{
    for (uint32_t i = 0; i < call->count; i++) {
        const struct parameter *parameter = parameter_of(c, i);

        if (!call->types[i] && parameter->kind == PARAMETER_VARIABLE &&
            mentions(returns, PARAMETER_VARIABLE, parameter->variable)) {
            return error_set(err, ERR_NULL_TYPE, call->at,
                             "argument %u of %.*s is a NULL without a type; write CAST(NULL AS "
                             "<type>)",
                             i + 1, BYTES_ARG(call->name));
        }
    }
    return 0;
}

static int plan_call(const struct call *call, const struct scalar_kind *kind, struct candidate *c,
                     const struct function_call_plan **out, const struct sql_type **casts,
                     struct error *err)
{
    struct function_call_plan *plan = arena_new(call->arena, struct function_call_plan);
    const struct sql_type **types = arena_array(call->arena, const struct sql_type *, call->count);

    TRY(check_nulls(call, c, &kind->returns, err));
    plan_arguments(call, c, types, casts);
    plan->argument_types = types;
    plan->argument_count = call->count;
    plan->spread_last = c->spread;
    if (kind->result_type) {
        TRY(kind->result_type(call->arena, types, call->count, &plan->result_type, err));
    } else {
        plan->result_type = parameter_type(call->arena, &kind->returns, &c->bindings);
    }
    if (!plan->result_type) {
        return refuse(call, ERR_INVALID_ARGUMENTS, err);
    }
    *out = plan;
    return 0;
}

/* 0 with *best NULL when no variant fits; ERR_AMBIGUOUS_FUNCTION for a tie. */
static int choose_scalar(const struct call *call, enum casting casting,
                         const struct scalar_kind **best, struct candidate *chosen,
                         struct error *err)
{
    const struct scalar_kind *kind = NULL;
    bool tied = false;

    *best = NULL;
    for (uint32_t i = 0; (kind = scalar_at(i)); i++) {
        struct candidate c = { .takes = kind->takes,
                               .parameter_count = parameter_count(kind->takes),
                               .flags = kind->flags };
        int rank = 1;

        if (!bytes_equal_text_nocase(call->name, kind->name) ||
            !candidate_fits(call, &c, casting)) {
            continue;
        }
        rank = *best ? candidate_rank(&c, chosen) : 1;
        tied = rank == 0 || (rank < 0 && tied);
        if (rank > 0) {
            *best = kind;
            *chosen = c;
        }
    }
    return tied ? refuse(call, ERR_AMBIGUOUS_FUNCTION, err) : 0;
}

int scalar_resolve(struct arena *arena, struct bytes name, struct position at,
                   const struct sql_type *const *types, uint32_t count,
                   const struct scalar_kind **kind, const struct function_call_plan **plan,
                   const struct sql_type **casts, struct error *err)
{
    struct call call = { arena, name, at, types, count };
    const struct scalar_kind *best = NULL;
    const struct function_call_plan *made = NULL;
    struct candidate chosen = { 0 };

    if (!function_exists(name)) {
        return unknown_function(arena, name, at, err);
    }
    TRY(choose_scalar(&call, CASTS_NONE, &best, &chosen, err));
    if (!best) {
        TRY(choose_scalar(&call, CASTS_WIDEN, &best, &chosen, err));
    }
    if (!best) {
        return refuse(&call, ERR_INVALID_ARGUMENTS, err);
    }
    TRY(plan_call(&call, best, &chosen, &made, casts, err));
    *kind = best;
    *plan = made;
    return 0;
}

int aggregate_resolve(struct arena *arena, struct bytes name, struct position at,
                      const struct sql_type *const *types, uint32_t count,
                      struct aggregate_plan *out, struct error *err)
{
    struct call call = { arena, name, at, types, count };
    const struct aggregate_kind *kind = NULL;
    const struct aggregate_kind *best = NULL;

    if (!aggregate_find(name)) {
        return unknown_function(arena, name, at, err);
    }
    for (uint32_t i = 0; (kind = aggregate_at(i)); i++) {
        struct candidate c = { .takes = kind->takes,
                               .parameter_count = parameter_count(kind->takes) };

        if (bytes_equal_text_nocase(name, kind->name) && candidate_fits(&call, &c, CASTS_NONE)) {
            if (best) {
                return refuse(&call, ERR_AMBIGUOUS_FUNCTION, err);
            }
            best = kind;
        }
    }
    if (!best) {
        return refuse(&call, ERR_INVALID_ARGUMENTS, err);
    }
    *out = (struct aggregate_plan){ .kind = best, .argument_count = count };
    for (uint32_t i = 0; i < count; i++) {
        out->argument_types[i] = types[i];
    }
    return best->plan(arena, out, err);
}

int result_type_of_first(struct arena *arena, const struct sql_type *const *arguments,
                         uint32_t count, const struct sql_type **out, struct error *err)
{
    *out = arguments[0];
    return 0;
}
