# Two commands do everything on a machine that has Python 3.11 or newer, git and make:
#   make demo    the best models of the diabetes data with 1 … 10 predictors, proved, and a report of a batch of them
#   make test    the tests
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# Arguments of the benchmark: make bench BENCH="T30a --time-limit 10"
BENCH ?=
# Arguments of the comparison with other solvers: make peers PEERS="T40a H60a --limit 20"
PEERS ?=

.PHONY: demo test lint types bench peers clean

demo: $(VENV)/.demo
	$(RUN) -m benchmarks.diabetes
	$(RUN) -m bestsubset run specs/diabetes.yaml -o demo/runs
	$(RUN) -m bestsubset report demo/runs

# Two processes, each file of tests in one of them: what a file works out once stays in one place.
test: $(VENV)/.dev
	$(RUN) -m pytest -n 2 --dist loadfile

lint: $(VENV)/.dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(VENV)/.dev
	$(RUN) -m mypy

bench: $(VENV)/.demo
	$(RUN) -m benchmarks.run $(BENCH)

peers: $(VENV)/.bench
	$(RUN) -m benchmarks.peers.install
	$(RUN) -m benchmarks.peers.run $(PEERS)
	$(RUN) -m benchmarks.peers.report

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python is %d.%d; expected 3.11 or newer. Call make PYTHON=/path/to/python3.12." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

# A stamp for each set of packages: installed again only when pyproject.toml changes.
$(VENV)/.demo: pyproject.toml | $(RUN)
	$(RUN) -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(RUN)
	$(RUN) -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

$(VENV)/.bench: pyproject.toml | $(RUN)
	$(RUN) -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	@touch $@
