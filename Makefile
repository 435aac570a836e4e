# Bare `make` lists the targets. The work is done by the Python package dev/.

PYTHON ?= python3
RUN = @command -v "$(PYTHON)" >/dev/null || { echo "PYTHON=$(PYTHON) is not there."; exit 1; }; \
	exec "$(PYTHON)" -m dev

.DEFAULT_GOAL := help
export PYTHONDONTWRITEBYTECODE := 1

help: ## List the targets
	@echo "Project Lifecycle, an addon for Odoo 19:"
	@awk -F ' *## *' '/^[a-z0-9-]+:.*##/ {sub(/:.*/, "", $$1); printf "  make %-14s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "Variables: PORT=8899, ARGS=\"-k pack\", PYTHON=python3.12, ODOO_SRC=/path/to/odoo,"
	@echo "RUNTIME=/folder/for/everything, PGHOST PGPORT PGUSER PGPASSWORD for a server of yours."

demo: ## Serve the addon with demo data (PORT=8069)
	$(RUN) demo

test: ## Run the tests, browser tours included (ARGS="-k pack" picks)
	$(RUN) test

lint: ## Check style, translations' form, manifest and README
	$(RUN) lint

format: ## Mend what the linters can mend
	$(RUN) format

shell: ## Odoo's shell on the demo database (or: make shell < script.py)
	$(RUN) shell

i18n: ## Update i18n/ from the addon's terms
	$(RUN) i18n

bench: ## Measure against stock Odoo (dev/bench.py)
	$(RUN) bench

test-upstream: ## Run Odoo's own tests of the extended addons beside ours
	$(RUN) test-upstream

clean: ## Delete the databases
	$(RUN) clean

distclean: ## Delete everything that was fetched or made
	$(RUN) distclean

.PHONY: help demo test lint format shell i18n bench test-upstream clean distclean
