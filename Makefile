# Every target sets up its own environment first: `.venv`, with the versions that were tested on this Python.

PYTHON ?= python3
OUT ?= demo-report-$(shell date +%Y%m%d-%H%M%S)

# Two processes; the tests of a file share what they compile, so a file stays together.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile
PACKAGES := twin biophys surrogate experiments
BIN := .venv/bin
PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo missing)
CONSTRAINTS := constraints/python$(PYTHON_VERSION).txt
INSTALLED := .venv/installed-on-python$(PYTHON_VERSION)

.PHONY: help demo test test-all lint format bench clean
.DEFAULT_GOAL := help

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile
	@echo "Another Python: make test PYTHON=python3.12     another folder: make demo OUT=report"

demo: $(INSTALLED)  ## the main job on real recordings, end to end, into a fresh demo-report folder
	$(BIN)/twin demo --out $(OUT)

test: $(INSTALLED)  ## the tests that take seconds
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow"

test-all: $(INSTALLED)  ## every test, the slow ones too
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

lint: $(INSTALLED)  ## formatting, ruff's rules and types; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES)

format: $(INSTALLED)  ## rewrite the sources in the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(INSTALLED)  ## run every benchmark in turn, each prints its tables
	$(BIN)/python -m benchmarks.brian2_on_jax all
	$(BIN)/python -m benchmarks.calibrate
	$(BIN)/python -m benchmarks.surrogate
	$(BIN)/python -m benchmarks.synthetic_vision

clean:  ## remove .venv and the caches; reports and recordings stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last, so an interrupted installation starts again. A .venv of another Python is made anew.
$(INSTALLED): pyproject.toml $(CONSTRAINTS)
	@echo "Installing neurotwin for Python $(PYTHON_VERSION) into .venv (some minutes the first time)"
	@rm -f .venv/installed-on-python*
	@test "$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$(PYTHON_VERSION)" \
		|| $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[readers,calibrate,dev]'
	@touch $@

# Reached only when there are no tested versions for this Python.
constraints/python%.txt:
	@echo "neurotwin runs on Python 3.11, 3.12 and 3.13; '$(PYTHON)' is $*. Name another one: make PYTHON=python3.11" >&2
	@exit 1
