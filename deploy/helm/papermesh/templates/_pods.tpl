{{/*
What all pods have in common. Pod Security "restricted" holds for every one, and no root file system can be written to.
*/}}

{{/*
The image of a container, whose digest wins over its tag, what it gets, and what it may not do. Takes
(list root image resources).
*/}}
{{- define "papermesh.container" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $version := printf ":%s" (default $root.Chart.AppVersion $image.tag) -}}
{{- with $image.digest }}{{ $version = printf "@%s" . }}{{ end -}}
image: {{ printf "%s%s" $image.repository $version | quote }}
imagePullPolicy: {{ default $root.Values.image.pullPolicy $image.pullPolicy }}
resources:
  {{- toYaml (index . 2) | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/*
The fields of a pod's spec besides its containers and volumes. Takes a dict: root, part, values (those of the part),
user (when it is not that of our image: Redis's and Envoy's bring their own), account (when it is not one of its own),
grace (seconds, when it is not the usual one), node (whether it mounts a claim that only one node can).
*/}}
{{- define "papermesh.podFields" -}}
{{- $selector := include "papermesh.selector" (list .root .part) -}}
{{- $user := default 10001 .user -}}
serviceAccountName: {{ default (include "papermesh.name" (list .root .part)) .account }}
automountServiceAccountToken: false
# Its variables (PAPERMESH_DISPATCH_PORT for a Service "papermesh-dispatch") would be taken for our settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $user }}
  runAsGroup: {{ $user }}
  fsGroup: {{ $user }}
  # Else every start walks through all documents to change what is right already.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- /* From SIGTERM to SIGKILL: the notice, the longest call, and some for the end. */}}
terminationGracePeriodSeconds: {{ default (add .root.Values.drain.noticeSeconds .root.Values.drain.callSeconds 15) .grace }}
dnsConfig:
  # Full names are asked for as they are, not under each of the search domains first.
  options:
    - name: ndots
      value: "2"
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $field, $value := pick .values "priorityClassName" "nodeSelector" "tolerations" }}
{{- with $value }}
{{ dict $field . | toYaml }}
{{- end }}
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

{{/*
A Deployment down to its pods' containers. Takes what podFields and podMetadata do; `values` say how many there are, unless an
autoscaler does.
*/}}
{{- define "papermesh.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "papermesh.metadata" (dict "root" .root "part" .part) | nindent 2 }}
spec:
  {{- if not (dig "autoscaling" "enabled" false .values) }}
  replicas: {{ int .values.replicas }}
  {{- end }}
  # No pod goes before the one that follows it is ready.
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "papermesh.selector" (list .root .part) | nindent 6 }}
  template:
    metadata:
      {{- include "papermesh.podMetadata" . | nindent 6 }}
    spec:
      {{- include "papermesh.podFields" . | nindent 6 }}
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

{{/* Lines of their own, so many columns in; none where there is nothing. Takes (list columns text). */}}
{{- define "papermesh.lines" -}}
{{- with index . 1 | trim }}{{ nindent (index $ 0) . }}{{ end -}}
{{- end -}}

{{/* The items of a list; nothing of an empty one. Takes the list. */}}
{{- define "papermesh.items" -}}
{{- with . }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/*
How a container is seen to be ready and to live. Takes a dict of what is asked: ready, alive, started (as alive unless
given); delay (seconds before it may be ready).
*/}}
{{- define "papermesh.probes" -}}
startupProbe:
  {{- default .alive .started | toYaml | nindent 2 }}
  periodSeconds: 1
  timeoutSeconds: 5
  failureThreshold: 120
readinessProbe:
  {{- toYaml .ready | nindent 2 }}
  {{- with .delay }}
  initialDelaySeconds: {{ . }}
  {{- end }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 2
livenessProbe:
  {{- toYaml .alive | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 3
{{- end -}}

{{/* The gRPC health of a Python part, on its plaintext port. */}}
{{- define "papermesh.grpcProbes" -}}
{{- /*
The delay is until Envoy knows the pod: a name may be 5 s old in the cluster's DNS, Envoy looks every 2 s, and then asks the
pod once a second. Ready any sooner, it would let the last pod that Envoy knows be evicted.
*/ -}}
{{- $alive := dict "grpc" (dict "port" 9090 "service" "liveness") -}}
{{- include "papermesh.probes" (dict "alive" $alive "ready" (dict "grpc" (dict "port" 9090)) "delay" 10) -}}
{{- end -}}
