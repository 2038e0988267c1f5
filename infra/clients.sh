#!/bin/sh
# Prints where a client of tests/clients is: `clients.sh python SECONDS` a Python that has it, `clients.sh node SECONDS` the folder of its
# modules, `clients.sh axe SECONDS` that of the checker of pages. It is fetched once, in the versions and with the hashes that are listed there; another that fetches it is waited for at most
# SECONDS. Where that is impossible: exit code 69 and one line that says why.
set -eu

kind=$1
here=$(cd "${0%/*}" && pwd)
listed="$here/../tests/clients/$kind"
. "$here/made_once.sh"

fetch_python() {
    rm -rf "${folder:?}/$made" && python3 -m venv "$folder/$made" &&
        timeout 100 "$folder/$made/bin/python3" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
            --require-hashes --requirement "$listed/requirements.txt" && touch "$folder/$made/complete"
}
fetch_modules() {
    rm -rf "${folder:?}/$made" && mkdir "$folder/$made" && cp "$listed/package.json" "$listed/package-lock.json" "$folder/$made" &&
        (cd "$folder/$made" && timeout 100 npm ci --ignore-scripts --no-audit --no-fund) && touch "$folder/$made/complete"
}

case $kind in
python)
    command -v python3 >/dev/null 2>&1 || unavailable "no Python 3 (install python3)"
    made=$( (cat "$listed/requirements.txt" && python3 --version) | sha256sum | cut -c 1-16)
    place=bin/python3
    fetch=fetch_python
    ;;
node | axe)
    command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || unavailable "no Node.js with npm (install nodejs and npm)"
    made=$( (cat "$listed/package-lock.json" && node --version) | sha256sum | cut -c 1-16)
    place=node_modules
    fetch=fetch_modules
    ;;
*)
    echo "clients.sh: takes python, node or axe" >&2
    exit 64
    ;;
esac
made_once "client-$kind" "$made/complete" "$2" "$fetch"
echo "$folder/$made/$place"
