/*
 * log_contract.h: what every log must do, whatever it is made of.
 *
 * The suite assumes no dense offsets, no immediate visibility and no order of
 * partitions. Each test has a log of its own, fresh or at least with names of
 * its own in it.
 */
#ifndef SLUICE_TESTS_UNIT_LOG_CONTRACT_H
#define SLUICE_TESTS_UNIT_LOG_CONTRACT_H

#include "engine/log/log.h"

struct log_contract_target {
    const char *name;
    struct log *(*create)(const struct clock *clock);
    /* Closes the log and opens it again with what it kept; NULL: it keeps nothing. */
    struct log *(*restart)(struct log *log, const struct clock *clock);
    bool real_time; /* the log cannot be given a virtual clock */
};

/* Runs all of it; how many tests failed. */
int log_contract_run(const struct log_contract_target *target);

/* --- between the files of the suite (log_contract*.c) --- */

struct contract {
    const struct log_contract_target *target;
    struct clock clock;
    struct log *log;
    struct arena arena;
    struct error err;
};

int contract_run_records(const struct log_contract_target *target);
int contract_run_transactions(const struct log_contract_target *target);
int contract_run_groups(const struct log_contract_target *target);

int contract_setup(void **state);
int contract_teardown(void **state);
#define CONTRACT_TEST(function) \
    cmocka_unit_test_setup_teardown(function, contract_setup, contract_teardown)
/* Hands the target to each test; then run the group. */
#define CONTRACT_RUN(title, tests, target)                                  \
    (contract_prepare((tests), sizeof(tests) / sizeof(tests)[0], (target)), \
     cmocka_run_group_tests_name((title), (tests), NULL, NULL))

struct CMUnitTest;
void contract_prepare(struct CMUnitTest *tests, size_t count,
                      const struct log_contract_target *target);

/* A name that no other test uses. */
struct bytes contract_name(struct contract *c, const char *stem);
const struct log_topic *contract_topic(struct contract *c, const char *stem, uint32_t partitions);
struct log_writer *contract_writer(struct contract *c, struct bytes transactional_id);
struct log_reader *contract_reader(struct contract *c);
/* Appends a record with this value and no key for each of the values, parted by spaces. */
void contract_put(struct contract *c, struct log_writer *writer, const struct log_topic *topic,
                  uint32_t partition, const char *values);
/* Polls until a block or an error has come, or the end is reached (NULL). */
struct log_block *contract_poll(struct contract *c, struct log_reader *reader,
                                struct log_place *failed, int *code);
/* The next block. What was appended may be seen a moment later, so an end that has come too
 * early is waited out where time is real. */
struct log_block *contract_next(struct contract *c, struct log_reader *reader);
/* All values that the reader can see from where it is, parted by spaces; checks the blocks' order.
 */
struct bytes contract_drain(struct contract *c, struct log_reader *reader);
/* The values up to the end are exactly these; waits as contract_next does. */
void contract_expect_next(struct contract *c, struct log_reader *reader, const char *values);
/* The committed values of a partition from its begin are exactly these. */
void contract_expect(struct contract *c, const struct log_topic *topic, uint32_t partition,
                     const char *values);
int64_t contract_wait_ms(const struct contract *c); /* of one poll */

#endif
