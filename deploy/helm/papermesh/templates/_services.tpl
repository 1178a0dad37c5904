{{/*
The services behind dispatch: one entry of `services` each, ours and a company's own alike.
*/}}

{{/*
The services that are enabled, each with all its fields, as a JSON object by name: what files/service.yaml says of every
entry, files/workloads.yaml of ours, and the values. Takes root.
*/}}
{{- define "papermesh.services" -}}
{{- $ours := (.Files.Get "files/workloads.yaml" | fromYaml).services -}}
{{- $services := dict -}}
{{- range $name := concat (keys $ours) (keys .Values.services) | uniq -}}
{{- $entry := mustMergeOverwrite ($.Files.Get "files/service.yaml" | fromYaml) (get $ours $name | default dict) (get $.Values.services $name | default dict | deepCopy) -}}
{{- if $entry.enabled -}}
{{- $_ := set $services $name $entry -}}
{{- end -}}
{{- end -}}
{{- $services | toJson -}}
{{- end -}}

{{/*
Who may call a service, as a JSON list: those that it names, and those that name it among their callees.
Takes (list root "service").
*/}}
{{- define "papermesh.callers" -}}
{{- $name := index . 1 -}}
{{- $services := include "papermesh.services" (index . 0) | fromJson -}}
{{- $callers := get (get $services $name) "callers" -}}
{{- range $other, $service := $services -}}
{{- if has $name $service.callees -}}{{- $callers = append $callers $other -}}{{- end -}}
{{- end -}}
{{- $callers | uniq | toJson -}}
{{- end -}}

{{/* The workloads that call through Envoy's mesh listener, as a JSON list. Takes root. */}}
{{- define "papermesh.meshCallers" -}}
{{- $callers := list "dispatch" -}}
{{- range $name, $service := include "papermesh.services" . | fromJson -}}
{{- $callers = concat $callers (include "papermesh.callers" (list $ $name) | fromJsonArray) -}}
{{- end -}}
{{- $callers | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/* Bytes of a Kubernetes quantity of memory, 512Mi, 2G or plain. */}}
{{- define "papermesh.bytes" -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9]+" $text | int64 -}}
{{- $unit := regexReplaceAll "^[0-9.]+" $text "" -}}
{{- $factors := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- mul $number (get $factors $unit) -}}
{{- end -}}
