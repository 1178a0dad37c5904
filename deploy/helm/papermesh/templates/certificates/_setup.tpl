{{/*
What the setup Job makes: the Secrets that nobody brought.
*/}}

{{/* The kinds of keys that it makes, as a JSON list, as deploy/kubernetes/keys.py calls them. Takes root. */}}
{{- define "papermesh.setupKinds" -}}
{{- $own := .Values.existingSecrets -}}
{{- $kinds := list -}}
{{- if not $own.clients -}}{{- $kinds = append $kinds "clients" -}}{{- end -}}
{{- if not $own.auditKey -}}{{- $kinds = append $kinds "audit" -}}{{- end -}}
{{- if not $own.ticketKey -}}{{- $kinds = append $kinds "tickets" -}}{{- end -}}
{{- if and (eq .Values.adapter.auth.mode "apiKeys") (not $own.apiKeys) -}}{{- $kinds = append $kinds "api-keys" -}}{{- end -}}
{{- if and .Values.redis.included (not $own.redisState) -}}{{- $kinds = append $kinds "redis-state" -}}{{- end -}}
{{- if and .Values.redis.included (not $own.redisCache) -}}{{- $kinds = append $kinds "redis-cache" -}}{{- end -}}
{{- $kinds | toJson -}}
{{- end -}}

{{/* The workloads whose certificates it makes, as a JSON list. Takes root. */}}
{{- define "papermesh.setupWorkloads" -}}
{{- if eq .Values.certificates.mode "selfSigned" -}}
{{- include "papermesh.workloads" . -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{/* The names of all Secrets that it may read and change, as a JSON list. Takes root. */}}
{{- define "papermesh.setupSecrets" -}}
{{- $names := list -}}
{{- $made := dict "clients" (list "clients" "adapter-key" "operator-key") "audit" (list "audit-key") "tickets" (list "ticket-key") "api-keys" (list "api-key" "api-keys") -}}
{{- range $kind := include "papermesh.setupKinds" . | fromJsonArray -}}
{{- range $suffix := get $made $kind | default (list $kind) -}}
{{- $names = append $names (include "papermesh.name" (list $ $suffix)) -}}
{{- end -}}
{{- end -}}
{{- $workloads := include "papermesh.setupWorkloads" . | fromJsonArray -}}
{{- range $workload := $workloads -}}
{{- $names = append $names (include "papermesh.name" (list $ (printf "tls-%s" $workload))) -}}
{{- end -}}
{{- if $workloads -}}
{{- $names = append $names (include "papermesh.name" (list . "ca")) -}}
{{- $names = append $names (get (include "papermesh.trustBundle" . | fromJson) "secret") -}}
{{- range $client := .Values.certificates.clients -}}
{{- $names = append $names (include "papermesh.name" (list $ (printf "tls-client-%s" $client))) -}}
{{- end -}}
{{- end -}}
{{- $names | sortAlpha | toJson -}}
{{- end -}}

{{/* Annotations of a hook that is gone when the Job has ended. Takes its weight. */}}
{{- define "papermesh.setupHook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/* Where a certificate is shown, workload:port, as a JSON list: a rotation of the CA waits for those. Takes root. */}}
{{- define "papermesh.setupListeners" -}}
{{- $listeners := list "envoy:8443" "envoy:8444" "dispatch:9101" -}}
{{- range $name, $service := include "papermesh.services" . | fromJson -}}
{{- if $service.port -}}{{- $listeners = append $listeners (printf "%s:%d" $name (int $service.port)) -}}{{- end -}}
{{- end -}}
{{- $listeners | toJson -}}
{{- end -}}

{{/* What both commands of the Job are told. Takes root. */}}
{{- define "papermesh.setupEnvironment" -}}
- PAPERMESH_NAMESPACE: {{ .Release.Namespace | quote }}
- PAPERMESH_RELEASE: {{ .Release.Name | quote }}
{{- $labels := list -}}
{{- range $name, $value := merge (dict "app.kubernetes.io/part-of" "papermesh") (include "papermesh.everySelector" . | fromYaml) .Values.commonLabels -}}
{{- $labels = append $labels (printf "%s=%s" $name $value) -}}
{{- end }}
- PAPERMESH_LABELS: {{ join "," $labels | quote }}
{{- end -}}

{{/* What the command that makes certificates is told. Takes root. */}}
{{- define "papermesh.certificatesEnvironment" -}}
{{ include "papermesh.setupEnvironment" . }}
- PAPERMESH_WORKLOADS: {{ include "papermesh.setupWorkloads" . | fromJsonArray | join "," | quote }}
- PAPERMESH_CLIENTS: {{ join "," .Values.certificates.clients | quote }}
- PAPERMESH_ENVOY_NAMES: {{ include "papermesh.envoyNames" . | fromJsonArray | join "," | quote }}
- PAPERMESH_LISTENERS: {{ include "papermesh.setupListeners" . | fromJsonArray | join "," | quote }}
- PAPERMESH_ROTATE_LEAVES: {{ .Values.certificates.rotate.leaves | quote }}
- PAPERMESH_ROTATE_CA: {{ .Values.certificates.rotate.ca | quote }}
- PAPERMESH_WORK_DIR: /work/certificates
{{- end -}}

{{/* What the command that makes keys is told. Takes root. */}}
{{- define "papermesh.keysEnvironment" -}}
{{ include "papermesh.setupEnvironment" . }}
- PAPERMESH_KEYS: {{ include "papermesh.setupKinds" . | fromJsonArray | join "," | quote }}
{{- end -}}
