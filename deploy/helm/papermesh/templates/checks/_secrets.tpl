{{/*
Certificates and Secrets that are named where they must be.
*/}}

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
{{- range $workload := keys $certificates.existing | sortAlpha -}}
{{- if not (has $workload (include "papermesh.workloads" $root | fromJsonArray)) -}}
{{- fail (printf "certificates.existing.%s is the Secret of no workload: %s have one." $workload (include "papermesh.workloads" $root | fromJsonArray | join ", ")) -}}
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
{{- fail "certificates.trustBundle is for certificates of your own; with certificates.mode selfSigned the setup Job keeps one." -}}
{{- end -}}
{{- end -}}
