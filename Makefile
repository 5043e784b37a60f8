# Two commands: `make run` and `make test`. Everything else is for those who change the code.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check
PLUGINS := $(patsubst %/setup.cfg,%,$(sort $(wildcard plugins/*/setup.cfg)))
PACKAGING := setup.cfg pyproject.toml constraints.txt $(wildcard plugins/*/setup.cfg) $(wildcard plugins/*/pyproject.toml)

# $(call install,extras): the platform with these extras and every plugin, editable, in the tested versions
install = $(PIP) install --constraint constraints.txt --editable '.[$(1)]' $(foreach plugin,$(PLUGINS),--editable $(plugin))

.PHONY: help run test wheel-test bench soak lint format catalogues api-snapshot docs clean

help:
	@echo 'make run         start Regulars on http://127.0.0.1:8000 with the sample chain'
	@echo 'make test        the whole suite, real PostgreSQL and Chromium included'
	@echo 'make wheel-test  build the wheels and run the suites against them, without this repository'
	@echo 'make bench       benchmarks          make soak   long load and fault runs'
	@echo 'make lint        style, types, layers and size     make format  apply the style'
	@echo 'make catalogues  bring the translations in step with the code'
	@echo 'make api-snapshot  write down the public names of the plugin API'
	@echo 'make docs        the manual, in docs/_build/html'
	@echo 'make clean       remove what was built; keeps .venv and var'

run: .venv/.for-run
	REGULARS_HOME="$${REGULARS_HOME:-$(CURDIR)/var}" exec $(BIN)/regulars run --bootstrap

test: .venv/.for-test
	.ci/chromium
	.ci/redis
	$(BIN)/pytest --numprocesses 2 --dist loadgroup -ra --durations 15

wheel-test: .venv/.for-test
	.ci/redis
	.ci/wheel-test

bench: .venv/.for-test
	$(BIN)/pytest -m bench --capture no --timeout 0

soak: .venv/.for-test
	.ci/redis
	$(BIN)/pytest -m soak --capture no --timeout 0

lint: .venv/.for-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/size.py

format: .venv/.for-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

catalogues: .venv/.for-dev
	$(BIN)/python tools/catalogues.py

api-snapshot: .venv/.for-dev
	$(BIN)/python tools/api_snapshot.py

docs: .venv/.for-docs
	$(BIN)/sphinx-build -W --keep-going docs docs/_build/html

clean:
	rm -rf build dist docs/_build docs/_generated docs/develop/hooks $(foreach plugin,$(PLUGINS),$(plugin)/build $(plugin)/dist)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo 'Regulars needs Python 3.11 or newer. Name one: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	{ echo 'Python cannot make virtual environments here. Install the missing part: sudo apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# Compiled, as pip compiles what it does not install editable: it starts a fifth sooner where Python is told to write no bytecode.
.venv/.for-run: .venv/bin/python $(PACKAGING)
	$(call install,postgres)
	$(BIN)/python -m compileall -q core migrations plugin_api plugins web
	@touch $@

.venv/.for-test .venv/.for-dev .venv/.for-docs: .venv/.for-%: .venv/.for-run
	$(call install,$*)
	@touch $@
