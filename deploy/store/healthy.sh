#!/bin/bash
# Whether MinIO answers and has finished its own start, without a program that the image would need for this alone.
set -eu
exec 3<>/dev/tcp/127.0.0.1/9000
printf 'GET /minio/health/live HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nConnection: close\r\n\r\n' >&3
read -r -t 5 answer <&3
[[ $answer == *" 200 "* ]]
while read -r -t 5 line <&3 && [[ $line != $'\r' ]]; do
    [[ ${line,,} != x-minio-server-status:* ]]  # it answers already, and is still starting
done
