#!/usr/bin/env bash
# Flower in a real browser, beside a private RabbitMQ, two Swift workers and one of Celery's own: opens its pages, presses its buttons, stores
# screenshots to be looked at, and prints which rows of a worker's pages only one of the two has.
#
#   look.sh FOLDER
#
# SWCELERY names a built executable; without it a debug build is made. The browser is Debian's chromium.
set -euo pipefail

# shellcheck source=Interop/lib.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/lib.sh"

[ $# = 1 ] || fail "the folder for the screenshots is missing"
mkdir -p "$1"
folder=$(cd "$1" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/swcelery-flower.XXXXXX")
started=()
trap 'end_processes "${started[@]}"; broker_stop; rm -rf "$work"' EXIT

# The names of Debian's packages and of their executables differ.
command -v chromium >/dev/null || more_packages+=(chromium)
command -v chromedriver >/dev/null || more_packages+=(chromium-driver)
need_packages
need_python_with "$interop/flower/requirements.txt"
browser_python=$python
need_python
if [ -z "${SWCELERY:-}" ]; then
    say "Building swcelery"
    swift build --package-path "$root" --product swcelery
    SWCELERY=$(swift build --package-path "$root" --show-bin-path)/swcelery
fi
broker_start
export CELERY_BROKER_URL=$RABBITMQ_URL FLOWER_UNAUTHENTICATED_API=true

# start NAME COMMAND…: in the background, with a log of its own.
start() {
    local log=$work/$1.log
    shift
    (cd "$work" && exec "$@") >"$log" 2>&1 &
    started+=($!)
}

port=$(free_port)
start swift "$SWCELERY" worker -n swift@%h -Q swift -c 2 -P prefork -E -l info worker_pool_restarts=1
start scaled "$SWCELERY" worker -n scaled@%h -Q scaled --autoscale 3,1 -P prefork -E -l info
start python "$python" -m celery -A proj worker -n python@%h -Q python -c 2 -P prefork -E -l info -- worker.pool_restarts=1
start flower "$python" -m celery -A proj flower --address=127.0.0.1 --port="$port"

say "Looking at Flower"
status=0
"$browser_python" "$interop/flower/look.py" "http://127.0.0.1:$port" "$folder" || status=$?
cp "$work"/*.log "$folder"
exit "$status"
