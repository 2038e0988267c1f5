#!/bin/sh
# Prints the program of versitygw, a full S3 server that enforces locks, and builds it first if it is not there yet (about two
# minutes). Several may do so at once. Where that is impossible: exit code 69 and one line that says why.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
module="$here/../tests/versitygw"
folder="${XDG_CACHE_HOME:-$HOME/.cache}/domicile/versitygw"

unavailable() {
    echo "$1" >&2
    exit 69
}

command -v go >/dev/null 2>&1 || unavailable "no Go (install golang-go)"
program="$folder/$( (cd "$module" && cat go.mod go.sum && go version) | sha256sum | cut -c 1-16)"
if [ ! -x "$program" ]; then
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock 9
    if [ ! -x "$program" ]; then
        # Versions and their hashes are those of go.mod and go.sum; no other toolchain is fetched.
        (cd "$module" && GOTOOLCHAIN=local GOFLAGS=-mod=readonly timeout 500 go build -trimpath -o "$program.new" \
            github.com/versity/versitygw/cmd/versitygw) >"$folder/build.log" 2>&1 </dev/null ||
            unavailable "Go cannot fetch or build versitygw (see $folder/build.log)"
        mv "$program.new" "$program"
    fi
fi
echo "$program"
