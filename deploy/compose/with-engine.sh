#!/bin/bash
# Run a command with a container engine and compose: with-engine.sh [--without-compose] COMMAND…
#
# With those of this machine where they answer. Else, as root on Debian, with an engine of its own, which ends with the command:
# Debian's docker.io, not as a service of the machine but with its own socket and its own folder in the cache, where images stay for
# the next time. Compose is built as a Go module, once, where the command needs it. Ends with 4 and the reason where there can be none, else as the command does.
set -euo pipefail
compose=github.com/docker/compose/v2/cmd@v2.29.7
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sonovan
here=$(cd "$(dirname "$0")" && pwd)
composes=yes
if [[ ${1:-} = --without-compose ]]; then composes=no; shift; fi
none() { echo "no container engine: $1" >&2; exit 4; }

own_compose() {  # $cache/compose-… is a folder of docker's configuration with compose as its plugin
    local folder=$cache/compose-${compose##*@}
    if [[ ! -x $folder/cli-plugins/docker-compose ]]; then
        command -v go >/dev/null || none "compose is not there, and no Go to build it with"
        echo "compose: building it with Go (once, some minutes)" >&2
        local made
        made=$(mktemp -d "${TMPDIR:-/tmp}/sonovan-compose.XXXXXX")
        GOBIN=$made go install -trimpath "$compose" >"$made/log" 2>&1 || { cat "$made/log" >&2; none "compose cannot be built"; }
        mkdir -p "$folder/cli-plugins"
        mv "$made/cmd" "$folder/cli-plugins/docker-compose"
        rm -r "$made"
    fi
    export DOCKER_CONFIG=$folder
}

if docker info >/dev/null 2>&1; then
    [[ $composes = no ]] || docker compose version >/dev/null 2>&1 || own_compose
    exec "$@"
fi

[[ $(id -u) = 0 ]] || none "none answers, and only root can start one"
mkdir -p "$cache/containers"
exec 9>"$cache/containers/lock"
flock -n 9 || { echo "waiting for another command that has the engine of $cache/containers" >&2; flock 9; }
packages=()
for each in dockerd:docker.io iptables:iptables ip:iproute2 debootstrap:debootstrap; do
    command -v "${each%:*}" >/dev/null || packages+=("${each#*:}")
done
if (( ${#packages[@]} )); then
    command -v apt-get >/dev/null || none "none answers, and ${packages[*]} cannot be installed without apt-get"
    echo "installing ${packages[*]} …" >&2
    # RUNLEVEL and the masked unit: installed, it is not started as a service of this machine.
    [[ -e /etc/systemd/system/docker.service ]] || { mkdir -p /etc/systemd/system; ln -s /dev/null /etc/systemd/system/docker.service; }
    { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"; } \
        >"$cache/containers/apt.log" 2>&1 || none "${packages[*]} cannot be installed ($cache/containers/apt.log)"
fi
[[ $composes = no ]] || own_compose

# What is taken away at the end must be this engine's own.
! ip link show docker0 >/dev/null 2>&1 || none "none answers, and the bridge docker0 of another one is there (if it is a leftover: ip link delete docker0)"
run=$(realpath "$(mktemp -d "${TMPDIR:-/tmp}/sonovan-engine.XXXXXX")")
images=$(realpath "$cache/containers")
echo '{}' >"$run/daemon.json"  # a configuration of its own, not that of the machine
forwards=$(cat /proc/sys/net/ipv4/ip_forward)
mounts() {  # number and place of whatever is mounted below the folders of this engine
    awk -v run="$run/" -v images="$images/" 'index($5, run) == 1 || index($5, images) == 1 {print $1, $5}' /proc/self/mountinfo
}
before=$(mounts)  # of the machine itself: a disk for images, say
engine=
ended() {
    trap - EXIT INT TERM
    [[ -z $engine ]] || { kill "$engine" 2>/dev/null || true; wait "$engine" 2>/dev/null || true; }
    echo "$forwards" 2>/dev/null >/proc/sys/net/ipv4/ip_forward || true
    # What it leaves behind in the tables of packets, and its bridge.
    local table chain rule
    for table in nat filter; do
        iptables -t "$table" -S | grep -E '^-A (FORWARD|PREROUTING|OUTPUT|POSTROUTING) .*(DOCKER|docker0|172\.17\.0\.0)' | sed 's/^-A/-D/' |
            while read -r rule; do eval "iptables -t $table $rule"; done || true
        for chain in $(iptables -t "$table" -S | sed -n 's/^-N \(DOCKER.*\)/\1/p'); do iptables -t "$table" -F "$chain"; done
        for chain in $(iptables -t "$table" -S | sed -n 's/^-N \(DOCKER.*\)/\1/p'); do iptables -t "$table" -X "$chain"; done
    done
    ip link delete docker0 2>/dev/null || true
    # It leaves its folder of layers mounted on itself, and the name of the machine's network once a container had that.
    local place
    mounts | grep -vxF "$before" | sort -rn | while read -r _ place; do umount "$(printf %b "$place")"; done || true
    rm -rf --one-file-system "$run" || echo "left behind: $run" >&2
}
trap ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# Switched on before the engine looks: one that finds it off forbids, for the whole machine, whatever it does not forward itself.
echo 1 2>/dev/null >/proc/sys/net/ipv4/ip_forward || none "none answers, and forwarding cannot be switched on here"

start() {  # start DRIVER: whether an engine with this driver of layers answers
    dockerd --config-file "$run/daemon.json" --data-root "$images/$1" --exec-root "$run/exec" --pidfile "$run/pid" \
        --host "unix://$run/docker.sock" --storage-driver "$1" 9>&- >"$run/log" 2>&1 &
    engine=$!
    local _
    for _ in {1..120}; do
        docker -H "unix://$run/docker.sock" info >/dev/null 2>&1 && return 0
        kill -0 "$engine" 2>/dev/null || break
        sleep 0.5
    done
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    engine=
    return 1
}
start overlay2 || start vfs || none "dockerd does not start: $(grep -v level=info "$run/log" | tail -1)"
export DOCKER_HOST=unix://$run/docker.sock
if [[ -z ${SONOVAN_BASE:-} ]]; then
    # No registry is asked: Debian's own packages make the base.
    export SONOVAN_BASE=sonovan-base:bookworm
    sh "$here/base.sh" "$SONOVAN_BASE" 9>&-
fi
status=0
"$@" 9>&- || status=$?
exit "$status"
