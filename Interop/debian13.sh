#!/usr/bin/env bash
# Debian 13 beside this system, for RabbitMQ 4.0 and librabbitmq 0.15: a folder in the user's cache, made by debootstrap when it is first needed.
#
#   debian13.sh run COMMAND…   copies this repository into that system and runs COMMAND there, in its top folder
#   debian13.sh remove         removes the system
#
# Needs root. Processes that COMMAND leaves behind end with it, and so do the mounts.
set -euo pipefail

debian13_script=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/debian13.sh
debian13_root=${SWCELERY_DEBIAN13:-${XDG_CACHE_HOME:-$HOME/.cache}/swcelery/debian13}
# Where the repository lies in that system.
debian13_sources=/usr/src/swcelery
# What Swift itself needs comes first, then what the repository's scripts would have to install.
debian13_packages=(
    binutils ca-certificates clang git libc6-dev libcurl4 libedit2 libncurses6 libstdc++-14-dev libxml2 procps tzdata zlib1g-dev
    librabbitmq-dev openssl pkg-config python3-venv rabbitmq-server redis-server
)

# debian13_enter COMMAND…: runs COMMAND in the system, with nothing of this system's environment but the toolchain.
debian13_enter() {
    local toolchain
    toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --pid --fork --kill-child bash -c '
        set -e
        root=$1 toolchain=$2
        shift 2
        mount --make-rprivate /
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        for folder in "$toolchain" /opt; do
            mkdir -p "$root$folder"
            mount --rbind -o ro "$folder" "$root$folder"
        done
        exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" DEBIAN_FRONTEND=noninteractive \
            PATH="$toolchain/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
    ' debian13 "$debian13_root" "$toolchain" "$@"
}

# How this system reaches the outside: name service, certificates, mirrors of git and pip.
debian13_network() {
    local file
    for file in /etc/resolv.conf /etc/hosts /etc/gitconfig /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
        if [ -e "$file" ]; then
            mkdir -p "$debian13_root$(dirname "$file")"
            cp -L "$file" "$debian13_root$file"
        fi
    done
}

debian13_prepare() {
    if [ "$(id -u)" != 0 ]; then
        echo "debian13.sh: only root can make and enter another system" >&2
        return 1
    fi
    if [ ! -e "$debian13_root.complete" ]; then
        if ! command -v debootstrap >/dev/null; then
            apt-get update -qq
            apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
        fi
        rm -rf "$debian13_root"
        mkdir -p "$debian13_root"
        debootstrap --variant=minbase trixie "$debian13_root" >"$debian13_root.log" 2>&1
        # The server is started by the tests, never as a service.
        printf '#!/bin/sh\nexit 101\n' >"$debian13_root/usr/sbin/policy-rc.d"
        chmod 755 "$debian13_root/usr/sbin/policy-rc.d"
        debian13_network
        debian13_enter sh -c "apt-get update -qq && apt-get install -y -qq --no-install-recommends ${debian13_packages[*]}" >>"$debian13_root.log" 2>&1
        : >"$debian13_root.complete"
    fi
    debian13_network
}

# The repository as it lies here, without what was built; times of change are kept, so that little is built again the next time.
debian13_copy() {
    local target=$debian13_root$debian13_sources source
    source=$(dirname "$(dirname "$debian13_script")")
    mkdir -p "$target"
    find "$target" -mindepth 1 -maxdepth 1 ! -name '.build*' -exec rm -rf {} +
    (cd "$source" && git ls-files -z --cached --others --exclude-standard | tar --ignore-failed-read --null -T - -cf - 2>/dev/null) | tar -xf - -C "$target"
}

debian13_run() {
    debian13_prepare
    debian13_copy
    # shellcheck disable=SC2016 # expanded by the inner shell
    debian13_enter sh -c 'cd "$0" && exec "$@"' "$debian13_sources" "$@"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    case ${1:-} in
        run)
            shift
            if [ $# -eq 0 ]; then
                echo "usage: debian13.sh run COMMAND…" >&2
                exit 64
            fi
            debian13_run "$@"
            ;;
        remove)
            rm -rf "$debian13_root" "$debian13_root.complete" "$debian13_root.log"
            ;;
        *)
            sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$debian13_script" >&2
            exit 64
            ;;
    esac
fi
