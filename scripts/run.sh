#!/usr/bin/env bash
# Builds the suite, starts it on embedded stores, plays the story, replays the example's
# events, and keeps running. Ctrl-C stops it.
. "$(dirname "$0")/lib.sh"

step "what building needs"
scripts/install-build-deps.sh

step "build (the first time takes a few minutes)"
cargo build --quiet --bin bylaw
bylaw="${CARGO_TARGET_DIR:-target}/debug/bylaw"

step "the suite, on embedded stores in .bylaw"
exec "$bylaw" dev --play
