#!/bin/sh
# bench_kafka.sh [NAME=VALUE...]: bench_log_kafka with a broker that it starts and stops.
set -eu
make --no-print-directory build/release/bench/bench_log_kafka >&2
exec tests/services/with_kafka build/release/bench/bench_log_kafka "$@"
