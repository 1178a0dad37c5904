{{/*
What would lose data or open a door, and what no schema can see. The first that is found ends the installation with one
sentence; all else is refused by values.schema.json, or by whoever reads it.
*/}}

{{- define "papermesh.check" -}}
{{- if not (regexMatch "^[a-z][a-z0-9-]{0,35}$" .Release.Name) -}}
{{- fail (printf "The release name %s must begin with a letter, have no dots and be no longer than 36 characters: Services are called by it." .Release.Name) -}}
{{- end -}}
{{- if gt (len (include "papermesh.audience" .)) 63 -}}
{{- fail (printf "The audience %s, made of the namespace and the release, is longer than 63 characters: set audience to a shorter one." (include "papermesh.audience" .)) -}}
{{- end -}}
{{- with .Values.adapter.auth -}}
{{- if and (eq .mode "none") (ne .none "yes-anyone-may-call") -}}
{{- fail "adapter.auth.mode is none: whoever reaches the adapter reads everybody's documents. If that may be, set adapter.auth.none to yes-anyone-may-call." -}}
{{- end -}}
{{- end -}}
{{- include "papermesh.checkRedis" .Values.redis -}}
{{- range $name, $service := include "papermesh.services" . | fromJson -}}
{{- $limit := dig "limits" "memory" "" $service.resources -}}
{{- with $service.workers -}}
{{- $needed := add (mul (int .count) (include "papermesh.bytes" .memory | int64)) (include "papermesh.bytes" .serviceMemory | int64) -}}
{{- if and $limit (gt $needed (include "papermesh.bytes" $limit | int64)) -}}
{{- fail (printf "services.%s: %d workers of %s and %s for the service itself are more than its limit of %s, and one large document would end them all: raise resources.limits.memory, or lower workers.count." $name (int .count) .memory .serviceMemory $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* That nothing is forgotten that must not be. Takes the values of redis. */}}
{{- define "papermesh.checkRedis" -}}
{{- if .included -}}
{{- if and (not .state.persistence.enabled) (ne .state.persistence.without "nonces-may-be-lost") -}}
{{- fail "redis.state.persistence.enabled is false: a call could be replayed after a restart of Redis. If that may be, set redis.state.persistence.without to nonces-may-be-lost." -}}
{{- end -}}
{{- range $role, $values := pick . "state" "cache" -}}
{{- $limit := dig "limits" "memory" "" $values.resources -}}
{{- $most := replace "kb" "Ki" $values.maxMemory | replace "mb" "Mi" | replace "gb" "Gi" | include "papermesh.bytes" | int64 -}}
{{- if and $limit (ge $most (include "papermesh.bytes" $limit | int64)) -}}
{{- fail (printf "redis.%s.maxMemory is %s, and its container ends at %s: raise redis.%s.resources.limits.memory, to twice as much for the state." $role $values.maxMemory $limit $role) -}}
{{- end -}}
{{- end -}}
{{- else if and (eq .external.state.host .external.cache.host) (eq (int .external.state.port) (int .external.cache.port)) -}}
{{- fail "redis.external.state and redis.external.cache are one Redis: a full cache would evict nonces. Name two." -}}
{{- end -}}
{{- end -}}
