# All development commands. `make` alone lists them.
#
# The environment is installed from requirements.lock with hashes, once: a stamp file records the lock's version.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-for-lock
PACKAGES := schemas localkafka exchange producers streams consumers kakehashi tools demo tests bench
IMAGE ?= kakehashi/kafka:local

# The chart's tests need Helm, or Go to build it: without both they are skipped with a message. In CI they always run.
CAN_RENDER := $(if $(CI),yes,$(shell command -v helm || command -v go))

# The analyser must have the version of Cedar that cedarpy embeds. It is built once, outside the project.
CEDAR_VERSION := 4.12.0
CEDAR_ROOT := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kakehashi/analyser/cedar-$(CEDAR_VERSION)

# Processes of pytest that run the suite together; tests/scheduling.py lists what stays in one of them. Four on two cores:
# a test of Kafka waits for most of its time. Each process, and each command that it starts, compiles what it imports,
# unless the result may be stored: for tests it may, whatever the environment sets.
PROCESSES ?= 4
test test-fast faults: export PYTHONDONTWRITEBYTECODE =
AT_ONCE = -n $(PROCESSES) --no-loadscope-reorder

.PHONY: help setup check test test-fast prove demo bench bench-long faults attack soak rotation registries search taxii tools leaks fuzz lock kafka-image helm clean formats standard

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## create the Python environment in .venv (only if requirements.lock has changed)

check: setup ## format, lint, types, import rules: all checks that need no broker
	$(BIN)/ruff format --check $(PACKAGES)
	$(BIN)/ruff check $(PACKAGES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.purity
	$(BIN)/python -m tools.file_sizes
	$(BIN)/python -m tests.schemas.compatibility

test: setup ## the whole test suite, on real Kafka, in PROCESSES=4 (PYTEST="-k bridge" narrows it)
	@$(if $(CAN_RENDER),,echo "Not run: rendering the Helm chart, which needs helm or go (helm/README.md)")
	@$(BIN)/pytest $(AT_ONCE) --durations=15 --durations-min=1 \
		-m "not registries and not search and not tools$(if $(CAN_RENDER),, and not helm)" $(PYTEST)

test-fast: setup ## what needs no broker and no patience: for the inner loop, in under a minute
	@$(BIN)/pytest $(AT_ONCE) --hypothesis-profile=quick \
		-m "not kafka and not slow and not helm and not registries and not search and not tools" $(PYTEST)

prove: setup $(CEDAR_ROOT)/bin/cedar ## prove the sharing rules for every possible indicator (builds Cedar's analyser once)
	@$(BIN)/kakehashi policy prove --require-proof
	@$(BIN)/kakehashi policy test

$(CEDAR_ROOT)/bin/cedar:
	@command -v cargo >/dev/null || { \
		echo "cargo is missing: Rust 1.89 or later builds Cedar's analyser, see https://rustup.rs" >&2; exit 3; }
	@echo "Building Cedar's analyser $(CEDAR_VERSION): five minutes, once"
	@nice cargo install cedar-policy-cli --version $(CEDAR_VERSION) --locked --features analyze --root $(CEDAR_ROOT) --quiet

demo: setup ## two nations end to end on recorded feeds, with two kills, in three minutes (KEEP=1 leaves it running)
	@$(BIN)/python -m demo $(if $(KEEP),--keep)

bench: setup ## the pipeline beside a plain Faust agent; writes docs/performance.md, in MINUTES=40 at most
	@$(BIN)/python -m bench $(if $(MINUTES),--minutes $(MINUTES)) $(BENCH)

bench-long: setup ## ten minutes of all hops at 80 % of what they sustain, with rates and p99 by the minute
	@$(BIN)/python -m bench --only long $(BENCH)

faults: setup ## the tests that kill and restart processes; MINUTES=10 SEED=1 repeats them for that time, seeded
	@$(if $(MINUTES),$(BIN)/python -m tests.faults.run --minutes $(MINUTES) --seed $(or $(SEED),1),\
		$(BIN)/pytest --durations=15 tests/faults $(PYTEST))

attack: setup ## all attacks of docs/threats.md on two real clusters, in under ten minutes (ONLY=word)
	@$(BIN)/python -m tests.attack.run $(if $(ONLY),--only "$(ONLY)")

soak: setup ## both nations under load for MINUTES=n SEED=s, with an occasional fault of any kind
	@$(BIN)/python -m tests.faults.run --apart 20 --minutes $(or $(MINUTES),30) --seed $(or $(SEED),1)

rotation: setup ## logrotate in its modes against a follower that is killed, for SECONDS=n a mode (needs logrotate)
	@$(BIN)/python -m tests.producers.rotation --seconds $(or $(SECONDS),20) --seed $(or $(SEED),7)

taxii: setup ## OASIS's own client pages through OBJECTS=100000 that change under it, within SECONDS=600
	@$(BIN)/python -m tests.consumers.taxii.paging --objects $(or $(OBJECTS),100000) --seconds $(or $(SECONDS),600)

registries: setup ## the exchange on two real schema registries (Apicurio, by Maven: 150 MB, once), in under a minute
	@$(BIN)/pytest -m registries tests/registries $(PYTEST)

search: setup ## the output for Elasticsearch and OpenSearch on a real OpenSearch (by Maven: 50 MB, once)
	@$(BIN)/pytest -m search tests/search $(PYTEST)

tools: setup ## inputs and outputs with other programs: medallion, rsyslog, name servers, nft, Prometheus (MINUTES=5 at most)
	@timeout --foreground --signal=INT $(or $(MINUTES),5)m $(BIN)/pytest -m tools tests/consumers/with_tools tests/producers/with_tools $(PYTEST); case $$? in \
		124) echo "not done within $(or $(MINUTES),5) minutes" >&2; exit 124;; *) exit $$?;; esac

