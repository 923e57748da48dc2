/*
 * replay.c: feeds files to a fuzz target, without libFuzzer.
 *
 * Each input is copied to a block of its exact size, so that ASan sees a read
 * past its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/fuzz/fuzz.h"

static int read_file(const char *path, struct buffer *out)
{
    char block[4096];
    size_t len;
    int failed;
    FILE *file = fopen(path, "rb");

    if (!file) {
        return -1;
    }
    while ((len = fread(block, 1, sizeof block, file)) > 0) {
        buffer_append(out, block, len);
    }
    failed = ferror(file);
    (void)fclose(file); /* was only read */
    return failed ? -1 : 0;
}

static int replay(const char *path)
{
    struct buffer content = { 0 };
    uint8_t *exact;

    if (read_file(path, &content)) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        buffer_fini(&content);
        return -1;
    }
    exact = malloc(content.len ? content.len : 1);
    if (!exact) {
        abort();
    }
    if (content.len) {
        memcpy(exact, content.data, content.len);
    }
    (void)fprintf(stderr, "%s\n", path); /* the last one named is the one that failed */
    (void)LLVMFuzzerTestOneInput(exact, content.len);
    free(exact);
    buffer_fini(&content);
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (replay(argv[i])) {
            return 1;
        }
    }
    return 0;
}
