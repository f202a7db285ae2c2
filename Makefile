# Two commands do everything on a fresh machine: `make demo` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs bench clean

help: ## What can be made here
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.base $(VENV)/.font ## Build a real issue into out/demo (English) and out/demo/zh (中文)
	@$(BIN)/python -m examples.demo

test: $(VENV)/.dev $(VENV)/.system $(VENV)/.lm-eval ## Run every test
	@$(BIN)/python -m pytest -n 2

lint: $(VENV)/.dev ## Style, types, walls between rooms, spelling
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports
	@$(BIN)/codespell src docs README.md CHANGELOG.md CONTRIBUTING.md

format: $(VENV)/.dev ## Put the code in shape
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

docs: $(VENV)/.dev ## Build the documentation into site/
	@$(BIN)/python scripts/reference.py && $(BIN)/zensical build --clean

bench: $(VENV)/.dev ## Run every benchmark in its small form
	@for script in benchmarks/*/[!_]*.py; do $(BIN)/python $$script --small || exit 1; done

clean: ## Remove what was made
	rm -rf $(VENV) out site dist runs

$(VENV)/.pip:
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install 'pip>=25.1,<26.2'
	@touch $@

# The base install has no torch; the development one has every extra that tests need.
$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/.pip
	@echo "Installing kuaibao"
	@$(PIP) install --no-compile -c constraints.txt -e .
	@touch $@

# Chinese in the PDF: the system's own font, or one from a package where it has none.
$(VENV)/.font: $(VENV)/.base
	@$(BIN)/python -c "from kuaibao.bulletin.publishing import find_cjk_font; exit(not find_cjk_font())" \
	    || { echo "No Chinese font on this system: installing one from a package"; \
	         $(PIP) install -c constraints.txt -e '.[fonts]'; } \
	    || echo "None could be installed: the issue comes without its PDF"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.pip
	@echo "Installing kuaibao with its extras and the test tools (torch: the CPU build)"
	@$(PIP) install -c constraints.txt -e '.[models,serve,ctranslate2,postgres,dev]'
	@touch $@ $(VENV)/.base

# What pip cannot give: a browser and a Chinese font. Tests that miss them skip and say so.
$(VENV)/.system: scripts/install_system.sh | $(VENV)/.pip
	@bash scripts/install_system.sh
	@touch $@

# lm-evaluation-harness drives our server in a test. It is too heavy for the development extra, so it
# lies apart, over that environment's packages; where it can't be had, that one test is skipped.
$(VENV)/.lm-eval: $(VENV)/.dev
	@$(PYTHON) -m venv $(VENV)/lm-eval
	@cd $(VENV) && ls -d "$$PWD"/lib/python3*/site-packages > "$$(ls -d lm-eval/lib/python3*/site-packages)/development.pth"
	@$(VENV)/lm-eval/bin/pip --disable-pip-version-check -q install -c constraints.txt 'lm_eval==0.4.13' \
	    || echo "lm-evaluation-harness could not be installed: its test will be skipped"
	@touch $@
