# Two commands matter: `make rehearse` deploys Antenna on this machine, `make test` proves the collection.
# Both set up what they need and may be repeated.
SHELL  := /bin/sh
SOURCE ?= $(CURDIR)/examples/antenna
# Whose deployment is rehearsed: that of any inventory, with all its options.
INVENTORY ?= local
OVERLAY := $(if $(filter-out local,$(INVENTORY)),-i inventories/rehearsal)
# More words for ansible-playbook, such as -e ecr_images_version=v10
OPTIONS ?=
PATH   := $(CURDIR)/.venv/bin:$(PATH)
export PATH
# Bytecode that is thrown away is made again by every task.
unexport PYTHONDONTWRITEBYTECODE

PYTHON_TREES := benchmarks localcloud plugins tests

.PHONY: help
help:  ## Show these targets
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' Makefile | expand -t 18

.PHONY: python
python:
	@setup/python.sh

.PHONY: docker
docker:
	@setup/docker.sh

.PHONY: cloud
cloud: python docker  ## Start the rehearsal cloud (stays up until `make rehearse-down`)
	@python -m localcloud up

.PHONY: rehearse
rehearse: cloud  ## Deploy SOURCE (default: examples/antenna) to the rehearsal cloud, as INVENTORY (default: local) says
	@python -m localcloud base-images '$(SOURCE)'
	$(if $(OVERLAY),@python -m localcloud certificate 'antenna-$(INVENTORY).example.org')
	ansible-playbook playbooks/site.yml -i 'inventories/$(INVENTORY)' $(OVERLAY) -e antenna_source='$(abspath $(SOURCE))' $(OPTIONS)
	@python -m localcloud status

.PHONY: rehearse-down
rehearse-down: python  ## Remove everything that rehearsals made on this machine
	@python -m localcloud down

.PHONY: check
check: lint types unit  ## The fast tests: lint, types, unit

.PHONY: lint
lint: python
	ruff check $(PYTHON_TREES)
	ruff format --check $(PYTHON_TREES)
	yamllint --strict .
	shellcheck setup/*.sh tests/*.sh
	codespell
	antsibull-changelog lint

.PHONY: ansible-lint
ansible-lint: python  ## Roles and playbooks, with the arguments of every task
	ansible-lint --offline --profile production --strict --enable-list args

.PHONY: types
types: python
	mypy

.PHONY: unit
unit: python
	pytest -q tests/unit tests/repo

.PHONY: sanity
sanity: python  ## ansible-test sanity and the documentation lint, on the built collection
	@tests/sanity.sh

.PHONY: module
module: python docker
	pytest -q tests/module

.PHONY: policies
policies: python  ## Linters of IAM policies, in an environment of their own
	pytest -q tests/policies

.PHONY: contract
contract: python docker
	pytest -q --numprocesses=4 --dist=loadfile --no-loadscope-reorder tests/contract

.PHONY: molecule
molecule: python docker
	@tests/molecule.sh

# Three workers, each with a rehearsal cloud of its own.
.PHONY: e2e
e2e: python docker
	@rm -rf .cache/life
	pytest -v --numprocesses=3 tests/e2e
	pytest -q tests/life

MOTO ?=
SERVICES ?=
.PHONY: moto-suite
moto-suite: python docker  ## moto's own tests: MOTO=<its source> [SERVICES=s3,iam] (no part of `test`: tests/moto/README.md)
	@python tests/moto/suite.py '$(MOTO)' $(if $(SERVICES),--services '$(SERVICES)')

# What uses one core is run two at a time, each one's output in one piece. Much of the contract and module tests is waiting.
.PHONY: test
test: python docker  ## All tests
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target ansible-lint check sanity policies
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target contract module molecule
	@$(MAKE) --no-print-directory e2e

.PHONY: build
build: python  ## The collection's tarball, in build/
	ansible-galaxy collection build --force --output-path build .

.PHONY: requirements
requirements:  ## Resolve requirements.in anew
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate requirements.in -o requirements.txt
