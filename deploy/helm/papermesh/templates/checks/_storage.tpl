{{/*
A bucket that is named, and no claim that one node alone can mount for pods that may be anywhere.
*/}}

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
