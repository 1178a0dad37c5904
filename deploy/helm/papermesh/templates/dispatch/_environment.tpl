{{/* What dispatch is told. Takes root. */}}
{{- define "papermesh.dispatchEnvironment" -}}
{{- $services := include "papermesh.services" . | fromJson -}}
{{- $protoServices := list -}}
{{- range $name, $service := $services }}{{ $protoServices = concat $protoServices $service.protoServices }}{{ end -}}
{{ include "papermesh.serverEnvironment" . }}
- PAPERMESH_DISPATCH_PORT: "9101"
- PAPERMESH_REPLICA: {valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- PAPERMESH_MESH_ADDRESS: {{ include "papermesh.host" (list . "envoy") }}:8444
- PAPERMESH_AUDIENCE: {{ include "papermesh.audience" . | quote }}
- PAPERMESH_CLIENTS_FILE: /etc/papermesh/clients/clients.json
- PAPERMESH_AUDIT_DIR: /var/lib/papermesh/audit
- PAPERMESH_AUDIT_KEY_FILE: /etc/papermesh/audit-key/audit.json
- PAPERMESH_SPOOL_DIR: /var/lib/papermesh/spool/dispatch
- PAPERMESH_SERVICES: {{ join "," $protoServices | quote }}
{{- with include "papermesh.descriptorPaths" . }}
- PAPERMESH_DESCRIPTORS: {{ . | quote }}
{{- end }}
- PAPERMESH_CACHE_SCOPE: {{ .Values.dispatch.cacheScope }}
- PAPERMESH_RATE_SCALE: {{ .Values.rateScale | quote }}
{{ include "papermesh.redisEnvironment" (list . (list "state" "cache")) }}
{{ include "papermesh.blobsEnvironment" . }}
{{- end -}}
