{{/*
The services behind dispatch: each by itself, and all of them together.
*/}}

{{- define "papermesh.checkServices" -}}
{{- $root := index . 0 -}}
{{- $services := index . 1 -}}
{{- $servedBy := dict -}}
{{- range $name, $service := $services -}}
{{- include "papermesh.checkService" (list $root $services $name $service) -}}
{{- range $served := $service.protoServices -}}
{{- with get $servedBy $served -}}
{{- fail (printf "services.%s and services.%s both serve %s: Envoy would not know which of them to call." . $name $served) -}}
{{- end -}}
{{- $_ := set $servedBy $served $name -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "papermesh.checkService" -}}
{{- $services := index . 1 -}}
{{- $name := index . 2 -}}
{{- $service := index . 3 -}}
{{- if not $service.command -}}
{{- fail (printf "services.%s.command is empty: say what its container runs." $name) -}}
{{- end -}}
{{- if and $service.image.repository (not $service.image.tag) (not $service.image.digest) -}}
{{- fail (printf "services.%s.image has neither a tag nor a digest." $name) -}}
{{- end -}}
{{- if and $service.port (not $service.protoServices) -}}
{{- fail (printf "services.%s has a port, but protoServices does not say what is served there." $name) -}}
{{- end -}}
{{- if and $service.protoServices (not $service.port) -}}
{{- fail (printf "services.%s has protoServices, but no port where they are served." $name) -}}
{{- end -}}
{{- if and $service.probes (eq (int $service.port) 9090) -}}
{{- fail (printf "services.%s.port is 9090, where its health is answered: choose another." $name) -}}
{{- end -}}
{{- range $other := $service.callees -}}
{{- if not (and (hasKey $services $other) (get $services $other).port) -}}
{{- fail (printf "services.%s.callees names %s, which is no enabled service with a port." $name $other) -}}
{{- end -}}
{{- end -}}
{{- range $other := $service.callers -}}
{{- if not (or (has $other (list "dispatch" "operator")) (hasKey $services $other)) -}}
{{- fail (printf "services.%s.callers names %s, which is neither dispatch, operator nor an enabled service." $name $other) -}}
{{- end -}}
{{- end -}}
{{- if $service.autoscaling.enabled -}}
{{- if lt (int $service.autoscaling.maxReplicas) (int $service.autoscaling.minReplicas) -}}
{{- fail (printf "services.%s.autoscaling.maxReplicas is less than its minReplicas." $name) -}}
{{- end -}}
{{- if not (dig "requests" "cpu" "" $service.resources) -}}
{{- fail (printf "services.%s is scaled by its use of CPU, but resources.requests.cpu does not say of how much." $name) -}}
{{- end -}}
{{- end -}}
{{- if $service.workers -}}
{{- $limit := dig "limits" "memory" "" $service.resources -}}
{{- $needed := add (mul (int $service.workers.count) (include "papermesh.bytes" $service.workers.memory | int64)) (include "papermesh.bytes" $service.workers.serviceMemory | int64) -}}
{{- if and $limit (gt $needed (include "papermesh.bytes" $limit | int64)) -}}
{{- fail (printf "services.%s: %d workers of %s and %s for the service itself are more than its limit of %s, and one large document would end them all: raise resources.limits.memory, or lower workers.count." $name (int $service.workers.count) $service.workers.memory $service.workers.serviceMemory $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}
