#!/bin/sh
# Run a program of Kafka over the checked jars, under the name by which Kafka's release has it. For the broker's container,
# which has the jars and nothing else of a release.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
quick="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m"  # for a program that runs a second
case ${0##*/} in
    kafka-server-start.sh) main=kafka.Kafka options="${KAFKA_HEAP_OPTS:-} -XX:+ExitOnOutOfMemoryError" ;;
    kafka-storage.sh) main=kafka.tools.StorageTool options=$quick ;;
    kafka-broker-api-versions.sh) main=org.apache.kafka.tools.BrokerApiVersionsCommand options=$quick ;;
    *) echo "$0: call it by the name of one of Kafka's programs" >&2; exit 2 ;;
esac
# shellcheck disable=SC2086  # options are several words
exec java $options -XX:-UsePerfData -Djava.awt.headless=true "-Dlog4j2.configurationFile=$folder/log4j2.properties" \
    -cp "$folder/../libs/*" "$main" "$@"
