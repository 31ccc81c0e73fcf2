#!/usr/bin/env bash
# Prints the secret that charts/bylaw/examples/development.yaml names, with a new database
# password and new keys. For development clusters only.
. "$(dirname "$0")/lib.sh"
have openssl || die "openssl not found: it makes the keys"

password=$(openssl rand -hex 16)
key() { openssl genpkey -algorithm ed25519 | base64 -w0; }
text() { printf '%s' "$1" | base64 -w0; }
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
  receipts.pem: $(key)
  log.pem: $(key)
YAML
