# The same verbs everywhere; CI calls `make test` and nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: setup demo postgres test quick lint format check-full bench accuracy docs lock clean

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cointrail needs Python 3.11 or newer; set PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: setup
	$(BIN)/python demo/run.py --workdir .demo

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

quick: lint
	$(BIN)/pytest -q -n 2 -m "not slow and not wide"

# The store of tags is tested on a real server. It is installed only where nobody has one and root may; else those
# tests say that they were skipped.
postgres:
	@command -v initdb > /dev/null || ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get -qq install -y postgresql > /dev/null; } || \
	echo "PostgreSQL is not installed: its tests will be skipped" >&2

test: lint postgres
	$(BIN)/pytest -q -n 2 -m "not wide"

check-full: lint postgres
	COINTRAIL_HYPOTHESIS=wide $(BIN)/pytest -q -n 2
	NUMBA_DISABLE_JIT=1 $(BIN)/pytest -q -n 2 tests/unit/kernels
	NUMBA_BOUNDSCHECK=1 $(BIN)/pytest -q -n 2 tests/unit/kernels

bench: setup
	$(BIN)/python benchmarks/run.py

# The published run: make accuracy ACCURACY="--scale standard --seeds 1 2"
ACCURACY ?= --scale small --seeds 1 2 3

accuracy: setup
	$(BIN)/python accuracy/run.py $(ACCURACY)

docs: setup
	$(BIN)/python docs/generate.py
	$(BIN)/python demo/run.py --workdir .demo --page docs/tutorial/bazaar.md > /dev/null
	$(BIN)/python docs/draw.py --workdir .demo

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements/dev.txt
	echo 'graphsense-lib[tagpacks]==2.18.1' | uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header - -o requirements/graphsense.txt

clean:
	rm -rf $(VENV) .demo .bench
