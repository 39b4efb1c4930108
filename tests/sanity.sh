#!/bin/sh
# ansible-test sanity, the documentation lint, the importer's view and the playbooks, on the collection as it is shipped:
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

# As whoever installed the collection runs them: by name and from elsewhere, all parsed, and one run that asks AWS nothing.
playbooks() {
    cd "$root"
    export ANSIBLE_COLLECTIONS_PATH="$root" ANSIBLE_DISPLAY_OK_HOSTS=false
    set -- -i "$collection/inventories/staging"
    for playbook in "$collection"/playbooks/*.yml; do
        set -- "$@" "antenna.aws.$(basename "$playbook" .yml)"
    done
    ansible-playbook --syntax-check "$@"
    ansible-playbook antenna.aws.deployer --tags documents -i "$collection/inventories/staging" \
        -e antenna_account_id=123456789012 -e antenna_region=us-west-2 \
        -e deployer_github_repository=example/deployment -e deployer_documents="$root/policies"
    test -s "$root/policies/antenna-staging-deployer-trust.json"
}

ansible-galaxy collection build --output-path "$root" . >/dev/null
ansible-galaxy collection install --no-deps --force -p "$root" "$root"/antenna-aws-*.tar.gz >/dev/null 2>&1
(cd "$collection" && antsibull-docs lint-collection-docs .)

bundled_pip
# ansible-test looks for the collections whose documentation ours extends beside it.
beside=$(.venv/bin/python -c 'import ansible_collections; print(list(ansible_collections.__path__)[0])')
ln -s "$beside/amazon" "$beside/community" "$root/ansible_collections/"
(playbooks)
python=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
export PIP_QUIET=1
(cd "$collection" && ansible-test sanity --venv --python "$python")
