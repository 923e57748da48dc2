#!/bin/bash
# run.sh BUILD SEED KILLS [SCENARIO]: the crash test on a broker of its own, which it ends
# whatever came of it. After a failure everything stays in build/crash/seed-SEED.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1
seed=$2
kills=$3
only=${4:-}
evidence=build/crash/seed-$seed
rm -rf "$evidence"
mkdir -p "$evidence"
export SERVICE_NAME=crash-$$
end() {
    tests/services/kafka stop
    rm -rf "build/services/kafka-$SERVICE_NAME"
}
trap end EXIT
trap 'exit 130' INT TERM
if "$build/tests/crash/crash_kafka" "$build/tests/crash/node" build/sluice "$evidence" "$seed" "$kills" "$only"; then
    [ -n "${CRASH_KEEP:-}" ] || rm -rf "$evidence"
else
    cp "build/services/kafka-$SERVICE_NAME/broker.log" "$evidence/" 2>/dev/null
    echo "0 passed, 1 failed"
    exit 1
fi
