{{/*
Both roles of Redis are run alike; what differs is what they keep.
*/}}

{{/* The configuration of a role. Takes (list root "state"). */}}
{{- define "papermesh.redisConfiguration" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
port 6379
dir /data
maxmemory {{ (get $root.Values.redis $role).maxMemory }}
save ""
{{- if eq $role "state" }}
# Nothing is ever evicted, and what was written a second ago survives a crash.
maxmemory-policy noeviction
appendonly yes
appendfsync everysec
{{- else }}
# What was not used for longest makes room, and nothing is written to disk.
maxmemory-policy allkeys-lru
appendonly no
{{- end }}
{{- end -}}

{{/*
Starts Redis, and tells it its password on its input, so that no file and no process list has it. Without one it does not
start, since whoever reached it could use it; nor with one that the line cannot hold, which it would show in its log.
Takes (list root "state").
*/}}
{{- define "papermesh.redisStart" -}}
case $REDISCLI_AUTH in
  "" | *[!A-Za-z0-9._~\!\$\&\(\)*+,\;=:-]*)
    echo 'The Secret {{ include "papermesh.redisSecret" . }} must have a password, of letters, digits and -._~!$&()*+,;=: alone, without a line feed.' >&2
    exit 1
    ;;
esac
exec redis-server /etc/redis/configuration/redis.conf - <<END
requirepass $REDISCLI_AUTH
END
{{- end -}}

{{/* The pod's metadata and spec, but for the claim. Takes (list root "state"). */}}
{{- define "papermesh.redisPod" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- $part := printf "redis-%s" $role -}}
{{- $values := get $root.Values.redis $role -}}
{{- $annotations := dict "papermesh.io/configuration" (include "papermesh.redisConfiguration" . | sha256sum) -}}
metadata:
  {{- include "papermesh.podMetadata" (dict "root" $root "part" $part "values" $values "annotations" $annotations) | nindent 2 }}
spec:
  {{- include "papermesh.podFields" (dict "root" $root "part" $part "values" $values "user" 999 "grace" "30") | nindent 2 }}
  containers:
    - name: redis
      {{- include "papermesh.container" (list $root $root.Values.redis.image $values.resources) | nindent 6 }}
      command:
        - sh
        - -euc
        - |
          {{- include "papermesh.redisStart" . | nindent 10 }}
      env:
        - name: REDISCLI_AUTH # the name under which redis-cli knows it too, for the probes
          valueFrom:
            secretKeyRef: {name: {{ include "papermesh.redisSecret" . | quote }}, key: password}
      ports:
        - name: redis
          containerPort: 6379
      startupProbe:
        exec:
          command: [sh, -c, "redis-cli ping | grep -q PONG"]
        periodSeconds: 1
        timeoutSeconds: 5
        failureThreshold: 300
      readinessProbe:
        exec:
          command: [sh, -c, "redis-cli ping | grep -q PONG"]
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      livenessProbe:
        exec: # any answer will do
          command: [redis-cli, ping]
        periodSeconds: 15
        timeoutSeconds: 10
        failureThreshold: 4
      volumeMounts:
        - {name: configuration, mountPath: /etc/redis/configuration, readOnly: true}
        - {name: data, mountPath: /data}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: configuration
      configMap:
        name: {{ include "papermesh.name" (list $root $part) }}
    - {{ include "papermesh.scratchVolume" (list "tmp" "16Mi") | nindent 6 | trim }}
{{- end -}}