leaks: setup ## hunt for leaks among random and adversarial indicators and feeds (10 million; MINUTES=n SEED=s)
	@$(BIN)/python -m tests.leaks.run --seed $(or $(SEED),1) $(if $(MINUTES),--minutes $(MINUTES))

fuzz: setup ## mutated reports and feeds for MINUTES=n SEED=s; without MINUTES the property tests, 50 times the examples
	@$(if $(MINUTES),$(BIN)/python -m tests.fuzz.run --minutes $(MINUTES) --seed $(or $(SEED),1) $(FUZZ),\
		$(BIN)/pytest -m hypothesis --hypothesis-profile=fuzz $(PYTEST))

# The lock is for every platform and Python from 3.11 on, and names no package index, so it does not depend on the
# packages' source. Commit it together with the pyproject.toml that it belongs to.
# UPGRADE=1 takes the newest versions; without it, only the changes that pyproject.toml requires.
lock: setup ## write requirements.lock again from pyproject.toml (UPGRADE=1 for the newest versions)
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --extra dev \
		--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) \
		-o requirements.lock pyproject.toml

kafka-image: setup ## build a Kafka image from this machine's Java, if no image can be pulled
	@$(BIN)/python -m localkafka.image $(IMAGE)

helm: setup ## lint the chart and render every role (Helm is built with Go if it is missing)
	@$(BIN)/python -m tests.helm.helm_cli

formats: setup ## write the formats that the readers declare into the docs and the chart's schema
	@$(BIN)/python -m tools.formats

standard: setup ## write the joint standard's tables and schemas from its data, in both languages
	@$(BIN)/python -m tools.standard

docs/metrics.md: $(wildcard exchange/metrics/spec/*.py) exchange/metrics/labels.py tools/metrics_page.py $(STAMP)
	@$(BIN)/python -m tools.metrics_page > $@

clean: ## delete caches, reports, and the clusters of `kakehashi up` and the demo with their data; keep .venv
	@for home in .kakehashi .kakehashi/demo; do if [ -x $(BIN)/kakehashi ] && [ -d $$home ]; then \
		KAKEHASHI_HOME=$$home $(BIN)/kakehashi down --wipe; fi; done
	rm -rf .kakehashi .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist demo-report.json
	find $(PACKAGES) -name __pycache__ -type d -prune -exec rm -rf {} +

# Once the lock is installed, this must not need the network: `make test` depends on it every time.
$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing requirements.lock into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/python:
	@python=; for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or later is missing. Debian 12, Ubuntu 24.04: apt-get install python3" >&2; exit 3; \
	elif "$$python" -c 'import ensurepip, venv' 2>/dev/null; then "$$python" -m venv $(VENV); \
	elif command -v virtualenv >/dev/null; then virtualenv --quiet --python "$$python" $(VENV); \
	elif command -v uv >/dev/null; then uv venv --quiet --seed --python "$$python" $(VENV); \
	else echo "Python's venv is missing. Debian, Ubuntu: apt-get install python3-venv" >&2; exit 3; fi
