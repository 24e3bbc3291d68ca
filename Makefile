# Everything that is done in this checkout. `make` alone lists it. Needs make, git and Python 3.11 or newer; the rest is
# fetched by package name: Python packages into the virtual environment, Go programs into $OKGEN_TOOLS.

PYTHON ?= python3
OKGEN_VENV ?= .venv
BIN := $(OKGEN_VENV)/bin
EXAMPLE ?= examples/shop/cluster.yaml
DEMO ?= build/demo

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint unit e2e golden bench docs build

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):[^#]*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-12s %s\n", $$1, $$2}'

demo: $(OKGEN_VENV)/.okgen ## render the example into build/demo and show the tree
	$(BIN)/okgen render $(EXAMPLE) --output $(DEMO)
	@cd $(DEMO) && find . -type f | LC_ALL=C sort | sed 's|^\./||'

test: lint ## every check and every test; builds the programs they need once
	OKGEN_BUILD_TOOLS=1 $(BIN)/python -m pytest --cov -n auto

lint: $(OKGEN_VENV)/.test ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

unit: $(OKGEN_VENV)/.test ## the tests that run no other program
	$(BIN)/python -m pytest -m "not tools" -n auto

# Runs of their own, two at a time, as much of each is waiting: each in a network of its own, and its output in one piece.
E2E := argocd tandem api rig legacy
.PHONY: $(E2E:%=e2e-%)

e2e: $(OKGEN_VENV)/.test ## what is rendered, on real Kubernetes and Argo CD; builds them once, which takes long
	$(BIN)/python tests/tools/build.py > /dev/null
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target $(E2E:%=e2e-%)

# A signal to make has to reach pytest, which ends what it has started: no shell stands between.
$(E2E:%=e2e-%): e2e-%: $(OKGEN_VENV)/.test
	exec env OKGEN_BUILD_TOOLS=1 $(BIN)/python -m pytest tests/e2e/test_$**.py

golden: $(OKGEN_VENV)/.test ## rewrite what tests and examples expect from what okgen does now; review the diff
	$(BIN)/python -m pytest -m golden --update-golden

bench: $(OKGEN_VENV)/.test ## how fast it is, as ratios measured side by side
	$(BIN)/python tests/tools/build.py helm kustomize jsonnet
	$(BIN)/python bench/bench.py

docs: $(OKGEN_VENV)/.okgen ## regenerate the reference pages
	$(BIN)/python docs/generate.py

build: $(OKGEN_VENV)/.test ## the wheel, in dist/
	$(BIN)/python -m build --no-isolation --wheel

$(OKGEN_VENV)/.okgen: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "okgen needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(OKGEN_VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(OKGEN_VENV)/.test: $(OKGEN_VENV)/.okgen
	$(BIN)/python -m pip install --quiet --group test
	@touch $@
