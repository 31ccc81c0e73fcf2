#!/usr/bin/env bash
# Replays an order log into a fresh embedded suite, twice: all new, then all duplicates.
# usage: replay-rate.sh BYLAW [LOG]; without a log, the example's events.
. "$(dirname "$0")/lib.sh"
bylaw=${1:?the bylaw binary}
log=${2:-../shared/data/order-events.csv}
[ -f "$log" ] || { say "no $log here; replaying the example's events"; log=examples/distributor/events/working-day.jsonl; }

data=$(mktemp -d)
"$bylaw" dev --data-dir "$data" --grpc-addr 127.0.0.1:0 --http-addr 127.0.0.1:0 >"$data/out" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" || true; rm -rf "$data"' EXIT
for _ in $(seq 100); do
  [ -f "$data/suite.json" ] && break
  kill -0 "$pid" 2>/dev/null || die "the suite ended: $(tail -n 1 "$data/out")"
  sleep 0.1
done
for run in first second; do
  "$bylaw" replay "$log" --data-dir "$data" | sed "s/^/   $run run: /" | head -n 2
done
