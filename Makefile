# Every command makes the environment it needs: Python with venv, and git, are enough.
SERVICE := {{cookiecutter.project_slug}}
SERVICE_VENV := build/service/.venv
PYTHON := .venv/bin/python
OUT ?= build/bake
ANSWERS ?=
DEMO := build/demo
export RUFF_CACHE_DIR := $(CURDIR)/build/ruff
export PYTHONDONTWRITEBYTECODE := 1
.DEFAULT_GOAL := help
.PHONY: help demo test check fix bake rendered pictures

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

demo: .venv/.installed ## Bake the default service into build/demo and run it; Ctrl-C stops all
	@exec sh scripts/demo.sh "$(DEMO)"

test: .venv/.installed $(SERVICE_VENV)/.installed ## Everything CI runs, on real servers
	@sh scripts/system-packages.sh
	@$(PYTHON) -m pytest

check: .venv/.installed $(SERVICE_VENV)/.installed ## Lint and types of the template, then the unrendered service's check
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy
	@sh scripts/unrendered.sh check

fix: .venv/.installed $(SERVICE_VENV)/.installed ## Repair what ruff can, in the template and in the service
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .
	@sh scripts/unrendered.sh fix

bake: .venv/.installed ## Generate a service: make bake OUT=dir ANSWERS='project_name="Acme shop" owner=acme'
	@$(PYTHON) scripts/bake.py "$(OUT)" $(ANSWERS)

rendered: .venv/.installed ## Commit what a release generates to the branch rendered: make rendered RELEASE=v1.2.0
	@$(PYTHON) scripts/publish_rendered.py "$(RELEASE)"

pictures: .venv/.installed ## Take the pictures in docs/images again: make pictures URL=, as make demo prints it
	@$(PYTHON) scripts/pictures.py "$(URL)"

.venv/.installed: pyproject.toml .python-version
	@sh "$(SERVICE)/scripts/install.sh" .

$(SERVICE_VENV)/.installed: $(SERVICE)/pyproject.toml $(SERVICE)/.python-version
	@mkdir -p build/service && cp "$(SERVICE)/pyproject.toml" "$(SERVICE)/.python-version" build/service
	@sh "$(SERVICE)/scripts/install.sh" build/service
