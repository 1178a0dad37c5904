{{/*
Ways through the network that something needs and no value opens. Takes root.
*/}}

{{- define "papermesh.checkWays" -}}
{{- $values := .Values -}}
{{- if $values.networkPolicy.enabled -}}
{{- range $each := list
  (list (eq $values.adapter.auth.mode "oidc") "oidc" "adapter.auth.mode is oidc" "the adapter reach the issuer")
  (list $values.adapter.ingress.enabled "adapterClients" "adapter.ingress.enabled is true" "its controller reach the adapter")
  (list $values.adapter.httpRoute.enabled "adapterClients" "adapter.httpRoute.enabled is true" "its Gateway reach the adapter")
  (list (ne $values.adapter.service.type "ClusterIP") "adapterClients" (printf "adapter.service.type is %s" $values.adapter.service.type) "its callers reach the adapter")
  (list $values.envoy.edgeService.enabled "edgeClients" "envoy.edgeService.enabled is true" "its callers reach Envoy")
  (list (eq $values.blobs.kind "s3") "s3" "blobs.kind is s3" "dispatch and pdf reach the bucket")
  (list (not $values.redis.included) "redis" "redis.included is false" "dispatch reach yours")
  (list $values.monitoring.serviceMonitor.enabled "scrapers" "monitoring.serviceMonitor.enabled is true" "Prometheus reach Envoy")
-}}
{{- if and (first $each) (not (get $values.networkPolicy (index $each 1))) -}}
{{- fail (printf "%s, but networkPolicy.%s does not let %s: list its address there." (index $each 2) (index $each 1) (index $each 3)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
