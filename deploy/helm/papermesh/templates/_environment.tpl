{{/*
Settings of the Python parts, as environment variables.
*/}}

{{/*
A container's variables: the chart's own, and those of its `env`, a text or a reference each, which may not replace them.
Takes (list "path of the part" own env).
*/}}
{{- define "papermesh.environment" -}}
{{- $path := index . 0 -}}
{{- $own := index . 1 -}}
{{- $own }}
{{- range $name, $value := index . 2 }}
{{- if regexMatch (printf "(?m)^- name: %s\\b" $name) $own }}
{{- fail (printf "%s.env names %s, which the chart sets from its other values: change those, and leave it out." $path $name) }}
{{- end }}
- name: {{ $name | quote }}
  {{- if kindIs "string" $value }}
  value: {{ $value | quote }}
  {{- else }}
  {{- toYaml $value | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* What every Python part is told. Takes root. */}}
{{- define "papermesh.commonEnvironment" -}}
# grpc without its event engine, whose threads hand every event on once more: docs/decisions/0006.
- name: GRPC_EXPERIMENTS
  value: -event_engine_client,-event_engine_listener,-event_engine_for_all_other_endpoints
# TLS 1.3 and nothing below at grpc's own ports: services/base/__init__.py.
- name: GRPC_SSL_CIPHER_SUITES
  value: ECDHE-PSK-CHACHA20-POLY1305
- name: PAPERMESH_LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: PAPERMESH_NAMESPACE
  value: {{ .Release.Namespace | quote }}
- name: PAPERMESH_TLS_DIR
  value: /etc/papermesh/tls
{{- end -}}

{{/* What a gRPC server is told besides. Takes root. */}}
{{- define "papermesh.serverEnvironment" -}}
{{ include "papermesh.commonEnvironment" . }}
- name: PAPERMESH_BIND_HOST
  value: 0.0.0.0
- name: PAPERMESH_PROBE_PORT
  value: "9090"
- name: PAPERMESH_DRAIN_NOTICE_S
  value: {{ .Values.drain.noticeSeconds | quote }}
- name: PAPERMESH_DRAIN_S
  value: {{ .Values.drain.callSeconds | quote }}
{{- end -}}

{{/* Where the documents are. Takes root. */}}
{{- define "papermesh.blobsEnvironment" -}}
{{- $s3 := .Values.blobs.s3 -}}
- name: PAPERMESH_BLOBS_URL
  value: {{ ternary $s3.url "file:///var/lib/papermesh/blobs" (eq .Values.blobs.kind "s3") | quote }}
{{- if eq .Values.blobs.kind "s3" }}
{{- with $s3.region }}
- name: AWS_REGION
  value: {{ . | quote }}
{{- end }}
{{- with $s3.endpoint }}
- name: AWS_ENDPOINT_URL
  value: {{ . | quote }}
{{- end }}
{{- with $s3.existingSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: {name: {{ . | quote }}, key: AWS_ACCESS_KEY_ID}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: {{ . | quote }}, key: AWS_SECRET_ACCESS_KEY}
{{- end }}
{{- end }}
{{- end -}}

{{/* The URL of a Redis role; its password is filled in by the kubelet. Takes (list root "state"). */}}
{{- define "papermesh.redisUrl" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- $variable := printf "$(REDIS_%s_PASSWORD)" (upper $role) -}}
{{- if $root.Values.redis.included -}}
{{- printf "redis://:%s@%s:6379/0" $variable (include "papermesh.host" (list $root (printf "redis-%s" $role))) -}}
{{- else -}}
{{- $external := get $root.Values.redis.external $role -}}
{{- $tls := $root.Values.redis.external.tls -}}
{{- printf "%s://%s:%s@%s:%d/%d" (ternary "rediss" "redis" $tls.enabled) $external.username $variable $external.host (int $external.port) (int $external.database) -}}
{{- if and $tls.enabled $tls.caSecret -}}?ssl_ca_certs=/etc/papermesh/redis-ca/ca.crt{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where Redis is, and its passwords. Takes (list root roles), of "state" and "cache". */}}
{{- define "papermesh.redisEnvironment" -}}
{{- $root := index . 0 -}}
{{- range $role := index . 1 }}
- name: REDIS_{{ upper $role }}_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ include "papermesh.redisSecret" (list $root $role) | quote }}, key: password}
- name: PAPERMESH_REDIS_{{ upper $role }}_URL
  value: {{ include "papermesh.redisUrl" (list $root $role) | quote }}
{{- end }}
{{- end -}}

{{/* The descriptor sets of in-house services, comma-separated paths. Takes root. */}}
{{- define "papermesh.descriptorPaths" -}}
{{- $paths := list -}}
{{- range $name, $service := include "papermesh.services" . | fromJson -}}
{{- if $service.descriptors.configMap -}}
{{- $paths = append $paths (printf "/etc/papermesh/descriptors/%s/%s" $name $service.descriptors.key) -}}
{{- end -}}
{{- end -}}
{{- join "," $paths -}}
{{- end -}}

{{/* Their mounts. Takes root. */}}
{{- define "papermesh.descriptorMounts" -}}
{{- range $name, $service := include "papermesh.services" . | fromJson }}
{{- if $service.descriptors.configMap }}
- name: descriptors-{{ $name }}
  mountPath: /etc/papermesh/descriptors/{{ $name }}
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{/* Their volumes. Takes root. */}}
{{- define "papermesh.descriptorVolumes" -}}
{{- range $name, $service := include "papermesh.services" . | fromJson }}
{{- if $service.descriptors.configMap }}
- name: descriptors-{{ $name }}
  configMap:
    name: {{ $service.descriptors.configMap | quote }}
{{- end }}
{{- end }}
{{- end -}}
