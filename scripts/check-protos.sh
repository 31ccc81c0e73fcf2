#!/usr/bin/env bash
# buf: lint, format, and nothing broken against the last state of main.
. "$(dirname "$0")/lib.sh"
have buf || die "buf not found: scripts/install-check-tools.sh installs it, scripts/test.sh puts it on the path"

buf lint proto
buf format --diff --exit-code proto
# On main itself the state before this commit; elsewhere what main has. A first commit
# has nothing to compare with.
base=$(git rev-parse --quiet --verify origin/main || git rev-parse --quiet --verify HEAD~1 || true)
if [ -n "$base" ] && git cat-file -e "$base:proto/buf.yaml" 2>/dev/null; then
  before=$(mktemp -d)
  trap 'rm -rf "$before"' EXIT
  git archive "$base" proto | tar -x -C "$before"
  buf breaking proto --against "$before/proto"
  say "nothing broken against ${base:0:12}"
else
  say "no earlier state of the protos to compare with"
fi
