{{/*
Names and labels. Every object is called <release>-<what>, so that a name can be guessed.
*/}}

{{/* The name of one of the release's objects. Takes (list root "what"). */}}
{{- define "papermesh.name" -}}
{{- printf "%s-%s" (index . 0).Release.Name (index . 1) -}}
{{- end -}}

{{/* The full DNS name of one of the release's Services. Takes (list root "what"). */}}
{{- define "papermesh.host" -}}
{{- $root := index . 0 -}}
{{- printf "%s.%s.svc.%s" (include "papermesh.name" .) $root.Release.Namespace $root.Values.clusterDomain -}}
{{- end -}}

{{/* What selects every pod of the release. Takes root. */}}
{{- define "papermesh.everySelector" -}}
app.kubernetes.io/name: papermesh
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* What selects the pods of one part. Takes (list root "part"). */}}
{{- define "papermesh.selector" -}}
{{ include "papermesh.everySelector" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 | quote }}
{{- end -}}

{{/* The labels of an object of one part. Takes (list root "part"). */}}
{{- define "papermesh.labels" -}}
{{- $root := index . 0 -}}
{{ include "papermesh.selector" . }}
app.kubernetes.io/part-of: papermesh
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/*
The metadata of an object of one part. Takes a dict: root, part, name (the part's own unless given), labels, annotations.
*/}}
{{- define "papermesh.metadata" -}}
name: {{ include "papermesh.name" (list .root (default .part .name)) }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "papermesh.labels" (list .root .part) | nindent 2 }}
  {{- with merge (dict) (default dict .labels) .root.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (default dict .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The deployment's name in signatures: a call signed for it is worth nothing anywhere else. Takes root. */}}
{{- define "papermesh.audience" -}}
{{- default (printf "%s-%s" .Release.Namespace .Release.Name) .Values.audience -}}
{{- end -}}

{{/* The variable prefix of a service: PAPERMESH_PDF for pdf. Takes its name. */}}
{{- define "papermesh.variable" -}}
{{- printf "PAPERMESH_%s" (upper . | replace "-" "_") -}}
{{- end -}}

{{/* Everybody who needs a certificate, as a JSON list. Takes root. */}}
{{- define "papermesh.workloads" -}}
{{- concat (.Files.Get "files/workloads.yaml" | fromYaml).own (include "papermesh.services" . | fromJson | keys | sortAlpha) | toJson -}}
{{- end -}}

{{/* The Secret with the certificate of a workload. Takes (list root "workload"). */}}
{{- define "papermesh.tlsSecret" -}}
{{- $root := index . 0 -}}
{{- if eq $root.Values.certificates.mode "existing" -}}
{{- required (printf "certificates.mode is existing, but certificates.existing.%s does not name the Secret with its certificate." (index . 1)) (get $root.Values.certificates.existing (index . 1)) -}}
{{- else -}}
{{- include "papermesh.name" (list $root (printf "tls-%s" (index . 1))) -}}
{{- end -}}
{{- end -}}

{{/* Where the CAs are that everybody trusts, as certificates.trustBundle says it, as JSON. Takes root. */}}
{{- define "papermesh.trustBundle" -}}
{{- if eq .Values.certificates.mode "selfSigned" -}}
{{- dict "secret" (include "papermesh.name" (list . "trust")) "key" "ca.crt" | toJson -}}
{{- else -}}
{{- .Values.certificates.trustBundle | toJson -}}
{{- end -}}
{{- end -}}

{{/* A Secret with keys: yours when you named one, else the one that the setup Job makes. Takes (list root "valueName" "suffix"). */}}
{{- define "papermesh.keySecret" -}}
{{- $root := index . 0 -}}
{{- default (include "papermesh.name" (list $root (index . 2))) (get $root.Values.existingSecrets (index . 1)) -}}
{{- end -}}

{{/* Names by which Envoy is reached, as a JSON list: they stand in its certificate. Takes root. */}}
{{- define "papermesh.envoyNames" -}}
{{- $name := include "papermesh.name" (list . "envoy") -}}
{{- $inNamespace := printf "%s.%s" $name .Release.Namespace -}}
{{- $service := list $name $inNamespace (printf "%s.svc" $inNamespace) (include "papermesh.host" (list . "envoy")) -}}
{{- concat (list "localhost" "127.0.0.1") $service .Values.envoy.extraNames | toJson -}}
{{- end -}}

{{/* The Secret with the password of a Redis role. Takes (list root "state"). */}}
{{- define "papermesh.redisSecret" -}}
{{- $role := index . 1 -}}
{{- include "papermesh.keySecret" (list (index . 0) (printf "redis%s" (title $role)) (printf "redis-%s" $role)) -}}
{{- end -}}
