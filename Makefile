# pysmon: `make help` lists the targets. Everything is set up by itself, in .venv; a second call starts at once.

PYTHON ?= python3
export PYTHON
CMD ?=
CONFIG ?=
TESTS ?=
TARGETS ?=
SECONDS ?= 60
MINUTES ?= 60
ARCH ?=
SENSORS ?=
ROUNDS ?=
NAMES ?=

.SILENT:
.PHONY: help run test test-package package judge-evtx lint bench bench-peers fuzz vm vm-arm64 vm-soak vm-techniques docs clean

help: ## List the targets
	awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

run: ## Watch this machine (needs root); CMD="ls /tmp": only that command; CONFIG=my.xml: by these rules
	sh tools/setup.sh run
	.venv/bin/pysmon run $(if $(CONFIG),-c $(CONFIG)) $(if $(CMD),-- $(CMD))

test: ## Run the tests; TESTS="tests/rules -k quirk": only those
	sh tools/setup.sh dev
	.venv/bin/python -m pytest $(or $(TESTS),-n auto --dist loadfile)

test-package: ## Build wheel and sdist and look into them
	sh tools/setup.sh dev
	.venv/bin/python -m pytest -m package tests/test_package.py tests/tools/test_package.py

package: ## Build a .deb, and a .rpm where rpmbuild is, into dist/; ARCH=arm64: for that machine
	sh tools/setup.sh dev
	.venv/bin/python tools/package.py $(if $(ARCH),--arch $(ARCH))

judge-evtx: ## Write all real events as EVTX and let three readers of others read them: a quarter of an hour
	sh tools/setup.sh dev
	.venv/bin/python -m tests.formats.judge_evtx

lint: ## Check style, format, types and the generated pages
	sh tools/setup.sh dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	if [ -e tools/docs.py ]; then .venv/bin/python tools/docs.py --check; fi

bench: ## Measure on this machine
	sh tools/setup.sh dev
	for each in $$(ls bench | sed -n 's/\.py$$//p' | grep -v machine); do .venv/bin/python -m bench.$$each || exit; done

bench-peers: ## Compare with other sensors in a virtual machine: an hour; SENSORS="none auditd" ROUNDS=5: only those, so often
	sh tools/setup.sh dev
	.venv/bin/python -m bench.peers $(SENSORS) $(if $(ROUNDS),--rounds $(ROUNDS))

fuzz: ## Fuzz the parsers of foreign bytes, SECONDS=60 each; TARGETS="evtx blob": only these
	sh tools/setup.sh fuzz
	.venv/bin/python -m fuzz.run $(TARGETS) --seconds $(SECONDS)

vm: ## Prove the service on a stock Debian 12, and test the sensor on its kernel, in virtual machines: half an hour
	sh tools/setup.sh dev
	if [ -z "$(TESTS)" ]; then sh tools/vm_packages.sh && .venv/bin/python tools/vm_service.py proof --packages build/vm; fi
	sh tools/vm_tests.sh $(TESTS)

vm-soak: ## Put the service under load in a virtual machine, for MINUTES=60
	sh tools/setup.sh dev
	sh tools/vm_packages.sh
	.venv/bin/python tools/vm_service.py soak $(MINUTES) --packages build/vm --cpus 1 --limit $$(($(MINUTES) * 60 + 1200))

vm-arm64: ## Load the kernel programs on Debian's arm64 kernel, in an emulated machine, and let them watch a few programs
	sh tools/setup.sh dev
	.venv/bin/python tools/package.py --arch arm64 --to build/vm-arm64
	.venv/bin/python tools/vm_arm64.py --package build/vm-arm64/pysmon_*_arm64.deb

vm-techniques: ## Do what attackers do in a virtual machine, and ask the log for it; NAMES="timestomp cron_entry": only those
	sh tools/setup.sh dev
	sh tools/vm_packages.sh
	.venv/bin/python tools/vm_service.py techniques $(NAMES) --packages build/vm --limit 2400

docs: ## Write the reference pages anew from the definitions
	sh tools/setup.sh dev
	.venv/bin/python tools/docs.py

clean: ## Remove everything that was made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -f src/pysmon/sensor/bpf/sensor.bpf.o src/pysmon/sensor/bpf/records.gen.h
	find src tests tools bench fuzz -name __pycache__ -prune -exec rm -rf {} +
