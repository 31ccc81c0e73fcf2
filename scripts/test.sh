#!/usr/bin/env bash
# Everything that must hold before a change lands. Needs nothing running, leaves
# nothing running; databases and streams are started on free ports in temporary folders.
. "$(dirname "$0")/lib.sh"
started=$SECONDS

step "what building and testing need"
scripts/install-build-deps.sh
scripts/install-test-deps.sh
scripts/install-check-tools.sh
export PATH="$PWD/$TOOLS/bin:$PATH"
[ "${TOOLS:0:1}" = / ] && export PATH="$TOOLS/bin:$PATH"

step "format"
cargo fmt --all --check

step "protos"
scripts/check-protos.sh

step "dependencies"
cargo-deny check --hide-inclusion-graph bans licenses sources

step "image and chart"
scripts/check-deployment.sh

step "lints"
cargo clippy --workspace --all-targets -- -D warnings

# One build for all that follows: `cargo build` would compile most dependencies a second
# time, without the features that only tests ask for. Binaries are built along with the tests.
step "build"
cargo test --workspace --no-run --quiet
scripts/check-settings.sh

step "tests"
cargo test --workspace

step "all of it passed in $((SECONDS - started)) s, $(du -sh "${CARGO_TARGET_DIR:-target}" | cut -f 1) built"
