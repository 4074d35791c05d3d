# epicase. `make` or `make help` says what there is.
PY := .venv/bin/python
PORT ?= 8000
ARGS ?=
export PYTHONUTF8 = 1
# Compiled modules are kept even where the environment says otherwise: every process would compile everything anew.
export PYTHONDONTWRITEBYTECODE =
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset test check lint django-checks audit-packages bench bench-small messages access-matrix mutation-access screenshots clean

help: ## Say what can be made
	@printf 'epicase: make TARGET\n\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'
	@printf '\n  PORT=8001 chooses the port of the demo; ARGS="-k word" is passed to pytest.\n'

setup: ## Make .venv from the lock file (the other targets do it by themselves)
	@sh tools/setup.sh

demo: setup ## Run the whole application with a synthetic outbreak, on this machine only
	@EPICASE_ENDS_WITH_PARENT=1 exec $(PY) manage.py demo --port "$(PORT)"

demo-reset: setup ## Clear the data of the demo
	@$(PY) manage.py demo --reset

test: setup ## Run the tests
	@PYTHON="$(PY)" sh tools/test.sh $(ARGS)

check: lint django-checks audit-packages test ## Run every check, then the tests

lint: setup ## Check style, types, imports and templates
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	.venv/bin/djlint --lint --quiet templates
	@find templates -name '*.html' -print0 | xargs -0 .venv/bin/djade --check --target-version 5.2

django-checks: setup ## Check settings as in production, migrations and compiled messages
	@PYTHON="$(PY)" sh tools/deploy_check.sh
	EPICASE_DEV=1 $(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(PY) -m tools.messages --check
	$(PY) -W ignore::RuntimeWarning -m tools.access_matrix --check

audit-packages: setup ## Ask for known weaknesses of the locked packages, when the network answers
	@PYTHON="$(PY)" sh tools/audit_packages.sh

bench: setup ## Measure at full size (a long run); writes benchmarks/results.json
	@$(PY) -m benchmarks $(ARGS)

bench-small: setup ## Measure at a tenth of the size, in under five minutes
	@$(PY) -m benchmarks --small $(ARGS)

messages: setup ## Collect and compile the interface's texts
	@$(PY) -m tools.messages

access-matrix: setup ## Write docs/access-matrix.md from what the code declares
	@$(PY) -W ignore::RuntimeWarning -m tools.access_matrix

mutation-access: setup ## Weaken each policy, trigger, guard and filter in turn: a test must notice (an hour or more)
	@EPICASE_TEST=1 $(PY) -W ignore::RuntimeWarning -m tools.mutation_access $(ARGS)

screenshots: setup ## Take pictures of the main pages of a fresh demo
	@$(PY) -m tools.screenshots $(ARGS)

clean: ## Remove what tools left in the checkout (not .venv, not the demo's data)
	@find . -name __pycache__ -type d -not -path './.venv/*' -not -path './.tools/*' -prune -exec rm -rf {} +
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov static-root
