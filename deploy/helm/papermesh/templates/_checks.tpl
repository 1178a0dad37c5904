{{/*
Contradictions that a schema cannot see. The first that is found ends the installation with one sentence.
*/}}

{{- define "papermesh.check" -}}
{{- $services := include "papermesh.services" . | fromJson -}}
{{- include "papermesh.checkNames" (list . $services) -}}
{{- include "papermesh.checkSecrets" (list . $services) -}}
{{- include "papermesh.checkRedis" . -}}
{{- include "papermesh.checkStorage" . -}}
{{- include "papermesh.checkPeople" . -}}
{{- range $name, $service := $services -}}
{{- include "papermesh.checkService" (list $ $services $name $service) -}}
{{- end -}}
{{- end -}}

{{- define "papermesh.checkNames" -}}
{{- $root := index . 0 -}}
{{- if gt (len $root.Release.Name) 36 -}}
{{- fail (printf "The release name %s is longer than 36 characters, and names that are made from it must fit into 63: choose a shorter one." $root.Release.Name) -}}
{{- end -}}
{{- range $name := keys (index . 1) | sortAlpha -}}
{{- if has $name (list "adapter" "dispatch" "envoy" "operator" "redis-state" "redis-cache" "ca" "client" "setup" "test") -}}
{{- fail (printf "services.%s: this name is a part's own; call the service otherwise." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "papermesh.checkSecrets" -}}
{{- $root := index . 0 -}}
{{- $certificates := $root.Values.certificates -}}
{{- if eq $certificates.mode "existing" -}}
{{- range $workload := concat (list "adapter" "dispatch" "envoy" "operator") (keys (index . 1) | sortAlpha) -}}
{{- if not (get $certificates.existing $workload) -}}
{{- fail (printf "certificates.mode is existing, but certificates.existing.%s does not name the Secret with its certificate." $workload) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $trio := dict -}}
{{- range $name := list "clients" "adapterKey" "operatorKey" -}}
{{- $_ := set $trio (ternary "named" "missing" (not (empty (get $root.Values.existingSecrets $name)))) $name -}}
{{- end -}}
{{- if eq (len $trio) 2 -}}
{{- fail (printf "existingSecrets.%s is named and existingSecrets.%s is not: clients, adapterKey and operatorKey belong together." $trio.named $trio.missing) -}}
{{- end -}}
{{- if and (eq $certificates.mode "certManager") (not $certificates.certManager.issuerRef.name) -}}
{{- fail "certificates.mode is certManager, but certificates.certManager.issuerRef.name does not name an issuer." -}}
{{- end -}}
{{- if and $certificates.trustBundle.configMap $certificates.trustBundle.secret -}}
{{- fail "certificates.trustBundle names both a configMap and a secret: name one of them." -}}
{{- end -}}
{{- if and (eq $certificates.mode "selfSigned") (or $certificates.trustBundle.configMap $certificates.trustBundle.secret) -}}
{{- fail "certificates.trustBundle is for certificates of your own; with certificates.mode selfSigned each Secret holds the bundle." -}}
{{- end -}}
{{- end -}}

{{- define "papermesh.checkRedis" -}}
{{- $redis := .Values.redis -}}
{{- if $redis.included -}}
{{- if and (not $redis.state.persistence.enabled) (ne $redis.state.persistence.without "nonces-may-be-lost") -}}
{{- fail "redis.state.persistence.enabled is false: a call could be replayed after a restart of Redis. If that may be, set redis.state.persistence.without to nonces-may-be-lost." -}}
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

{{/* A claim that one node alone can mount, used by pods that may be anywhere. */}}
{{- define "papermesh.checkStorage" -}}
{{- $root := . -}}
{{- if and (eq .Values.blobs.kind "s3") (not .Values.blobs.s3.url) -}}
{{- fail "blobs.kind is s3, but blobs.s3.url does not name the bucket, s3://bucket/prefix." -}}
{{- end -}}
{{- range $what := list "blobs" "audit" -}}
{{- $used := or (and (eq $what "blobs") (eq $root.Values.blobs.kind "claim")) (and (eq $what "audit") (gt (int $root.Values.dispatch.replicas) 1)) -}}
{{- $claim := ternary $root.Values.blobs.claim $root.Values.dispatch.audit.claim (eq $what "blobs") -}}
{{- if and $used (not $root.Values.singleNode) (not (has "ReadWriteMany" $claim.accessModes)) -}}
{{- fail (printf "%s.claim.accessModes is %s, and more than one pod mounts it: choose ReadWriteMany%s, or keep its pods on one node with singleNode." (ternary "blobs" "dispatch.audit" (eq $what "blobs")) (join ", " $claim.accessModes) (ternary " or blobs.kind s3" "" (eq $what "blobs"))) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "papermesh.checkPeople" -}}
{{- $adapter := .Values.adapter -}}
{{- if and (eq $adapter.auth.mode "none") (ne $adapter.auth.none "yes-anyone-may-call") -}}
{{- fail "adapter.auth.mode is none: whoever reaches the adapter reads everybody's documents. If that may be, set adapter.auth.none to yes-anyone-may-call." -}}
{{- end -}}
{{- if eq $adapter.auth.mode "oidc" -}}
{{- range $field := list "issuer" "audience" -}}
{{- if not (get $adapter.auth.oidc $field) -}}
{{- fail (printf "adapter.auth.mode is oidc, but adapter.auth.oidc.%s is not set." $field) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.oidc) -}}
{{- fail "adapter.auth.mode is oidc, but networkPolicy.oidc does not let the adapter reach the issuer: list its address there." -}}
{{- end -}}
{{- end -}}
{{- range $kind := list "ingress" "httpRoute" -}}
{{- if (get $adapter $kind).enabled -}}
{{- if not (get $adapter $kind).hosts -}}
{{- fail (printf "adapter.%s.enabled is true, but adapter.%s.hosts is empty." $kind $kind) -}}
{{- end -}}
{{- if and $.Values.networkPolicy.enabled (not $.Values.networkPolicy.adapterClients) -}}
{{- fail (printf "adapter.%s.enabled is true, but networkPolicy.adapterClients does not let its controller reach the adapter." $kind) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $adapter.httpRoute.enabled (not $adapter.httpRoute.parentRefs) -}}
{{- fail "adapter.httpRoute.enabled is true, but adapter.httpRoute.parentRefs names no Gateway." -}}
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
