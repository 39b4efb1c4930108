#!/bin/sh
# ansible-test sanity, the documentation lint and the importer's view, on the collection as it is shipped:
# built, then installed outside of this checkout (ansible-test passes over what a git checkout ignores).
set -eu
cd "$(dirname "$0")/.."
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
collection=$root/ansible_collections/antenna/aws

# ansible-test bootstraps pip by a script from the network; Python brings its own pip.
bundled_pip() {
    cache=$HOME/.ansible/test/cache
    mkdir -p "$cache"
    for version in 24_2 25_2; do
        script=$cache/get_pip_$version.py
        [ -e "$script" ] || printf 'import ensurepip\n\nensurepip.bootstrap(altinstall=False, default_pip=True)\n' >"$script"
    done
}

ansible-galaxy collection build --output-path "$root" . >/dev/null
ansible-galaxy collection install --no-deps --force -p "$root" "$root"/antenna-aws-*.tar.gz >/dev/null 2>&1
(cd "$collection" && antsibull-docs lint-collection-docs .)

bundled_pip
# ansible-test looks for the collections whose documentation ours extends beside it.
beside=$(.venv/bin/python -c 'import ansible_collections; print(list(ansible_collections.__path__)[0])')
ln -s "$beside/amazon" "$beside/community" "$root/ansible_collections/"
python=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
export PIP_QUIET=1
(cd "$collection" && ansible-test sanity --venv --python "$python")
