/*
 * disk_log_bed.h: a log on disk in a directory of its own, for tests.
 */
#ifndef SLUICE_TESTS_UNIT_DISK_LOG_BED_H
#define SLUICE_TESTS_UNIT_DISK_LOG_BED_H

#include "base/scratch_directory.h"
#include "engine/log/database.h"
#include "engine/log/log_disk.h"

struct disk_log_bed {
    char directory[SCRATCH_PATH_MAX]; /* of the database; empty: not made yet */
    struct database *database;
    struct log *log;
    struct log_disk_config config; /* for the next opening; the database is set by it */
    struct error err;
};

/* Makes the directory if there is none. The error is in the bed. */
int disk_log_bed_open(struct disk_log_bed *bed, const struct clock *clock);
void disk_log_bed_close(struct disk_log_bed *bed); /* the directory stays */
void disk_log_bed_remove(struct disk_log_bed *bed);

#endif
