#!/usr/bin/env bash
# Every test tier, on a machine that has nothing but Debian and Swift. Ends with a line `N passed, N failed`, and `, N skipped` where some were.
#
#   test.sh [TIER…]     build lint unit model broker interop python chaos chords tsan asan; all of these unless some are named
#   test.sh --rabbitmq 4 [TIER…]
#                       the same in a Debian 13 beside this system, with RabbitMQ 4.0 and librabbitmq 0.15: broker and interop unless some are
#                       named. Needs root, and some minutes more the first time: see debian13.sh
#
#   build     everything compiles without a warning
#   lint      format of the Swift sources; shell scripts by shellcheck where it is installed
#   unit      what needs neither broker nor Python: unit and memory tests
#   broker    the same library against a private RabbitMQ, or the one at RABBITMQ_URL
#   tsan      unit and memory tests under ThreadSanitizer
#   asan      unit and memory tests under AddressSanitizer
#   interop   pytest: Python Celery against the Swift worker and client, faults included
#   model     the model of the collector of chords holds, and wrong designs fail
#   chords    a thousand chords of ten members and one of ten thousand, while their collector is killed ten times
#   python    pytest: the result backend for Python, with each version of Celery that it is for
#   chaos     two minutes of faults of every kind, in an order that stays the same
#   fuzz      every fuzz target for five seconds; only where it is named, since its build takes minutes (fuzz.sh runs them for longer)
set -euo pipefail

# shellcheck source=Interop/lib.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

