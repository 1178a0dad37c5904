{{/* What a service behind dispatch is told. Takes (list root "service" entry). */}}
{{- define "papermesh.serviceEnvironment" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $service := index . 2 -}}
{{- $variable := include "papermesh.variable" $name -}}
{{ include "papermesh.serverEnvironment" $root }}
{{- with $service.port }}
- {{ $variable }}_PORT: {{ int . | quote }}
{{- end }}
{{- if has $name (include "papermesh.meshCallers" $root | fromJsonArray) }}
- PAPERMESH_MESH_ADDRESS: {{ include "papermesh.host" (list $root "envoy") }}:8444
{{- end }}
{{- with $service.workers }}
- {{ $variable }}_WORKERS: {{ int .count | quote }}
- {{ $variable }}_WORKER_MEMORY_BYTES: {{ include "papermesh.bytes" .memory | quote }}
{{- end }}
- PAPERMESH_WORK_DIR: /var/lib/papermesh/work/{{ $name }}
{{ include "papermesh.redisEnvironment" (list $root $service.redis) }}
{{- if ne $service.blobs "none" }}
{{ include "papermesh.blobsEnvironment" $root }}
{{- end }}
{{- end -}}
