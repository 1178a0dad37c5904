{{/* What dispatch is told. Takes root. */}}
{{- define "papermesh.dispatchEnvironment" -}}
{{- $services := include "papermesh.services" . | fromJson -}}
{{- $protoServices := list -}}
{{- range $name, $service := $services }}{{ $protoServices = concat $protoServices $service.protoServices }}{{ end -}}
{{ include "papermesh.serverEnvironment" . }}
- name: PAPERMESH_DISPATCH_PORT
  value: "9101"
- name: PAPERMESH_REPLICA
  valueFrom:
    fieldRef: {fieldPath: metadata.name}
- name: PAPERMESH_MESH_ADDRESS
  value: {{ include "papermesh.host" (list . "envoy") }}:8444
- name: PAPERMESH_AUDIENCE
  value: {{ include "papermesh.audience" . | quote }}
- name: PAPERMESH_CLIENTS_FILE
  value: /etc/papermesh/clients/clients.json
- name: PAPERMESH_AUDIT_DIR
  value: /var/lib/papermesh/audit
- name: PAPERMESH_AUDIT_KEY_FILE
  value: /etc/papermesh/audit-key/audit.json
- name: PAPERMESH_SPOOL_DIR
  value: /var/lib/papermesh/spool/dispatch
- name: PAPERMESH_SERVICES
  value: {{ join "," $protoServices | quote }}
{{- with include "papermesh.descriptorPaths" . }}
- name: PAPERMESH_DESCRIPTORS
  value: {{ . | quote }}
{{- end }}
- name: PAPERMESH_CACHE_SCOPE
  value: {{ .Values.dispatch.cacheScope }}
- name: PAPERMESH_RATE_SCALE
  value: {{ .Values.rateScale | quote }}
{{ include "papermesh.redisEnvironment" (list . (list "state" "cache")) | trim }}
{{ include "papermesh.blobsEnvironment" . }}
{{- end -}}
