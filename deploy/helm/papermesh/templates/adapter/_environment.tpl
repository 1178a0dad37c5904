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
- name: PAPERMESH_HTTP_HOST
  value: 0.0.0.0
- name: PAPERMESH_HTTP_PORT
  value: "9000"
- name: PAPERMESH_HTTP_HOSTS
  value: {{ join "," $names | quote }}
- name: PAPERMESH_HTTP_ORIGINS
  value: {{ join "," .Values.adapter.origins | quote }}
- name: PAPERMESH_HTTP_PROXIES
  value: {{ join "," .Values.adapter.proxies | quote }}
- name: PAPERMESH_PROBE_PORT
  value: "9090"
- name: PAPERMESH_EDGE_ADDRESS
  value: {{ include "papermesh.host" (list . "envoy") }}:8443
- name: PAPERMESH_AUDIENCE
  value: {{ include "papermesh.audience" . | quote }}
- name: PAPERMESH_KEY_FILE
  value: /etc/papermesh/key/adapter.json
- name: PAPERMESH_SPOOL_DIR
  value: /var/lib/papermesh/spool/adapter
- name: PAPERMESH_DRAIN_S
  value: {{ .Values.drain.callSeconds | quote }}
{{- if eq $auth.mode "apiKeys" }}
- name: PAPERMESH_AUTH
  value: api-keys
- name: PAPERMESH_API_KEYS_FILE
  value: /etc/papermesh/api-keys/api-keys.json
{{- else if eq $auth.mode "oidc" }}
- name: PAPERMESH_AUTH
  value: oidc
- name: PAPERMESH_OIDC_ISSUER
  value: {{ $auth.oidc.issuer | quote }}
- name: PAPERMESH_OIDC_AUDIENCE
  value: {{ $auth.oidc.audience | quote }}
- name: PAPERMESH_OIDC_ACTOR_CLAIM
  value: {{ $auth.oidc.actorClaim | quote }}
{{- with $auth.oidc.jwksUrl }}
- name: PAPERMESH_OIDC_JWKS_URL
  value: {{ . | quote }}
{{- end }}
{{- else }}
- name: PAPERMESH_AUTH
  value: none
- name: PAPERMESH_HTTP_WITHOUT_AUTH
  value: {{ $auth.none }}
{{- end }}
{{- end -}}
