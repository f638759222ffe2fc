#!/usr/bin/env bash
# The no-op task over a pre-filled queue on bare librabbitmq, on swcelery and on Celery, in one run; ends with a table.
#
#   run.sh [--tasks N] [--python-tasks N] [--rounds N] [--only NAME]
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
# shellcheck disable=SC2046 # several flags are wanted
"${CC:-$(command -v cc || echo clang)}" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$work/bare" "$interop/benchmarks/bare.c" $(pkg-config --cflags --libs librabbitmq)
broker_start
"$python" "$interop/benchmarks/bench.py" --url "$RABBITMQ_URL" --bare "$work/bare" --swcelery "$SWCELERY" --logs "$work" "$@"
