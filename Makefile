# pysmon: `make help` lists the targets. Everything is set up by itself, in .venv; a second call starts at once.

PYTHON ?= python3
export PYTHON
CMD ?=
CONFIG ?=
TESTS ?=
TARGETS ?=
SECONDS ?= 60

.SILENT:
.PHONY: help run test test-package judge-evtx lint bench fuzz vm docs clean

help: ## List the targets
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

run: ## Watch this machine (needs root); CMD="ls /tmp": only that command; CONFIG=my.xml: by these rules
	sh tools/setup.sh run
	.venv/bin/pysmon run $(if $(CONFIG),-c $(CONFIG)) $(if $(CMD),-- $(CMD))

test: ## Run the tests; TESTS="tests/rules -k quirk": only those
	sh tools/setup.sh dev
	.venv/bin/python -m pytest $(TESTS)

test-package: ## Build wheel and sdist and look into them
	sh tools/setup.sh dev
	.venv/bin/python -m pytest -m package tests/test_package.py

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

fuzz: ## Fuzz the parsers of foreign bytes, SECONDS=60 each; TARGETS="evtx blob": only these
	sh tools/setup.sh fuzz
	.venv/bin/python -m fuzz.run $(TARGETS) --seconds $(SECONDS)

vm: ## Run the tests of the sensor on Debian's own kernel, in a throw-away virtual machine
	sh tools/setup.sh dev
	sh tools/vm_tests.sh $(TESTS)

docs: ## Write the reference pages anew from the definitions
	sh tools/setup.sh dev
	.venv/bin/python tools/docs.py

clean: ## Remove everything that was made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -f src/pysmon/sensor/bpf/sensor.bpf.o src/pysmon/sensor/bpf/records.gen.h
	find src tests tools bench fuzz -name __pycache__ -prune -exec rm -rf {} +
