.DEFAULT_GOAL := help
.SILENT:
.NOTPARALLEL:
.PHONY: help deps build test test-designate test-foretold molecule docs collection archive deb release fuzz kill-test sanitize
.PHONY: demo bench bench-publish lab-up lab-down lint clean

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible/ansible.cfg
export ACME_MODULES := $(CURDIR)/build/$(shell uname -m)/acme-modules
export LAB_ENV := $(CURDIR)/.lab/lab.env

phase := .ci/phase
swift := $(CURDIR)/.ci/swift
# The lab mounts and opens ports below 1024: it needs root.
as_root := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=ANSIBLE_CONFIG env PATH="$(PATH)")
stop_lab := $(as_root) ansible/lab/files/world.sh stop $(CURDIR)/.lab
# Whatever ends a recipe that begins with this, Control-C too, the lab is stopped, unless it was up before.
with_lab = { ansible/lab/files/world.sh status $(CURDIR)/.lab || \
	{ trap 'exit 130' INT TERM; trap '$(MAKE) -s lab-down' EXIT; $(MAKE) -s lab-start; }; }
tests := .ci/tests
sources := Package.swift $(shell find Sources -type f)

help: ## list the targets
	sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

deps: ## install what is needed, by name
	$(phase) "Packages and Python" .ci/deps

build: deps $(ACME_MODULES) ## the release binary, in build/<architecture>/

$(ACME_MODULES): $(sources)
	$(phase) "Release build" $(swift) build -c release --static-swift-stdlib --product acme-modules
	mkdir -p $(@D)
	strip -o $@ "$$($(swift) build -c release --static-swift-stdlib --show-bin-path)/acme-modules"

lint: deps ## formatting and style of Swift, Ansible and YAML
	$(phase) "Swift format" $(swift) format lint --strict -r Sources Tests Package.swift
	$(phase) "YAML" yamllint --strict .
	$(phase) "Ansible syntax" ansible-playbook --syntax-check -i localhost, ansible/lab/up.yaml ansible/lab/down.yaml ansible/lab/report.yaml $(wildcard playbooks/*.yaml)
	$(phase) "Ansible style" ansible-lint --offline
	$(phase) "READMEs of the roles" python3 .ci/role_tables.py --check
	$(phase) "Links of the pages" python3 .ci/release/links.py $(shell git ls-files '*.md')

test: lint build ## everything: lint, unit, contract and end-to-end tests
	$(phase) "Unit and contract tests" .ci/shards '^Contract\.[A-G]' '^Contract\.[H-Q]' '^Contract\.[R-Z]' '^(DNS|Publishers)Tests\.'
	$(MAKE) -s release
	$(phase) "Artefacts" $(as_root) .ci/release/check
	$(with_lab) && $(phase) "End-to-end tests" $(tests) --skip-build --filter '^EndToEnd\.' && \
		$(phase) "Molecule" $(as_root) .ci/molecule ansible roles/letsencrypt_install roles/letsencrypt_test_ca && \
		$(phase) "Release" $(as_root) .ci/release/test

molecule: build deb ## the molecule scenarios of every role and of the whole flow
	$(with_lab) && $(phase) "Molecule" $(as_root) .ci/molecule

docs: deps ## the tables of variables in the roles' READMEs, from their argument_specs
	python3 .ci/role_tables.py

collection: build ## the Ansible collection, in build/release
	$(phase) "Collection" .ci/release/collection

archive: build ## what a bastion needs, in build/release: binary, roles, playbooks
	$(phase) "Archive" .ci/release/archive

deb: build ## the Debian package of the binary, in build/release
	$(phase) "Debian package" .ci/release/deb
	$(phase) "Lintian" lintian --allow-root --fail-on error,warning build/release/acme-modules_*.deb

release: collection archive deb ## all three, with their checksums
	$(phase) "Checksums" .ci/release/checksums

test-designate: build ## the provider designate against Debian's Keystone, Designate and BIND
	$(phase) "Designate of Debian 12" $(as_root) .ci/designate/run bookworm $(ACME_MODULES)
	$(phase) "Designate of Debian 13" $(as_root) .ci/designate/run trixie $(ACME_MODULES)

fuzz: deps ## what reads bytes from outside, fed by libFuzzer for a minute each (or FUZZ_SECONDS)
	$(phase) "Fuzzing" .ci/fuzz $(or $(FUZZ_SECONDS),60) $(FUZZ_TARGETS)

sanitize: build ## what touches C, watched by the address and undefined-behaviour sanitizers and by valgrind
	$(phase) "Address sanitizer" .ci/sanitize address
	$(phase) "Undefined behaviour" .ci/sanitize undefined
	$(phase) "Valgrind" .ci/sanitize valgrind

test-foretold: build ## every end-to-end run, after --check has foretold what it will do
	$(with_lab) && FORETOLD=1 $(phase) "Foretold end-to-end tests" $(tests) --filter '^EndToEnd\.'

kill-test: build ## modules killed at every system call, and 200 certificates from a CA in trouble
	EXHAUSTIVE=1 $(phase) "Killed and in trouble" $(tests) --filter '^Contract\.(BrokenOff|RandomFaults)'

demo: build ## certificates for every host of a lab, and a second run with nothing to do
	$(with_lab) && ansible/lab/files/demo.sh

bench-publish: build ## how long publishing takes, beside the least that it could take
	$(as_root) python3 .ci/bench publish $(ACME_MODULES)

bench: build ## beside uacme, lego, certbot and dehydrated, and base.yaml over up to 30 hosts; writes docs/performance.md
	$(as_root) .ci/deps install uacme certbot dehydrated >/dev/null
	$(as_root) unshare --mount --net python3 .ci/bench peers $(ACME_MODULES)
	$(as_root) python3 .ci/bench fleet $(ACME_MODULES)

.PHONY: lab-start
lab-start:
	trap 'exit 130' INT TERM; trap '$(stop_lab) >/dev/null' EXIT; \
		PHASE_LINES=30 $(phase) "Lab up" $(as_root) ansible-playbook -i localhost, ansible/lab/up.yaml && trap - EXIT

lab-up: deps lab-start ## start the lab and say how to talk to it
	ansible/lab/files/hints.sh $(CURDIR)/.lab

lab-down: ## stop the lab
	$(phase) "Lab down" $(stop_lab)

clean: lab-down ## stop the lab and remove what was built
	[ ! -d build/designate ] || $(as_root) rm -rf build/designate
	rm -rf .build build .lab .venv .venv-oldest .venv-second-ca .venv-second-ca
