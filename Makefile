# make run: the demo. make test, make test-slow: everything that CI checks. make help: the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
PYTHONS := 3.11 3.12 3.13
BIN := .venv/bin
PIP := -m pip install --disable-pip-version-check

# Tests start programs by the hundred, which take twice as long to start where each compiles its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-18s %s\n", $$1, $$2}'

PORT ?= 8889

.PHONY: run
run: .venv/installed-demo ## Start the demo application, with MongoDB and a sign-in of its own; PORT=8889
	@$(BIN)/python docs/examples/airports/main.py --port $(PORT)

.PHONY: test
test: .venv/installed-dev ## Check formatting, lint, types and import rules, and run the tests but for the slow ones
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 3 --dist loadfile -m 'not slow'

.PHONY: test-slow
test-slow: .venv/installed-dev ## Run the slow tests: replica sets whose servers are killed, and the like
	$(BIN)/pytest -n 2 --dist loadfile -m slow

SOAK ?= 20
SEED ?= $(shell echo $$RANDOM)

.PHONY: soak
soak: .venv/installed-dev ## Run the fault harnesses, and the tests of feeds, delivery and the relay, at length: SOAK (20) times what CI does, from a random SEED
	SOAK=$(SOAK) SEED=$(SEED) $(BIN)/pytest -n 2 --dist loadfile tests/faults tests/live tests/relay tests/delivery

.PHONY: format
format: .venv/installed-dev ## Format the code and apply the safe fixes of the linter
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: test-all-pythons
test-all-pythons: $(PYTHONS:%=test-%) ## Run the tests on every supported Python that is installed

.PHONY: $(PYTHONS:%=test-%)
$(PYTHONS:%=test-%): test-%:
	@for python in python$* "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$*.*/bin/python; do \
		if "$$python" -c '' 2>/dev/null; then \
			"$$python" -m venv .venv/$*; \
			.venv/$*/bin/python $(PIP) --quiet -e '.[embedded,demo,dev]'; \
			echo "Python $*:"; \
			exec .venv/$*/bin/pytest -n 3 --dist loadfile -m 'not slow'; \
		fi; \
	done; \
	echo "Python $* is not installed: skipped"

.PHONY: bench
bench: .venv/installed-bench ## Measure bzz beside its peers (an hour; needs wrk and redis-server), and write docs/benchmarks.*
	$(BIN)/python -m bench
	$(BIN)/python -m bench.relay
	$(BIN)/python -m bench.live
	$(BIN)/python -m bench.delivery
	$(BIN)/python -m bench.bulk
	$(BIN)/python -m bench.observing
	$(BIN)/pytest bench/micro --benchmark-columns=min,median,ops --benchmark-sort=name

.PHONY: bench-deep
bench-deep: .venv/installed-bench ## Measure deep pages of a million documents, memory, and two processes
	$(BIN)/python -m bench --deep

.PHONY: docs
docs: .venv/installed-docs ## Make a site of the documentation in docs/_build
	$(BIN)/sphinx-build -q -W --keep-going docs docs/_build

.PHONY: recording
recording: .venv/installed-dev ## Record the demo for the README; needs Chromium
	$(BIN)/python docs/recording.py

.PHONY: clean
clean: ## Remove the environment, caches, and the demo's data
	rm -rf .venv .bzz .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist docs/_build

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "bzz needs Python 3.11 or later; there is no $(PYTHON) on PATH. Name one: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "bzz needs Python 3.11 or later; $(PYTHON) is older, or does not run. Name another: make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed-demo: pyproject.toml | .venv/bin/python
	$(BIN)/python $(PIP) -e '.[embedded,demo]'
	@touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python $(PIP) -e '.[embedded,demo,dev,bench]'
	@touch $@ .venv/installed-demo .venv/installed-bench

.venv/installed-bench: pyproject.toml | .venv/bin/python
	$(BIN)/python $(PIP) -e '.[embedded,bench]'
	@touch $@

.venv/installed-docs: pyproject.toml | .venv/bin/python
	$(BIN)/python $(PIP) -e '.[docs]'
	@touch $@
