#!/bin/sh
# Makes .venv from requirements.txt with the newest Python found (3.11 or newer); PYTHON=… chooses another.
# Does nothing when .venv is already of this requirements file.
set -eu
cd "$(dirname "$0")/.."

usable() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

newest() {
    for candidate in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
        if usable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "No usable Python${PYTHON:+ at $PYTHON}: 3.11 or newer with venv is needed." >&2
    echo "Debian and Ubuntu: apt-get install python3 python3-venv" >&2
    exit 1
}

collection_link() {
    mkdir -p .venv/collections/ansible_collections/antenna
    ln -sfn "$PWD" .venv/collections/ansible_collections/antenna/aws
}

python=$(newest)
wanted="$("$python" -c 'import sys; print(sys.version)') $(cksum <requirements.txt)"
if [ "$(cat .venv/.made-from 2>/dev/null)" = "$wanted" ]; then
    collection_link
    exit 0
fi

echo "==> Python environment: .venv with $("$python" --version), packages of requirements.txt"
rm -rf .venv
"$python" -m venv .venv
# The file is complete, so nothing is resolved. Every task imports boto3: bytecode halves that, but for the many
# collections that nobody uses here.
.venv/bin/pip install -qq --disable-pip-version-check --no-deps --no-compile -r requirements.txt
.venv/bin/python -m compileall -q -j 0 -x 'ansible_collections/(?!amazon/|community/aws/)|/tests?/' \
    .venv/lib/python3.*/site-packages >/dev/null || true
collection_link
echo "$wanted" >.venv/.made-from
