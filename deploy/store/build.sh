#!/bin/sh
# Build MinIO with the guard of this folder: build.sh FOLDER writes FOLDER/minio. The same input gives the same bytes.
# MinIO publishes no image or binary of this version; the newest that it does publish lacks security fixes. Used by
# `sonovan up` (deploy/cache.py) and by compose (Dockerfile).
set -eu
module=github.com/minio/minio
version=v0.0.0-20260212201848-7aac2a2c5b7c
sum=h1:/qdoYujxF5MBLDMVLeiYJ/7fBa1HikX39Dvzb9Ji8pA=

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$1" && pwd)
work=$(mktemp -d)
building=
trap 'rm -rf "$work"' EXIT
trap '[ -z "$building" ] || kill "$building"; exit 143' TERM INT

cd "$work"
got=$(go mod download -json "$module@$version")
field() { printf '%s\n' "$got" | sed -n "s|^.*\"$1\": \"\(.*\)\",*\$|\1|p"; }
[ "$(field Sum)" = "$sum" ] || { echo "MinIO's source is not the one that was reviewed: $(field Sum)" >&2; exit 1; }

cp -r "$(field Dir)" minio
chmod -R u+w minio
cp "$here/guard.go" minio/cmd/sonovan-guard.go
cd minio
# -trimpath: this temporary folder does not get into the binary.
CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$out/minio" . &
building=$!
wait "$building"
