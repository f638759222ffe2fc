#!/usr/bin/env bash
# Swift and Python in one Celery deployment, shown with real processes: a private RabbitMQ, a Swift worker on the queues celery and
# low-priority, a Python worker on the queue python, and a client of each language. Exit status 0 and a last line `demo: N of N ok` if all went well.
#
# Installs what is missing and says so; needs Swift and Debian (or RABBITMQ_URL, librabbitmq and Python elsewhere).
set -euo pipefail

# shellcheck source=Interop/lib.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/swcelery-demo.XXXXXX")
workers=()
passed=0
total=0

cleanup() {
    local status=$?
    trap '' INT TERM HUP
    end_processes ${workers[@]+"${workers[@]}"}
    pkill -TERM -P $$ || true
    broker_stop
    if [ "$status" != 0 ] && compgen -G "$work/*.log" >/dev/null; then
        tail -n 40 "$work"/*.log >&2
        printf '%sThe whole logs are in %s%s\n' "$red" "$work" "$plain" >&2
    else
        rm -rf "$work"
    fi
}
trap cleanup EXIT

# consumed QUEUE…: every queue has a consumer.
consumed() {
    "$python" - "$@" <<'PYTHON'
import os, sys, kombu
with kombu.Connection(os.environ["RABBITMQ_URL"]) as connection:
    for queue in sys.argv[1:]:
        try:
            found = connection.channel().queue_declare(queue, passive=True).consumer_count
        except connection.channel_errors:
            found = 0
        if not found:
            sys.exit(1)
PYTHON
}

# client COMMAND…: runs a client and adds its steps to the sum; one that ends early counts as a failed step.
client() {
    local ok=0 steps=0
    rm -f "$work/summary"
    DEMO_SUMMARY=$work/summary "$@" || true
    if [ -e "$work/summary" ]; then
        read -r ok steps <"$work/summary"
    else
        printf '  %sfailed%s  %s ended early\n' "$red" "$plain" "$1"
        steps=1
    fi
    passed=$((passed + ok))
    total=$((total + steps))
}

need_packages
need_python

say "Building swcelery and the Swift client (a debug build; the first one takes minutes)"
build_examples debug

if [ -n "${RABBITMQ_URL:-}" ]; then
    note "RABBITMQ_URL names the broker; its queues celery, low-priority and python are used, and stay there"
fi
say "Starting a broker, a Swift worker and a Python worker"
broker_start
export CELERY_BROKER_URL=$RABBITMQ_URL
"$swcelery" worker -Q celery,low-priority -c 8 -n swift@%h -l info >"$work/swift-worker.log" 2>&1 &
workers+=($!)
"$python" -m celery -A proj worker -Q python -c 2 -n python@%h -l info >"$work/python-worker.log" 2>&1 &
workers+=($!)
wait_for 60 consumed celery low-priority python || fail "the workers did not start"

say "A Python client, a Swift worker"
client "$python" -m proj.demo

say "A Swift client, a Python worker"
client "$examples/demo"

say "The command line"
total=$((total + 1))
if [ "$("$swcelery" call demo.add --args '[2, 3]' --queue python --wait --timeout 30 2>"$work/call.log")" = 5 ]; then
    passed=$((passed + 1))
    echo "  ok      swcelery call demo.add --args '[2, 3]' --queue python --wait"
else
    echo "  failed  swcelery call demo.add --args '[2, 3]' --queue python --wait"
fi

total=$((total + 1))
kill -TERM "${workers[0]}"
if wait "${workers[0]}"; then
    passed=$((passed + 1))
    echo "  ok      SIGTERM ends the Swift worker with exit status 0"
else
    echo "  failed  SIGTERM ends the Swift worker with exit status 0"
fi

echo "demo: $passed of $total ok"
[ "$passed" = "$total" ]
