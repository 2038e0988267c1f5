#!/bin/sh
# Prints a Python that has the packages of tools/requirements.txt: the machine's own, or one of a virtual environment that is
# made here once: python.sh SECONDS waits for another that makes it for at most SECONDS. Where that is impossible: exit code 69 and
# one line that says why.
set -eu

here=$(cd "${0%/*}" && pwd)
requirements="$here/../tools/requirements.txt"
. "$here/made_once.sh"

has_packages() { "$1" -c 'import zstandard, cryptography' >/dev/null 2>&1; }

command -v python3 >/dev/null 2>&1 || unavailable "no Python 3 (install python3)"
if has_packages python3; then
    command -v python3
    exit 0
fi

# An environment belongs to one list of packages and one Python.
made=$( (cat "$requirements" && python3 --version) | sha256sum | cut -c 1-16)
install() {
    rm -rf "${folder:?}/$made" && python3 -m venv "$folder/$made" &&
        timeout 100 "$folder/$made/bin/python3" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
            --requirement "$requirements" && touch "$folder/$made/complete"
}
made_once python "$made/complete" "$1" install
echo "$folder/$made/bin/python3"
