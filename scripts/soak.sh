#!/usr/bin/env bash
# What takes longer than a change should wait: hundreds of kills, long property tests,
# fuzzing. BYLAW_KILL_CYCLES, PROPTEST_CASES and BYLAW_FUZZ_SECONDS (in total) say how much.
. "$(dirname "$0")/lib.sh"
scripts/install-build-deps.sh
scripts/install-test-deps.sh

step "property tests, ${PROPTEST_CASES:=20000} cases each"
export PROPTEST_CASES
cargo test -p decision -p governance -p approval -p merkle -p identifiers --lib --tests

scripts/fuzz.sh

step "kills, ${BYLAW_KILL_CYCLES:=500} cycles"
unset PROPTEST_CASES
export BYLAW_KILL_CYCLES
cargo test --workspace --no-run --quiet
cargo test --workspace --test e2e kill -- --nocapture
