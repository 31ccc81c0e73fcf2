# The two commands of the README are `make run` and `make test`.
.DEFAULT_GOAL := help
SHELL := bash

.PHONY: help
help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## build, start the suite on embedded stores, play the distributor's story, keep running
	@scripts/run.sh

.PHONY: test
test: ## everything: format, lints, unit, API and end-to-end tests, protos, dependencies, image, chart
	@scripts/test.sh

.PHONY: soak
soak: ## what takes longer: 500 kill cycles, long property tests, fuzzing
	@scripts/soak.sh

.PHONY: bench
bench: ## the figures, each with its baseline in the same run
	@scripts/bench.sh

.PHONY: check
check: ## the quick part of `test`: format, lints, unit tests of the pure crates
	@scripts/install-build-deps.sh
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo test -p decision -p governance -p approval -p merkle -p identifiers

.PHONY: clean
clean: ## remove what was built and the development suite's data
	cargo clean
	rm -rf .bylaw
