{{- define "switchboard.name" -}}
{{- printf "%s-switchboard" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "switchboard.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{- define "switchboard.selector" -}}
app.kubernetes.io/name: switchboard
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "switchboard.labels" -}}
{{ include "switchboard.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "switchboard.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "switchboard.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "switchboard.env" -}}
- name: SWITCHBOARD_CONFIG
  value: /etc/switchboard/switchboard.toml
- name: SWITCHBOARD_METRICS__HOST
  value: 0.0.0.0
- name: SWITCHBOARD_METRICS__PORT
  value: "9464"
{{- if .Values.http.enabled }}
- name: SWITCHBOARD_HTTP__HOST
  value: 0.0.0.0
- name: SWITCHBOARD_HTTP__PORT
  value: "3000"
{{- end }}
{{- if .Values.workers.enabled }}
- name: SWITCHBOARD_JOBS__WORKERS
  value: "true"
{{- end }}
{{- if .Values.chroma.enabled }}
- name: SWITCHBOARD_KNOWLEDGE__CHROMA
  value: http://{{ include "switchboard.name" . }}-chroma:8000
{{- else if .Values.chroma.address }}
- name: SWITCHBOARD_KNOWLEDGE__CHROMA
  value: {{ .Values.chroma.address | quote }}
{{- end }}
{{- if .Values.otlpEndpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .Values.otlpEndpoint | quote }}
{{- end }}
{{- range $name, $key := .Values.secretKeys }}
- name: {{ $name }}_FILE
  value: /run/secrets/switchboard/{{ $key }}
{{- end }}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "switchboard.mounts" -}}
- name: settings
  mountPath: /etc/switchboard
  readOnly: true
- name: secrets
  mountPath: /run/secrets/switchboard
  readOnly: true
- name: data
  mountPath: /data
- name: tmp
  mountPath: /tmp
{{- end -}}

{{- define "switchboard.secretVolume" -}}
- name: secrets
  secret:
    secretName: {{ required "existingSecret names the Secret with Slack's tokens and the database's address" .Values.existingSecret }}
    defaultMode: 0440
    items:
    {{- range $name, $key := .Values.secretKeys }}
    - key: {{ $key }}
      path: {{ $key }}
    {{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 256Mi
{{- end -}}

{{- define "switchboard.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
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
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
