#!/usr/bin/env bash
# Runs the fuzzers of fuzz/, each for its share of BYLAW_FUZZ_SECONDS; `fuzz.sh NAME…` runs
# those only. What one finds is left in fuzz/artifacts/NAME, and fails.
#
# libFuzzer needs flags that stable Rust keeps for nightly; RUSTC_BOOTSTRAP=1 allows them.
# It runs without sanitizers: this code has no `unsafe`, and panics are what it looks for.
. "$(dirname "$0")/lib.sh"
scripts/install-build-deps.sh

: "${BYLAW_FUZZ_SECONDS:=840}"
# What is tried is small; a parser that needs longer than this for it is a finding.
LIMITS=(-max_len=8192 -timeout=10 -rss_limit_mb=2048)

if ! cargo fuzz --version >/dev/null 2>&1; then
  say "installing cargo-fuzz"
  env -u CARGO_TARGET_DIR cargo install cargo-fuzz --version 0.13.2 --locked
fi

export RUSTC_BOOTSTRAP=1 CARGO_INCREMENTAL=0
target_dir="${CARGO_TARGET_DIR:-$PWD/target}/fuzz"
run() { (cd fuzz && cargo fuzz "$1" --sanitizer none --target-dir "$target_dir" "${@:2}"); }

if [ $# -gt 0 ]; then targets=("$@"); else
  targets=(); for file in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi
share=$((BYLAW_FUZZ_SECONDS / ${#targets[@]}))
[ "$share" -gt 0 ] || share=1

step "fuzzers, ${#targets[@]} of them for $share s each"
run build
for target in "${targets[@]}"; do
  case $target in
    cells|dmn|models|tables|table_csv) dictionary=feel ;;
    documents|principals) dictionary=documents ;;
    events|facts|records|export|tokens) dictionary=json ;;
    *) dictionary= ;;
  esac
  # What is learned goes into the first folder, which isn't kept; the seeds stay as they are.
  mkdir -p "fuzz/found/$target"
  say "$target"
  log="$target_dir/$target.log"
  if ! run run "$target" "found/$target" "corpus/$target" -- -max_total_time="$share" \
      "${LIMITS[@]}" ${dictionary:+-dict="dictionaries/$dictionary.dict"} >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die "$target found something: fuzz/artifacts/$target"
  fi
  say "  $(grep -E '^Done [0-9]+ runs' "$log" || tail -n 1 "$log")"
done
