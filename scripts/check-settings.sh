#!/usr/bin/env bash
# The settings that the chart renders are settings that the binaries take.
. "$(dirname "$0")/lib.sh"
have helm || die "helm not found: scripts/install-check-tools.sh installs it, scripts/test.sh puts it on the path"

bin="${CARGO_TARGET_DIR:-target}/debug"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# Stand-ins for what a pod mounts.
for values in charts/bylaw/values.yaml charts/bylaw/examples/*.yaml; do
  helm template bylaw charts/bylaw --namespace bylaw --values "$values" >"$out/chart.yaml"
  for service in policy exceptions masterdata aigate audit; do
    python3 scripts/settings-of-chart.py "$out/chart.yaml" "bylaw-$service" >"$out/settings.toml"
    BYLAW_DATABASE__URL=postgres://user:opensesame@localhost/bylaw BYLAW_BUS__URL=redis://:opensesame@localhost \
      "$bin/bylaw-$service" --config "$out/settings.toml" --dump-config >"$out/dump.toml" ||
      die "bylaw-$service doesn't take the settings of $values"
    if [ "$values" = charts/bylaw/examples/production.yaml ]; then
      grep -q '^revocations_file = "/etc/bylaw-revocations/revocations.yaml"' "$out/dump.toml" ||
        die "bylaw-$service isn't told of the revocations of $values"
      grep -q 'mountPath: /etc/bylaw-revocations,' "$out/chart.yaml" || die "the revocations of $values aren't mounted"
    fi
    if grep -q opensesame "$out/dump.toml"; then die "--dump-config of bylaw-$service shows a password"; fi
  done
done
say "the chart's settings are taken by all five services"
