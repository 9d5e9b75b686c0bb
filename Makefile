# Each target works on a fresh machine that has only Python 3.11 or later: it makes .venv, and reuses it.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check -c constraints.txt

CORE := $(wildcard models/backends/native/*.[ch]) models/backends/native/build.py

MINUTES ?= 10

.PHONY: help demo docs test check fuzz sanitize wheels clean
.DELETE_ON_ERROR:

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

demo: $(VENV)/run.stamp ## compress a book, set it beside xz, decompress, compare
	@$(PY) examples/demo.py

docs: $(VENV)/docs.stamp ## the reference of what is public in Python, in build/docs
	@$(PY) docs/reference/build.py build/docs

test: $(VENV)/dev.stamp ## the whole test suite
	@$(PY) -m pytest -n auto --dist worksteal

check: $(VENV)/dev.stamp ## formatting, lint, types
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@MYPYPATH=$(VENV)/typing $(VENV)/bin/mypy -p catzip

fuzz: $(VENV)/fuzz.stamp ## try random input on all that reads files, for MINUTES=10
	@$(PY) tests/fuzz/run.py --minutes $(MINUTES)

sanitize: $(VENV)/dev.stamp ## the tests of the compiled core, with the address and undefined-behaviour sanitizers in it
	@CATZIP_SANITIZE=1 $(PY) -m pytest tests/models/backends/test_native_sanitized.py

wheels: $(VENV)/run.stamp ## the wheels of this platform and of all others, tried, in dist
	@$(PIP) build setuptools
	@$(PY) .ci/wheels.py

clean: ## remove .venv and everything built
	@rm -rf $(VENV) build dist catzip.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis models/backends/native/_core.so

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "catzip needs Python 3.11 or later")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: pyproject.toml constraints.txt setup.py $(CORE) | $(PY)
	@echo "installing catzip into $(VENV) ..."
	@$(PIP) setuptools
	@$(PIP) --no-build-isolation -e .
	@touch $@

# mypy reads no editable-install hooks, so it is shown the repository under the name of the package.
$(VENV)/dev.stamp: $(VENV)/run.stamp
	@echo "installing the development tools and torch into $(VENV) ..."
	@$(PIP) --no-build-isolation -e '.[torch,bench,images,docs,dev]'
	@mkdir -p $(VENV)/typing && ln -sfn ../.. $(VENV)/typing/catzip
	@touch $@

$(VENV)/docs.stamp: $(VENV)/run.stamp
	@$(PIP) --no-build-isolation -e '.[docs]'
	@touch $@

# Where there is no atheris for this machine or Python, the inputs are not guided by coverage.
$(VENV)/fuzz.stamp: $(VENV)/dev.stamp
	@$(PIP) atheris || echo "atheris does not install here: inputs will be changed at random"
	@touch $@
