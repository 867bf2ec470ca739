{{- /* Names and labels, the same in every template. One release is one role of one nation. */ -}}

{{- define "kakehashi.name" -}}
{{- if contains "kakehashi" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-kakehashi" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "kakehashi.selector" -}}
app.kubernetes.io/name: kakehashi
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ .Values.role }}
{{- end -}}

{{- define "kakehashi.labels" -}}
{{ include "kakehashi.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
kakehashi/nation: {{ .Values.nation }}
{{- end -}}

{{- /*
The workers of a bridge share the shards by their ordinal and their number. With another number they are another set:
within one set, old and new workers would claim the same shards and fence each other until the roll-out is through.
*/ -}}
{{- define "kakehashi.workload" -}}
{{- include "kakehashi.name" . -}}
{{- if eq .Values.role "bridge" -}}-of-{{ .Values.replicas }}{{- end -}}
{{- end -}}

{{- define "kakehashi.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "kakehashi.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "kakehashi.name" .) -}}
{{- end -}}

{{- /* Whether the role runs at times, as one sensor with its spool, and does not stay. */ -}}
{{- define "kakehashi.isRun" -}}
{{- if has .Values.role (list "produce" "canary") -}}yes{{- end -}}
{{- end -}}

{{- /* Streams keep state, what runs as a sensor its spool, output and taxii the picture; bridge and score keep nothing. */ -}}
{{- define "kakehashi.keeps" -}}
{{- if and .Values.persistence.enabled (not (has .Values.role (list "bridge" "score"))) -}}yes{{- end -}}
{{- end -}}

{{- /* Whether the files and folders of an output have a volume. */ -}}
{{- define "kakehashi.targets" -}}
{{- if and (eq .Values.role "output") .Values.output.targets -}}yes{{- end -}}
{{- end -}}

{{- /* A number as people write it: Helm reads whole numbers of values files as floats and would write 1e+06. */ -}}
{{- define "kakehashi.plain" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{- define "kakehashi.text" -}}
{{- include "kakehashi.plain" . | quote -}}
{{- end -}}

{{- /* Checks that the schema of the values cannot express. */ -}}
{{- define "kakehashi.check" -}}
{{- if not (hasKey .Values.clusters .Values.nation) -}}
{{- fail (printf "clusters.%s: missing: Kafka of the nation of this release" .Values.nation) -}}
{{- end -}}
{{- if eq .Values.role "bridge" -}}
{{- if eq .Values.bridge.to .Values.nation -}}
{{- fail "bridge.to: must be another nation" -}}
{{- end -}}
{{- if not (hasKey .Values.clusters .Values.bridge.to) -}}
{{- fail (printf "clusters.%s: missing: Kafka of the partner that the bridge writes to" .Values.bridge.to) -}}
{{- end -}}
{{- end -}}
{{- if eq .Values.role "output" -}}
{{- range .Values.output.to -}}
{{- $place := regexReplaceAll "^[a-z]+:" . "" -}}
{{- if and (hasPrefix "/" $place) (not (hasPrefix "/targets/" $place)) -}}
{{- fail (printf "output.to: %s: a file or folder is below /targets, the volume of output.targets" .) -}}
{{- end -}}
{{- if and (hasPrefix "/targets/" $place) (not $.Values.output.targets) -}}
{{- fail (printf "output.targets: missing: the volume for %s" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $nation, $cluster := .Values.clusters -}}
{{- if not (has $nation (splitList "," $.Values.settings.nations)) -}}
{{- fail (printf "clusters.%s: not in settings.nations" $nation) -}}
{{- end -}}
{{- end -}}
{{- end -}}
