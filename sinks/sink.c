/*
 * sink.c: the kinds of sinks, and finding one by the class that a configuration names.
 */
#include "sinks/sink.h"

#define SINK(name) extern const struct sink_kind sink_##name;
#include "sinks/sinks.def"
#undef SINK

const struct sink_kind *const all_sinks[] = {
#define SINK(name) &sink_##name,
#include "sinks/sinks.def"
#undef SINK
    NULL,
};

static struct bytes without_suffix(struct bytes name)
{
    static const struct bytes suffix = BYTES("Connector");

    if (name.len > suffix.len &&
        bytes_equal((struct bytes){ name.data + name.len - suffix.len, suffix.len }, suffix)) {
        name.len -= suffix.len;
    }
    return name;
}

static struct bytes simple_name(struct bytes name)
{
    for (size_t i = name.len; i > 0; i--) {
        if (name.data[i - 1] == '.') {
            return (struct bytes){ name.data + i, name.len - i };
        }
    }
    return name;
}

/* A name with a package must be the whole name. */
static bool is_named(struct bytes class_name, struct bytes wanted)
{
    struct bytes simple = simple_name(wanted);

    if (simple.len < wanted.len) {
        return bytes_equal(without_suffix(class_name), without_suffix(wanted));
    }
    return bytes_equal(without_suffix(simple_name(class_name)), without_suffix(wanted));
}

const struct sink_kind *sink_find(struct bytes class_name)
{
    for (const struct sink_kind *const *kind = all_sinks; *kind; kind++) {
        for (const char *const *name = (*kind)->classes; *name; name++) {
            if (is_named(bytes_of(*name), class_name)) {
                return *kind;
            }
        }
    }
    return NULL;
}
