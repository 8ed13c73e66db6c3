{{- /* What every object carries. */ -}}
{{- define "tagpin.labels" -}}
app.kubernetes.io/name: tagpin
app.kubernetes.io/part-of: tagpin
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "tagpin.image" -}}
{{- with .Values.image -}}
{{- .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- /* Both sides of a binding of the ServiceAccount. Takes the root, the kind and the name of the role. */ -}}
{{- define "tagpin.binds" -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: tagpin
    namespace: {{ .root.Release.Namespace }}
{{- end -}}

{{- /* The namespaces that are never selected, whatever their labels. */ -}}
{{- define "tagpin.system-namespaces" -}}
[kube-system, kube-node-lease, {{ .Release.Namespace }}]
{{- end -}}

{{- /* Milliseconds of a duration as the server reads it, such as 1h30m; 0 of an empty one. */ -}}
{{- define "tagpin.milliseconds" -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+(ms|s|m|h)" . -1 -}}
{{- $unit := index (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000) (regexFind "[a-z]+$" .) -}}
{{- $sum = add $sum (mul (regexFind "^[0-9]+" . | atoi) $unit) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{- /* The host of webhook.url, without its port and the brackets of an IPv6 address. */ -}}
{{- define "tagpin.url-host" -}}
{{- (urlParse .Values.webhook.url).hostname -}}
{{- end -}}

{{- /* The flags of `tagpin serve`, one a line. */ -}}
{{- define "tagpin.args" -}}
{{- $certificates := .Values.certificates -}}
- serve
- --listen=0.0.0.0:{{ .Values.webhook.port }}
- --operations-listen=0.0.0.0:{{ .Values.operationsPort }}
{{- /* Loopback is the node's there, and everybody's on it. */}}
{{- if and .Values.hostNetwork (not (hasKey .Values.settings "debug-listen")) }}
- --debug-listen=off
{{- end }}
{{- if eq $certificates.source "built-in" }}
- --certificates=built-in
{{- if ne .Release.Namespace "tagpin-system" }}
- --certificate-secret={{ .Release.Namespace }}/tagpin-certificates
{{- end }}
{{- if .Values.webhook.url }}
- --certificate-names={{ include "tagpin.url-host" . }}
{{- else if ne .Release.Namespace "tagpin-system" }}
- --certificate-names=tagpin.{{ .Release.Namespace }}.svc
{{- end }}
{{- else }}
- --tls-cert=/certs/tls.crt
- --tls-key=/certs/tls.key
{{- end }}
{{- if .Values.callers.tokenSecretName }}
- --caller-token-file=/callers/tokens
{{- end }}
{{- if .Values.callers.clientAuthorityConfigMap }}
- --client-ca=/client-authority/ca.crt
{{- end }}
{{- with .Values.callers.clientNames }}
- --client-names={{ join "," . }}
{{- end }}
{{- if not .Values.siblingPins }}
- --sibling-pins=false
{{- end }}
{{- if .Values.skipInEnforce }}
- --allow-skip-in-enforce
{{- end }}
{{- with .Values.audit.every }}
- --audit-every={{ . }}
{{- end }}
{{- if .Values.events }}
- --events
{{- end }}
{{- if .Values.explainInDryRun }}
- --explain-in-dry-run
{{- end }}
{{- with .Values.extraKinds }}
{{- $kinds := list }}
{{- range . }}{{ $kinds = append $kinds (printf "%s/%s=%s" .group .kind .template) }}{{ end }}
- --extra-kind={{ join "," $kinds }}
{{- end }}
{{- with .Values.validateDigests.exemptImages }}
- {{ printf "--exempt-images=%s" (join "," .) | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- if kindIs "bool" $value }}
{{- if $value }}
- --{{ $name }}
{{- end }}
{{- else if kindIs "slice" $value }}
- {{ printf "--%s=%s" $name (join "," $value) | quote }}
{{- else if kindIs "float64" $value }}
- {{ printf "--%s=%d" $name (int64 $value) | quote }}
{{- else }}
- {{ printf "--%s=%v" $name $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /*
How the API server calls one webhook entry. Takes the root, the kind, the entry's name and what the file has; gives
what is applied. Built-in certificates write caBundle and path themselves: what a file does not say, no tool puts back.
In a URL the path cannot be left out: what tagpin has written there stays.
*/ -}}
{{- define "tagpin.client-config" -}}
{{- $values := .root.Values -}}
{{- $builtIn := eq $values.certificates.source "built-in" -}}
{{- $path := .service.path -}}
{{- with $values.callers.token }}{{ $path = printf "/caller/%s%s" . $path }}{{ end -}}
{{- if and $values.webhook.url $builtIn }}
{{- $url := $values.webhook.url }}
{{- range (lookup "admissionregistration.k8s.io/v1" .kind "" "tagpin").webhooks }}
{{- if and (eq .name $.name) (hasPrefix (printf "%s/" $url) (.clientConfig.url | default "")) }}{{ $url = .clientConfig.url }}{{ end }}
{{- end }}
url: {{ $url }}
{{- else if $values.webhook.url }}
url: {{ $values.webhook.url }}{{ $path }}
{{- else }}
service:
  namespace: {{ .root.Release.Namespace }}
  name: tagpin
  {{- if not $builtIn }}
  path: {{ $path }}
  {{- end }}
{{- end }}
{{- if eq $values.certificates.source "files" }}
caBundle: {{ required "certificates.authority is needed where certificates.source is files" $values.certificates.authority | b64enc }}
{{- end }}
{{- end -}}
