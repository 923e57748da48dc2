#!/bin/sh
# kafka.sh [NAME=VALUE...]: bench_kafka with a broker that it starts and stops;
# BENCH_PROGRAM=bench_log_kafka runs that one.
set -eu
program=build/release/bench/${BENCH_PROGRAM:-bench_kafka}
make --no-print-directory "$program" >&2
exec tests/services/with_kafka "$program" "$@"
