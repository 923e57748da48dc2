/*
 * test_main.c: `sluice test`: options, files, names of cases, the sum.
 *
 * The last line is always "N passed, N failed, N skipped"; skipped are the cases that --only
 * or --pass-list leave out of the files named.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/test/pool.h"
#include "cli/test/test.h"
#include "engine/type/java_text.h"

enum { EXIT_TEST_FAILED = 1, EXIT_USAGE = 255, FILE_MAX_BYTES = 64 * 1024 * 1024 };

static const char usage[] =
    "  FILE is .json (statements, inputs, outputs) or .sql (statements with ASSERT)\n"
    "  --list               print the names of the cases\n"
    "  --only TEXT          run the cases whose name holds the text\n"
    "  --jobs N             run N cases at once (default: one per processor)\n"
    "  --batch N            let in N inputs at once (default 1)\n"
    "  --store memory|disk  where records and state are kept (default memory)\n"
    "  --cache BYTES        buffer updates; only the last row of a key counts (default 0)\n"
    "  --crash-every N      lose all live state after every N inputs and recover\n"
    "  --pass-list FILE     run the cases named in the file, a name per line\n"
    "  --write-pass-list FILE  write the names of the cases that passed\n";

/* --- options --- */

static int usage_error(const char *what, const char *detail)
{
    (void)fprintf(stderr, "sluice test: %s%s%s; see: sluice help test\n", what, detail ? ": " : "",
                  detail ? detail : "");
    return EXIT_USAGE;
}

void test_usage(FILE *to)
{
    fputs(usage, to);
}

struct number_option {
    const char *name;
    int64_t least;
    int64_t most;
};

static const struct number_option number_options[] = {
    { "--jobs", 1, 64 },
    { "--batch", 1, 256 },
    { "--cache", 0, INT64_C(1) << 40 },
    { "--crash-every", 1, 1000000 },
};

static void set_number(struct test_options *options, const char *name, int64_t number)
{
    if (strcmp(name, "--jobs") == 0) {
        options->jobs = (uint32_t)number;
    } else if (strcmp(name, "--batch") == 0) {
        options->batch_rows = (uint32_t)number;
    } else if (strcmp(name, "--cache") == 0) {
        options->cache_bytes = number;
    } else {
        options->crash_every = (uint32_t)number;
    }
}

static int read_number(struct test_options *options, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof number_options / sizeof number_options[0]; i++) {
        const struct number_option *option = &number_options[i];
        int64_t number = 0;

        if (strcmp(name, option->name) != 0) {
            continue;
        }
        if (java_long_parse(bytes_of(value), &number, NULL) != 0 || number < option->least ||
            number > option->most) {
            return usage_error("not a possible value", name);
        }
        set_number(options, name, number);
        return 0;
    }
    return usage_error("no such option", name);
}

static int read_option(struct test_options *options, const char *name, const char *value)
{
    if (!value) {
        return usage_error("the option needs a value", name);
    }
    if (strcmp(name, "--only") == 0) {
        options->only = value;
    } else if (strcmp(name, "--pass-list") == 0) {
        options->pass_list = value;
    } else if (strcmp(name, "--write-pass-list") == 0) {
        options->write_pass_list = value;
    } else if (strcmp(name, "--store") == 0) {
        options->on_disk = strcmp(value, "disk") == 0;
        if (!options->on_disk && strcmp(value, "memory") != 0) {
            return usage_error("records and state are kept in memory or on disk", value);
        }
    } else {
        return read_number(options, name, value);
    }
    return 0;
}

/* Options first, then files; *files is where they begin. */
static int read_options(int argc, char **argv, struct test_options *options, int *files)
{
    int at = 1;

    while (at < argc && strncmp(argv[at], "--", 2) == 0) {
        if (strcmp(argv[at], "--list") == 0) {
            options->list = true;
            at++;
            continue;
        }
        TRY(read_option(options, argv[at], at + 1 < argc ? argv[at + 1] : NULL));
        at += 2;
    }
    *files = at;
    return at < argc ? 0 : usage_error("no files", NULL);
}

/* --- files --- */

static int read_file(struct arena *arena, const char *path, struct bytes *out, struct error *err)
{
    FILE *file = fopen(path, "rb");
    struct buffer text = { 0 };
    char data[16384];
    size_t len;
    int code = 0;

    if (!file) {
        return error_set(err, ERR_IO, NO_POSITION, "%s: %s", path, strerror(errno));
    }
    while (!code && (len = fread(data, 1, sizeof data, file)) > 0) {
        buffer_append(&text, data, len);
        if (text.len > FILE_MAX_BYTES) {
            code = error_set(err, ERR_TOO_LARGE, NO_POSITION, "%s: too large", path);
        }
    }
    if (!code && ferror(file)) {
        code = error_set(err, ERR_IO, NO_POSITION, "%s: cannot be read", path);
    }
    (void)fclose(file);
    *out = arena_copy(arena, buffer_bytes(&text));
    buffer_fini(&text);
    return code;
}

