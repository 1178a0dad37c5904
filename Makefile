# Papermesh's commands. Each sets up what it needs first, which takes a moment once and nothing afterwards.
#
#   PYTHON=/path/to/python3   the Python to make .venv with
#   ARGS="-k name"            more arguments for pytest and for the benchmarks
#   UPGRADE=1                 make lock moves the pins to the newest releases

BIN := .venv/bin
export PYTHON UPGRADE

.DEFAULT_GOAL := help
.PHONY: help up down test soak lint gen lock bench

help: ## Show these commands
	@echo "Papermesh: make <command>"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## Run everything on this machine until Ctrl-C
	@deploy/local/setup.sh laptop
	@$(BIN)/python -m deploy.local up

down: ## End what a lost terminal left running
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m deploy.local down; else echo "Nothing is running."; fi

test: ## Run every test, the whole mesh included
	@deploy/local/setup.sh dev
	@$(BIN)/pytest $(ARGS)

soak: ## Run the tests under load for as long as they should last, and show their figures
	@deploy/local/setup.sh dev
	@PAPERMESH_SOAK=1 $(BIN)/pytest -m soak -s $(ARGS)

lint: ## Check style, types, imports and generated files
	@deploy/local/setup.sh dev
	@deploy/local/lint.sh

gen: ## Regenerate gen/ from the protos, and envoy/rendered, and docs/settings.md
	@deploy/local/setup.sh dev
	@$(BIN)/python proto/generate.py
	@$(BIN)/python -m envoy examples
	@$(BIN)/python -m deploy.settings_page > docs/settings.md

lock: ## Resolve the packages of pyproject.toml into requirements/
	@deploy/local/setup.sh dev
	@requirements/lock.sh

bench: ## Measure this version; the results go to docs/performance.md
	@deploy/local/setup.sh bench
	@$(BIN)/python -m benchmarks $(ARGS)
