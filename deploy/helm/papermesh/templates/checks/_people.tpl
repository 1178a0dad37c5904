{{/*
People: how they are known, and how they come to the adapter.
*/}}

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
{{- end -}}
{{- range $kind := list "ingress" "httpRoute" -}}
{{- if (get $adapter $kind).enabled -}}
{{- if not (get $adapter $kind).hosts -}}
{{- fail (printf "adapter.%s.enabled is true, but adapter.%s.hosts is empty." $kind $kind) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $adapter.httpRoute.enabled (not $adapter.httpRoute.parentRefs) -}}
{{- fail "adapter.httpRoute.enabled is true, but adapter.httpRoute.parentRefs names no Gateway." -}}
{{- end -}}
{{- end -}}
