/*
 * engine_bed.h: an engine on a memory log and a virtual clock, and what it answered.
 *
 * The log outlives the engine, so that a test can close and open it again.
 */
#ifndef SLUICE_TESTS_UNIT_ENGINE_BED_H
#define SLUICE_TESTS_UNIT_ENGINE_BED_H

#include "engine/command/engine.h"
#include "engine/log/log_memory.h"

struct bed {
    struct clock clock;
    struct log *log;
    struct engine_config config;
    struct engine *engine;
    struct session *session;
    struct buffer said; /* results, one line each: "message ...", "row a|1", ... */
    struct error error; /* of the last execute */
    struct arena arena;
    const struct schema *schema;
    uint32_t row_limit; /* rows after which the sink has had enough; 0: never */
    uint32_t rows;
    uint32_t skipped;
    void (*rows_begun)(struct bed *bed); /* NULL: nobody asks */
};

void bed_init(struct bed *bed);
void bed_fini(struct bed *bed);
void bed_open(struct bed *bed); /* the engine and a session, over the log there is */
void bed_close(struct bed *bed);
void bed_restart(struct bed *bed);

/* Runs the text; the code. What is said before is forgotten. */
int bed_try(struct bed *bed, const char *text);
/* The same, and it must succeed. */
const char *bed_run(struct bed *bed, const char *text);
/* It must fail with this code, at this place (line 0: anywhere). */
void bed_refuse(struct bed *bed, const char *text, enum error_code code, uint32_t line,
                uint32_t column);
bool bed_has_topic(struct bed *bed, const char *name);
/* "key=value@timestamp" per record, in order of partitions and offsets; null as ~. */
const char *bed_records(struct bed *bed, const char *topic);

#endif
