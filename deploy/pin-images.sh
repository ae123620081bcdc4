#!/bin/sh
# Write the digest that the base image has now behind its name, in every Dockerfile: `ARG BASE=image:version@sha256:…`.
# pin-images.sh DOCKERFILE…; needs docker with buildx and a registry. From then on a build takes those bytes or fails.
set -eu
command -v docker >/dev/null || { echo "docker not found: run this where the images can be asked for" >&2; exit 4; }
for file in "$@"; do
    for image in $(sed -n 's/^ARG BASE=\([^ @]*\).*/\1/p' "$file"); do
        digest=$(docker buildx imagetools inspect "$image" --format '{{.Manifest.Digest}}') ||
            { echo "$image: the registry cannot be asked" >&2; exit 4; }
        printf %s "$digest" | grep -Eqx 'sha256:[0-9a-f]{64}' || { echo "$image: no digest: $digest" >&2; exit 5; }
        sed "s|^ARG BASE=$image\(@[^ ]*\)\{0,1\}\$|ARG BASE=$image@$digest|" "$file" >"$file.new"
        mv "$file.new" "$file"
        echo "$file: $image@$digest"
    done
done
