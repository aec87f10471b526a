# Everything a newcomer, a developer or CI runs. `make help` lists it.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/
READY := $(VENV)/.ready
# The tests and the benchmark start hundreds of processes: each would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test serve bench crash interop interop-tools check docs lock clean

help: ## What can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV) from requirements-dev.lock (a minute or two, once) …" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(RUN)python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(RUN)python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY) ## Set up the virtual environment from the hash-locked requirements

demo: $(READY) ## The main job end to end, on a throw-away instance
	@$(RUN)seal demo

test: $(READY) ## The whole test suite
	@$(RUN)python -m pytest -n auto

serve: $(READY) ## Serve the instance in ./var (made with `seal init`)
	@$(RUN)seal serve

bench: $(READY) ## Measure speed and memory against the targets; ONLY="sealing http" for parts, RECORD=no
	@$(RUN)python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(filter no,$(RECORD)),--no-record)

interop: $(READY) ## Verifiers written by others judge a log made by the service; ENTRIES=100000
	@$(RUN)python -m tests.interop $(if $(ENTRIES),--entries $(ENTRIES))

interop-tools: $(READY) ## Get those verifiers ready, for their tests
	@$(RUN)python -m tests.interop.tools

crash: $(READY) ## Kill the service at every write and at random, judge what it gave out; ROUNDS=1000 EVERY=1 ONLY="rounds"
	@$(RUN)python -m tests.crash --rounds $(or $(ROUNDS),1000) --every $(or $(EVERY),1) $(if $(ONLY),--only $(ONLY))

check: $(READY) ## Format, lint, types, import contracts, generated docs: nothing drifts
	@$(RUN)ruff format --check --quiet .
	@$(RUN)ruff check --quiet .
	@$(RUN)mypy
	@$(RUN)lint-imports --no-logo
	@$(RUN)python docs/generate.py --check
	@$(RUN)python -m seal_service.api.contract --check
	@echo "check: all well"

docs: $(READY) ## Write the generated parts of docs/ and openapi.yaml again
	@$(RUN)python docs/generate.py
	@$(RUN)python -m seal_service.api.contract

lock: ## Renew the locks (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra dev pyproject.toml requirements-build.in --output-file requirements-dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header requirements-build.in --output-file requirements-build.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header tests/interop/requirements.in --output-file tests/interop/requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header tests/interop/requirements-go.in --output-file tests/interop/requirements-go.lock

clean: ## Remove what was set up and the development instance's caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
