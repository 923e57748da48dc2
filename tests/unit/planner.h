/*
 * planner.h: runs SQL text against the planner alone: a memory log, a catalog, no engine.
 */
#ifndef SLUICE_TESTS_UNIT_PLANNER_H
#define SLUICE_TESTS_UNIT_PLANNER_H

#include "engine/log/log.h"
#include "engine/plan/plan.h"

struct planner {
    struct arena arena;
    struct clock clock;
    struct log *log;
    struct catalog *catalog;
    struct plan_settings settings;
    uint32_t next_query;
    struct error err; /* of the statement that failed */
    /* what the last statement gave */
    const struct source *source;
    const struct physical_plan *plan;
    const struct pull_lookup *pull;
    struct insert_row row;
    struct buffer explained; /* all plans so far */
};

void planner_init(struct planner *p);
void planner_fini(struct planner *p);
void planner_add_topic(struct planner *p, const char *name, uint32_t partitions);
/* Statement by statement, as a script runs; the code of the first that fails, or 0. */
int planner_run(struct planner *p, const char *sql);
/* The same, which has to succeed. */
void planner_accept(struct planner *p, const char *sql);
/* One statement that has to fail so. */
void planner_refuse(struct planner *p, const char *sql, enum error_code code);

/* A file of the repository, in the planner's arena; tests run in its root. */
struct bytes planner_read_file(struct planner *p, const char *path);
/* The names of the files of a folder that end so, sorted; the count. */
uint32_t planner_list_files(struct planner *p, const char *folder, const char *ending,
                            struct bytes **out);

#endif
