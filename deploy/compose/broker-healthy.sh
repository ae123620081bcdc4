#!/bin/bash
# Whether the broker checks accounts and serves requests: the admin logs in. That takes a JVM, so it is tried only once the broker
# takes connections, and for the next minute it is enough that it does. The container's health check.
set -eu
run=/tmp/sonovan
exec 3<>/dev/tcp/localhost/19092
[[ -z $(find "$run/logged-in" -newer "$run/admin.properties" -mmin -1 2>/dev/null) ]] || exit 0
/opt/kafka/bin/kafka-broker-api-versions.sh --bootstrap-server localhost:19092 --command-config "$run/admin.properties" >/dev/null
touch "$run/logged-in"
