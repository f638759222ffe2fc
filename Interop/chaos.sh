#!/usr/bin/env bash
# A chaos run: numbered tasks go from a Python and a Swift caller through fault proxies to Swift workers, while the broker is restarted and
# killed, connections are cut, stalled, delayed and get wrong bytes, and workers are killed and stopped. Whatever was published has to finish.
#
#   chaos.sh [--minutes M] [--seed S] [--rate TASKS] [--keep LOGS]
#
#   --minutes M   how long there are faults (2)
#   --seed S      where all randomness comes from (one by the clock, which is told)
#   --rate TASKS  tasks a second of each caller, at most (40)
#   --keep LOGS   a folder for the logs and journals, which stay there; otherwise they stay only where the run fails
#
# Uses a private RabbitMQ of its own. CHAOS_BUILD=release makes and runs release builds; CHAOS_EXECUTABLES names a folder with executables that
# are built already. Ends with a table of faults by kind and a line `N passed, N failed`; exit status 0 only if all holds.
set -euo pipefail

# shellcheck source=Interop/lib.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

minutes=2
seed=$(date +%s)
rate=40
logs=""
while [ $# -gt 0 ]; do
    case $1 in
        --minutes | --seed | --rate | --keep)
            [ $# -ge 2 ] || fail "$1 needs a value"
            case $1 in
                --minutes) minutes=$2 ;;
                --seed) seed=$2 ;;
                --rate) rate=$2 ;;
                --keep) logs=$2 ;;
            esac
            shift 2
            ;;
        *)
            sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
            exit 64
            ;;
    esac
done

kept=yes
if [ -z "$logs" ]; then
    kept=""
    logs=$(mktemp -d "${TMPDIR:-/tmp}/swcelery-chaos.XXXXXX")
fi
mkdir -p "$logs"
logs=$(cd "$logs" && pwd)

cleanup() {
    local status=$?
    trap '' INT TERM HUP
    pkill -TERM -P $$ || true
    wait
    broker_stop
    if [ -z "$kept" ] && [ "$status" = 0 ]; then
        rm -rf "$logs"
    else
        note "logs and journals: $logs"
    fi
}
trap cleanup EXIT

need_packages
need_python
examples=${CHAOS_EXECUTABLES:-}
if [ -z "$examples" ]; then
    say "Building the chaos worker and client"
    build_examples "${CHAOS_BUILD:-debug}" >"$logs/build.log" 2>&1 || {
        tail -n 40 "$logs/build.log" >&2
        fail "the build failed"
    }
fi
unset RABBITMQ_URL
broker_start
say "$minutes minutes of chaos, seed $seed"
PYTHONPATH=$interop/faults:$PYTHONPATH "$python" "$interop/chaos/chaos.py" \
    --minutes "$minutes" --seed "$seed" --rate "$rate" --logs "$logs" --worker "$examples/chaosworker" --client "$examples/chaosclient"
