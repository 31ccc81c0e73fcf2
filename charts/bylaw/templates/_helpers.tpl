{{- define "bylaw.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "bylaw.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
app.kubernetes.io/part-of: bylaw
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{ include "bylaw.selector" . }}
{{- end }}

{{- define "bylaw.selector" -}}
app.kubernetes.io/name: bylaw-{{ .service }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Settings of a service as TOML; secrets come by environment variables. */}}
{{- define "bylaw.settings" -}}
{{- $root := .root }}
{{- $prefix := include "bylaw.name" $root }}
{{- $addresses := dict }}
{{- range $peer, $_ := $root.Values.services }}
{{- $_ := set $addresses $peer (printf "http://%s-%s:50051" $prefix $peer) }}
{{- end }}
{{- $cluster := dict
      "issuer" $root.Values.identity.cluster.issuer
      "jwks_url" $root.Values.identity.cluster.jwksUrl
      "jwks_ca_file" "/var/run/secrets/bylaw/ca.crt"
      "jwks_token_file" "/var/run/secrets/bylaw/cluster-token"
      "audience" (list $root.Values.identity.audience)
      "algorithms" (list "RS256" "ES256")
      "typ_required" false
      "internal" true }}
{{- $issuers := append $root.Values.identity.issuers $cluster }}
{{- $identity := dict
      "issuers" $issuers
      "principals_file" "/etc/bylaw/principals.yaml"
      "principals_issuer" $root.Values.identity.cluster.issuer
      "token_file" "/var/run/secrets/bylaw/token" }}
{{- if $root.Values.identity.access }}
{{- $_ := set $identity "access_file" "/etc/bylaw/access.yaml" }}
{{- end }}
{{- with $root.Values.identity.revocations }}
{{- if or .existingSecret .existingConfigMap }}
{{- $_ := set $identity "revocations_file" "/etc/bylaw-revocations/revocations.yaml" }}
{{- end }}
{{- end }}
{{- $settings := dict
      "data_dir" "/tmp/bylaw"
      "grpc" (dict "addr" "[::]:50051")
      "http" (dict "addr" "[::]:8080")
      "database" (dict "schema" .service)
      "peers" (dict "addresses" $addresses)
      "identity" $identity
      "telemetry" (dict "otlp_endpoint" $root.Values.telemetry.otlpEndpoint "log" $root.Values.telemetry.log "format" "json")
      "drain" (dict "notice" (printf "%ds" (int $root.Values.drain.noticeSeconds)) "time" (printf "%ds" (int $root.Values.drain.timeSeconds))) }}
{{- if $root.Values.bootstrap.existingConfigMap }}
{{- $_ := set $settings "bootstrap" (dict "dir" "/etc/bylaw-bootstrap") }}
{{- end }}
{{- if eq .service "policy" }}
{{- $_ := set $settings "service" (dict "receipts" (dict "key_file" "/etc/bylaw-key/key")) }}
{{- else if and (eq .service "exceptions") $root.Values.eventSources }}
{{- $_ := set $settings "service" (dict "sources" $root.Values.eventSources) }}
{{- else if eq .service "audit" }}
{{- $_ := set $settings "service" (dict "key_file" "/etc/bylaw-key/key" "origin" $root.Values.logOrigin) }}
{{- end }}
{{- toToml $settings }}
{{- end }}
