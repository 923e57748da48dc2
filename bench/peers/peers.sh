#!/bin/bash
# peers.sh: the queries of bench_kafka with Kafka Streams, beside sluice, on one broker.
# BENCH_RECORDS (1,000,000 here) is the number of records for both.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ -z "${SLUICE_TEST_KAFKA:-}" ]; then
    exec "$root/tests/services/with_kafka" "$root/bench/peers/peers.sh" "$@"
fi
jars=$root/build/services/artifacts/streams
pom=$root/bench/peers/pom.xml
export BENCH_RECORDS=${BENCH_RECORDS:-1000000}
if ! cmp -s "$pom" "$jars/pom.xml"; then
    rm -rf "$jars"
    mkdir -p "$jars"
    mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$jars" \
        -DincludeScope=runtime >"$jars/fetch.log" 2>&1 || {
        cat "$jars/fetch.log" >&2
        exit 1
    }
    cp "$pom" "$jars/pom.xml"
fi
javac -cp "$jars/*" -d "$jars/classes" "$root/bench/peers/StreamsBench.java"
make --no-print-directory -C "$root" build/release/bench/bench_kafka >&2
BENCH_ONLY='filter copy sum' "$root/build/release/bench/bench_kafka"
for query in filter copy sum; do
    java -Xmx1g -cp "$jars/classes:$jars/*" StreamsBench "$SLUICE_TEST_KAFKA" "$query" "$BENCH_RECORDS"
done
