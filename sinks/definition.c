/*
 * definition.c: what a connector can be told, and what is wrong with what one was told.
 *
 * A statement hears of the first thing that is wrong, at its place; Connect's validation of all
 * of them, one per option. No network: whether a table fits is found out by the task.
 */
#include "sinks/definition.h"

#include <string.h>

#include "base/vec.h"

static const struct option_spec common_options[] = {
/* clang-format off */
#define OPTION(name, type, usual, choices, least, effect, doc) \
    { name, type, usual, choices, least, effect, doc },
#include "sinks/connector_options.def"
#undef OPTION
    /* clang-format on */
    { 0 }
};

struct options definition_options(const struct connector_entry *entry, const struct sink_kind *kind)
{
    return (struct options){ .common = common_options,
                             .own = kind ? kind->options : NULL,
                             .given = entry->options,
                             .given_count = entry->option_count };
}

int definition_kind(const struct options *options, const struct sink_kind **out, struct error *err)
{
    struct bytes class_name = options_text(options, "connector.class");

    if (!class_name.data) {
        return error_set(err, ERR_MISSING_PROPERTY, NO_POSITION,
                         "'connector.class' is missing: it says what kind of connector this is, "
                         "for example 'JdbcSinkConnector'");
    }
    *out = sink_find(class_name);
    return *out ? 0
                : error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                            "Failed to find any class that implements Connector and which name "
                            "matches %.*s; SHOW CONNECTOR PLUGINS lists what there is",
                            BYTES_ARG(class_name));
}

/*
 * Patterns are Java's. What POSIX writes otherwise is rewritten: \d, and groups that capture
 * nothing. What it does not have at all would match something else, and is refused.
 */
static int translate_pattern(struct bytes text, struct buffer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        struct bytes rest = { text.data + i, text.len - i };

        if (bytes_starts_with(rest, bytes_of("\\d"))) {
            buffer_append_text(out, "[0-9]");
            i++;
        } else if (bytes_starts_with(rest, bytes_of("\\D"))) {
            buffer_append_text(out, "[^0-9]");
            i++;
        } else if (rest.len > 1 && rest.data[0] == '\\') {
            buffer_append(out, rest.data, 2);
            i++;
        } else if (bytes_starts_with(rest, bytes_of("(?:"))) {
            buffer_append_char(out, '(');
            i += 2;
        } else if (bytes_starts_with(rest, bytes_of("(?")) ||
                   bytes_starts_with(rest, bytes_of("*?")) ||
                   bytes_starts_with(rest, bytes_of("+?"))) {
            return REG_BADPAT;
        } else {
            buffer_append_char(out, rest.data[0]);
        }
    }
    return 0;
}

int definition_pattern(struct bytes text, regex_t *out, struct error *err)
{
    struct buffer whole = { 0 };
    int code;

    buffer_append_text(&whole, "^(");
    code = translate_pattern(text, &whole);
    buffer_append_text(&whole, ")$");
    buffer_append_char(&whole, '\0');
    code = code ? code : regcomp(out, whole.data, REG_EXTENDED | REG_NOSUB);
    buffer_fini(&whole);
    return code ? error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                            "'topics.regex' is not a regular expression, or has lookaround, flags "
                            "or lazy repetition, which are not supported: %.*s",
                            BYTES_ARG(text))
                : 0;
}

/* --- topics --- */

static const char letters_topic[] = "errors.deadletterqueue.topic.name";

static int refuse_letters(const struct options *options, const char **option, struct error *err)
{
    *option = letters_topic;
    return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                     "The dead-letter topic %.*s is among the topics that are read",
                     BYTES_ARG(options_text(options, letters_topic)));
}

static int check_pattern(const struct options *options, struct arena *arena, const char **option,
                         struct error *err)
{
    struct bytes letters = options_text(options, letters_topic);
    regex_t pattern;
    bool reads_letters;

    *option = "topics.regex";
    TRY(definition_pattern(options_text(options, "topics.regex"), &pattern, err));
    reads_letters =
        letters.len > 0 && regexec(&pattern, arena_copy_text(arena, letters), 0, NULL, 0) == 0;
    regfree(&pattern);
    return reads_letters ? refuse_letters(options, option, err) : 0;
}

static int check_topics(const struct options *options, struct arena *arena, const char **option,
                        struct error *err)
{
    bool has_pattern = options_is_given(options, "topics.regex");
    struct bytes *topics = NULL;
    uint32_t count = options_list(options, "topics", arena, &topics);

    *option = "topics";
    if (has_pattern && count > 0) {
        return error_set(err, ERR_INVALID_PROPERTY, NO_POSITION,
                         "topics and topics.regex are mutually exclusive options, but both are "
                         "set.");
    }
    if (!has_pattern && count == 0) {
        return error_set(err, ERR_MISSING_PROPERTY, NO_POSITION,
                         "Must configure one of topics or topics.regex");
    }
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal(topics[i], options_text(options, letters_topic))) {
            return refuse_letters(options, option, err);
        }
    }
    return has_pattern ? check_pattern(options, arena, option, err) : 0;
}

