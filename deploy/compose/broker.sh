#!/bin/bash
# Start the broker: write its configuration, format its folder once with all accounts, run. In its container (compose.yaml)
# and on a server (deploy/systemd).
set -euo pipefail
umask 077
kafka=${KAFKA_HOME:-/opt/kafka} data=${KAFKA_DATA:-/var/lib/kafka/data} run=${BROKER_RUN:-/tmp/sonovan}
properties=${BROKER_PROPERTIES:-$(dirname "$0")/broker.properties}
mkdir -p "$run"

password() {
    local name="SONOVAN_KAFKA_${1^^}_PASSWORD"
    # Only URL-safe characters: the value goes into formats that escape nothing.
    [[ ${!name:-} =~ ^[A-Za-z0-9_-]{16,}$ ]] || { echo "$name: at least 16 of A-Z a-z 0-9 _ -" >&2; exit 2; }
    printf %s "${!name}"
}
admin=$(password admin)
# A single broker alone uses it, so it takes a new one each time; several share one, and the id of their cluster.
controller=${SONOVAN_BROKER_CONTROLLER_PASSWORD:-$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')}

scram="org.apache.kafka.common.security.scram.ScramLoginModule required username=\"admin\" password=\"$admin\";"
plain="org.apache.kafka.common.security.plain.PlainLoginModule required"
# Vans reach the broker under the first of these names; its certificate, which `sonovan certificates` makes, is for all of them.
vans_name=${SONOVAN_VANS_NAMES:-127.0.0.1} vans_port=${SONOVAN_VANS_PORT:-9094} vans_address=${SONOVAN_VANS_ADDRESS:-127.0.0.1}
vans_name=${vans_name%%,*} host_port=${SONOVAN_BROKER_PORT:-9092}  # where this machine's commands reach the container's broker
[[ $vans_name =~ ^[A-Za-z0-9.-]+$ ]] || { echo "SONOVAN_VANS_NAMES: hosts or addresses, commas between" >&2; exit 2; }
[[ $vans_port =~ ^[0-9]{1,5}$ ]] || { echo "SONOVAN_VANS_PORT: a number" >&2; exit 2; }
[[ $host_port =~ ^[0-9]{1,5}$ ]] || { echo "SONOVAN_BROKER_PORT: a number" >&2; exit 2; }
[[ $vans_address =~ ^[A-Za-z0-9.-]+$ ]] || { echo "SONOVAN_VANS_ADDRESS: an address of this machine" >&2; exit 2; }
{
    sed "s/@VANS_NAME@/$vans_name/; s/@VANS_PORT@/$vans_port/g; s/@VANS_ADDRESS@/$vans_address/; s/@HOST_PORT@/$host_port/" "$properties"
    echo "listener.name.internal.scram-sha-512.sasl.jaas.config=$scram"
    echo "listener.name.host.scram-sha-512.sasl.jaas.config=$scram"
    echo "listener.name.vans.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;"
    echo "listener.name.controller.plain.sasl.jaas.config=$plain username=\"controller\" password=\"$controller\"" \
        "user_controller=\"$controller\";"
    echo "message.max.bytes=$SONOVAN_KAFKA_MAX_MESSAGE_BYTES"
    echo "replica.fetch.max.bytes=$SONOVAN_KAFKA_MAX_MESSAGE_BYTES"
    echo "log.dirs=$data/log"
} >"$run/server.properties"
printf '%s\n' "security.protocol=SASL_PLAINTEXT" "sasl.mechanism=SCRAM-SHA-512" "sasl.jaas.config=$scram" >"$run/admin.properties"

accounts() {  # an account for each password that compose.yaml gives
    local name
    for name in "${!SONOVAN_KAFKA_@}"; do
        [[ $name =~ ^SONOVAN_KAFKA_([A-Z]+)_PASSWORD$ ]] && echo "${BASH_REMATCH[1],,}"
    done
    return 0
}
digests() {
    local account secret
    for account in $(accounts); do
        secret=$(password "$account")
        echo "$account $(printf %s "$secret" | sha256sum | cut -c1-64)"
    done
}

if [[ ! -f $data/log/meta.properties ]]; then
    # Formatted beside its place, then moved: a power cut leaves no half. Arguments from a file: `ps` shows no password.
    rm -rf "$data/formatting"
    cluster=${SONOVAN_BROKER_CLUSTER_ID:-$("$kafka/bin/kafka-storage.sh" random-uuid)}
    [[ $cluster =~ ^[A-Za-z0-9_-]+$ ]] || { echo "kafka-storage.sh gave no id of a cluster: $cluster" >&2; exit 5; }
    sed "s|^log.dirs=.*|log.dirs=$data/formatting|" "$run/server.properties" >"$run/format.properties"
    {
        printf '%s\n' --config "$run/format.properties" --cluster-id "$cluster"
        for account in $(accounts); do
            secret=$(password "$account")
            printf '%s\n' --add-scram "SCRAM-SHA-512=[name=$account,password=$secret]"
        done
    } >"$run/format.arguments"
    if ! "$kafka/bin/kafka-storage.sh" format "@$run/format.arguments" >"$run/format.said" 2>&1; then
        # Arguments that it does not understand it shows as they are, broken into lines anywhere.
        if tr -d ' \n' <"$run/format.said" | grep -q password; then echo "what it said has passwords in it" >"$run/format.said"; fi
        cat "$run/format.said" >&2
        echo "formatting $data failed" >&2
        exit 5
    fi
    rm "$run/format.properties" "$run/format.arguments"
    digests >"$data/formatting/accounts.sha256"
    sync
    mv "$data/formatting" "$data/log"
else
    # The broker knows the passwords with which it was formatted, and no others: one that changed would only be refused later.
    changed=$(digests | grep -vxFf "$data/log/accounts.sha256" | cut -d' ' -f1 | tr '\n' ' ' || true)
    [[ -z $changed ]] || { echo "passwords that are not those with which $data was formatted: $changed" >&2; exit 2; }
fi
# On a full disk Kafka halts in the middle of a write. Below `least` it is ended cleanly instead, and whatever restarts it waits
# here for twice that. deploy/supervisor.py does the same for `sonovan up`.
least=${SONOVAN_KAFKA_DISK_LEAST_MB:-500}
free_mb() { df -Pk "$data" | awk 'NR == 2 {print int($4 * 1024 / 1000000)}'; }
[[ $least =~ ^[0-9]{1,9}$ ]] || { echo "SONOVAN_KAFKA_DISK_LEAST_MB: a number of MB" >&2; exit 2; }
(( $(free_mb) >= 2 * least )) || echo "the disk of $data has $(free_mb) MB free: waiting for $((2 * least))" >&2
until (( $(free_mb) >= 2 * least )); do sleep 1; done
(
    while kill -0 $$ && sleep 1; do
        (( $(free_mb) < least )) || continue
        echo "the disk of $data has less than $least MB free: Kafka is ended before it is full" >"/proc/$$/fd/2"
        kill -TERM $$
        exit
    done
) >/dev/null 2>&1 &
exec "$kafka/bin/kafka-server-start.sh" "$run/server.properties"
