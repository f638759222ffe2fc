#!/usr/bin/env bash
# A private RabbitMQ of the distribution: free ports on the loopback, everything it writes in one temporary folder, nothing left behind.
#
#   broker.sh run COMMAND…   starts a broker, runs COMMAND with RABBITMQ_URL in its environment, stops the broker and removes its folder
#   broker.sh start          starts a broker that stays, and prints its URL
#   broker.sh status         prints the URL of that broker; exit status 1 if there is none
#   broker.sh stop           stops it and removes its folder
#   broker.sh control ARG…   rabbitmqctl of that broker
#   broker.sh node kill      kills its node as a power failure would; its data stay
#   broker.sh node start     starts the node again on the same port, and waits until it answers
#
# Where RABBITMQ_URL is set already, `run` uses that broker and starts none.
# Besides RABBITMQ_URL, COMMAND sees RABBITMQ_CONTROL and RABBITMQ_NODE, the command lines of a rabbitmqctl and of `broker.sh node` for the
# private broker, and RABBITMQ_TLS_URL and RABBITMQ_TLS_CA where openssl is there to make throw-away certificates, with RABBITMQ_TLS_CERT and
# RABBITMQ_TLS_KEY of a client that may log in by its certificate (SASL EXTERNAL) as guest.
# Other scripts source this file and call broker_start and broker_stop.
set -euo pipefail

broker_script=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/broker.sh
broker_folder=""

# Where the Debian packages keep the server; the wrapper in /usr/sbin would switch to the rabbitmq user when called by root.
broker_server() {
    local candidate
    for candidate in /usr/lib/rabbitmq/bin/rabbitmq-server "$(command -v rabbitmq-server || true)"; do
        if [ -x "$candidate" ]; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    echo "broker.sh: rabbitmq-server is not installed (apt-get install rabbitmq-server)" >&2
    return 1
}

# Starts a private broker that lives no longer than this shell, and exports its address. Does nothing where RABBITMQ_URL is set.
broker_start() {
    if [ -n "${RABBITMQ_URL:-}" ]; then
        return
    fi
    broker_folder=$(mktemp -d "${TMPDIR:-/tmp}/swcelery-broker.XXXXXX")
    broker_launch "$broker_folder" "$$"
    broker_export "$broker_folder"
}

# Stops what broker_start started. Safe to call twice, and from an EXIT trap.
broker_stop() {
    if [ -n "$broker_folder" ]; then
        broker_end "$broker_folder"
        broker_folder=""
        unset RABBITMQ_URL RABBITMQ_CONTROL RABBITMQ_NODE RABBITMQ_TLS_URL RABBITMQ_TLS_CA RABBITMQ_TLS_CERT RABBITMQ_TLS_KEY
    fi
}

