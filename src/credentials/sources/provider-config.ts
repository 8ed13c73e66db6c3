import { parseDocument } from 'yaml';

import { PinError } from '../../errors.ts';
import { isJsonObject, type JsonObject, listOf, textOf } from '../../json.ts';
import { type Target, toTarget } from '../location-match.ts';
import { parseGoDurationMs } from './go-duration.ts';

/** One exec plugin, as a kubelet is told of it. */
export interface ProviderConfig {
  /** Of the program, in the directory of plugins. */
  readonly name: string;
  /** The version of its protocol, which its answers must have, too. */
  readonly apiVersion: string;
  readonly matchImages: readonly Target[];
  /** How long an answer is good that does not say so itself. */
  readonly defaultCacheMs: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const CONFIG_VERSIONS: ReadonlySet<unknown> = new Set([
  'kubelet.config.k8s.io/v1',
  'kubelet.config.k8s.io/v1beta1',
  'kubelet.config.k8s.io/v1alpha1',
]);
const PROTOCOL_VERSIONS: ReadonlySet<string> = new Set([
  'credentialprovider.kubelet.k8s.io/v1',
  'credentialprovider.kubelet.k8s.io/v1beta1',
  'credentialprovider.kubelet.k8s.io/v1alpha1',
]);
const CONFIG_FIELDS = new Set(['apiVersion', 'kind', 'providers']);
const PROVIDER_FIELDS = new Set([
  'name',
  'matchImages',
  'defaultCacheDuration',
  'apiVersion',
  'args',
  'env',
  'tokenAttributes',
]);

/**
 * Reads a CredentialProviderConfig, YAML or JSON, with kubelet's rules (kubernetes/kubernetes
 * pkg/credentialprovider/plugin/config.go). A provider that wants a ServiceAccount's token is
 * refused: there is none before there is a Pod.
 *
 * @param origin what is read, for messages: `"/etc/kubernetes/providers.yaml"`
 * @throws PinError `invalid_config`, without any value of the content but names
 */
export function parseProviderConfig(text: string, origin: string): ProviderConfig[] {
  const config = parseYaml(text, origin);
  if (config['kind'] !== 'CredentialProviderConfig' || !CONFIG_VERSIONS.has(config['apiVersion'])) {
    throw invalid(origin, 'it is no CredentialProviderConfig of kubelet.config.k8s.io');
  }
  refuseUnknown(config, CONFIG_FIELDS, origin);
  return listOf(config, 'providers').map((provider) => {
    if (!isJsonObject(provider)) throw invalid(origin, 'a provider is no object');
    return toProvider(provider, origin);
  });
}

function parseYaml(text: string, origin: string): JsonObject {
  // Of a problem no more than its place is told: the parser's text quotes the file.
  const document = parseDocument(text, { prettyErrors: true, logLevel: 'silent' });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw invalid(origin, `it is not YAML (line ${problem.linePos?.[0].line ?? 1})`);
  }
  const value: unknown = document.toJS();
  if (!isJsonObject(value)) throw invalid(origin, 'it holds no object');
  return value;
}

function toProvider(provider: JsonObject, origin: string): ProviderConfig {
  const name = textOf(provider, 'name') ?? '';
  const whose = `${origin}: provider ${JSON.stringify(name)}`;
  if (name === '' || name === '.' || name === '..' || /[/ \0]/.test(name)) {
    throw invalid(whose, 'it has no name that a program can have');
  }
  refuseUnknown(provider, PROVIDER_FIELDS, whose);
  refuseTokens(provider, whose);
  const apiVersion = textOf(provider, 'apiVersion') ?? '';
  if (!PROTOCOL_VERSIONS.has(apiVersion)) {
    throw invalid(whose, 'its apiVersion is none of credentialprovider.kubelet.k8s.io');
  }
  return {
    name,
    apiVersion,
    matchImages: matchImagesOf(provider, whose),
    defaultCacheMs: defaultCacheOf(provider, whose),
    args: textsOf(provider, 'args', whose),
    env: environmentOf(provider, whose),
  };
}

function matchImagesOf(provider: JsonObject, whose: string): readonly Target[] {
  const globs = textsOf(provider, 'matchImages', whose);
  if (globs.length === 0) throw invalid(whose, 'it has no matchImages');
  return globs.map((glob) => {
    const target = toTarget(glob);
    if (target !== undefined) return target;
    throw invalid(whose, `${JSON.stringify(glob)} of its matchImages is no location`);
  });
}

function defaultCacheOf(provider: JsonObject, whose: string): number {
  const durationMs = parseGoDurationMs(textOf(provider, 'defaultCacheDuration') ?? '');
  if (durationMs !== undefined && durationMs >= 0) return durationMs;
  throw invalid(whose, 'it has no defaultCacheDuration such as 12h or 0s');
}

function environmentOf(provider: JsonObject, whose: string): Readonly<Record<string, string>> {
  const pairs = fieldList(provider, 'env', whose).map((entry) => {
    const [name, value = ''] = isJsonObject(entry)
      ? [textOf(entry, 'name'), textOf(entry, 'value')]
      : [];
    if (name !== undefined && name !== '' && !/[=\0]/.test(name) && !value.includes('\0')) {
      return [name, value] as const;
    }
    throw invalid(whose, 'an entry of its env is not of the form {name, value}');
  });
  return Object.fromEntries(pairs);
}

/** Without `requireServiceAccount` a kubelet, too, runs the plugin where it has no token. */
function refuseTokens(provider: JsonObject, whose: string): void {
  const attributes = provider['tokenAttributes'] ?? undefined;
  if (attributes === undefined) return;
  if (isJsonObject(attributes) && attributes['requireServiceAccount'] === false) return;
  throw invalid(
    whose,
    "it requires a Pod's ServiceAccount token (tokenAttributes), which tagpin does not have",
  );
}

function textsOf(provider: JsonObject, field: string, whose: string): readonly string[] {
  return fieldList(provider, field, whose).map((text) => {
    if (typeof text === 'string' && !text.includes('\0')) return text;
    throw invalid(whose, `its ${field} are no list of texts`);
  });
}

function fieldList(provider: JsonObject, field: string, whose: string): readonly unknown[] {
  const value = provider[field] ?? [];
  if (Array.isArray(value)) return value;
  throw invalid(whose, `its ${field} are no list`);
}

function refuseUnknown(value: JsonObject, known: ReadonlySet<string>, whose: string): void {
  const unknown = Object.keys(value).find((field) => !known.has(field));
  if (unknown === undefined) return;
  throw invalid(whose, `it has an unknown field ${JSON.stringify(unknown)}`);
}

function invalid(whose: string, reason: string): PinError {
  return new PinError('invalid_config', `Cannot use ${whose}: ${reason}`);
}
