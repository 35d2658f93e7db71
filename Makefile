# `make demo` and `make test` set everything up on a machine that has Python >= 3.11, pip and make.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
NEURAL := .venv/.neural
CLUSTER := .venv/.cluster

.PHONY: demo test test-neural test-cluster check lint types layers lock study bench drill-kill drill-damage clean

demo: $(INSTALLED)
	$(BIN)/soundalike demo

test: $(INSTALLED)
	$(BIN)/pytest -n 2

test-neural: $(NEURAL)
	$(BIN)/pytest -n 2 -m neural

test-cluster: $(CLUSTER)
	$(BIN)/pytest -n 2 --dist loadfile -m cluster

check: test lint types layers

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

layers: $(INSTALLED)
	$(BIN)/lint-imports

# The environment: what requirements.lock pins (core and dev, with hashes), then this package itself, editable.
$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "soundalike needs Python 3.11 or newer, but $(PYTHON) is %d.%d; try: make PYTHON=python3.12 $@" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# The extra `neural`: torch's CPU build where pip finds one of this version, else what PyPI has.
$(NEURAL): $(INSTALLED) requirements-neural.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-neural.lock
	touch $@

# The extra `cluster`, and the S3 server that its tests run.
$(CLUSTER): $(INSTALLED) requirements-cluster.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-cluster.lock
	touch $@

# Needs uv (https://docs.astral.sh/uv): pins what pyproject.toml asks for, for all platforms and Pythons it allows.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --fork-strategy fewest --no-header --output-file requirements.lock

# Studies and long proofs; SOUNDALIKE_TEST_DATA names the folder of real audio (see docs/benchmarks.md).
study: $(INSTALLED)
	$(BIN)/python benchmarks/separator.py
	$(BIN)/python benchmarks/encoder.py
	$(BIN)/python benchmarks/song_to_hit.py
	PYTHONPATH=. $(BIN)/python benchmarks/planted_truth.py

bench: $(INSTALLED)
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/search.py

drill-kill: $(INSTALLED)
	$(BIN)/python benchmarks/drill_kill.py --count 200 --seed 1

drill-damage: $(INSTALLED)
	$(BIN)/python benchmarks/drill_damage.py --count 1000 --seed 1

clean:
	rm -rf .venv soundalike-demo build dist
