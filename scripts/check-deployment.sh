#!/usr/bin/env bash
# Dockerfile and chart: linted, rendered with every example's values, and the output
# validated against the schemas of three Kubernetes versions.
. "$(dirname "$0")/lib.sh"
have helm || die "helm not found: scripts/install-check-tools.sh installs it, scripts/test.sh puts it on the path"

hadolint Dockerfile
say "Dockerfile is clean"

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export HELM_CACHE_HOME=$out/cache HELM_CONFIG_HOME=$out/config HELM_DATA_HOME=$out/data
for values in charts/bylaw/values.yaml charts/bylaw/examples/*.yaml; do
  name=$(basename "$values" .yaml)
  helm lint --strict --quiet charts/bylaw --values "$values"
  helm template bylaw charts/bylaw --namespace bylaw --values "$values" >"$out/$name.yaml"
  for version in 1.31 1.32 1.33; do
    kubernetes-validate --quiet --strict --kubernetes-version "$version" "$out/$name.yaml"
  done
  say "$name: $(grep -c '^kind:' "$out/$name.yaml") objects, valid for Kubernetes 1.31 to 1.33"
done
# What the schema must refuse.
if helm template bylaw charts/bylaw --set services.policy.replicas=-1 >/dev/null 2>&1; then
  die "values.schema.json accepts a negative number of replicas"
fi
if helm template bylaw charts/bylaw --set identity.revocations.existingSecret=a --set identity.revocations.existingConfigMap=b >/dev/null 2>&1; then
  die "values.schema.json accepts revocations from two places"
fi
if helm template bylaw charts/bylaw --set development=true >/dev/null 2>&1; then
  die "values.schema.json accepts the development flag"
fi

kubectl kustomize k8s >"$out/development-cluster.yaml"
kubernetes-validate --quiet --strict --kubernetes-version 1.33 "$out/development-cluster.yaml"
say "k8s: $(grep -c '^kind:' "$out/development-cluster.yaml") objects"
