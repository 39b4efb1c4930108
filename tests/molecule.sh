#!/bin/sh
# Every molecule scenario against one rehearsal cloud of their own, two at a time: much of it is waiting.
set -eu
cd "$(dirname "$0")/.."
LOCALCLOUD_STATE=$PWD/.cache/molecule-cloud
export LOCALCLOUD_STATE
trap 'python -m localcloud down' EXIT
python -m localcloud up
python -m localcloud base-images extensions/molecule/source
cd .venv/collections/ansible_collections/antenna/aws
molecule test --all --report --workers 2 --continue-on-failure
