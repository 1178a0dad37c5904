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

{{/* The rule by which the bucket is reached. Takes root. */}}
{{- define "papermesh.s3Rule" -}}
{{- if and (eq .Values.blobs.kind "s3") .Values.networkPolicy.s3 -}}
- to:
    {{- toYaml .Values.networkPolicy.s3 | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ .Values.networkPolicy.s3Port }}}
{{- end -}}
{{- end -}}
