{{/* This deployment as envoy/topology.py reads it. Takes root. */}}
{{- define "papermesh.topology" -}}
namespace: {{ .Release.Namespace | quote }}
config_dir: /etc/papermesh/envoy
tls_dir: /etc/papermesh/tls
admin_socket: /run/papermesh/admin.sock
edge: {host: 0.0.0.0, port: 8443}
mesh: {host: 0.0.0.0, port: 8444}
probe: {host: 0.0.0.0, port: 9901}
dispatch:
  - {host: {{ include "papermesh.host" (list . "dispatch") }}, port: 9101}
services:
  {{- range $name, $service := include "papermesh.services" . | fromJson }}
  {{- if $service.port }}
  - workload: {{ $name | quote }}
    serves: {{ $service.protoServices | toJson }}
    endpoints:
      - {host: {{ include "papermesh.host" (list $ $name) }}, port: {{ int $service.port }}}
    callers: {{ include "papermesh.callers" (list $ $name) }}
  {{- end }}
  {{- else }} []
  {{- end }}
connection_limit: {{ int .Values.envoy.connectionLimit }}
rate_scale: {{ .Values.rateScale }}
heap_limit_bytes: {{ div (mul (include "papermesh.bytes" .Values.envoy.resources.limits.memory | int64) 4) 5 }}
concurrency: {{ .Values.envoy.concurrency }}
{{- end -}}
