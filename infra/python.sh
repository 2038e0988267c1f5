#!/bin/sh
# Prints a Python that has the packages of tools/requirements.txt: the machine's own, or one of a virtual environment that is
# made here once. Several may ask at once. Where that is impossible: exit code 69 and one line that says why.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
requirements="$here/../tools/requirements.txt"
folder="${XDG_CACHE_HOME:-$HOME/.cache}/domicile/python"

unavailable() {
    echo "$1" >&2
    exit 69
}
has_packages() { "$1" -c 'import zstandard, cryptography' >/dev/null 2>&1; }

command -v python3 >/dev/null 2>&1 || unavailable "no Python 3 (install python3)"
if has_packages python3; then
    command -v python3
    exit 0
fi

# An environment belongs to one list of packages and one Python.
made="$folder/$( (cat "$requirements" && python3 --version) | sha256sum | cut -c 1-16)"
if [ ! -e "$made/complete" ]; then
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock 9
    if [ ! -e "$made/complete" ]; then
        rm -rf "$made"
        { python3 -m venv "$made" && timeout 100 "$made/bin/python3" -m pip install --quiet --disable-pip-version-check \
            --only-binary :all: --requirement "$requirements"; } >"$folder/install.log" 2>&1 </dev/null ||
            unavailable "no packages zstandard and cryptography (see $folder/install.log)"
        touch "$made/complete"
    fi
fi
echo "$made/bin/python3"
