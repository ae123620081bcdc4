#!/bin/sh
# Fetch Go $GO with an older Go, which knows no toolchains yet, and print its folder. It is a Go module; one whose sum is not
# $GO_SUM_AMD64 or $GO_SUM_ARM64 is not used.
set -eu
arch=$(go env GOARCH)
module=golang.org/toolchain@v0.0.1-go$GO.linux-$arch
case $arch in
    amd64) sum=$GO_SUM_AMD64 ;;
    arm64) sum=$GO_SUM_ARM64 ;;
    *) echo "no sum of Go $GO for $arch is pinned in deploy/store/Dockerfile" >&2; exit 1 ;;
esac
cd /tmp
got=$(go mod download -json "$module")
field() { printf '%s\n' "$got" | sed -n "s|^.*\"$1\": \"\(.*\)\",*\$|\1|p"; }
[ "$(field Sum)" = "$sum" ] || { echo "Go $GO is not the one of this sum: $(field Sum)" >&2; exit 1; }
folder=$(field Dir)
# A module has no bits that make a file executable.
chmod +x "$folder"/bin/* "$folder"/pkg/tool/linux_"$arch"/*
printf '%s\n' "$folder"
