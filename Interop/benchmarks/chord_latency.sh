#!/usr/bin/env bash
# The time from a chord's last result to the result of its body, beside a plain round trip, in one run; ends with a table.
#
#   chord_latency.sh [--rounds N]
#
# Uses a private RabbitMQ, or the one at RABBITMQ_URL. SWCELERY names a built executable; without it a release build is made.
set -euo pipefail

# shellcheck source=Interop/lib.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/lib.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/swcelery-benchmark.XXXXXX")
trap 'pkill -TERM -P $$ || true; broker_stop; rm -rf "$work"' EXIT

need_packages
need_python
need_release
broker_start
"$python" "$interop/benchmarks/chord_latency.py" --url "$RABBITMQ_URL" --swcelery "$SWCELERY" --logs "$work" "$@"
