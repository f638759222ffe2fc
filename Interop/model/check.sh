#!/usr/bin/env bash
# Checks the model of the chords' collector (chord.pml) with spin, and that each design known to be wrong fails.
#
#   Interop/model/check.sh
#
# Installs spin where it is missing (Debian, as root). Prints the states that were explored.
set -euo pipefail

model=$(cd "$(dirname "$0")" && pwd)/chord.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! command -v spin >/dev/null; then
    echo "installing spin"
    apt-get install -y -q spin >/dev/null
fi

# search BUILD-FLAG PAN-FLAG DEFINES…: prints spin's verdict
search() {
    local build=$1 run=$2
    shift 2
    (
        cd "$work"
        rm -f pan pan.* ./*.trail
        spin -a "$@" "$model" >/dev/null
        cc -O2 -w "$build" -DCOLLAPSE -DNOFAIR -o pan pan.c
        # shellcheck disable=SC2086
        timeout 300 ./pan -m1000000 -w25 $run 2>&1
    )
}

states() { sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' <<<"$1"; }

failed=0

# holds WHAT BUILD-FLAG PAN-FLAG DEFINES…
holds() {
    local what=$1 report
    shift
    report=$(search "$@") || true
    if grep -q 'errors: 0' <<<"$report" && ! grep -q 'Search not completed\|max search depth too small' <<<"$report"; then
        printf 'holds  %10s states  %s\n' "$(states "$report")" "$what"
    else
        printf 'FAILS  %10s states  %s\n%s\n' "$(states "$report")" "$what" "$report"
        failed=1
    fi
}

# breaks WHAT ASSERTION DEFINES…
breaks() {
    local what=$1 assertion=$2 report
    shift 2
    report=$(search -DSAFETY '' "$@") || true
    if grep -qF "assertion violated $assertion" <<<"$report"; then
        printf 'broken %10s states  %s\n' "$(states "$report")" "$what"
    else
        printf 'NOT BROKEN, though it has to be: %s\n%s\n' "$what" "$report"
        failed=1
    fi
}

ended='((bodies>0)||(errors>0))'
left='(excused||'

echo "the design:"
holds "any one loss of an owner or of the broker" -DSAFETY '' -DLOSSES=1
holds "two losses, and the sender dies at any step" -DSAFETY '' -DLOSSES=2 -DSENDER
holds "a loss, and a member runs twice" -DSAFETY '' -DLOSSES=1 -DREPEATS=1
holds "a loss, and a second copy of the manifest at any time" -DSAFETY '' -DLOSSES=1 -DSTALE
holds "a loss, the sender dies, the deadline passes at any time" -DSAFETY '' -DLOSSES=1 -DDEADLINE -DSENDER
holds "a loss: nothing goes round in circles" -DNP -l -DLOSSES=1 -DSENDER

echo "wrong designs:"
breaks "members are sent before the manifest is confirmed" "$ended" -DLOSSES=0 -DMEMBERS_FIRST
breaks "the body's confirm is not awaited" "$ended" -DLOSSES=1 -DNO_CONFIRM
breaks "parts are acknowledged as they come, for a snapshot" "$ended" -DLOSSES=1 -DACK_EARLY
breaks "parts are acknowledged before the manifest" "$left" -DLOSSES=1 -DPARTS_FIRST
breaks "members are forwarded after the acknowledgements" '(forwarded==3)' -DLOSSES=1 -DLATE_FORWARDS
breaks "parts of unknown chords are let go of at once" "$left" -DLOSSES=1 -DSTALE -DORPHANS_AT_ONCE
breaks "each owner decides by its clock that the deadline has passed" '(errors==0)' -DLOSSES=1 -DDEADLINE -DLOCAL_DEADLINE
breaks "the body gets a new id with each owner" '(x==bodyID)' -DLOSSES=1 -DFRESH_ID
breaks "messages are counted" '(forwarded==3)' -DLOSSES=0 -DREPEATS=1 -DCOUNTING
breaks "a worker that stops cancels its consumer and keeps its channel" "$ended" -DLOSSES=1 -DCANCEL

if [ "$failed" != 0 ]; then
    echo "the model does not hold"
    exit 1
fi
echo "the model holds"
