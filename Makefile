# Headwater on one machine: `make run` shows live data, `make test` passes the tests.

BIN := .venv/bin

SEEDS := 50
MINUTES := 30
RUNS := 5

.PHONY: run test lint bench chaos loop soak drill pictures lock audit clean

run:
	@.ci/environment run
	@exec $(BIN)/headwater up

# Files in their own order: the scheduler's would put those of few tests last, which are the long ones.
test:
	@.ci/environment test
	@.ci/browser
	@.ci/postgres
	@.ci/redis
	@.ci/servers
	@if command -v node >/dev/null; then node --test tests/browser/*.test.mjs; \
	else echo "node is not here: the JavaScript modules are tested in Chromium only"; fi
	@failed=0; \
	$(BIN)/python -m pytest -m "not alone and not long" -n logical --dist loadfile --no-loadscope-reorder || failed=1; \
	$(BIN)/python -m pytest -m "alone and not long" || failed=1; \
	exit $$failed

lint:
	@.ci/environment test
	@$(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

bench:
	@.ci/environment test
	@.ci/browser
	@$(BIN)/python -m bench --runs $(RUNS)

chaos:
	@.ci/environment test
	@$(BIN)/python -m pytest -m long tests/chaos
	@$(BIN)/python -m tests.chaos seeds --seeds $(SEEDS)
	@$(BIN)/python -m tests.chaos burst

loop:
	@.ci/environment test
	@$(BIN)/python -m pytest -m long tests/acceptance

soak:
	@.ci/environment test
	@.ci/browser
	@$(BIN)/python -m tests.chaos soak --minutes $(MINUTES)

pictures:
	@.ci/environment test
	@.ci/browser
	@$(BIN)/python -m tests.pictures

drill:
	@.ci/environment test
	@.ci/postgres
	@.ci/redis
	@$(BIN)/python -m tests.chaos drill
	@$(BIN)/python -m tests.chaos size

lock:
	@.ci/environment run
	@.ci/lock $(BIN)/python

audit:
	@.ci/environment run
	@.ci/audit $(BIN)/python

clean:
	@rm -rf .venv .headwater build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
