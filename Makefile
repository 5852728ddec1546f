# A menu: `make` alone prints it. What stands behind "##" is a target's line there.
# Everything is installed into .venv, in this folder. Another Python: make PYTHON=python3.12 test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= auto

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Stamps: newer than pyproject.toml means that the extras of that name are installed.
INSTALLED := $(VENV)/installed
INSTALLED_TEST := $(VENV)/installed-test
INSTALLED_MODELS := $(VENV)/installed-models

.PHONY: menu demo test test-full verify-targets verify-cmsis lint format bench golden operators models clean

menu:
	@echo "Usage: make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' Makefile

# show: print a command as one would type it, then run it.
define show
@printf '\n$$ %s\n' '$(1)'
@$(1)
endef

demo: $(INSTALLED) ## a real model end to end: look at it, run it, make C of it, verify every layer
	$(call show,microinfer inspect models/digits_int8.tflite)
	$(call show,microinfer run models/digits_int8.tflite --input models/digits_inputs.npy)
	$(call show,microinfer codegen models/digits_int8.tflite -o build/demo --name digits)
	$(call show,$(CC) -std=c99 -Wall -Wextra -O2 -c build/demo/digits.c -o build/demo/digits.o)
	$(call show,microinfer verify models/digits_int8.tflite --input models/digits_inputs.npy)
	@printf '\nThe C is in build/demo. digits.h says what to call; `make` lists what else there is.\n'

test: lint ## lint, types, all tests, all commands of the documentation
	pytest -n $(JOBS) --dist loadgroup

test-full: lint ## the same with every sweep at full length
	MICROINFER_FULL=1 pytest -n $(JOBS) --dist loadgroup -m "full or not full"

verify-cmsis: $(INSTALLED_TEST) ## the generated calls of CMSIS-NN with your checkout, CMSIS_NN_PATH
	@test -n "$$CMSIS_NN_PATH" || \
	  { echo "Set CMSIS_NN_PATH to a clone of https://github.com/ARM-software/CMSIS-NN"; exit 1; }
	pytest -n $(JOBS) --dist loadgroup tests/test_cmsis_nn_library.py \
	  tests/test_cmsis_nn_forms.py tests/test_cmsis_nn_interface.py

verify-targets: $(INSTALLED_TEST) ## all models on all emulated cores, layer by layer
	pytest -n $(JOBS) -m "full or not full" tests/test_targets.py

lint: $(INSTALLED_TEST) ## ruff and mypy --strict
	ruff check .
	ruff format --check .
	mypy

format: $(INSTALLED_TEST) ## let ruff format the Python
	ruff format .
	ruff check --fix .

bench: $(INSTALLED_TEST) ## count on emulated cores, time the interpreter here
	python bench/targets.py
	python bench/host.py

golden: $(INSTALLED_TEST) ## write tests/golden again: the diff is for review
	python tests/test_golden.py --update

operators: $(INSTALLED_TEST) ## write docs/OPERATORS.md: run the tests of single operators, count what they compare
	MICROINFER_OPERATORS=docs/OPERATORS.md pytest -n $(JOBS) tests/test_ops_oracles.py tests/test_native.py

models: $(INSTALLED_MODELS) ## train and convert models/ again (TensorFlow, 1 GB)
	python models/make_models.py

clean: ## remove .venv, build/, dist/ and all caches
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml | $(BIN)/python
	@echo "Installing microinfer into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --editable .
	@touch $@

$(INSTALLED_TEST): pyproject.toml | $(BIN)/python
	@echo "Installing microinfer and its test tools into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --editable '.[test]'
	@touch $@ $(INSTALLED)

$(INSTALLED_MODELS): pyproject.toml | $(BIN)/python
	@echo "Installing microinfer and TensorFlow into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --editable '.[models]'
	@touch $@ $(INSTALLED)

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || \
	  { echo "There is no $(PYTHON): install Python 3.10 or newer, or: make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "microinfer needs Python 3.10 or newer, this is $$($(PYTHON) -V). Try: make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || \
	  { echo "$(PYTHON) cannot make environments (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	@command -v $(CC) > /dev/null || \
	  { echo "There is no C compiler (Debian, Ubuntu: apt install gcc), or set CC to yours"; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
