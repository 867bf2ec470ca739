{{- /* The pod of every role. */ -}}

{{- define "kakehashi.args" -}}
{{- if eq .Values.role "streams" -}}
- streams
- --nation={{ .Values.nation }}
- --instance=$(POD_NAME)
{{- else if eq .Values.role "bridge" -}}
- bridge
- --from={{ .Values.nation }}
- --to={{ required "bridge.to: the nation that the bridge writes to" .Values.bridge.to }}
- --ordinal=$(POD_INDEX)
- --of={{ .Values.replicas }}
{{- else if eq .Values.role "output" -}}
- output
- run
- --nation={{ .Values.nation }}
{{- range required "output.to: the targets" .Values.output.to }}
- {{ printf "--to=%s" . | quote }}
{{- end }}
{{- include "kakehashi.options" .Values.output.options }}
{{- else if eq .Values.role "taxii" -}}
- taxii
- serve
- --nation={{ .Values.nation }}
- --address=0.0.0.0
- --port={{ .Values.taxii.port }}
- --clients={{ required "taxii.clients: the clients file" .Values.taxii.clients }}
- --certificate={{ required "taxii.certificate: without TLS only the pod itself would be served" .Values.taxii.certificate }}
- --key={{ required "taxii.key: the certificate's key" .Values.taxii.key }}
{{- with .Values.taxii.clientCa }}
- --client-ca={{ . }}
{{- end }}
{{- else if eq .Values.role "sightings" -}}
- sighting
- follow
- --nation={{ .Values.nation }}
- --partner={{ required "sightings.partner: whose indicators" .Values.sightings.partner }}
- --format={{ .Values.sightings.format }}
{{- with .Values.sightings.tlp }}
- {{ printf "--tlp=%s" . | quote }}
{{- end }}
{{- with .Values.sightings.sensor }}
- {{ printf "--sensor=%s" . | quote }}
{{- end }}
{{- range required "sightings.files: the logs to follow, below sightings.source" .Values.sightings.files }}
- {{ printf "/source/%s" . | quote }}
{{- end }}
{{- else if eq .Values.role "score" -}}
- sensor
- score
- --nation={{ .Values.nation }}
- --every={{ .Values.score.every }}
- --half-life={{ .Values.score.halfLife }}
{{- else if eq .Values.role "canary" -}}
- sensor
- canary
- --nation={{ .Values.nation }}
- --partner={{ required "canary.partner: whose receipt is awaited" .Values.canary.partner }}
- {{ printf "--sensor=%s" .Values.canary.sensor | quote }}
- --timeout={{ .Values.canary.timeoutS }}
- --json
{{- else -}}
- produce
- --nation={{ .Values.nation }}
- --sensor={{ required "produce.sensor: the sensor's name, lasting and unique in the nation" .Values.produce.sensor }}
- --format={{ .Values.produce.format }}
{{- include "kakehashi.options" .Values.produce.options }}
{{- range required "produce.files: the files to read, below produce.source" .Values.produce.files }}
- {{ printf "/source/%s" . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Options of a command by name: a flag, one value, or several. */ -}}
{{- define "kakehashi.options" -}}
{{- range $name, $value := . }}
{{- if kindIs "bool" $value }}
{{- if $value }}
- --{{ $name }}
{{- end }}
{{- else if kindIs "slice" $value }}
{{- range $value }}
- {{ printf "--%s=%s" $name . | quote }}
{{- end }}
{{- else }}
- {{ printf "--%s=%s" $name (include "kakehashi.plain" $value) | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "kakehashi.podLabels" -}}
{{ include "kakehashi.labels" . }}
{{- with .Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "kakehashi.podAnnotations" -}}
checksum/settings: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "kakehashi.probe" -}}
httpGet:
  path: {{ .path }}
  port: metrics
periodSeconds: {{ .probe.periodSeconds }}
timeoutSeconds: {{ .probe.timeoutSeconds }}
failureThreshold: {{ .probe.failureThreshold }}
{{- end -}}

