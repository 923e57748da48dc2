/*
 * qtt.h: what the files of the query-validation cases share: one case, ready to run.
 */
#ifndef SLUICE_CLI_TEST_QTT_H
#define SLUICE_CLI_TEST_QTT_H

#include "cli/test/harness.h"
#include "cli/test/json_tree.h"
#include "cli/test/options.h"

/* An input that lies on the log. */
struct placed_input {
    const struct log_topic *topic;
    uint32_t partition;
    int64_t offset;
};

struct placed_inputs {
    struct placed_input *items;
    uint32_t count;
};

/*
 * Lets every query, in order of creation, read what is meant for it (conformance README, "order
 * of running").
 */
int qtt_drive(struct harness *h, const struct test_options *options,
              const struct placed_inputs *inputs, struct error *err);

/* "topics" that exist beforehand. */
int qtt_make_topics(struct harness *h, const struct json *topics, struct error *err);

/* "outputs": records on the topics, compared. Differences go to the report. */
int qtt_check_outputs(struct harness *h, const struct test_options *options,
                      const struct json *test, struct buffer *report, struct error *err);

/* "post": sources and topics after the run. */
int qtt_check_post(struct harness *h, const struct json *post, struct error *err);

#endif
