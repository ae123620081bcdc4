#!/bin/bash
# Build the images of compose.yaml: build.sh [SERVICE…]; or, without compose, that of the workers by a client of the engine that
# has BuildKit: build.sh --workers CLIENT TAG. The builds are told how this machine reaches its package registries: the
# index of pip, Maven's settings, Go's proxy, and the certificates that those are checked against. They come as secrets of the
# build, which no layer keeps.
set -euo pipefail
cd "$(dirname "$0")/../.."
told=$(mktemp -d "${TMPDIR:-/tmp}/sonovan-build.XXXXXX")
trap 'rm -rf "$told"' EXIT
given=()
if [[ ! -f .env ]]; then  # nothing of it gets into an image, but compose asks for it
    sed -n 's/.*${\(SONOVAN_[A-Z0-9_]*\):?.*/\1=none-while-building/p' compose.yaml | sort -u >"$told/env"
    given=(--env-file "$told/env")
fi

index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || true)}
[[ -z $index ]] || printf '[global]\nindex-url = %s\n' "$index" >"$told/pip"
[[ ! -s $told/pip ]] || export SONOVAN_BUILD_PIP=$told/pip
authorities=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt} java=/etc/ssl/certs/java/cacerts
[[ ! -s $authorities ]] || export SONOVAN_BUILD_AUTHORITIES=$authorities
[[ ! -s $java ]] || export SONOVAN_BUILD_JAVA_AUTHORITIES=$java
[[ ! -s $HOME/.m2/settings.xml ]] || export SONOVAN_BUILD_MAVEN=$HOME/.m2/settings.xml
if command -v go >/dev/null; then
    GOPROXY=$(go env GOPROXY) GOSUMDB=$(go env GOSUMDB)
    export GOPROXY GOSUMDB
fi
if [[ ${1:-} = --workers ]]; then
    DOCKER_BUILDKIT=1 "$2" build --quiet --network host --build-arg "BASE=${SONOVAN_BASE:-debian:bookworm-slim}" \
        --secret "id=pip,src=${SONOVAN_BUILD_PIP:-/dev/null}" --secret "id=authorities,src=${SONOVAN_BUILD_AUTHORITIES:-/dev/null}" \
        --file deploy/Dockerfile --tag "$3" .
else
    docker compose "${given[@]}" build "$@"
fi
