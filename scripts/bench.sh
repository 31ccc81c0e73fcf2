#!/usr/bin/env bash
# The figures, each beside its baseline in the same run. Release builds.
. "$(dirname "$0")/lib.sh"
scripts/install-build-deps.sh
target="${CARGO_TARGET_DIR:-target}/release"

step "release build"
cargo build --release --workspace --bins
step "sizes of the binaries"
for binary in bylaw bylaw-policy bylaw-exceptions bylaw-masterdata bylaw-aigate bylaw-audit; do
  say "$binary: $(($(stat -c %s "$target/$binary") / 1024)) KiB, $(($(strip -o /dev/stdout "$target/$binary" | wc -c) / 1024)) KiB stripped"
done

step "micro-benchmarks"
cargo bench --workspace --benches

step "Decide beside a bare tonic echo"
"$target/load" compare --bylaw "$target/bylaw"
