{{/*
Settings of the Python parts, as environment variables: a YAML list of `name: text` or `name: {valueFrom: …}`, in which a text
may name what stands above it, $(NAME).
*/}}

{{/*
A container's variables: the chart's own, and those of its `env`, a text or a reference each, which may not replace them.
Takes (list "path of the part" own env).
*/}}
{{- define "papermesh.environment" -}}
{{- $path := index . 0 -}}
{{- $all := index . 1 | fromYamlArray -}}
{{- $own := list -}}
{{- range $all -}}{{- $own = concat $own (keys .) -}}{{- end -}}
{{- range $name, $value := index . 2 -}}
{{- if has $name $own -}}
{{- fail (printf "%s.env names %s, which the chart sets from its other values: change those, and leave it out." $path $name) -}}
{{- end -}}
{{- $all = append $all (dict $name $value) -}}
{{- end -}}
{{- range $all -}}
{{- range $name, $value := . }}
- name: {{ $name | quote }}
  {{- ternary (dict "value" $value) $value (kindIs "string" $value) | toYaml | nindent 2 }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What every Python part is told. Takes root. */}}
{{- define "papermesh.commonEnvironment" -}}
# grpc without its event engine, whose threads hand every event on once more: docs/decisions/0006.
- GRPC_EXPERIMENTS: -event_engine_client,-event_engine_listener,-event_engine_for_all_other_endpoints
# No waiting for grpc's threads when a process starts, and TLS 1.3 and nothing below: services/base/__init__.py.
- GRPC_ENABLE_FORK_SUPPORT: "0"
- GRPC_SSL_CIPHER_SUITES: ECDHE-PSK-CHACHA20-POLY1305
- PAPERMESH_LOG_LEVEL: {{ .Values.logLevel }}
- PAPERMESH_NAMESPACE: {{ .Release.Namespace | quote }}
- PAPERMESH_TLS_DIR: /etc/papermesh/tls
{{- end -}}

{{/* What a gRPC server is told besides. Takes root. */}}
{{- define "papermesh.serverEnvironment" -}}
{{ include "papermesh.commonEnvironment" . }}
- PAPERMESH_BIND_HOST: 0.0.0.0
- PAPERMESH_PROBE_PORT: "9090"
- PAPERMESH_DRAIN_NOTICE_S: {{ .Values.drain.noticeSeconds | quote }}
- PAPERMESH_DRAIN_S: {{ .Values.drain.callSeconds | quote }}
{{- end -}}

{{/* Where the documents are. Takes root. */}}
{{- define "papermesh.blobsEnvironment" -}}
{{- $s3 := .Values.blobs.s3 -}}
- PAPERMESH_BLOBS_URL: {{ ternary $s3.url "file:///var/lib/papermesh/blobs" (eq .Values.blobs.kind "s3") | quote }}
{{- if eq .Values.blobs.kind "s3" }}
{{- with $s3.region }}
- AWS_REGION: {{ . | quote }}
{{- end }}
{{- with $s3.endpoint }}
- AWS_ENDPOINT_URL: {{ . | quote }}
{{- end }}
{{- with $s3.existingSecret }}
- AWS_ACCESS_KEY_ID: {valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: AWS_ACCESS_KEY_ID}}}
- AWS_SECRET_ACCESS_KEY: {valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: AWS_SECRET_ACCESS_KEY}}}
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
- REDIS_{{ upper $role }}_PASSWORD: {valueFrom: {secretKeyRef: {name: {{ include "papermesh.redisSecret" (list $root $role) | quote }}, key: password}}}
- PAPERMESH_REDIS_{{ upper $role }}_URL: {{ include "papermesh.redisUrl" (list $root $role) | quote }}
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
