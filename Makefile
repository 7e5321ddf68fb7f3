# Everything needed is python3 (3.11 or newer), make and the package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test install bench check clean screenshots docs

demo: $(VENV)/.installed
	$(BIN)/allthepoints demo $(ARGS)

install: $(VENV)/.installed

test: $(VENV)/.test-installed
	scripts/test $(ARGS)

check: $(VENV)/.test-installed
	scripts/check

bench: $(VENV)/.bench-installed
	scripts/bench $(ARGS)

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) scripts/require_python.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.test-installed: $(VENV)/.installed
	$(BIN)/python scripts/install_group.py test docs mutation
	touch $@

$(VENV)/.bench-installed: $(VENV)/.test-installed
	$(BIN)/python scripts/install_group.py bench
	touch $@

docs: $(VENV)/.test-installed
	scripts/docs docs/_site

screenshots: $(VENV)/.test-installed
	scripts/debian_packages
	$(BIN)/python scripts/screenshots.py $(ARGS)
	$(BIN)/python scripts/terminal_captures.py $(ARGS)

clean:
	rm -rf docs/_site $(VENV) .venv-bench .venv-presence .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
