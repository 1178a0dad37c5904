{{/*
Redis: where it is, and that nothing is forgotten that must not be.
*/}}

{{- define "papermesh.checkRedis" -}}
{{- $redis := .Values.redis -}}
{{- if $redis.included -}}
{{- if and (not $redis.state.persistence.enabled) (ne $redis.state.persistence.without "nonces-may-be-lost") -}}
{{- fail "redis.state.persistence.enabled is false: a call could be replayed after a restart of Redis. If that may be, set redis.state.persistence.without to nonces-may-be-lost." -}}
{{- end -}}
{{- range $role := list "state" "cache" -}}
{{- $values := get $redis $role -}}
{{- $limit := dig "limits" "memory" "" $values.resources -}}
{{- $most := mul (regexFind "^[0-9]+" $values.maxMemory | int64) (get (dict "kb" 1024 "mb" 1048576 "gb" 1073741824) (regexFind "[a-z]+$" $values.maxMemory)) -}}
{{- if and $limit (ge $most (include "papermesh.bytes" $limit | int64)) -}}
{{- fail (printf "redis.%s.maxMemory is %s, and its container ends at %s: raise redis.%s.resources.limits.memory, to twice as much for the state." $role $values.maxMemory $limit $role) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- range $role := list "state" "cache" -}}
{{- if not (get $redis.external $role).host -}}
{{- fail (printf "redis.included is false, but redis.external.%s.host does not say where Redis is." $role) -}}
{{- end -}}
{{- end -}}
{{- range $name := list "redisState" "redisCache" -}}
{{- if not (get $.Values.existingSecrets $name) -}}
{{- fail (printf "redis.included is false, but existingSecrets.%s does not name the Secret with its password." $name) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $redis.external.state.host $redis.external.cache.host) (eq (int $redis.external.state.port) (int $redis.external.cache.port)) -}}
{{- fail "redis.external.state and redis.external.cache are one Redis: a full cache would evict nonces. Name two." -}}
{{- end -}}
{{- end -}}
{{- end -}}
