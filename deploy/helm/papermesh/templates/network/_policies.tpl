{{/*
Who may open a connection to whom. Every pod of the release is closed by "closed"; each policy opens one part's paths.
*/}}

{{/* The head of a policy of one part. Takes (list root "part"). */}}
{{- define "papermesh.policyHead" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "papermesh.metadata" (dict "root" (index . 0) "part" (index . 1)) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "papermesh.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end -}}

{{/* A part as a peer. Takes (list root "part"). */}}
{{- define "papermesh.peer" -}}
podSelector:
  matchLabels:
    {{- include "papermesh.selector" . | nindent 4 }}
{{- end -}}

{{/* The rule by which names are resolved. Takes root. */}}
{{- define "papermesh.dnsRule" -}}
{{- with .Values.networkPolicy.dns -}}
- to:
    {{- toYaml .to | nindent 4 }}
  ports:
    - {protocol: UDP, port: {{ .port }}}
    - {protocol: TCP, port: {{ .port }}}
{{- end -}}
{{- end -}}

{{/* The rules by which Redis is reached. Takes (list root roles), of "state" and "cache". */}}
{{- define "papermesh.redisRules" -}}
{{- $root := index . 0 -}}
{{- range $role := index . 1 }}
- to:
    {{- if $root.Values.redis.included }}
    - {{ include "papermesh.peer" (list $root (printf "redis-%s" $role)) | nindent 6 | trim }}
    {{- else }}
    {{- toYaml $root.Values.networkPolicy.redis | nindent 4 }}
    {{- end }}
  ports:
    - {protocol: TCP, port: {{ ternary 6379 (get $root.Values.redis.external $role).port $root.Values.redis.included }}}
{{- end }}
{{- end -}}

{{/*
The ways out that values add to a part: to the collector of traces and metrics, and those of its own. Takes
(list root egress).
*/}}
{{- define "papermesh.moreRules" -}}
{{- $root := index . 0 -}}
{{- with $root.Values.networkPolicy.otlp }}
- to:
    {{- toYaml . | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ $root.Values.networkPolicy.otlpPort }}}
{{- end }}
{{- with index . 1 }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The rule by which the bucket is reached. Takes root. */}}
{{- define "papermesh.s3Rule" -}}
{{- if eq .Values.blobs.kind "s3" -}}
- to:
    {{- toYaml .Values.networkPolicy.s3 | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ .Values.networkPolicy.s3Port }}}
{{- end -}}
{{- end -}}
