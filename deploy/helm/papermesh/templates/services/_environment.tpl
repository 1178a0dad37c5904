{{/* What a service behind dispatch is told. Takes (list root "service" entry). */}}
{{- define "papermesh.serviceEnvironment" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $service := index . 2 -}}
{{- $variable := include "papermesh.variable" $name -}}
{{ include "papermesh.serverEnvironment" $root }}
{{- with $service.port }}
- name: {{ $variable }}_PORT
  value: {{ int . | quote }}
{{- end }}
{{- if has $name (include "papermesh.meshCallers" $root | fromJsonArray) }}
- name: PAPERMESH_MESH_ADDRESS
  value: {{ include "papermesh.host" (list $root "envoy") }}:8444
{{- end }}
{{- with $service.workers }}
- name: {{ $variable }}_WORKERS
  value: {{ int .count | quote }}
- name: {{ $variable }}_WORKER_MEMORY_BYTES
  value: {{ include "papermesh.bytes" .memory | quote }}
{{- end }}
- name: PAPERMESH_WORK_DIR
  value: /var/lib/papermesh/work/{{ $name }}
{{- with $service.redis }}
{{ include "papermesh.redisEnvironment" (list $root .) | trim }}
{{- end }}
{{- if ne $service.blobs "none" }}
{{ include "papermesh.blobsEnvironment" $root }}
{{- end }}
{{- end -}}
