{{/*
Claims, and how Redis's CA is mounted.
*/}}

{{/* The name of a claim: yours, or the chart's. Takes (list root "what" claim). */}}
{{- define "papermesh.claim" -}}
{{- default (include "papermesh.name" (list (index . 0) (index . 1))) (index . 2).existing -}}
{{- end -}}

{{/* A claim that stays when the release is uninstalled. Takes (list root "part" "what" claim). */}}
{{- define "papermesh.claimObject" -}}
{{- $claim := index . 3 -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "papermesh.metadata" (dict "root" (index . 0) "part" (index . 1) "name" (index . 2) "annotations" (dict "helm.sh/resource-policy" "keep")) | nindent 2 }}
spec:
  accessModes:
    {{- toYaml $claim.accessModes | nindent 4 }}
  {{- with $claim.storageClass }}
  storageClassName: {{ . | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ $claim.size }}
{{- end -}}

{{/* Whether an external Redis shows a certificate of a CA of its own. Takes root. */}}
{{- define "papermesh.redisCa" -}}
{{- if and (not .Values.redis.included) .Values.redis.external.tls.enabled -}}
{{- .Values.redis.external.tls.caSecret -}}
{{- end -}}
{{- end -}}

{{- define "papermesh.redisCaMount" -}}
{{- if include "papermesh.redisCa" . -}}
- {name: redis-ca, mountPath: /etc/papermesh/redis-ca, readOnly: true}
{{- end -}}
{{- end -}}

{{- define "papermesh.redisCaVolume" -}}
{{- with include "papermesh.redisCa" . -}}
- {{ include "papermesh.secretVolume" (list "redis-ca" .) | nindent 2 | trim }}
{{- end -}}
{{- end -}}
