# Keyturn. `make help` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet

.DEFAULT_GOAL := help
.PHONY: help install run test examples rotation check format lock openapi load soak bench fill faults fuzz clean

help: ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Keyturn needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || \
		{ echo "This Python lacks the venv module; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m service.engines.fetch
	@touch $(STAMP)

install: $(STAMP) ## Make .venv with everything in it

run: install ## Start the service on an embedded DynamoDB engine
	@$(BIN)/keyturn dev

test: install ## The whole test suite with its coverage; a part of it with ARGS="tests/unit -k words"
	@$(BIN)/python -m service.engines.fetch --all
	@$(BIN)/python -m pytest -n 4 $(if $(ARGS),$(ARGS),--cov --cov-report=term-missing:skip-covered)

load: install ## Realistic load for half a minute on a service of its own; more with ARGS="--people 60 --seconds 120"
	@$(BIN)/python -m loadtests.run $(ARGS)

soak: install ## Half an hour of mixed load: no error, no growth, no stall; shorter with ARGS="--seconds 120"
	@$(BIN)/python -m loadtests.soak.run $(ARGS)

bench: install ## Keyturn beside its peers on this machine; writes docs/benchmarks.md; a try-out with ARGS="--short"
	@$(BIN)/python -m benchmarks.run $(ARGS)

fill: install ## A million people in the engine beside a thousand: p50 and p99; smaller with ARGS="--users 20000 --sessions 100000"
	@$(BIN)/python -m benchmarks.fill.run $(ARGS)

faults: install ## Every fault at every call of every journey, for about an hour; a part with ARGS="tests/faults -k refresh"
	@KEYTURN_LONG=1 $(BIN)/python -m pytest -n 2 $(if $(ARGS),$(ARGS),tests/faults)

rotation: install ## Keys that rotate once a second for a minute under load, in an event loop and in threads
	@KEYTURN_LONG=1 $(BIN)/python -m pytest tests/guard/test_rotation_under_load.py $(ARGS)

fuzz: install ## Campaigns of made-up input, some minutes; longer with ARGS="--seconds 3600"
	@$(BIN)/python -m fuzz.run $(ARGS)

examples: install ## The notes service in FastAPI, Flask and Django against a Keyturn of its own
	@$(BIN)/python -m examples.run $(ARGS)

check: install ## Format, lint, types, architecture, openapi drift
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/keyturn openapi --check openapi.yaml

format: install ## Rewrite the sources in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what make has made
	rm -rf $(VENV) .keyturn .engines .fuzz .bench

lock: install ## Pin every dependency with its hashes again
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev $(LOCK_FLAGS) -o requirements/dev.txt
	$(BIN)/uv pip compile pyproject.toml --extra service --extra redis $(LOCK_FLAGS) -o requirements/service.txt
	$(BIN)/uv pip compile pyproject.toml --extra service --extra redis --extra otel $(LOCK_FLAGS) \
		-o requirements/service-otel.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCK_FLAGS) -o requirements/guard.txt
