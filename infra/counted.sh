#!/bin/sh
# Runs tests and says at the end which of them this machine could not run. The exit code is theirs.
# Usage: counted.sh COMMAND [ARGUMENT ...]
set -u

DOMICILE_SKIPPED_FILE=$(mktemp) || exit
export DOMICILE_SKIPPED_FILE
trap 'rm -f "$DOMICILE_SKIPPED_FILE"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$@"
code=$?

# Lines of `name: reason`; tests with one reason stand together.
sort "$DOMICILE_SKIPPED_FILE" | awk '
    { colon = index($0, ": "); name = substr($0, 1, colon - 1); reason = substr($0, colon + 2) }
    { names[reason] = names[reason] (names[reason] == "" ? "" : ", ") name }
    END {
        printf "skipped %d %s", NR, NR == 1 ? "test" : "tests"
        separator = ": "
        for (reason in names) { printf "%s%s: %s", separator, names[reason], reason; separator = "; " }
        print ""
    }'
exit "$code"
