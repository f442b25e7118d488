# Two commands: `make run` serves the assistant at http://127.0.0.1:8000, `make test` runs every test.
# `make setup` is what both need; `make lint` checks the code; `make lock` renews the pinned dependencies.

PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
DATA := config.yml domain.yml $(wildcard nlu_data/*.yml nlu_data/*/*.yml bot/nlu/*.py bot/nlu/encoder/sentences.py bot/nlu/encoder/model.onnx)

WIDGET := bot/channels/web/widget

.PHONY: run test setup lint lock encoder voice
.DELETE_ON_ERROR:

run: setup
	@.venv/bin/musebot serve

test: setup .venv/.dev .venv/.browser
	@.venv/bin/python -m pytest

setup: .venv/.runtime models/musebot.tar.gz $(WIDGET)/.built

lint: .venv/.dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	npm --prefix $(WIDGET) run --silent check
	.venv/bin/musebot check

# Makes the sentence model in bot/nlu/encoder anew: hours on two cores, rarely needed, never by the commands above.
encoder: .venv-encoder/.ready
	@.venv-encoder/bin/musebot encoder train

# What listens to voice messages (README).
voice: .venv/.voice

.venv/.voice: .venv/.runtime requirements-voice.lock
	@$(UV) pip install --quiet --no-deps --require-hashes --python .venv/bin/python --requirement requirements-voice.lock
	@touch $@
	@echo "Installed. Now VOICE_MODEL in .env needs the folder of a model."

lock: $(UV)
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) --group voice --constraint requirements.lock --output-file requirements-voice.lock
	$(COMPILE) --group encoder --no-emit-package torch --output-file requirements-encoder.lock
	echo uv==0.13.9 | $(COMPILE) - --output-file requirements-uv.lock

# The chat for web pages, one file. Without Node.js the plain page at /chat does all the same.
$(WIDGET)/.built: $(wildcard $(WIDGET)/*.ts $(WIDGET)/*.json)
	@if command -v npm >/dev/null; then \
	  echo "Building the chat for web pages"; \
	  npm --prefix $(WIDGET) ci --silent --ignore-scripts && npm --prefix $(WIDGET) run --silent build && touch $@; \
	else \
	  echo "Node.js is not installed, so the chat for web pages is not built; /chat works without it."; \
	fi

models/musebot.tar.gz: $(DATA) | .venv/.runtime
	@.venv/bin/musebot train

.venv/.runtime: requirements.lock pyproject.toml | $(UV)
	@echo "Installing the libraries into .venv (once; a minute or two)"
	@test -x .venv/bin/python || $(UV) venv --quiet --python 3.11 .venv \
	  || { echo "No Python 3.11 was found or could be fetched: install Python 3.11, then run make again."; exit 1; }
	@$(UV) pip sync --quiet --require-hashes --python .venv/bin/python requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python --editable .
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	@echo "Installing the development tools into .venv"
	@$(UV) pip install --quiet --no-deps --require-hashes --python .venv/bin/python --requirement requirements-dev.lock
	@touch $@

# The tests drive a Chromium: the system's, else Debian's, else one of Playwright's own.
.venv/.browser: .venv/.dev
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { echo "Installing Chromium for the tests"; apt-get install --yes --quiet chromium >/dev/null 2>&1; } \
	  || .venv/bin/playwright install chromium
	@touch $@

# PyTorch is pinned by its version alone: each kind of machine has a build of its own.
.venv-encoder/.ready: requirements-encoder.lock pyproject.toml | $(UV)
	@echo "Installing PyTorch and what else the recipe needs into .venv-encoder"
	@$(UV) venv --quiet --clear --seed --python 3.11 .venv-encoder
	@.venv-encoder/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(UV) pip install --quiet --no-deps --require-hashes --python .venv-encoder/bin/python --requirement requirements-encoder.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python .venv-encoder/bin/python --editable .
	@touch $@

.tools/bin/uv: requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or newer is needed: install it, then run make again (or: make PYTHON=/path/to/python3.11)."; exit 1; }
	@$(PYTHON) -m venv .tools >/dev/null 2>&1 \
	  || { echo "Python's venv module is needed: install it (on Debian and Ubuntu: python3-venv), then run make again."; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-uv.lock
	@touch $@
