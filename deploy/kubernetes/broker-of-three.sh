#!/bin/bash
# Start one broker of several: as broker.sh beside it does for a single one, with what a cluster needs in its properties.
# The pod's name ends with its number. $SONOVAN_VANS_NAMES: where vans reach each broker, one name for each, commas between.
set -euo pipefail
umask 077
here=$(dirname "$0") brokers=3 number=${HOSTNAME##*-}
[[ $number =~ ^[0-9]+$ ]] && ((number < brokers)) || { echo "HOSTNAME: $HOSTNAME is not one of $brokers brokers" >&2; exit 2; }
IFS=, read -ra names <<<"${SONOVAN_VANS_NAMES:-}"
[[ ${#names[@]} == "$brokers" ]] || { echo "SONOVAN_VANS_NAMES: $brokers names, one for each broker, commas between" >&2; exit 2; }
export SONOVAN_VANS_NAMES=${names[number]}
for needed in SONOVAN_BROKER_CONTROLLER_PASSWORD SONOVAN_BROKER_CLUSTER_ID; do
    [[ ${!needed:-} =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{15,}$ ]] || { echo "$needed: the same for every broker, at least 16 of A-Z a-z 0-9 _ -" >&2; exit 2; }
done
voters=
for ((each = 0; each < brokers; each++)); do
    voters+=${voters:+,}$((each + 1))@${HOSTNAME%-*}-$each.broker:9093
done
# Three copies of everything, two of which must hold what is acknowledged; the topic table asks for the same of each topic.
# HOST is for commands inside the pod.
sed -E \
    -e "s/^node\.id=.*/node.id=$((number + 1))/" \
    -e "s/^controller\.quorum\.voters=.*/controller.quorum.voters=$voters/" \
    -e "s/CONTROLLER:\/\/localhost:/CONTROLLER:\/\/0.0.0.0:/; s/HOST:\/\/0.0.0.0:/HOST:\/\/127.0.0.1:/; s/INTERNAL:\/\/broker:/INTERNAL:\/\/$HOSTNAME.broker:/" \
    -e "s/^(.*replication\.factor)=1$/\1=3/; s/^(min\.insync\.replicas|.*min\.isr)=1$/\1=2/" \
    -e "s/^broker\.heartbeat\.interval\.ms=.*/broker.heartbeat.interval.ms=2000/" \
    -e "s/^broker\.session\.timeout\.ms=.*/broker.session.timeout.ms=9000/" \
    "$here/broker.properties" >"${TMPDIR:-/tmp}/broker.properties"
BROKER_PROPERTIES=${TMPDIR:-/tmp}/broker.properties exec /bin/bash "$here/broker.sh"
