# Papermesh's commands. Each sets up what it needs first, which takes a moment once and nothing afterwards.
#
#   PYTHON=/path/to/python3   the Python to make .venv with
#   ARGS="-k name"            more arguments for pytest and for the benchmarks
#   UPGRADE=1                 make lock moves the pins to the newest releases
#   OTHER=../before           the checkout that make bench-compare measures against, set up with `make dev`
#   IMAGE=papermesh:dev       what make image calls it; BASE_IMAGE=… is what it stands on

BIN := .venv/bin
export ARGS PYTHON UPGRADE IMAGE BASE_IMAGE BUILDER BUILD_OPTIONS

.DEFAULT_GOAL := help
.PHONY: help up down dev test test-all soak lint gen lock image chart kind cluster-test cluster-soak bench bench-flood bench-attacks bench-reading bench-ocr bench-layout bench-tables bench-chunks bench-search bench-compare

help: ## Show these commands
	@echo "Papermesh: make <command>"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## Run everything on this machine until Ctrl-C
	@deploy/local/setup.sh laptop
	@$(BIN)/papermesh up

down: ## End what a lost terminal left running
	@if [ -x $(BIN)/papermesh ]; then $(BIN)/papermesh down; else echo "Nothing is running."; fi

dev: ## Set up everything that developing needs, and run nothing
	@deploy/local/setup.sh dev

test: ## Test everything that takes no minutes, real Envoy and Redis included
	@deploy/local/setup.sh dev
	@$(BIN)/pytest -n 3 --dist worksteal -m "not long" $(ARGS)

test-all: ## Run the tests that make test leaves out: the mesh from end to end, the chart; needs Go
	@deploy/local/setup.sh all
	@$(BIN)/pytest -m long $(ARGS)

soak: ## Run the tests under load for as long as they should last, and show their figures
	@deploy/local/setup.sh dev
	@PAPERMESH_SOAK=1 $(BIN)/pytest -m soak -s $(ARGS)

lint: ## Check style, types, imports and generated files
	@deploy/local/setup.sh dev
	@deploy/local/lint.sh

gen: ## Regenerate gen/ from the protos, envoy/rendered, docs/settings.md and what the chart has of its values and the workloads
	@deploy/local/setup.sh dev
	@$(BIN)/python proto/generate.py
	@$(BIN)/python -m deploy.workloads
	@$(BIN)/python -m envoy examples
	@$(BIN)/python -m deploy.settings_page > docs/settings.md
	@$(BIN)/python -m deploy.values_schema > deploy/helm/papermesh/values.schema.json
	@$(BIN)/python -m deploy.values_page > deploy/helm/papermesh/README.md

lock: ## Resolve the packages of pyproject.toml into requirements/
	@deploy/local/setup.sh dev
	@requirements/lock.sh

image: ## Build the container image, papermesh:dev, with docker, podman or buildah
	@deploy/image/build.sh

chart: ## Lint the Helm chart and run its tests
	@deploy/local/setup.sh all
	@PATH=$(CURDIR)/.venv/go/bin:$$PATH helm lint --strict deploy/helm/papermesh --kube-version 1.29.0
	@$(BIN)/pytest tests/deploy/helm $(ARGS)

kind: ## From nothing to the first call on a cluster of kind; needs Docker, kind, kubectl and helm
	@deploy/kubernetes/kind.sh

cluster-test: ## Prove the chart on the cluster that KUBECONFIG names, in namespaces of its own; needs IMAGE and NEW_IMAGE
	@deploy/local/setup.sh all
	@deploy/kubernetes/cluster-test.sh

cluster-soak: ## Disturb a release under load in every way; half an hour and more
	@deploy/local/setup.sh all
	@TESTS=tests/cluster/soak deploy/kubernetes/cluster-test.sh

bench: ## Measure this version; the results go to docs/performance.md
	@deploy/local/setup.sh bench
	@$(BIN)/python -m benchmarks $(ARGS)

bench-flood: ## Measure what a flood by one client costs another
	@deploy/local/setup.sh laptop
	@$(BIN)/python -m benchmarks.flood $(ARGS)

bench-attacks: ## Measure what attacks on shared places cost another caller
	@deploy/local/setup.sh laptop
	@$(BIN)/python -m benchmarks.attacks $(ARGS)

bench-reading: ## Measure what reading documents costs, and how right it is
	@deploy/local/setup.sh dev
	@$(BIN)/python -m benchmarks.reading $(ARGS)

bench-ocr: ## Measure how right the text of scans is, and what recognising it costs; needs Tesseract and fonts
	@deploy/local/setup.sh dev
	@$(BIN)/python -m benchmarks.recognition $(ARGS)

bench-layout: ## Measure how right the layout of documents is, and what it costs; needs fonts
	@deploy/local/setup.sh bench
	@$(BIN)/python -m benchmarks.layout $(ARGS)

bench-chunks: ## Measure whether chunks keep what they promise, and what they cost; needs fonts
	@deploy/local/setup.sh bench
	@$(BIN)/python -m benchmarks.chunks $(ARGS)

bench-search: ## Measure how much of what stands in documents a search finds, and where; needs fonts
	@deploy/local/setup.sh dev
	@$(BIN)/python -m benchmarks.search $(ARGS)

bench-tables: ## Measure how right the tables of documents are, and what finding them costs; needs fonts
	@deploy/local/setup.sh bench
	@$(BIN)/python -m benchmarks.tables_accuracy $(ARGS)

bench-compare: ## Measure this checkout against another, OTHER=folder, by turns in one run
	@deploy/local/setup.sh bench
	@$(BIN)/python -m benchmarks.compare $(OTHER) $(ARGS)
