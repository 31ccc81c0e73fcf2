#!/usr/bin/env bash
# Starts each service alone with the example, waits until it is ready, prints its resident
# memory, and stops it. usage: idle-memory.sh FOLDER-OF-BINARIES
. "$(dirname "$0")/lib.sh"
bin=${1:?folder of the binaries}

data=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$data"' EXIT
for service in policy exceptions masterdata aigate audit; do
  log="$data/$service.log"
  env BYLAW_DATA_DIR="$data" BYLAW_DEVELOPMENT=true BYLAW_GRPC__ADDR=127.0.0.1:0 BYLAW_HTTP__ADDR=127.0.0.1:0 \
    BYLAW_BOOTSTRAP__DIR="$PWD/examples/distributor" \
    BYLAW_PEERS__ADDRESSES__{POLICY,EXCEPTIONS,MASTERDATA,AIGATE,AUDIT}=http://127.0.0.1:9 \
    "$bin/bylaw-$service" >"$log" 2>&1 &
  pid=$!
  for _ in $(seq 100); do
    grep -q '"database"' "$log" && break
    kill -0 "$pid" 2>/dev/null || die "bylaw-$service ended: $(tail -n 1 "$log")"
    sleep 0.1
  done
  # Memory is read once it no longer grows.
  last=0
  for _ in $(seq 50); do
    now=$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status")
    [ "$now" = "$last" ] && break
    last=$now
    sleep 0.2
  done
  say "bylaw-$service: $now KiB resident"
  kill "$pid"
  wait "$pid" || true
  pid=
done
