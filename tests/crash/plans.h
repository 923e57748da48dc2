/*
 * plans.h: the world's queries planned and started on a runtime, without an engine.
 */
#ifndef SLUICE_TESTS_CRASH_PLANS_H
#define SLUICE_TESTS_CRASH_PLANS_H

#include "engine/catalog/catalog.h"
#include "engine/runtime/runtime.h"

enum { CHANGELOG_ENTRIES = 50 }; /* so that changelogs are written anew all the time */

struct plans {
    struct arena arena;
    struct catalog *catalog;
    const struct physical_plan *of[3];
    uint32_t count;
};

/* Makes the sinks' topics unless they are there. */
int plans_init(struct plans *plans, struct log *log, const char *service, struct error *err);
int plans_start(const struct plans *plans, struct runtime *rt, struct error *err);
void plans_fini(struct plans *plans);

#endif
