# make demo   set up and run the bundled story       make test        the test suite (about 5 minutes)
# make check  format, lint, types, import rules      make test-long   campaigns, other Pythons, slow properties
# make bench  the engine benchmark                   make docs        generate the reference pages
# make clean  remove everything that was made

SHELL := /bin/sh
.DEFAULT_GOAL := demo
# The first Python of at least 3.11 that is found; override with `make PYTHON=/path/to/python demo`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit 0; }; done)
BIN := .venv/bin

.PHONY: demo check test test-long bench docs clean

.venv/core: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python demo"; exit 5; }
	@echo "setting up .venv (once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/dev: .venv/core
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: .venv/core
	@$(BIN)/consortium demo

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: .venv/dev
	$(BIN)/python -m pytest -n 2 -m "not long"

test-long: .venv/dev
	$(BIN)/python -m pytest -n 2

bench: .venv/dev
	$(BIN)/python benchmarks/engine.py

docs: .venv/dev
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv runs dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
