{{/*
Contradictions that a schema cannot see. The first that is found ends the installation with one sentence.
*/}}

{{- define "papermesh.check" -}}
{{- $services := include "papermesh.services" . | fromJson -}}
{{- include "papermesh.checkNames" (list . $services) -}}
{{- include "papermesh.checkUnused" . -}}
{{- include "papermesh.checkSecrets" (list . $services) -}}
{{- include "papermesh.checkRedis" . -}}
{{- include "papermesh.checkStorage" . -}}
{{- include "papermesh.checkPeople" . -}}
{{- include "papermesh.checkWays" . -}}
{{- include "papermesh.checkServices" (list . $services) -}}
{{- end -}}

{{/*
Values that another value keeps from being used: whoever set them expects them to be. Takes root.
*/}}
{{- define "papermesh.checkUnused" -}}
{{- $auth := .Values.adapter.auth -}}
{{- $certificates := .Values.certificates -}}
{{- $redis := .Values.redis -}}
{{- $mode := printf "certificates.mode is %s" $certificates.mode -}}
{{- range $each := list
  (list "redis.external.state.host" $redis.external.state.host (not $redis.included) "redis.included is true")
  (list "redis.external.cache.host" $redis.external.cache.host (not $redis.included) "redis.included is true")
  (list "redis.external.tls.caSecret" $redis.external.tls.caSecret $redis.external.tls.enabled "redis.external.tls.enabled is false")
  (list "blobs.s3.url" .Values.blobs.s3.url (eq .Values.blobs.kind "s3") "blobs.kind is claim")
  (list "blobs.claim.existing" .Values.blobs.claim.existing (eq .Values.blobs.kind "claim") "blobs.kind is s3")
  (list "adapter.auth.oidc.issuer" $auth.oidc.issuer (eq $auth.mode "oidc") (printf "adapter.auth.mode is %s" $auth.mode))
  (list "adapter.auth.none" $auth.none (eq $auth.mode "none") (printf "adapter.auth.mode is %s" $auth.mode))
  (list "existingSecrets.apiKeys" .Values.existingSecrets.apiKeys (eq $auth.mode "apiKeys") (printf "adapter.auth.mode is %s" $auth.mode))
  (list "existingSecrets.apiKey" .Values.existingSecrets.apiKey .Values.existingSecrets.apiKeys "existingSecrets.apiKeys, which it is one of, is not")
  (list "certificates.existing" $certificates.existing (eq $certificates.mode "existing") $mode)
  (list "certificates.certManager.issuerRef.name" $certificates.certManager.issuerRef.name (eq $certificates.mode "certManager") $mode)
  (list "certificates.rotate.leaves" $certificates.rotate.leaves (eq $certificates.mode "selfSigned") $mode)
  (list "certificates.rotate.ca" $certificates.rotate.ca (eq $certificates.mode "selfSigned") $mode)
  (list "certificates.clients" $certificates.clients (ne $certificates.mode "existing") $mode)
-}}
{{- if and (index $each 1) (not (index $each 2)) -}}
{{- fail (printf "%s is set, but %s: change one of them." (first $each) (last $each)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
