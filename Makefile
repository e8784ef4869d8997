# Two commands matter: `make run` and `make test`. Both make everything they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
ARGS ?=
PEERS := build/peers
FINETUNE := build/finetune
MLFLOW := build/mlflow
MACHINES ?= tests/e2e/handlers tests/e2e/whole

.DEFAULT_GOAL := help
.PHONY: help run test test-finetune test-machines test-proofs check audit setup setup-dev bench bench-knowledge screenshots soak lock clean

help:  ## what can be made
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

run: setup  ## start Switchboard (the local workspace where no Slack token is set)
	@$(BIN)/switchboard run $(ARGS)

test: setup-dev  ## all tests but the proofs, four files at a time, the slow ones first
	@# Compiled modules are kept even where the environment says not to: hundreds of processes would compile them again.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not proof and not finetune" $(ARGS)

test-finetune: setup-dev $(FINETUNE)/ready  ## real training of a tiny model made on the spot, with torch, and MLflow (2.4 GB)
	@$(MAKE) -s $(MLFLOW)/ready || echo "MLflow could not be installed here; its tests will be skipped"
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest tests/finetune $(ARGS)

test-machines: setup-dev  ## the whole bot's tests over PostgreSQL, Chroma, two bots and two workers (MACHINES: which)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile -m "not proof" --engines machines $(MACHINES) $(ARGS)

test-proofs: setup-dev  ## the short form of every proof, and of the benches
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile -m proof $(ARGS)

check: setup-dev  ## linters, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy bot handlers knowledge deploy tests
	@$(BIN)/lint-imports --no-cache

audit: setup-dev  ## hold the lock files against what is known of vulnerable packages, where that can be asked
	@$(BIN)/python -m deploy.audit $(ARGS)

bench: setup-dev  ## run the benchmarks and write docs/benchmarks
	@$(BIN)/python tests/benchmarks/run.py $(ARGS)

bench-knowledge: setup-dev $(PEERS)/ready  ## measure the knowledge beside LangChain and LlamaIndex (about two hours)
	@$(BIN)/python tests/benchmarks/run.py --knowledge $(ARGS)

soak: prove-soak  ## half an hour of everything at once, while everything around it fails

prove-%: setup-dev  ## one promise at its full length, figures as JSON: tests/proofs/prove_*.py says which there are
	@PYTHONPATH=.:tests/support:tests/proofs $(BIN)/python tests/proofs/prove_$(subst -,_,$*).py $(ARGS)

screenshots: setup-dev  ## click through the page again and keep what is seen in docs/images
	@$(BIN)/python -m pytest tests/e2e/tour --screenshots docs/images

setup: $(VENV)/ready  ## the environment, the embedding model and the tokenizer files

setup-dev: $(VENV)/ready-dev

$(VENV)/python-made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Switchboard needs Python 3.11 or newer; this is $$($(PYTHON) --version). Name another one: make PYTHON=python3.12 run"; exit 1; }
	@echo "[1/4] making the Python environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "Python could not make an environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/installed: requirements.lock pyproject.toml $(VENV)/python-made
	@echo "[2/4] installing the packages of requirements.lock (about 350 MB, two minutes)"
	@$(BIN)/python deploy/install.py requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -q --editable .
	@touch $@

$(VENV)/ready: $(VENV)/installed tokenizers.lock
	@echo "[3/4] preparing the embedding model"
	@$(BIN)/python -m knowledge.embedding.prepare --models-dir .models
	@echo "[4/4] preparing the tokenizer files"
	@$(BIN)/python -m deploy.tokenizers --models-dir .models
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.lock
	@echo "[dev] installing what the tests and checks need"
	@$(BIN)/python deploy/install.py requirements-dev.lock
	@touch $@

$(PEERS)/ready: tests/benchmarks/peers/requirements.txt
	@echo "installing the peers that are measured beside (about 2 GB)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/pip install -q -r tests/benchmarks/peers/requirements.txt
	@touch $@

$(FINETUNE)/ready:
	@echo "installing what trains models (about 1.5 GB)"
	@$(PYTHON) -m venv $(FINETUNE)
	@$(FINETUNE)/bin/pip install -q torch==2.13.0
	@$(FINETUNE)/bin/pip install -q trl peft datasets "transformers[serving]"
	@touch $@

$(MLFLOW)/ready:
	@echo "installing an MLflow server (about 0.9 GB)"
	@$(PYTHON) -m venv $(MLFLOW)
	@$(MLFLOW)/bin/pip install -q "mlflow>=3,<4"
	@touch $@

lock:  ## renew the lock files from pyproject.toml
	@$(PYTHON) -m venv build/lock && build/lock/bin/pip install -q uv
	@# The encoder's package asks for sentence-transformers (hence torch), which nothing here uses.
	@echo "sentence-transformers; python_version < '3'" > build/overrides.txt
	@build/lock/bin/uv pip compile pyproject.toml --extra workers --group build $(LOCK_OPTIONS) --override build/overrides.txt -o requirements.lock
	@build/lock/bin/uv pip compile --group dev -c requirements.lock $(LOCK_OPTIONS) -o requirements-dev.lock

LOCK_OPTIONS := -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

clean:  ## remove the environment, the prepared models and the local data
	rm -rf $(VENV) .models data build
