/*
 * kafka_batch_bed.h: a response of a broker, and what taking it apart yields.
 */
#ifndef SLUICE_TESTS_UNIT_KAFKA_BATCH_BED_H
#define SLUICE_TESTS_UNIT_KAFKA_BATCH_BED_H

#include "engine/log/log_kafka_batch.h"
#include "engine/log/log_kafka_internal.h"
#include "tests/unit/kafka_records.h"

enum { BLOCKS_MAX = 64 };

extern const struct log_topic bed_topic; /* "t" */

/* A response, and what became of it. */
struct batch_bed {
    struct buffer sent;
    int64_t from;
    struct aborted_transaction aborted[8];
    uint32_t aborted_count;
    bool is_unchecked;
    int64_t fetched_to;
    struct kafka_block *blocks[BLOCKS_MAX];
    uint32_t block_count;
    int64_t next_offset; /* behind the last call */
    int code;
    struct error err;
};

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* What is in `sent`, or as much as that of it. */
void bed_read(struct batch_bed *bed);
void bed_read_first(struct batch_bed *bed, size_t len);
void bed_forget(struct batch_bed *bed); /* to read again */
void bed_end(struct batch_bed *bed);

uint32_t bed_record_count(const struct batch_bed *bed);
const struct log_record *bed_record(const struct batch_bed *bed, uint32_t index);

/* Expected is "offset:value offset:value ...". */
void bed_assert_whole(const struct batch_bed *bed, const char *expected, int64_t next_offset);
/* What came before is handed out, and the place is named. */
void bed_assert_damaged(const struct batch_bed *bed, const char *expected, const char *words);

#endif
