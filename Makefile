# `make demo` and `make test` set everything up on a machine that has Python >= 3.11, pip and make.
PYTHON ?= python3
# Tests start many processes: where this is set, each would compile all the modules that it imports again.
unexport PYTHONDONTWRITEBYTECODE
# Two workers of pytest run at once: threads of numerical libraries would get in each other's way.
test test-page test-extras test-all: export OMP_NUM_THREADS = 1
# The tests of a file go to one worker: what they share is made once.
PYTEST = $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Modules are compiled afterwards, on all cores (the core), or when they are first imported: most of these never are.
PIP_LATER := $(PIP) --no-compile
CORE := .venv/.core
TEST := .venv/.test
DEV := .venv/.dev
NEURAL := .venv/.neural
CLUSTER := .venv/.cluster
JS := node_modules/.package-lock.json

.PHONY: demo test test-all test-page test-extras check lint types js-types layers lock dist bench bench-quality stress-kill stress-damage clean

# Installs what the demo needs, then makes a small music library, indexes it and searches it.
demo: $(CORE)
	$(BIN)/soundalike demo

# What a newcomer runs: the whole core, without a browser, torch or Ray.
test: $(TEST)
	$(PYTEST) -m "not browser and not long and not neural and not cluster and not slow"

# Everything: also the page in Chromium, the neural models, Ray and object storage, the long proofs.
test-all: test test-page test-extras
	$(PYTEST) -m slow

# The page in Chromium, and complete runs: fits of listening tests, the paper's tables, every operation of the API.
test-page: $(DEV)
	$(PYTEST) -m "(browser or long) and not neural and not cluster"

# The neural models, Ray and object storage.
test-extras: $(NEURAL) $(CLUSTER)
	$(PYTEST) -m "neural or cluster"

check: test lint types layers

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

# Needs Node.js with npm; development only: the page has no build step and no dependencies.
js-types: $(JS)
	node_modules/.bin/tsc

layers: $(DEV)
	$(BIN)/lint-imports

# The core: what requirements.lock pins, with hashes, then this package itself, editable.
$(CORE): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "soundalike needs Python 3.11 or newer, but $(PYTHON) is %d.%d; try: make PYTHON=python3.12 $@" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(PIP_LATER) --require-hashes -r requirements.lock
	$(PIP_LATER) --no-deps --editable .
	$(BIN)/python -m compileall -qq -j 0 -x '/(tests|pip)/' .venv/lib || true
	touch $@

# What the core's tests need.
$(TEST): $(CORE) requirements-test.lock
	$(PIP_LATER) --require-hashes -r requirements-test.lock
	touch $@

# The development environment: also what the page's tests, lint and types need.
$(DEV): $(TEST) requirements-dev.lock
	$(PIP_LATER) --require-hashes -r requirements-dev.lock
	touch $@

# The extra `neural`: torch's CPU build where pip finds one of this version, else what PyPI has.
$(NEURAL): $(DEV) requirements-neural.lock
	$(PIP_LATER) -r requirements-neural.lock
	touch $@

# The extra `cluster`, and the S3 server that its tests run.
$(CLUSTER): $(DEV) requirements-cluster.lock
	$(PIP_LATER) --no-deps -r requirements-cluster.lock
	touch $@

# Needs uv (https://docs.astral.sh/uv): pins what pyproject.toml asks for, for all platforms and Pythons it allows.
lock:
	uv pip compile pyproject.toml $(LOCK) --output-file requirements.lock
	uv pip compile pyproject.toml --extra test --constraint requirements.lock $(LOCK) --output-file requirements-test.lock
	uv pip compile pyproject.toml --extra dev --constraint requirements-test.lock $(LOCK) --output-file requirements-dev.lock

LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --fork-strategy fewest --no-header

# What package-lock.json pins, for js-types.
$(JS): package.json package-lock.json
	npm ci --no-audit --no-fund
	touch $@

# The wheel and the source distribution, in dist/.
dist: $(DEV)
	$(BIN)/python -m build --no-isolation --outdir dist .

# Benchmarks and stress tests; SOUNDALIKE_TEST_DATA names the folder of real audio (see benchmarks/README.md).
bench-quality: $(DEV)
	$(BIN)/python -m benchmarks.separator_evaluation
	$(BIN)/python -m benchmarks.encoder_evaluation
	$(BIN)/python -m benchmarks.sample_in_song
	$(BIN)/python -m benchmarks.planted_truth

bench: $(DEV)
	$(BIN)/python -m benchmarks.analysis_speed
	$(BIN)/python -m benchmarks.exact_search

stress-kill: $(DEV)
	$(BIN)/python -m benchmarks.stress_kill --count 200 --seed 1

stress-damage: $(DEV)
	$(BIN)/python -m benchmarks.stress_damaged_files --count 1000 --seed 1

clean:
	rm -rf .venv soundalike-demo build dist
