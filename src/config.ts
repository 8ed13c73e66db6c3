import type { LogLevel } from './log.ts';
import { CERTIFICATE_SETTINGS, type CertificateSettings } from './settings/certificate-settings.ts';
import { CREDENTIAL_SETTINGS, type CredentialSettings } from './settings/credential-settings.ts';
import { PIN_SETTINGS, type PinSettings } from './settings/pin-settings.ts';
import { REGISTRY_SETTINGS, type RegistrySettings } from './settings/registry-settings.ts';
import type { SettingSources, Settings } from './settings/setting.ts';
import {
  SHARED_CACHE_SETTINGS,
  type SharedCacheSettings,
} from './settings/shared-cache-settings.ts';
import {
  choiceOf,
  type ListenAddress,
  parseBoolean,
  parseCountIn,
  parseDurationMs,
  parseList,
  parseListenAddress,
  parseLoopbackAddress,
  parseText,
} from './settings/values.ts';

/** The settings of `tagpin serve`. */
export interface ServeSettings
  extends CertificateSettings,
    RegistrySettings,
    CredentialSettings,
    SharedCacheSettings,
    PinSettings {
  readonly listen: ListenAddress;
  readonly operationsListen: ListenAddress;
  /** Undefined: nowhere. */
  readonly debugListen: ListenAddress | undefined;
  readonly kubeconfig: string | undefined;
  readonly cluster: boolean;
  readonly cacheTtl: number;
  readonly staleIfError: number;
  readonly cacheEntries: number;
  readonly installationKeyFile: string | undefined;
  readonly snapshot: string | undefined;
  /** Milliseconds; 0: when the process ends, and not before. */
  readonly snapshotEvery: number;
  readonly exemptImages: readonly string[];
  /** Milliseconds; 0: never. */
  readonly auditEvery: number;
  readonly events: boolean;
  readonly explainInDryRun: boolean;
  readonly drainTime: number;
  readonly logLevel: LogLevel;
}

export const SERVE_SETTINGS: Settings<ServeSettings> = {
  listen: {
    flag: '--listen HOST:PORT',
    fallback: '0.0.0.0:8443',
    text: 'Where the API server calls the webhook, over TLS.',
    parse: parseListenAddress,
  },
  operationsListen: {
    flag: '--operations-listen HOST:PORT',
    fallback: '0.0.0.0:9090',
    text: 'Where /metrics, /healthz and /readyz are, over plain http.',
    parse: parseListenAddress,
  },
  debugListen: {
    flag: '--debug-listen HOST:PORT',
    fallback: '127.0.0.1:6060',
    text: 'Where /debug is, over plain http: a loopback address, for kubectl port-forward; "off": nowhere.',
    parse: parseLoopbackAddress,
  },
  ...CERTIFICATE_SETTINGS,
  kubeconfig: {
    flag: '--kubeconfig FILE',
    fallback: undefined,
    text: "How to reach the API server; without it the Pod's own ServiceAccount is used.",
    parse: parseText,
  },
  cluster: {
    flag: '--no-cluster',
    fallback: 'true',
    text: 'Read no Secret and no ServiceAccount: every registry is asked without credentials.',
    parse: parseBoolean,
  },
  ...REGISTRY_SETTINGS,
  ...CREDENTIAL_SETTINGS,
  cacheTtl: {
    flag: '--cache-ttl DURATION',
    fallback: '60s',
    text: 'How long a digest is fresh.',
    parse: parseDurationMs,
  },
  staleIfError: {
    flag: '--stale-if-error DURATION',
    fallback: '1h',
    text: 'How old the last known digest may be that answers for a registry that does not.',
    parse: parseDurationMs,
  },
  cacheEntries: {
    flag: '--cache-entries COUNT',
    fallback: '30000',
    text: 'How many digests are kept at most, from 1000 to 1000000: about 0.4 KB of memory each, and 1 KB with the longest names.',
    parse: parseCountIn(1000, 1_000_000),
  },
  installationKeyFile: {
    flag: '--installation-key-file FILE',
    fallback: undefined,
    text: 'A secret of this installation, 32 to 4096 random bytes, the same for all replicas: under it is kept what outlives a process, or leaves it.',
    parse: parseText,
  },
  snapshot: {
    flag: '--snapshot FILE',
    fallback: undefined,
    text: 'Where the last known digests outlive a restart, for --stale-if-error alone; sealed under the key of --installation-key-file.',
    parse: parseText,
  },
  snapshotEvery: {
    flag: '--snapshot-every DURATION',
    fallback: '60s',
    text: 'How often the snapshot is written, where a digest was looked up since; 0s: when tagpin stops, and not before.',
    parse: parseDurationMs,
  },
  ...SHARED_CACHE_SETTINGS,
  ...PIN_SETTINGS,
  exemptImages: {
    flag: '--exempt-images PATTERNS',
    fallback: '',
    text: 'Images that /validate/digests lets by without a digest, as exemptImages of K8sImageDigests: as they are written, or what they begin with and a * at the end.',
    parse: parseList,
  },
  auditEvery: {
    flag: '--audit-every DURATION',
    fallback: '0s',
    text: 'How often all workloads are held against what registries have, for the metric tagpin_audit_images; 0s: never. tagpin has to list workloads and nodes for that (component audit).',
    parse: parseDurationMs,
  },
  events: {
    flag: '--events',
    fallback: 'false',
    text: 'Write an Event, ImageNotPinned, where an image keeps its tag or is refused. tagpin has to create Events for that (component events).',
    parse: parseBoolean,
  },
  explainInDryRun: {
    flag: '--explain-in-dry-run',
    fallback: 'false',
    text: 'Explain images to whoever asks by tagpin explain --via-webhook and may get explanations.tagpin.dev. tagpin has to create SubjectAccessReviews for that (component explain).',
    parse: parseBoolean,
  },
  drainTime: {
    flag: '--drain-time DURATION',
    fallback: '10s',
    text: 'How long calls are still served after SIGTERM, while the endpoint disappears from the Service.',
    parse: parseDurationMs,
  },
  logLevel: {
    flag: '--log-level LEVEL',
    fallback: 'info',
    text: 'The least severe lines to write: "info", "warn", "error" or "silent".',
    parse: choiceOf<LogLevel>('info', 'warn', 'error', 'silent'),
  },
};

/** The environment of the process: the only place that reads it. */
export function processEnvironment(): SettingSources['environment'] {
  // oxlint-disable-next-line node/no-process-env -- here and nowhere else
  return process.env;
}
