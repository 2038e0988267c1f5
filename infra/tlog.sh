#!/bin/sh
# Prints the program of tests/tlog, which reads transparency logs with clients of others, and builds it first if it is not there
# yet. Several may do so at once. Where that is impossible: exit code 69 and one line that says why.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
module="$here/../tests/tlog"
folder="${XDG_CACHE_HOME:-$HOME/.cache}/domicile/tlog"

unavailable() {
    echo "$1" >&2
    exit 69
}

command -v go >/dev/null 2>&1 || unavailable "no Go (install golang-go)"
program="$folder/$( (cd "$module" && cat go.mod go.sum main.go && go version) | sha256sum | cut -c 1-16)"
if [ ! -x "$program" ]; then
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock 9
    if [ ! -x "$program" ]; then
        # Versions and their hashes are those of go.mod and go.sum; no other toolchain is fetched.
        (cd "$module" && GOTOOLCHAIN=local GOFLAGS=-mod=readonly timeout 110 go build -trimpath -o "$program.new" .) \
            >"$folder/build.log" 2>&1 </dev/null || unavailable "Go cannot fetch or build tests/tlog (see $folder/build.log)"
        mv "$program.new" "$program"
    fi
fi
echo "$program"
