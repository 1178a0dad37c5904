{{/*
Names that objects can be made from, and labels that are the chart's own.
*/}}

{{- define "papermesh.checkNames" -}}
{{- $root := index . 0 -}}
{{- if gt (len $root.Release.Name) 36 -}}
{{- fail (printf "The release name %s is longer than 36 characters, and names that are made from it must fit into 63: choose a shorter one." $root.Release.Name) -}}
{{- end -}}
{{- if not (regexMatch "^[a-z][a-z0-9-]*$" $root.Release.Name) -}}
{{- fail (printf "The release name %s must begin with a letter and have no dots: Services are called by it." $root.Release.Name) -}}
{{- end -}}
{{- if gt (len (include "papermesh.audience" $root)) 63 -}}
{{- fail (printf "The audience %s, made of the namespace and the release, is longer than 63 characters: set audience to a shorter one." (include "papermesh.audience" $root)) -}}
{{- end -}}
{{- range $name := keys (index . 1) | sortAlpha -}}
{{- if has $name (list "adapter" "dispatch" "envoy" "operator" "redis-state" "redis-cache" "ca" "client" "closed" "edge" "setup" "setup-handshakes" "test") -}}
{{- fail (printf "services.%s: this name is a part's own; call the service otherwise." $name) -}}
{{- end -}}
{{- if hasPrefix "client-" $name -}}
{{- fail (printf "services.%s: the Secrets of clients are called client-…; call the service otherwise." $name) -}}
{{- end -}}
{{- end -}}
{{- include "papermesh.checkLabels" . -}}
{{- end -}}

{{/* Labels by which pods are selected, or that tell of the chart, are not for values to set. Takes (list root services). */}}
{{- define "papermesh.checkLabels" -}}
{{- $values := (index . 0).Values -}}
{{- $labels := dict "commonLabels" $values.commonLabels "redis.state.podLabels" $values.redis.state.podLabels "redis.cache.podLabels" $values.redis.cache.podLabels -}}
{{- range $part := list "adapter" "dispatch" "envoy" "setup" "test" -}}
{{- $_ := set $labels (printf "%s.podLabels" $part) (get $values $part).podLabels -}}
{{- end -}}
{{- range $name, $service := index . 1 -}}
{{- $_ := set $labels (printf "services.%s.podLabels" $name) $service.podLabels -}}
{{- end -}}
{{- range $kind := list "serviceMonitor" "alerts" -}}
{{- $_ := set $labels (printf "monitoring.%s.labels" $kind) (get $values.monitoring $kind).labels -}}
{{- end -}}
{{- $own := concat (include "papermesh.labels" (list (index . 0) "adapter") | fromYaml | keys) (list "papermesh.io/claim") -}}
{{- range $path, $set := $labels -}}
{{- range $label := keys (default dict $set) -}}
{{- if has $label $own -}}
{{- fail (printf "%s sets %s, a label that the chart sets itself: leave it out." $path $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
