#!/usr/bin/env bash
# Runs the fuzz targets of Tests/Fuzz with libFuzzer and AddressSanitizer, one after the other; ends with a table, and badly if there are findings.
#
#   fuzz.sh [--seconds N | --minutes N] [TARGET…]     60 seconds for each target; all targets unless some are named
#
# Each target starts from the golden messages and from what earlier runs have found to be of interest, which is kept in .build-fuzz/corpus.
# Inputs that break a rule are kept in .build-fuzz/findings, the logs in .build-fuzz/logs. GOLDEN names a folder of further golden messages.
set -euo pipefail

# shellcheck source=Interop/lib.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

all_targets=(field-table frames json result-message signature task-message url wire-date)
scratch=$root/.build-fuzz
dictionaries=$root/Tests/Fuzz/Dictionaries
golden=("$root/Tests/CeleryProtocolTests/Golden" ${GOLDEN:+"$GOLDEN"})
# Longest input in bytes; limits of one input in seconds and MiB.
greatest_length=16384
input_seconds=25
input_memory=2048

dictionary_of() {
    case $1 in
        field-table | frames) echo amqp ;;
        url | wire-date) echo "$1" ;;
        *) echo json ;;
    esac
}

# Builds in release mode, which is what users run; the access to internals has to be asked for there. SwiftPM has to know of the fuzzer, which
# brings its own main; both sanitizers stand in one more flag, since of several the compiler takes the last one only.
build_targets() {
    local flags=(
        --package-path "$root" --scratch-path "$scratch" -c release --product swcelery-fuzz
        --sanitize=fuzzer -Xswiftc "-sanitize=address,fuzzer" -Xswiftc -enable-testing -Xswiftc -warnings-as-errors
    )
    local log=$scratch/build.log
    mkdir -p "$scratch"
    if ! SWCELERY_FUZZ=1 swift build "${flags[@]}" >"$log" 2>&1; then
        # The linker warns of each symbol of the sanitizer that it does not export.
        grep -v 'ld.gold: warning: ' "$log" | tail -n 100
        fail "the targets do not build"
    fi
    fuzzer=$(SWCELERY_FUZZ=1 swift build "${flags[@]}" --show-bin-path)/swcelery-fuzz
}

# stat LOG NAME: a number of libFuzzer's final statistics, 0 where it did not come so far.
stat_of() {
    local number
    number=$(sed -n "s/^stat::$2: *//p" "$1" | tail -n 1)
    echo "${number:-0}"
}

# fuzz TARGET: runs one target and adds its line to the table.
fuzz() {
    local name=$1 log=$scratch/logs/$1.log corpus=$scratch/corpus/$1 findings=$scratch/findings/$1 status=0 count coverage
    mkdir -p "$scratch/logs" "$corpus" "$findings"
    # Swift's own backtracer would hold libFuzzer's report back.
    SWCELERY_FUZZ_TARGET=$name SWIFT_BACKTRACE=enable=no \
        timeout --kill-after 30 $((seconds + 120)) "$fuzzer" "$corpus" "$seeds/$name" \
        -max_total_time="$seconds" -max_len="$greatest_length" -timeout="$input_seconds" -rss_limit_mb="$input_memory" \
        -dict="$dictionaries/$(dictionary_of "$name").dict" -artifact_prefix="$findings/" -print_final_stats=1 \
        -detect_leaks=0 >"$log" 2>&1 || status=$?
    count=$(find "$findings" -type f -newer "$started" | wc -l)
    coverage=$(grep -oE ' cov: [0-9]+' "$log" | tail -n 1 | tr -dc 0-9)
    if [ "$status" != 0 ] && [ "$count" = 0 ]; then
        count=1
    fi
    if [ "$count" != 0 ]; then
        found=$((found + count))
        grep -E 'broken rule|Fatal error|SUMMARY|ERROR: ' "$log" | head -n 5 || tail -n 20 "$log"
        find "$findings" -type f -newer "$started" | while read -r input; do
            note "again: SWCELERY_FUZZ_TARGET=$name SWIFT_BACKTRACE=enable=no $fuzzer $input"
        done
    fi
    table+=$(printf '%-16s %12s %10s %9s %9s' "$name" "$(stat_of "$log" number_of_executed_units)" \
        "$(stat_of "$log" average_exec_per_sec)" "${coverage:-0}" "$count")$'\n'
}

seconds=60
targets=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds | --minutes)
            [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "$1 needs a number"
            seconds=$2
            [ "$1" = --seconds ] || seconds=$((seconds * 60))
            shift
            ;;
        -*) fail "there is no option $1" ;;
        *)
            [[ " ${all_targets[*]} " == *" $1 "* ]] || fail "there is no target $1; there are: ${all_targets[*]}"
            targets+=("$1")
            ;;
    esac
    shift
done
[ ${#targets[@]} -gt 0 ] || targets=("${all_targets[@]}")

need_packages
say "Building the fuzz targets"
build_targets
seeds=$(mktemp -d "${TMPDIR:-/tmp}/swcelery-fuzz.XXXXXX")
started=$seeds/started
trap 'pkill -TERM -P $$ || true; rm -rf "$seeds"' EXIT
python3 "$interop/fuzz_corpus.py" "$seeds" "${golden[@]}" >/dev/null
: >"$started"

found=0
table=$(printf '%-16s %12s %10s %9s %9s' target executions per-second coverage findings)$'\n'
for target in "${targets[@]}"; do
    say "$target ($seconds s)"
    fuzz "$target"
done
printf '\n%s' "$table"
[ "$found" = 0 ] || fail "$found findings, kept in $scratch/findings"