if [ "${1:-}" = --rabbitmq ]; then
    [ "${2:-}" = 4 ] || fail "--rabbitmq takes 4; the RabbitMQ of this system is used without it"
    shift 2
    [ $# -gt 0 ] || set -- broker interop
    exec "$interop/debian13.sh" run Interop/test.sh "$@"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/swcelery-test.XXXXXX")
passed=0
failed=0
skipped=0
swift_flags=(-Xswiftc -warnings-as-errors)
# So many Swift tests run at a time: all at once, those that wait for something wait for a thousand others.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=16

cleanup() {
    trap '' INT TERM HUP
    pkill -TERM -P $$ || true
    broker_stop
    rm -rf "$work"
}
trap cleanup EXIT

# tally TIER STATUS [REPORT]: adds the outcome of a tier to the sums. A JUnit report counts by test, otherwise the tier is one test. A tier
# that ended badly without a failed test has failed as a whole, and so has one that ran no test.
tally() {
    local tier=$1 status=$2 report=${3:-} good=0 bad=0 left=0
    if [ -n "$report" ] && [ -s "$report" ]; then
        read -r good bad left < <(python3 - "$report" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree
try:
    cases = [{child.tag for child in case} for case in tree.parse(sys.argv[1]).iter("testcase")]
except tree.ParseError:  # the run was cut short
    cases = []
bad = sum(bool(tags & {"failure", "error"}) for tags in cases)
left = sum("skipped" in tags for tags in cases)
print(len(cases) - bad - left, bad, left)
PYTHON
        )
    elif [ "$status" = 0 ] && [ -z "$report" ]; then
        good=1
    fi
    if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
        bad=1
    elif [ $((good + bad)) = 0 ]; then
        bad=1
        note "no test ran"
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    skipped=$((skipped + left))
    note "$tier: $good passed, $bad failed, $left skipped"
}

# logged TIER COMMAND…: runs the command; of its output only what matters is shown, and that only when it fails.
logged() {
    local log=$work/$1.log status=0 matters
    matters='^[^ ]+:[0-9]+:[0-9]+: (error|warning): |^error: |✘ Test |SUMMARY: |Fatal error'
    shift
    "$@" >>"$log" 2>&1 || status=$?
    if [ "$status" != 0 ]; then
        if grep -qE "$matters" "$log"; then
            grep -E "$matters" "$log" | head -n 100
            tail -n 5 "$log"
        else
            tail -n 200 "$log"
        fi
        if [ "$status" = 124 ]; then
            note "stopped: it took too long"
        fi
    fi
    return "$status"
}

# swift_tests TIER SCRATCH FLAG… [-- TEST_FLAG…]: builds and runs Swift tests of one configuration.
swift_tests() {
    local tier=$1 scratch=$2 status=0 build=() run=()
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        build+=("$1")
        shift
    done
    [ $# -eq 0 ] || { shift && run=("$@"); }
    build+=(--package-path "$root" --scratch-path "$root/$scratch" "${swift_flags[@]}")
    logged "$tier" swift build --build-tests "${build[@]}" || status=$?
    if [ "$status" = 0 ]; then
        logged "$tier" timeout --kill-after 30 600 \
            swift test --skip-build --disable-xctest --xunit-output "$work/$tier.xml" "${build[@]}" ${run[@]+"${run[@]}"} || status=$?
    fi
    tally "$tier" "$status" "$work/$tier.xml"
}

tier_build() {
    local status=0
    logged build swift build --build-tests --package-path "$root" "${swift_flags[@]}" || status=$?
    tally build "$status"
}

tier_lint() {
    local status=0
    (
        cd "$root"
        logged lint swift format lint --strict --recursive --parallel Package.swift Sources Tests Interop/examples
    ) || status=$?
    tally format "$status"
    if command -v shellcheck >/dev/null; then
        status=0
        logged shellcheck shellcheck --external-sources --source-path "$root" "$interop"/*.sh "$interop"/benchmarks/*.sh "$interop"/model/*.sh "$root/.ci/run" || status=$?
        tally shellcheck "$status"
    else
        skipped=$((skipped + 1))
        note "shellcheck: skipped, it is not installed"
    fi
}

tier_unit() { swift_tests unit .build -- --skip '^BrokerTests'; }

# Left out with ThreadSanitizer is also what compares values by the hundred thousand, on one thread each: it would take all processors for minutes, and what
# waits beside it would run out of patience.
counting='CanvasVectorTests|WorkflowBoundsTests|ChordCompositionTests|ChordReplayTests|ChordLedgerTests|ChordAdditionTests'
tier_tsan() {
    # Swift's backtracer starts a process in the middle of a crash, which this sanitizer does not survive.
    SWIFT_BACKTRACE=enable=no swift_tests tsan .build-tsan --sanitize=thread -- --skip '^BrokerTests' --skip "$counting"
}

# Leaks count too, apart from what global variables hold: LeakSanitizer does not see through the tags that Swift puts into the pointers of enums.
tier_asan() {
    # Foundation loses its buffer where a file is empty, or tells no size. A child process may end while a body runs, whose arguments such tags point to.
    printf '%s\n' 'leak:_WZ' 'leak:CeleryWorker12ChildSessionC10invocation' 'leak:FoundationEssentials4DataV10contentsOf' 'leak:FoundationEssentials11FileManagerC8contents6atPath' >"$work/leaks"
    # Children that crash on purpose have to die of it, not to be dissected: neither by the sanitizer nor by Swift's backtracer.
    # Stacks are long enough to show the global variable at the root of a deep value.
    ASAN_OPTIONS=handle_segv=0:handle_sigill=0:handle_sigbus=0:use_sigaltstack=0:malloc_context_size=120 SWIFT_BACKTRACE=enable=no \
        LSAN_OPTIONS=suppressions=$work/leaks:print_suppressions=0 \
        swift_tests asan .build-asan --sanitize=address -- --skip '^BrokerTests'
}

tier_broker() {
    broker_start
    SWCELERY_BROKER_TESTS=1 swift_tests broker .build -- --filter '^BrokerTests'
}

tier_interop() {
    local status=0
    need_python
    logged interop build_examples debug "${swift_flags[@]}" || status=$?
    if [ "$status" = 0 ]; then
        broker_start
        (
            cd "$interop/scenarios"
            export SWCELERY=$swcelery SWCELERY_EXAMPLE_WORKER=$examples/exampleworker SWCELERY_OUTCOME_WORKER=$examples/outcomeworker
            export SWCELERY_FLOW_WORKER=$examples/flowworker SWCELERY_FLOW_CLIENT=$examples/flowclient
            logged interop timeout --kill-after 30 1800 "$python" -m pytest --junitxml "$work/interop.xml"
        ) || status=$?
    fi
    tally interop "$status" "$work/interop.xml"
}

# The versions of Celery run side by side, against one broker.
tier_python() {
    local status=0 requirements version running=()
    logged python build_examples debug "${swift_flags[@]}" || status=$?
    if [ "$status" != 0 ]; then
        tally python "$status"
        return
    fi
    broker_start
    for requirements in "$interop"/python/tests/celery-*.txt "$interop/python/requirements.txt"; do
        need_python_with "$requirements"
        version=python-$(sed -n 's/^celery==//p' "$requirements")
        (
            cd "$interop/python/tests"
            logged "$version" env SWCELERY="$swcelery" timeout --kill-after 30 300 "$python" -m pytest --junitxml "$work/$version.xml"
        ) &
        running+=("$version=$!")
    done
    for version in "${running[@]}"; do
        status=0
        wait "${version##*=}" || status=$?
        tally "${version%=*}" "$status" "$work/${version%=*}.xml"
    done
}

tier_chaos() {
    local status=0
    need_python
    logged chaos build_examples debug "${swift_flags[@]}" || status=$?
    if [ "$status" = 0 ]; then
        CHAOS_EXECUTABLES=$examples logged chaos timeout --kill-after 30 900 "$interop/chaos.sh" --minutes 2 --seed 1 || status=$?
    fi
    tally chaos "$status"
}

tier_model() {
    local status=0
    logged model timeout --kill-after 30 600 "$interop/model/check.sh" || status=$?
    tally model "$status"
}

tier_chords() {
    local status=0
    need_python
    logged chords swift build --package-path "$root" --product swcelery "${swift_flags[@]}" || status=$?
    if [ "$status" = 0 ]; then
        SWCELERY=$(swift build --package-path "$root" --show-bin-path)/swcelery \
            logged chords timeout --kill-after 30 600 "$interop/chords.sh" || status=$?
    fi
    tally chords "$status"
}

tier_fuzz() {
    local status=0
    logged fuzz "$interop/fuzz.sh" --seconds 5 || status=$?
    tally fuzz "$status"
}

tiers=("$@")
[ $# -gt 0 ] || tiers=(build lint unit model broker interop python chaos chords tsan asan)
for tier in "${tiers[@]}"; do
    declare -F "tier_$tier" >/dev/null || fail "there is no tier $tier"
done

# Redis is only what workflows on AMQP are measured against.
case " ${tiers[*]} " in *" interop "*) more_packages+=(redis-server) ;; esac
need_packages
for tier in "${tiers[@]}"; do
    say "$tier"
    started=$SECONDS
    "tier_$tier"
    note "$((SECONDS - started)) s"
done
broker_stop

summary="$passed passed, $failed failed"
[ "$skipped" = 0 ] || summary+=", $skipped skipped"
echo "$summary"
[ "$failed" = 0 ]
