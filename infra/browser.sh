#!/bin/sh
# Prints where ChromeDriver is, if the Chromium that it drives is there, too. Otherwise: exit code 69 and one line that says so.
set -eu

driver=$(command -v chromedriver) && command -v chromium >/dev/null || {
    echo "no Chromium with its driver (install chromium and chromium-driver)" >&2
    exit 69
}
echo "$driver"
