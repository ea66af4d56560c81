.DEFAULT_GOAL := help
# Debian's own is built with all optimizations: it takes a tenth less of the processor than one that pyenv has built.
PYTHON ?= $(or $(wildcard /usr/bin/python3.11),python3.11)
VENV   := .venv
BIN    := $(VENV)/bin
# The suite starts hundreds of processes. Where this is set, each of them compiles the project anew.
export PYTHONDONTWRITEBYTECODE :=

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/.runtime ## Set up what is needed to run StockVerify, and nothing else

demo: $(VENV)/.runtime ## Count a warehouse with simulated devices; ARGS="--once --json" passes options on
	@$(BIN)/stockverify demo $(ARGS)

# Types are checked meanwhile, with what the first tests leave of the processor: they run one by one.
test: $(VENV)/.dev ## Run the whole suite on real servers, in three processes; ARGS="-k sync" passes options on
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@./bootstrap.sh browser
	@nice -n 19 $(BIN)/mypy >$(VENV)/types.log 2>&1 & types=$$!; trap "kill $$types" INT TERM; \
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS); tested=$$?; \
	wait $$types; typed=$$?; cat $(VENV)/types.log; exit $$((tested || typed))

bench: $(VENV)/.dev ## Measure ratios to raw limits
	@$(BIN)/python -m pytest -m bench -s $(ARGS)

test-faults: $(VENV)/.dev ## Run the slow fault hunts, and the tests in a browser in further looks
	@./bootstrap.sh browser
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "faults or hypothesis" $(ARGS)

format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

lock: $(VENV)/.dev ## Resolve the ranges of pyproject.toml into the lock files; ARGS=--upgrade takes newer versions
	@./bootstrap.sh lock $(ARGS)

clean: ## Remove the environment and what runs wrote
	rm -rf $(VENV) var

$(VENV)/.runtime: requirements.lock pyproject.toml
	@PYTHON=$(PYTHON) ./bootstrap.sh runtime

$(VENV)/.dev: requirements-dev.lock pyproject.toml
	@PYTHON=$(PYTHON) ./bootstrap.sh dev

.PHONY: help install demo test bench test-faults format lock clean
