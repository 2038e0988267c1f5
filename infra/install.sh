#!/bin/sh
# Installs what the build and the embedded stores need, and nothing that is there already.
# Usage: install.sh [more Debian packages ...]
set -eu

missing=""
command -v cc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
command -v c++ >/dev/null 2>&1 || missing="$missing g++"
command -v make >/dev/null 2>&1 || missing="$missing make"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql-15"
# librdkafka, built from source. It wants curl's headers even where it is built without curl.
has_header() { echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1; }
command -v cmake >/dev/null 2>&1 || missing="$missing cmake"
command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
has_header openssl/ssl.h || missing="$missing libssl-dev"
has_header zlib.h || missing="$missing zlib1g-dev"
has_header curl/curl.h || missing="$missing libcurl4-openssl-dev"
for package in "$@"; do
    command -v "$package" >/dev/null 2>&1 || missing="$missing $package"
done

if [ -n "$missing" ]; then
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
            as_root="sudo"
        else
            as_root="none"
        fi
    fi
    if [ "$as_root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "install these packages first:$missing" >&2
        exit 69
    fi
    echo "installing:$missing"
    # The server package would make and start a cluster of its own, which nobody here uses.
    $as_root mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

if ! command -v cargo >/dev/null 2>&1; then
    echo "install Rust 1.95 or newer first (https://rustup.rs)" >&2
    exit 69
fi
