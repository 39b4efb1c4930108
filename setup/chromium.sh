#!/bin/sh
# Prints the path of a Chromium for the browser test; installs the distribution's where there is none and we are root.
set -eu
find_it() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
find_it && exit
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "==> Installing from the distribution: chromium" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >&2
    find_it && exit
fi
echo "No Chromium found. Install it (Debian: apt-get install chromium) to run the browser test." >&2
exit 1