/* --- the first thing that is wrong --- */

/* A URL may have one among its parameters. */
static bool holds_password(struct bytes value)
{
    static const struct bytes word = BYTES("password=");

    for (size_t i = 0; i + word.len <= value.len; i++) {
        if (memcmp(value.data + i, word.data, word.len) == 0) {
            return true;
        }
    }
    return false;
}

int definition_check(void *context, const struct connector_entry *wanted, struct arena *arena,
                     struct connector_verdict *out, struct error *err)
{
    struct options options = definition_options(wanted, NULL);
    struct options_verdict verdict = { 0 };
    const struct sink_kind *kind = NULL;
    bool *secret = arena_array(arena, bool, wanted->option_count);
    const char *ignored;
    int code;

    if (!wanted->is_sink) {
        return error_set(err, ERR_UNSUPPORTED, NO_POSITION, "SOURCE CONNECTOR is not built yet");
    }
    TRY(definition_kind(&options, &kind, err));
    options = definition_options(wanted, kind);
    code = options_check(&options, arena, &verdict, err);
    out->culprit = verdict.culprit;
    TRY(code);
    TRY(check_topics(&options, arena, &ignored, err));
    if (kind->check) {
        TRY(kind->check(&options, &ignored, err));
    }
    for (uint32_t i = 0; i < wanted->option_count; i++) {
        const struct option_spec *spec = options_spec(&options, wanted->options[i].name);

        secret[i] =
            (spec && spec->type == OPTION_SECRET) || holds_password(wanted->options[i].value);
    }
    out->is_secret = secret;
    out->warnings = verdict.warnings;
    out->warning_count = verdict.warning_count;
    return 0;
}

/* --- all that is wrong --- */

typedef VEC(struct connector_finding) finding_list;

static void add_finding(struct arena *arena, finding_list *list, struct bytes option,
                        const struct error *why)
{
    *vec_push(arena, list) =
        (struct connector_finding){ option, arena_copy(arena, bytes_of(why->message)) };
}

static void check_each(const struct options *options, struct arena *arena, finding_list *list)
{
    for (uint32_t i = 0; i < options->given_count; i++) {
        struct options one = *options;
        struct options_verdict verdict = { 0 };
        struct error why = { 0 };

        one.given = &options->given[i];
        one.given_count = 1;
        if (options_check(&one, arena, &verdict, &why)) {
            add_finding(arena, list, one.given->name, &why);
        }
    }
}

uint32_t definition_validate(void *context, const struct connector_entry *wanted,
                             struct arena *arena, struct connector_finding **out)
{
    struct options options = definition_options(wanted, NULL);
    const struct sink_kind *kind = NULL;
    finding_list list = { 0 };
    struct error why = { 0 };
    const char *option = "connector.class";

    if (definition_kind(&options, &kind, &why)) {
        add_finding(arena, &list, bytes_of(option), &why);
    }
    options = definition_options(wanted, kind);
    if (kind) {
        check_each(&options, arena, &list);
    }
    if (check_topics(&options, arena, &option, &why)) {
        add_finding(arena, &list, bytes_of(option), &why);
    }
    if (kind && kind->check && list.count == 0 && kind->check(&options, &option, &why)) {
        add_finding(arena, &list, bytes_of(option), &why);
    }
    *out = list.items;
    return list.count;
}

/* --- what there is to tell --- */

typedef VEC(struct connector_option_kind) option_kind_list;

static const char *type_text(enum option_type type)
{
    static const char *const names[] = {
        [OPTION_TEXT] = "STRING",  [OPTION_SECRET] = "PASSWORD", [OPTION_BOOLEAN] = "BOOLEAN",
        [OPTION_INTEGER] = "LONG", [OPTION_CHOICE] = "STRING",   [OPTION_LIST] = "LIST"
    };

    return names[type];
}

static void list_kinds(const struct option_spec *specs, struct arena *arena, option_kind_list *list)
{
    for (; specs->name; specs++) {
        if (strchr(specs->name, '*')) {
            continue; /* no single option */
        }
        *vec_push(arena, list) =
            (struct connector_option_kind){ .name = specs->name,
                                            .type = type_text(specs->type),
                                            .usual = specs->usual,
                                            .choices = specs->choices,
                                            .is_required =
                                                strcmp(specs->name, "name") == 0 ||
                                                strcmp(specs->name, "connector.class") == 0 ||
                                                strcmp(specs->name, "connection.url") == 0,
                                            .doc = specs->doc };
    }
}

const struct connector_option_kind *definition_describe(void *context, struct bytes class_name,
                                                        struct arena *arena)
{
    const struct sink_kind *kind = sink_find(class_name);
    option_kind_list list = { 0 };

    if (!kind) {
        return NULL;
    }
    list_kinds(common_options, arena, &list);
    list_kinds(kind->options, arena, &list);
    *vec_push(arena, &list) = (struct connector_option_kind){ .name = NULL };
    return list.items;
}