static const struct case_kind *kind_of(struct bytes name)
{
    static const struct case_kind *const kinds[] = { &case_qtt, &case_sql };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t len = strlen(kinds[i]->suffix);

        if (name.len > len && memcmp(name.data + name.len - len, kinds[i]->suffix, len) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

static int load_file(struct case_list *list, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    struct bytes stem = bytes_of(slash ? slash + 1 : path);
    const struct case_kind *kind = kind_of(stem);
    struct bytes text = { NULL, 0 };
    uint32_t before = list->cases.count;
    int code;

    if (!kind) {
        return error_set(err, ERR_IO, NO_POSITION, "%s: no .json or .sql file", path);
    }
    TRY(read_file(list->arena, path, &text, err));
    stem.len -= strlen(kind->suffix);
    code = kind->load(list, path, stem, text, err);
    if (!code && kind == &case_sql && list->cases.count == before) {
        code = error_set(err, ERR_IO, NO_POSITION, "no cases; each begins with --@test: name");
    }
    return code ? error_prefix(err, "%s", path) : 0;
}

/* --- which cases --- */

static void keep_only(struct case_list *list, const char *only)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < list->cases.count; i++) {
        const char *name = arena_copy_text(list->arena, list->cases.items[i].name);

        if (strstr(name, only)) {
            list->cases.items[count++] = list->cases.items[i];
        }
    }
    list->cases.count = count;
}

static struct bytes next_line(struct bytes *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    struct bytes line = { rest->data, len };

    rest->data += len + (end ? 1 : 0);
    rest->len -= len + (end ? 1 : 0);
    return line;
}

/* The cases of the list, in its order; *missing counts names without a case. */
static int keep_listed(struct case_list *list, const char *path, uint32_t *missing,
                       struct error *err)
{
    struct case_list kept = { .arena = list->arena };
    struct bytes text = { NULL, 0 };

    TRY(read_file(list->arena, path, &text, err));
    while (text.len > 0) {
        struct bytes line = next_line(&text);
        uint32_t at = 0;

        if (line.len == 0 || line.data[0] == '#') {
            continue;
        }
        while (at < list->cases.count && !bytes_equal(list->cases.items[at].name, line)) {
            at++;
        }
        if (at < list->cases.count) {
            *vec_push(list->arena, &kept.cases) = list->cases.items[at];
        } else {
            (void)printf("FAILED %.*s\n  listed in %s, but there is no such case\n",
                         BYTES_ARG(line), path);
            ++*missing;
        }
    }
    *list = kept;
    return 0;
}

/* --- the run --- */

struct totals {
    uint32_t passed;
    uint32_t failed;
    FILE *pass_list; /* NULL: not asked for */
};

static void count_result(void *context, const struct test_case *test,
                         const struct case_result *result)
{
    struct totals *totals = context;

    if (result->passed) {
        totals->passed++;
        if (totals->pass_list) {
            (void)fprintf(totals->pass_list, "%.*s\n", BYTES_ARG(test->name));
        }
        return;
    }
    totals->failed++;
    (void)printf("FAILED %.*s\n%.*s", BYTES_ARG(test->name), BYTES_ARG(result->report));
}

static int run_cases(struct case_list *list, const struct test_options *options,
                     struct totals *totals)
{
    if (options->write_pass_list) {
        totals->pass_list = fopen(options->write_pass_list, "w");
        if (!totals->pass_list) {
            return usage_error("cannot be written", options->write_pass_list);
        }
    }
    pool_run(list, options, list->arena, count_result, totals);
    if (totals->pass_list) {
        (void)fclose(totals->pass_list);
    }
    return totals->failed > 0 ? EXIT_TEST_FAILED : 0;
}

static int choose_and_run(struct case_list *list, const struct test_options *options,
                          struct error *err)
{
    struct totals totals = { 0 };
    uint32_t all = list->cases.count;
    int status = 0;

    if (options->pass_list && keep_listed(list, options->pass_list, &totals.failed, err)) {
        return usage_error(err->message, NULL);
    }
    if (options->only) {
        keep_only(list, options->only);
    }
    if (options->list) {
        for (uint32_t i = 0; i < list->cases.count; i++) {
            (void)printf("%.*s\n", BYTES_ARG(list->cases.items[i].name));
        }
        return 0;
    }
    status = run_cases(list, options, &totals);
    (void)printf("%u passed, %u failed, %u skipped\n", totals.passed, totals.failed,
                 all - list->cases.count);
    return status;
}

int test_main(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct test_options options = { .jobs = processors > 0 ? (uint32_t)processors : 1 };
    struct error err = { 0 };
    struct arena arena;
    struct case_list list = { .arena = &arena };
    int files = 0;
    int status = read_options(argc, argv, &options, &files);

    if (status) {
        return status;
    }
    if (options.batch_rows == 0) {
        options.batch_rows = options.cache_bytes > 0 ? 256 : 1;
    }
    arena_init(&arena, 0);
    for (int i = files; i < argc && !status; i++) {
        if (load_file(&list, argv[i], &err)) {
            status = usage_error(err.message, NULL);
        }
    }
    status = status ? status : choose_and_run(&list, &options, &err);
    arena_fini(&arena);
    return status;
}
