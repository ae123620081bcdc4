#!/bin/sh
# Fetch the jars of pom.xml into an empty folder: fetch.sh FOLDER. It fails where one is not the jar of sha256sums, is missing
# or was never pinned. Used by `sonovan up` (deploy/cache.py), by compose (Dockerfile) and on a server (docs/running.md).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$1" && pwd)
fetching=
trap '[ -z "$fetching" ] || kill "$fetching"; exit 143' TERM INT

cp "$here/pom.xml" "$folder/pom.xml"
mvn -q -B -f "$folder/pom.xml" dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$folder" &
fetching=$!
wait "$fetching"
rm "$folder/pom.xml"

cd "$folder"
# What stands in one of the two lists alone.
other=$({ cat "$here/sha256sums"; sha256sum -- *.jar; } | sort | uniq -u | cut -c67- | sort -u | tr '\n' ' ')
[ -z "$other" ] || { echo "not the jars of sha256sums: ${other}- nothing of them is used" >&2; exit 1; }
