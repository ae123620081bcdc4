#!/bin/sh
# Make the base of all images from Debian's packages, where no registry of images can be asked: base.sh NAME. Nothing where the
# engine has it already. As root; the mirror is that of this machine's own sources where it is a Debian of the same name.
set -eu
suite=bookworm
docker image inspect "$1" >/dev/null 2>&1 && exit 0
echo "$1: from Debian's packages (once, about a minute)" >&2
folder=$(mktemp -d "${TMPDIR:-/tmp}/sonovan-base.XXXXXX")
trap 'rm -rf "$folder"' EXIT
# shellcheck disable=SC2016  # apt's words, not the shell's
mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' | sed -n "s/^$suite //p" | head -1)
debootstrap --variant=minbase "$suite" "$folder/base" $mirror >"$folder/log" || { tail -5 "$folder/log" >&2; exit 5; }
sources=/etc/apt/sources.list.d/debian.sources
if [ -n "$mirror" ] && [ -f "$sources" ]; then  # with the security updates
    cp "$sources" "$folder/base/$sources"
    : >"$folder/base/etc/apt/sources.list"
fi
# As in Debian's slim images: no documentation, and no translations, of what is in it or will be installed.
slim='/usr/share/doc/* /usr/share/info/* /usr/share/man/* /usr/share/locale/* /usr/share/lintian/*'
set -f  # each as it is written
for path in $slim; do echo "path-exclude $path"; done >"$folder/base/etc/dpkg/dpkg.cfg.d/slim"
echo 'path-include /usr/share/doc/*/copyright' >>"$folder/base/etc/dpkg/dpkg.cfg.d/slim"
set +f
find "$folder/base/usr/share/doc" -type f ! -name copyright -delete
for name in info man locale lintian; do rm -rf "$folder/base/usr/share/$name"/*; done
# Neither lists of packages nor what stays of installing them.
rm -rf "$folder"/base/var/cache/apt/*.bin "$folder"/base/var/cache/apt/archives/*.deb "$folder"/base/var/lib/apt/lists/* \
    "$folder"/base/var/log/*.log "$folder"/base/var/log/apt/*
tar -C "$folder/base" --numeric-owner --sort=name -c . | docker import --change 'CMD ["bash"]' - "$1" >/dev/null