{{- define "kakehashi.podSpec" -}}
serviceAccountName: {{ include "kakehashi.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if has .Values.role (list "streams" "bridge") }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "kakehashi.selector" . | nindent 8 }}
{{- end }}
containers:
  - name: kakehashi
    image: {{ include "kakehashi.image" . | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    args:
      {{- include "kakehashi.args" . | nindent 6 }}
    workingDir: /var/lib/kakehashi # the only writable folder besides /tmp
    envFrom:
      - configMapRef:
          name: {{ include "kakehashi.name" . }}
    env:
      {{- include "kakehashi.env" . | nindent 6 }}
    ports:
      - name: metrics
        containerPort: {{ .Values.settings.metricsPort }}
        protocol: TCP
      {{- if eq .Values.role "taxii" }}
      - name: taxii
        containerPort: {{ .Values.taxii.port }}
        protocol: TCP
      {{- end }}
    {{- if not (include "kakehashi.isRun" .) }}
    startupProbe:
      {{- include "kakehashi.probe" (dict "path" "/live" "probe" .Values.probes.startup) | nindent 6 }}
    livenessProbe:
      {{- include "kakehashi.probe" (dict "path" "/live" "probe" .Values.probes.liveness) | nindent 6 }}
    readinessProbe:
      {{- include "kakehashi.probe" (dict "path" "/ready" "probe" .Values.probes.readiness) | nindent 6 }}
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      privileged: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    resources:
      {{- toYaml .Values.resources | nindent 6 }}
    volumeMounts:
      - name: data
        mountPath: /var/lib/kakehashi
      - name: tmp
        mountPath: /tmp
      {{- if has .Values.role (list "produce" "sightings") }}
      - name: source
        mountPath: /source
        readOnly: true
      {{- end }}
      {{- if include "kakehashi.targets" . }}
      - name: targets
        mountPath: /targets
      {{- end }}
      {{- range $name, $secret := .Values.secretFiles }}
      - name: secret-{{ $name | kebabcase }}
        mountPath: /etc/kakehashi/{{ $name }}
        readOnly: true
      {{- end }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 256Mi
  {{- if not (include "kakehashi.keeps" .) }}
  - name: data
    emptyDir:
      sizeLimit: {{ .Values.persistence.size }}
  {{- else if include "kakehashi.isRun" . }}
  - name: data
    persistentVolumeClaim:
      claimName: {{ include "kakehashi.name" . }}
  {{- end }}
  {{- if eq .Values.role "produce" }}
  - name: source
    {{- toYaml (required "produce.source: a volume with the sensor's output" .Values.produce.source) | nindent 4 }}
  {{- else if eq .Values.role "sightings" }}
  - name: source
    {{- toYaml (required "sightings.source: a volume with the tool's logs" .Values.sightings.source) | nindent 4 }}
  {{- end }}
  {{- if include "kakehashi.targets" . }}
  - name: targets
    {{- toYaml .Values.output.targets | nindent 4 }}
  {{- end }}
  {{- range $name, $secret := .Values.secretFiles }}
  - name: secret-{{ $name | kebabcase }}
    secret:
      secretName: {{ $secret.secretName }}
      defaultMode: 0440
  {{- end }}
{{- end -}}

{{- /* What is not plain text: secrets by reference, and who this worker is. */ -}}
{{- define "kakehashi.env" -}}
- name: HOME
  value: /tmp
{{- range $nation, $cluster := .Values.clusters }}
{{- range $key, $secret := $cluster.kafkaSecrets }}
- name: KAKEHASHI_{{ $nation }}_KAFKA_{{ $key | replace "." "_" | upper }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret.secretName }}
      key: {{ $secret.key }}
{{- end }}
{{- end }}
{{- if eq .Values.role "streams" }}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}
{{- if eq .Values.role "bridge" }}
- name: POD_INDEX
  valueFrom:
    fieldRef:
      fieldPath: metadata.labels['apps.kubernetes.io/pod-index']
{{- end }}
{{- end -}}
