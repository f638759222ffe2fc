#!/usr/bin/env bash
# Chords over AMQP while their collector is killed ten times and the broker restarts once: chaos/chords.py tells the details.
#
#   chords.sh [--chords N] [--size N] [--large N] [--kills N] [--seed S]
#
# Uses a private RabbitMQ of its own. SWCELERY names a built executable; without it a debug build is made. Ends with a line
# `N passed, N failed`; the logs stay where the run fails.
set -euo pipefail

# shellcheck source=Interop/lib.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

logs=$(mktemp -d "${TMPDIR:-/tmp}/swcelery-chords.XXXXXX")

cleanup() {
    local status=$?
    trap '' INT TERM HUP
    pkill -TERM -P $$ || true
    wait
    broker_stop
    if [ "$status" = 0 ]; then rm -rf "$logs"; else note "logs: $logs"; fi
}
trap cleanup EXIT

need_packages
need_python
if [ -z "${SWCELERY:-}" ]; then
    say "Building swcelery"
    swift build --package-path "$root" --product swcelery >"$logs/build.log" 2>&1 || {
        tail -n 40 "$logs/build.log" >&2
        fail "the build failed"
    }
    SWCELERY=$(swift build --package-path "$root" --show-bin-path)/swcelery
fi
unset RABBITMQ_URL
broker_start
say "Chords under fire"
PYTHONPATH=$interop/chaos:$PYTHONPATH "$python" "$interop/chaos/chords.py" --swcelery "$SWCELERY" --logs "$logs" "$@"
