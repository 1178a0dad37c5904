{{/* What the adapter is told. Takes root. */}}
{{- define "papermesh.adapterEnvironment" -}}
{{- $auth := .Values.adapter.auth -}}
{{- $names := list (include "papermesh.name" (list . "adapter")) -}}
{{- $names = append $names (printf "%s.%s" (first $names) .Release.Namespace) -}}
{{- $names = append $names (printf "%s.svc" (last $names)) -}}
{{- $names = append $names (include "papermesh.host" (list . "adapter")) -}}
{{- range $way := list .Values.adapter.ingress .Values.adapter.httpRoute -}}
{{- if $way.enabled -}}{{- $names = concat $names $way.hosts -}}{{- end -}}
{{- end -}}
{{- $names = concat $names .Values.adapter.hosts | uniq -}}
{{ include "papermesh.commonEnvironment" . }}
- PAPERMESH_HTTP_HOST: 0.0.0.0
- PAPERMESH_HTTP_PORT: "9000"
- PAPERMESH_HTTP_HOSTS: {{ join "," $names | quote }}
- PAPERMESH_HTTP_ORIGINS: {{ join "," .Values.adapter.origins | quote }}
- PAPERMESH_HTTP_PROXIES: {{ join "," .Values.adapter.proxies | quote }}
- PAPERMESH_PROBE_PORT: "9090"
- PAPERMESH_EDGE_ADDRESS: {{ include "papermesh.host" (list . "envoy") }}:8443
- PAPERMESH_AUDIENCE: {{ include "papermesh.audience" . | quote }}
- PAPERMESH_KEY_FILE: /etc/papermesh/key/adapter.json
- PAPERMESH_TICKET_KEY_FILE: /etc/papermesh/ticket-key/tickets.json
- PAPERMESH_SPOOL_DIR: /var/lib/papermesh/spool/adapter
- PAPERMESH_DRAIN_S: {{ .Values.drain.callSeconds | quote }}
{{- if eq $auth.mode "apiKeys" }}
- PAPERMESH_AUTH: api-keys
- PAPERMESH_API_KEYS_FILE: /etc/papermesh/api-keys/api-keys.json
{{- else if eq $auth.mode "oidc" }}
- PAPERMESH_AUTH: oidc
- PAPERMESH_OIDC_ISSUER: {{ $auth.oidc.issuer | quote }}
- PAPERMESH_OIDC_AUDIENCE: {{ $auth.oidc.audience | quote }}
- PAPERMESH_OIDC_ACTOR_CLAIM: {{ $auth.oidc.actorClaim | quote }}
{{- with $auth.oidc.jwksUrl }}
- PAPERMESH_OIDC_JWKS_URL: {{ . | quote }}
{{- end }}
{{- else }}
- PAPERMESH_AUTH: none
- PAPERMESH_HTTP_WITHOUT_AUTH: {{ $auth.none }}
{{- end }}
{{- end -}}