# broker_launch FOLDER OWNER: starts the supervisor in a session of its own, so that a Ctrl-C reaches the tests and not the broker under them.
broker_launch() {
    local folder=$1 owner=$2 tries
    broker_server >/dev/null
    setsid "$broker_script" supervise "$folder" "$owner" </dev/null >"$folder/supervisor.log" 2>&1 &
    for ((tries = 0; tries < 1200; tries++)); do
        if [ -e "$folder/url" ]; then
            return
        elif [ -e "$folder/failed" ]; then
            break
        fi
        sleep 0.1
    done
    echo "broker.sh: RabbitMQ did not start. The end of its log:" >&2
    tail -n 30 "$folder/supervisor.log" "$folder"/log/*.log >&2 2>/dev/null || true
    broker_end "$folder"
    return 1
}

broker_export() {
    local folder=$1
    RABBITMQ_URL=$(cat "$folder/url")
    RABBITMQ_CONTROL=$(printf '%q control --folder %q' "$broker_script" "$folder")
    RABBITMQ_NODE=$(printf '%q node --folder %q' "$broker_script" "$folder")
    export RABBITMQ_URL RABBITMQ_CONTROL RABBITMQ_NODE
    if [ -e "$folder/tls_url" ]; then
        RABBITMQ_TLS_URL=$(cat "$folder/tls_url")
        RABBITMQ_TLS_CA=$folder/tls/ca.pem
        RABBITMQ_TLS_CERT=$folder/tls/client.pem
        RABBITMQ_TLS_KEY=$folder/tls/client.key
        export RABBITMQ_TLS_URL RABBITMQ_TLS_CA RABBITMQ_TLS_CERT RABBITMQ_TLS_KEY
    fi
}

# broker_end FOLDER: asks the supervisor to stop the broker, and waits until the folder is gone.
broker_end() {
    local folder=$1 supervisor tries
    supervisor=$(cat "$folder/supervisor.pid" 2>/dev/null || true)
    if [ -n "$supervisor" ] && kill -TERM "$supervisor" 2>/dev/null; then
        for ((tries = 0; tries < 200; tries++)); do
            if [ ! -d "$folder" ]; then
                return
            fi
            sleep 0.1
        done
    fi
    rm -rf "$folder"
}

# A port of the loopback that nobody listens on, below the range that the kernel gives to clients.
free_port() {
    local port
    while :; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%s\n' "$port"
            return
        fi
    done
}

# A certificate authority, a server certificate for localhost and a client certificate for guest, all thrown away with the folder.
make_certificates() {
    local tls=$1/tls
    command -v openssl >/dev/null || return 1
    mkdir "$tls"
    cat >"$tls/openssl.cnf" <<'CONFIGURATION'
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1
[client]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
CONFIGURATION
    (
        cd "$tls"
        openssl ecparam -genkey -name prime256v1 -noout -out ca.key
        openssl req -config openssl.cnf -extensions authority -x509 -new -key ca.key -days 7 -subj "/CN=swcelery test authority" -out ca.pem
        for side in server client; do
            if [ "$side" = server ]; then name=localhost; else name=guest; fi
            openssl ecparam -genkey -name prime256v1 -noout -out "$side.key"
            openssl req -config openssl.cnf -new -key "$side.key" -subj "/CN=$name" -out "$side.csr"
            openssl x509 -req -in "$side.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 7 -extfile openssl.cnf -extensions "$side" -out "$side.pem"
        done
    )
}

# configure FOLDER PORT TLS_PORT: TLS_PORT is empty where there is no certificate.
configure() {
    local folder=$1 port=$2 tls_port=$3
    : >"$folder/environment.conf"
    printf '[%s].\n' "${tls_port:+rabbitmq_auth_mechanism_ssl}" >"$folder/enabled_plugins"
    {
        printf 'listeners.tcp.1 = 127.0.0.1:%s\n' "$port"
        printf 'log.file.level = info\nlog.console = false\n'
        printf 'disk_free_limit.absolute = 50MB\n'
        if [ -n "$tls_port" ]; then
            printf 'listeners.ssl.1 = 127.0.0.1:%s\n' "$tls_port"
            printf 'ssl_options.cacertfile = %s/tls/ca.pem\n' "$folder"
            printf 'ssl_options.certfile = %s/tls/server.pem\n' "$folder"
            printf 'ssl_options.keyfile = %s/tls/server.key\n' "$folder"
            printf 'ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = false\n'
            printf 'auth_mechanisms.1 = PLAIN\nauth_mechanisms.2 = AMQPLAIN\nauth_mechanisms.3 = EXTERNAL\n'
            printf 'ssl_cert_login_from = common_name\n'
        fi
    } >"$folder/rabbitmq.conf"
}

# The broker is ready when it answers the protocol header with a method frame (type 1, connection.start).
answers() {
    local first
    first=$(
        {
            exec 3<>"/dev/tcp/127.0.0.1/$1"
            printf 'AMQP\0\0\011\001' >&3
            timeout 2 head -c 1 <&3 | od -An -tu1
        } 2>/dev/null || true
    )
    [ "${first// /}" = 1 ]
}

# launch_server FOLDER: starts the server on the ports of its configuration; sets server_pid.
launch_server() {
    local folder=$1
    RABBITMQ_NODENAME=swcelery@localhost RABBITMQ_DIST_PORT=$(free_port) \
        RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf RABBITMQ_ADVANCED_CONFIG_FILE=$folder/advanced.config \
        RABBITMQ_CONF_ENV_FILE=$folder/environment.conf RABBITMQ_ENABLED_PLUGINS_FILE=$folder/enabled_plugins \
        RABBITMQ_MNESIA_BASE=$folder/data RABBITMQ_LOG_BASE=$folder/log RABBITMQ_GENERATED_CONFIG_DIR=$folder/data/config \
        RABBITMQ_PLUGINS_EXPAND_DIR=$folder/data/plugins RABBITMQ_PID_FILE=$folder/server.pid \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" \
        "$(broker_server)" &
    server_pid=$!
}

# attempt FOLDER: starts epmd and the server on new ports; sets epmd_pid and server_pid.
attempt() {
    local folder=$1 port tls_port="" epmd_port tries
    port=$(free_port)
    epmd_port=$(free_port)
    if [ -d "$folder/tls" ]; then
        tls_port=$(free_port)
    fi
    configure "$folder" "$port" "$tls_port"
    rm -rf "$folder/data"
    mkdir -p "$folder/data" "$folder/log" "$folder/home"

    export HOME=$folder/home ERL_EPMD_PORT=$epmd_port ERL_EPMD_ADDRESS=127.0.0.1
    epmd -port "$epmd_port" -address 127.0.0.1 &
    epmd_pid=$!
    launch_server "$folder"
    for ((tries = 0; tries < 450; tries++)); do
        if [ -n "$stopping" ] || ! kill -0 "$server_pid" 2>/dev/null; then
            return 1
        elif answers "$port"; then
            printf '%s\n' "$epmd_port" >"$folder/epmd_port"
            printf '%s\n' "$port" >"$folder/port"
            if [ -n "$tls_port" ]; then
                printf 'amqps://guest:guest@localhost:%s//\n' "$tls_port" >"$folder/tls_url"
            fi
            printf 'amqp://guest:guest@127.0.0.1:%s//\n' "$port" >"$folder/url.new"
            mv "$folder/url.new" "$folder/url"
            return 0
        fi
        sleep 0.2
    done
    return 1
}

end_server() {
    local tries
    if [ -n "$server_pid" ]; then
        kill -TERM "$server_pid" 2>/dev/null || true
        for ((tries = 0; tries < 50; tries++)); do
            kill -0 "$server_pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$server_pid" 2>/dev/null || true
        wait "$server_pid" 2>/dev/null || true
    fi
    if [ -n "$epmd_pid" ]; then
        kill -KILL "$epmd_pid" 2>/dev/null || true
        wait "$epmd_pid" 2>/dev/null || true
    fi
    server_pid=""
    epmd_pid=""
}

# supervise FOLDER OWNER: the process that owns the server and epmd, and removes the folder at the end: on TERM, when the server is gone,
# and when the process OWNER is gone, however it ended (0 means nobody).
supervise() {
    local folder=$1 owner=$2 tries
    server_pid=""
    epmd_pid=""
    supervised_folder=$folder   # global: the trap may run after this function has returned
    stopping=""
    trap 'end_server; rm -rf "$supervised_folder"' EXIT
    trap 'stopping=yes' TERM INT HUP   # only a mark: a second signal must not cut the clean-up short
    printf '%s\n' "$$" >"$folder/supervisor.pid"
    make_certificates "$folder" || rm -rf "$folder/tls"
    for ((tries = 0; tries < 3; tries++)); do
        if [ -n "$stopping" ] || attempt "$folder"; then
            break
        fi
        end_server   # another process may have taken a port meanwhile: try others
    done
    if [ -z "$server_pid" ]; then
        : >"$folder/failed"
        owner=$PPID  # leave the log to whoever waits for us; broker_end sends TERM
    fi
    while [ -z "$stopping" ] && { [ "$owner" = 0 ] || kill -0 "$owner" 2>/dev/null; }; do
        if [ -e "$folder/down" ]; then
            : # the node is to be down
        elif [ -e "$folder/start" ]; then
            wait "$server_pid" 2>/dev/null || true
            launch_server "$folder"
            rm "$folder/start"
        elif [ -n "$server_pid" ] && ! kill -0 "$server_pid" 2>/dev/null; then
            break
        fi
        sleep 0.2 &
        wait $! || true
    done
}

# node FOLDER kill|start: the supervisor leaves a killed node alone until it is to be started.
node() {
    local folder=$1 tries
    case ${2:-} in
        kill)
            : >"$folder/down"
            kill -KILL "$(cat "$folder/server.pid")"
            ;;
        start)
            : >"$folder/start"
            rm -f "$folder/down"
            for ((tries = 0; tries < 600; tries++)); do
                if [ ! -e "$folder/start" ] && answers "$(cat "$folder/port")"; then
                    return
                fi
                sleep 0.1
            done
            echo "broker.sh: the node did not start again" >&2
            return 1
            ;;
        *)
            echo "usage: broker.sh node kill|start" >&2
            return 64
            ;;
    esac
}

# control FOLDER ARG…: rabbitmqctl with the cookie and the name service of the broker in FOLDER.
control() {
    local folder=$1 port
    shift
    port=$(cat "$folder/epmd_port")
    HOME=$folder/home ERL_EPMD_PORT=$port RABBITMQ_CONF_ENV_FILE=$folder/environment.conf \
        "$(dirname "$(broker_server)")/rabbitmqctl" --node swcelery@localhost "$@"
}

# The folder of the broker that `start` leaves running. A folder of another user under that name is refused.
standing_folder() {
    local folder
    folder=${TMPDIR:-/tmp}/swcelery-broker-$(id -u)
    if [ -e "$folder" ] && [ ! -O "$folder" ]; then
        echo "broker.sh: $folder belongs to somebody else" >&2
        return 1
    fi
    printf '%s\n' "$folder"
}

main() {
    local command=${1:-} folder status=0
    case $command in
        run)
            shift
            if [ $# -eq 0 ]; then
                echo "usage: broker.sh run COMMAND…" >&2
                exit 64
            fi
            trap 'pkill -TERM -P $$ || true; broker_stop' EXIT
            broker_start
            "$@" || status=$?
            exit "$status"
            ;;
        start)
            folder=$(standing_folder)
            if [ ! -e "$folder/url" ]; then
                rm -rf "$folder"
                mkdir -m 700 "$folder"
                broker_launch "$folder" 0
            fi
            cat "$folder/url"
            ;;
        status)
            folder=$(standing_folder)
            if [ ! -e "$folder/url" ]; then
                echo "no broker is running" >&2
                exit 1
            fi
            cat "$folder/url"
            ;;
        stop)
            folder=$(standing_folder)
            if [ -d "$folder" ]; then
                broker_end "$folder"
            fi
            ;;
        control | node)
            shift
            if [ "${1:-}" = --folder ]; then
                folder=$2
                shift 2
            else
                folder=$(standing_folder)
            fi
            "$command" "$folder" "$@"
            ;;
        supervise)
            supervise "$2" "$3"
            ;;
        *)
            sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$broker_script" >&2
            exit 64
            ;;
    esac
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    main "$@"
fi
