#!/bin/sh
# Prints a program that is made by Go, and builds it first if it is not there yet: go_program.sh NAME PACKAGE SECONDS builds PACKAGE of
# the module tests/NAME. Several may do so at once: each waits for another for at most SECONDS, and builds for at most SECONDS. Where
# that is impossible: exit code 69 and one line that says why.
set -eu

name=$1 package=$2 seconds=$3
here=$(cd "${0%/*}" && pwd)
module="$here/../tests/$name"
folder="${XDG_CACHE_HOME:-$HOME/.cache}/domicile/$name"

unavailable() {
    echo "$1" >&2
    exit 69
}

command -v go >/dev/null 2>&1 || unavailable "no Go (install golang-go)"
program="$folder/$( (cd "$module" && find . -type f | sort | xargs cat && go version) | sha256sum | cut -c 1-16)"
if [ ! -x "$program" ]; then
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock -w "$seconds" 9 || unavailable "tests/$name is still being built by another (see $folder/build.log)"
    if [ ! -x "$program" ]; then
        # Versions and their hashes are those of go.mod and go.sum; no other toolchain is fetched.
        (cd "$module" && GOTOOLCHAIN=local GOFLAGS=-mod=readonly timeout "$seconds" go build -trimpath -o "$program.new" "$package") \
            >"$folder/build.log" 2>&1 </dev/null || unavailable "Go cannot fetch or build tests/$name (see $folder/build.log)"
        mv "$program.new" "$program"
    fi
fi
echo "$program"
