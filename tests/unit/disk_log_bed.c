/*
 * disk_log_bed.c: opens, closes and removes a disk log's directory.
 */
#include "tests/unit/disk_log_bed.h"

int disk_log_bed_open(struct disk_log_bed *bed, const struct clock *clock)
{
    if (!bed->directory[0]) {
        TRY(scratch_directory_make(bed->directory, &bed->err));
    }
    TRY(database_open(bed->directory, &bed->database, &bed->err));
    bed->config.database = bed->database;
    return log_disk_create(&bed->config, clock, &bed->log, &bed->err);
}

void disk_log_bed_close(struct disk_log_bed *bed)
{
    log_close(bed->log);
    database_close(bed->database);
    bed->log = NULL;
    bed->database = NULL;
}

void disk_log_bed_remove(struct disk_log_bed *bed)
{
    disk_log_bed_close(bed);
    if (bed->directory[0]) {
        scratch_directory_remove(bed->directory);
    }
    bed->directory[0] = 0;
}
