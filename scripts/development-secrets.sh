#!/usr/bin/env bash
# Prints the secret that charts/bylaw/examples/development.yaml names, with a new database
# password and new keys. For development clusters only.
. "$(dirname "$0")/lib.sh"
have openssl || die "openssl not found: it makes the keys"

origin=bylaw.local/audit
password=$(openssl rand -hex 16)
text() { printf '%s' "$1" | base64 -w0; }
url64() { base64 -w0 | tr '+/' '-_' | tr -d '='; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# An Ed25519 key in DER ends with its 32 bytes, the private and the public one.
for name in receipts log; do
  openssl genpkey -algorithm ed25519 -outform DER -out "$work/$name.der"
  tail -c 32 "$work/$name.der" >"$work/$name.seed"
  openssl pkey -inform DER -in "$work/$name.der" -pubout -outform DER | tail -c 32 >"$work/$name.public"
done
receipts=$(printf '{"kty":"OKP","crv":"Ed25519","d":"%s","x":"%s"}' \
  "$(url64 <"$work/receipts.seed")" "$(url64 <"$work/receipts.public")")
# C2SP signed-note: algorithm 1, key hash over name, newline, algorithm and public key.
hash=$({ printf '%s\n\001' "$origin"; cat "$work/log.public"; } | sha256sum | cut -c1-8)
log="PRIVATE+KEY+$origin+$hash+$({ printf '\001'; cat "$work/log.seed"; } | base64 -w0)"

cat <<YAML
apiVersion: v1
kind: Secret
metadata:
  name: bylaw-development
  namespace: bylaw
data:
  database-password: $(text "$password")
  database-url: $(text "postgres://bylaw:$password@postgres:5432/bylaw")
  redis-url: $(text "redis://redis:6379")
  receipts.jwk: $(text "$receipts")
  log.txt: $(text "$log")
YAML
