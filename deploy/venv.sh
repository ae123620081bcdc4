#!/usr/bin/env bash
# Make a virtual environment from a hashed lock file, with uv if it is there, else pip, and put this project in it.
# Usage: deploy/venv.sh FOLDER LOCKFILE
set -euo pipefail
folder=$1 lock=$2 python=${PYTHON:-python3}
cd "$(dirname "$0")/.."

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "sonovan needs Python 3.11 or newer; $("$python" --version) was found. Set PYTHON to a newer one." >&2
    exit 2
}
echo "making $folder from $lock …" >&2
if command -v uv >/dev/null; then
    [ -x "$folder/bin/python" ] || uv venv --quiet --python "$(command -v "$python")" "$folder"
    uv pip install --quiet --python "$folder/bin/python" --require-hashes -r "$lock"
    uv pip install --quiet --python "$folder/bin/python" --no-deps --no-build-isolation --editable .
else
    "$folder/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
fi

# opencv-python links against libGL and GLib, which a bare server does not have.
if ! "$folder/bin/python" -c 'import cv2' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing libGL and GLib for OpenCV …" >&2
        apt-get update -qq >/dev/null && apt-get install -y -qq libgl1 libglib2.0-0 >/dev/null
    fi
    "$folder/bin/python" -c 'import cv2' || {
        echo "OpenCV cannot be loaded: install libGL and GLib (Debian: libgl1 libglib2.0-0) and run make again." >&2
        exit 2
    }
fi

# WeasyPrint loads Pango and asks fontconfig for fonts. Without them everything but PDF works, so nothing stops here.
if "$folder/bin/python" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("weasyprint") is None)'; then
    packages=()
    "$folder/bin/python" -c 'import weasyprint' 2>/dev/null || packages+=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)
    [ -n "$(fc-list :lang=zh-cn family 2>/dev/null)" ] || packages+=(fontconfig fonts-wqy-zenhei fonts-liberation)
    if [ ${#packages[@]} -gt 0 ]; then
        { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "installing ${packages[*]} for PDF …" >&2 \
            && apt-get update -qq >/dev/null && apt-get install -y -qq "${packages[@]}" >/dev/null; } \
            || echo "PDF of reports needs more (Debian: ${packages[*]}); all else works without." >&2
    fi
fi
