# channels-loadtest: everything a person types. Needs Python 3.11 or newer and make; the rest is set up here.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH ?=
PYTEST ?=
TWO := -n 2 --dist loadfile
THREE := -n 3 --dist loadfile
ALONE := --last-failed --last-failed-no-failures none
LOCKED := --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header

.PHONY: help bench ui test lint types unit live browser perf soak screenshots docs lock clean

help:  ## this list, with how long each takes on two cores
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

bench: $(VENV)/.runtime  ## compare sync and async consumers across channel layers (BENCH="--profile standard" adds options); about 7 minutes
	@$(BIN)/channels-loadtest bench $(BENCH)

ui: $(VENV)/.runtime  ## start Locust's web UI on 127.0.0.1, with a form and tabs for drops; until Ctrl-C
	@$(BIN)/channels-loadtest ui

test: lint types unit live browser  ## set up everything and run every check; about 12 minutes

lint: $(VENV)/.dev  ## ruff; a second
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict on loadtest/ and tests/; a few seconds, a minute the first time
	$(BIN)/mypy

unit: $(VENV)/.dev  ## tests that open no socket; two minutes
	$(BIN)/pytest $(TWO) tests/unit $(PYTEST)

live: $(VENV)/.dev  ## tests on real servers, a small real bench, and the audit of planted defects; 8 minutes
	@# A test that fails beside two others, on cores that it shares, has to pass by itself: exit code 1 is "some failed".
	$(BIN)/pytest $(THREE) --no-loadscope-reorder tests/live tests/planted $(PYTEST) || { [ $$? = 1 ] && \
	  echo "what failed beside others runs once more, alone" && $(BIN)/pytest $(ALONE) tests/live tests/planted $(PYTEST); }
	$(BIN)/pytest tests/truth $(PYTEST)

browser: $(VENV)/.dev  ## tests in a real browser (Chromium; installed where apt-get may); a minute
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  echo "no Chromium here and no right to install it: the browser tests will be skipped"
	$(BIN)/pytest tests/browser $(PYTEST) || { [ $$? = 1 ] && \
	  echo "what failed runs once more" && $(BIN)/pytest $(ALONE) tests/browser $(PYTEST); }

perf: $(VENV)/.dev  ## speed and memory of the generator, cost of the audit and of the probe, as figures of one run; about 20 minutes on a quiet machine
	$(BIN)/python -m tests.perf $(PERF)

soak: $(VENV)/.dev  ## the long form of the differential, hostile-server and simulation tests, and 200 bad moments of a bench; two hours
	LOADTEST_SOAK=1 $(BIN)/pytest tests/unit/wire tests/unit/test_verdicts.py tests/unit/test_bad_input.py tests/unit/test_secrets.py tests/live tests/planted tests/truth $(PYTEST)

screenshots: $(VENV)/.dev  ## take the README's pictures anew, from a kept run and a test in the web UI (needs Chromium); a minute
	$(BIN)/python -m tests.screenshots

docs: $(VENV)/.dev  ## write the generated parts of README.md and docs/ anew; a few seconds
	$(BIN)/python -m loadtest.docs

lock: $(VENV)/.dev  ## write requirements*.txt anew from pyproject.toml (needs uv); a few seconds
	uv pip compile -q -U pyproject.toml --extra build --extra servers $(LOCKED) -o requirements.txt
	uv pip compile -q pyproject.toml --extra build --extra servers --extra otel --extra dev -c requirements.txt $(LOCKED) \
	  -o requirements-dev.txt

clean:  ## remove the virtual environment and the caches, never the results; a second
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "channels-loadtest needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Pass PYTHON=python3.12, say."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 2; }

$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) (once)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "setting up the tools of the tests (once)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
