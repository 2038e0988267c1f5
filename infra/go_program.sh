#!/bin/sh
# Prints a program that is made by Go, and builds it first if it is not there yet: go_program.sh NAME PACKAGE SECONDS builds PACKAGE of
# the module tests/NAME. Several may do so at once: each waits for another for at most SECONDS, and builds for at most SECONDS. Where
# that is impossible: exit code 69 and one line that says why.
set -eu

name=$1 package=$2 seconds=$3
here=$(cd "${0%/*}" && pwd)
module="$here/../tests/$name"
. "$here/made_once.sh"

command -v go >/dev/null 2>&1 || unavailable "no Go (install golang-go)"
made=$( (cd "$module" && find . -type f | sort | xargs cat && go version) | sha256sum | cut -c 1-16)
# Versions and their hashes are those of go.mod and go.sum; no other toolchain is fetched.
build() {
    (cd "$module" && GOTOOLCHAIN=local GOFLAGS=-mod=readonly timeout "$seconds" go build -trimpath -o "$folder/$made.new" "$package") &&
        mv "$folder/$made.new" "$folder/$made"
}
made_once "$name" "$made" "$seconds" build
echo "$folder/$made"
