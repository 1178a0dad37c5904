{{/*
Who may open a connection to whom. Every pod of the release is closed by "closed"; each policy opens one part's paths.
*/}}

{{/* The head of a policy of one part. Takes a dict, as metadata does: root, part, name, annotations. */}}
{{- define "papermesh.policyHead" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "papermesh.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "papermesh.selector" (list .root .part) | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end -}}

{{/*
The rule that opens the way from or to parts of the release, and the peers that values name; nothing where there are neither.
Takes (list root "from" parts peers ports).
*/}}
{{- define "papermesh.rule" -}}
{{- $root := index . 0 -}}
{{- $all := list -}}
{{- range index . 2 -}}
{{- $all = append $all (dict "podSelector" (dict "matchLabels" (include "papermesh.selector" (list $root .) | fromYaml))) -}}
{{- end -}}
{{- with concat $all (index . 3) -}}
- {{ index $ 1 }}:
    {{- toYaml . | nindent 4 }}
  ports:
    {{- range index $ 4 }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
{{- end -}}
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
{{- if $root.Values.redis.included }}
{{ include "papermesh.rule" (list $root "to" (list (printf "redis-%s" $role)) list (list 6379)) }}
{{- else }}
{{ include "papermesh.rule" (list $root "to" list $root.Values.networkPolicy.redis (list (get $root.Values.redis.external $role).port)) }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
The ways out that values add to a part: to the collector of traces and metrics, and those of its own. Takes
(list root egress).
*/}}
{{- define "papermesh.moreRules" -}}
{{- $root := index . 0 -}}
{{- include "papermesh.rule" (list $root "to" list $root.Values.networkPolicy.otlp (list $root.Values.networkPolicy.otlpPort)) }}
{{ include "papermesh.items" (index . 1) }}
{{- end -}}

{{/* The rule by which the bucket is reached. Takes root. */}}
{{- define "papermesh.s3Rule" -}}
{{- if eq .Values.blobs.kind "s3" -}}
{{- include "papermesh.rule" (list . "to" list .Values.networkPolicy.s3 (list .Values.networkPolicy.s3Port)) -}}
{{- end -}}
{{- end -}}
