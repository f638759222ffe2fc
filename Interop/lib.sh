# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used where this is sourced
# Sourced by demo.sh, test.sh and benchmarks/run.sh: the tools that they need, and what they say on the way. Defines functions, runs nothing.
set -euo pipefail

interop=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$interop")

# shellcheck source=Interop/broker.sh
source "$interop/broker.sh"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'
else
    bold="" green="" red="" dim="" plain=""
fi

say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*"; }
note() { printf '    %s%s%s\n' "$dim" "$*" "$plain"; }
fail() {
    printf '%s%s: %s%s\n' "$red" "$(basename "$0")" "$*" "$plain" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Debian packages that the repository cannot do without, and those of `more_packages`, which are called as their executables: what is not there.
missing_packages() {
    local package
    if ! pkg-config --exists librabbitmq 2>/dev/null; then
        echo librabbitmq-dev
    fi
    command -v pkg-config >/dev/null || echo pkg-config
    if [ -z "${RABBITMQ_URL:-}" ] && ! broker_server >/dev/null 2>&1; then
        echo rabbitmq-server
    fi
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        echo python3-venv
    fi
    for package in "${more_packages[@]}"; do
        command -v "$package" >/dev/null || echo "$package"
    done
}

# Packages beside those that every script here needs; a script adds to them before it calls `need_packages`.
more_packages=()

# need_packages: installs what is missing, and says so before. Servers come without their system services: they are private here.
need_packages() {
    local missing
    command -v swift >/dev/null || fail "Swift 6.2 or later is needed: https://www.swift.org/install/linux/"
    mapfile -t missing < <(missing_packages)
    if [ ${#missing[@]} -eq 0 ]; then
        return
    fi
    if ! command -v apt-get >/dev/null; then
        fail "these Debian packages, or what they are called here, are missing: ${missing[*]}"
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        fail "missing, and neither root nor sudo to install them: apt-get install ${missing[*]}"
    fi
    say "Installing Debian packages: ${missing[*]}"
    as_root apt-get update -qq
    local policy=/usr/sbin/policy-rc.d policy_made=""
    if [[ " ${missing[*]} " == *-server\ * ]]; then
        note "system services of these servers are left stopped and disabled; private ones are used"
        if [ ! -e "$policy" ]; then
            printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
            as_root chmod 755 "$policy"
            policy_made=yes
        fi
    fi
    local status=0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || status=$?
    if [ -n "$policy_made" ]; then
        as_root rm -f "$policy"
        if command -v systemctl >/dev/null; then
            as_root systemctl disable --quiet rabbitmq-server epmd.socket redis-server 2>/dev/null || true
        fi
    fi
    [ "$status" = 0 ] || fail "apt-get could not install ${missing[*]}"
}

# Sets `python` to the interpreter of a virtual environment with exactly the packages of python/requirements.txt.
need_python() { need_python_with "$interop/python/requirements.txt"; }

# need_python_with FILE: the same with the packages of FILE. The environment is kept in the user's cache, named after the requirements, and
# shared by every checkout.
need_python_with() {
    local requirements=$1 base cache key
    base=$(python3 -c 'import sys; print(sys.executable, sys.version)')
    key=$(printf '%s' "$base" | cat - "$requirements" | sha256sum | cut -c1-12)
    cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/swcelery
    if ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
        cache=$interop/.venv
        mkdir -p "$cache"
    fi
    python=$cache/python-$key/bin/python
    if [ ! -e "$cache/python-$key/complete" ]; then
        say "Installing Python Celery into $cache/python-$key"
        (
            flock 9
            if [ ! -e "$cache/python-$key/complete" ]; then
                rm -rf "$cache/python-$key"
                python3 -m venv "$cache/python-$key"
                "$python" -m pip install --quiet --disable-pip-version-check --no-input -r "$requirements"
                : >"$cache/python-$key/complete"
            fi
        ) 9>"$cache/lock"
    fi
    export PYTHONPATH=$interop/python PYTHONDONTWRITEBYTECODE=1
}

# Waits until COMMAND succeeds: wait_for SECONDS COMMAND…
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            return 1
        fi
        sleep 0.2
    done
}

# Ends the processes given by id: TERM, some seconds, KILL.
end_processes() {
    local pid tries
    for pid in "$@"; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    for pid in "$@"; do
        for ((tries = 0; tries < 100; tries++)); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# build_examples CONFIGURATION [FLAG…]: builds the examples and the swcelery that they depend on; sets `swcelery` and `examples` (a folder). Their
# scratch folder is their own: in a shared one SwiftPM takes the plan of one package for the other's, and builds nothing. It also keeps its plan
# and its objects when a package that this one depends on by path has changed, unless something here looks changed.
build_examples() {
    local flags=(--package-path "$interop/examples/demo" --scratch-path "$root/.build-examples" -c "$@")
    touch "$interop/examples/demo/Package.swift" "$interop"/examples/demo/Sources/*/*.swift
    swift build "${flags[@]}" &&
        swift build "${flags[@]}" --product swcelery &&
        examples=$(swift build "${flags[@]}" --show-bin-path) &&
        swcelery=$examples/swcelery
}

# need_release: sets SWCELERY to a release build, unless it names an executable already.
need_release() {
    [ -z "${SWCELERY:-}" ] || return 0
    say "Building swcelery for release (minutes when it is the first time)"
    swift build --package-path "$root" -c release --product swcelery
    SWCELERY=$(swift build --package-path "$root" -c release --show-bin-path)/swcelery
}
