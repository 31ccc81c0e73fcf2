#!/usr/bin/env bash
# The figures, each beside its baseline in the same run. Release builds.
. "$(dirname "$0")/lib.sh"
scripts/install-build-deps.sh
scripts/install-test-deps.sh
target="${CARGO_TARGET_DIR:-target}/release"

step "release build"
cargo build --release --workspace --bins
step "sizes of the binaries"
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
for binary in bylaw bylaw-policy bylaw-exceptions bylaw-masterdata bylaw-aigate bylaw-audit; do
  strip -o "$stripped" "$target/$binary"
  say "$binary: $(($(stat -c %s "$target/$binary") / 1024)) KiB, $(($(stat -c %s "$stripped") / 1024)) KiB stripped"
done

step "micro-benchmarks"
cargo bench -p decision -p governance -p merkle -p audit --bench '*'

step "Decide beside a bare tonic echo"
"$target/load" compare --bylaw "$target/bylaw"

step "a change, tried on stored decisions"
"$target/load" backtest --bylaw "$target/bylaw"

step "idle memory of each service, on SQLite"
scripts/idle-memory.sh "$target"

step "replay, events a second"
scripts/replay-rate.sh "$target/bylaw"

step "decision tables beside peers, nanoseconds an evaluation"
(cd bench/peers && cargo run --release)
