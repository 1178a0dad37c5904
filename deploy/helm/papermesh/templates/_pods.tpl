{{/*
What all pods have in common. Pod Security "restricted" holds for every one, and no root file system can be written to.
*/}}

{{/* The user of our image. Redis's and Envoy's official images bring their own. */}}
{{- define "papermesh.user" -}}10001{{- end -}}
{{- define "papermesh.envoyUser" -}}101{{- end -}}
{{- define "papermesh.redisUser" -}}999{{- end -}}

{{/* An image's reference; its digest wins over its tag. Takes (list root image). */}}
{{- define "papermesh.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default $root.Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* `image` and `imagePullPolicy` of a container. Takes (list root image). */}}
{{- define "papermesh.imageFields" -}}
image: {{ include "papermesh.image" . | quote }}
imagePullPolicy: {{ (index . 1).pullPolicy | default (index . 0).Values.image.pullPolicy }}
{{- end -}}

{{- define "papermesh.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/*
The fields of a pod's spec besides its containers and volumes. Takes a dict: root, part, values (those of the part),
user, account (when it is not one of its own), grace (seconds, when it is not the usual one), node (whether it mounts a
claim that only one node can).
*/}}
{{- define "papermesh.podFields" -}}
{{- $selector := include "papermesh.selector" (list .root .part) -}}
serviceAccountName: {{ default (include "papermesh.name" (list .root .part)) .account }}
automountServiceAccountToken: false
# Its variables (PAPERMESH_DISPATCH_PORT for a Service "papermesh-dispatch") would be taken for our settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  # Else every start walks through all documents to change what is right already.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
terminationGracePeriodSeconds: {{ default (include "papermesh.grace" .root) .grace }}
dnsConfig:
  # Full names are asked for as they are, not under each of the search domains first.
  options:
    - name: ndots
      value: "2"
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "papermesh.affinity" . | fromYaml }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if hasKey .values "topologySpreadConstraints" }}
topologySpreadConstraints:
  {{- if .values.topologySpreadConstraints }}
  {{- toYaml .values.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- end -}}

{{/*
A part's own affinity, and that to the other pods that mount a claim which only one node can. Takes what podFields does.
*/}}
{{- define "papermesh.affinity" -}}
{{- $affinity := deepCopy (default dict .values.affinity) -}}
{{- if .node -}}
{{- $sameNode := include "papermesh.sameNode" .root | fromYaml -}}
{{- $rules := "requiredDuringSchedulingIgnoredDuringExecution" -}}
{{- $pods := default dict $affinity.podAffinity -}}
{{- $_ := set $pods $rules (append (get $pods $rules | default list) $sameNode) -}}
{{- $_ := set $affinity "podAffinity" $pods -}}
{{- end -}}
{{- toYaml $affinity -}}
{{- end -}}

{{- define "papermesh.sameNode" -}}
topologyKey: kubernetes.io/hostname
labelSelector:
  matchLabels:
    {{- include "papermesh.everySelector" . | nindent 4 }}
    papermesh.io/claim: shared
{{- end -}}

{{/*
The metadata of a pod, without the version: what has not changed is not started anew when the chart's version has.
Takes a dict: root, part, values, annotations (checksums of what does not change hot), node.
*/}}
{{- define "papermesh.podMetadata" -}}
labels:
  {{- include "papermesh.selector" (list .root .part) | nindent 2 }}
  app.kubernetes.io/part-of: papermesh
  {{- if .node }}
  papermesh.io/claim: shared
  {{- end }}
  {{- with merge (dict) (default dict .values.podLabels) .root.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (default dict .annotations) (default dict .values.podAnnotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Seconds from SIGTERM to SIGKILL: the notice, the longest call, and some for the end. Takes root. */}}
{{- define "papermesh.grace" -}}
{{- add .Values.drain.noticeSeconds .Values.drain.callSeconds 15 -}}
{{- end -}}

{{/* How a Deployment changes over: no pod goes before the one that follows it is ready. */}}
{{- define "papermesh.rollout" -}}
type: RollingUpdate
rollingUpdate:
  maxSurge: 1
  maxUnavailable: 0
{{- end -}}

{{/*
The volume with a workload's certificate, and the CAs that it trusts. Mounted as a whole, so that the kubelet renews it
in place; its group alone may read it. Takes (list root "workload").
*/}}
{{- define "papermesh.tlsVolume" -}}
{{- $root := index . 0 -}}
{{- $bundle := include "papermesh.trustBundle" $root | fromJson -}}
name: tls
projected:
  defaultMode: 0440
  sources:
    - secret:
        name: {{ include "papermesh.tlsSecret" . | quote }}
        {{- if or $bundle.configMap $bundle.secret }}
        items:
          - {key: tls.crt, path: tls.crt}
          - {key: tls.key, path: tls.key}
    - {{ ternary "configMap" "secret" (not (empty $bundle.configMap)) }}:
        name: {{ default $bundle.secret $bundle.configMap | quote }}
        items:
          - {key: {{ $bundle.key | quote }}, path: ca.crt}
        {{- end }}
{{- end -}}

{{/* A Secret as a volume. Takes (list "volume" "secret"). */}}
{{- define "papermesh.secretVolume" -}}
name: {{ index . 0 }}
secret:
  secretName: {{ index . 1 | quote }}
  defaultMode: 0440
{{- end -}}

{{/* /tmp, and whatever else is written: on the node's disk, of a size, gone with the pod. Takes (list "name" "size"). */}}
{{- define "papermesh.scratchVolume" -}}
name: {{ index . 0 }}
emptyDir:
  sizeLimit: {{ index . 1 }}
{{- end -}}

{{/* The gRPC health of a Python part, on its plaintext port. */}}
{{- define "papermesh.grpcProbes" -}}
startupProbe:
  grpc:
    port: 9090
    service: liveness
  periodSeconds: 1
  timeoutSeconds: 5
  failureThreshold: 120
readinessProbe:
  grpc:
    port: 9090
  # Until Envoy knows the pod: a name may be 5 s old in the cluster's DNS, Envoy looks every 2 s, and then asks the pod once
  # a second. Ready any sooner, it would let the last pod that Envoy knows be evicted.
  initialDelaySeconds: 10
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 2
livenessProbe:
  grpc:
    port: 9090
    service: liveness
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 3
{{- end -}}
