#!/bin/bash
# Write what is in each image of compose.yaml into FOLDER, as CycloneDX: sbom.sh FOLDER. Syft reads the images; it is built as a Go
# module, once. What syft sees are Debian's packages, Python's, the jars and the Go modules of MinIO.
set -euo pipefail
syft=github.com/anchore/syft/cmd/syft@v1.20.0
program=${XDG_CACHE_HOME:-$HOME/.cache}/sonovan/syft-${syft##*@}/syft
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/sonovan-sbom.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [[ ! -x $program ]]; then
    command -v go >/dev/null || { echo "syft needs Go to be built with: apt install golang, or go.dev/dl" >&2; exit 4; }
    echo "syft: building it with Go (once, some minutes)" >&2
    GOBIN=$work go install -trimpath "$syft" >"$work/log" 2>&1 || { tail -5 "$work/log" >&2; exit 4; }
    mkdir -p "$(dirname "$program")"
    mv "$work/syft" "$program"
fi
for image in $(sed -n 's/^ *image: \(sonovan[^ ]*\).*/\1/p' compose.yaml | sort -u); do
    docker save "$image" -o "$work/image.tar"
    # Packages, not files: those are Debian's and the lock's business.
    SYFT_FILE_METADATA_SELECTION=none SYFT_CHECK_FOR_APP_UPDATE=false "$program" scan -q "docker-archive:$work/image.tar" \
        --source-name "${image%:*}" --source-version "${image#*:}" -o "cyclonedx-json=$out/${image%:*}.cdx.json"
    echo "$out/${image%:*}.cdx.json"
done
