import { join } from 'node:path';

import { PinError } from '../../errors.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../json.ts';
import type { Credential } from '../credential.ts';
import { type RegistryEntry, toEntries } from '../docker-config.ts';
import { parseGoDurationMs } from './go-duration.ts';
import type { Program, RunProgram } from './program.ts';
import type { ProviderConfig } from './provider-config.ts';

/** For what images an answer is good. */
type CacheKeyType = 'Image' | 'Registry' | 'Global';

/** What a plugin answered. */
export interface ProviderAnswer {
  readonly cacheKeyType: CacheKeyType;
  /** How long it is good; undefined where the plugin leaves that to its configuration. */
  readonly cacheMs: number | undefined;
  readonly entries: readonly RegistryEntry[];
}

export interface ProviderPluginParts {
  readonly run: RunProgram;
  readonly environment: Program['environment'];
  readonly binDir: string;
}

const CACHE_KEY_TYPES: readonly CacheKeyType[] = ['Image', 'Registry', 'Global'];

/**
 * Asks an exec plugin of kubelet's about an image, by its normalised name (kubernetes/kubernetes
 * pkg/credentialprovider/plugin/plugin.go, ExecPlugin). Unlike there, fields of an answer that are
 * not known do not spoil it. Throws PinError `credential_source_failed`.
 */
export async function askProvider(
  { run, environment, binDir }: ProviderPluginParts,
  asked: { readonly provider: ProviderConfig; readonly image: string },
  signal: AbortSignal,
): Promise<ProviderAnswer> {
  const { provider, image } = asked;
  const { name, apiVersion, args } = provider;
  const title = titleOfProvider(provider);
  const program: Program = {
    file: join(binDir, name),
    args,
    environment: { ...environment, ...provider.env },
    title,
  };
  const request = JSON.stringify({ kind: 'CredentialProviderRequest', apiVersion, image });
  const { exitCode, stdout } = await run(program, request, signal);
  if (exitCode !== 0) throw failed(title, `ended with status ${exitCode}`);
  const answer = parseJson(stdout);
  if (!isJsonObject(answer)) throw failed(title, 'did not answer with an object of JSON');
  if (answer['apiVersion'] !== apiVersion || answer['kind'] !== 'CredentialProviderResponse') {
    throw failed(title, `did not answer with a CredentialProviderResponse of ${apiVersion}`);
  }
  return toAnswer(answer, title);
}

/** What a plugin is called in messages. */
export function titleOfProvider({ name }: ProviderConfig): string {
  return `credential provider ${JSON.stringify(name)}`;
}

function toAnswer(answer: JsonObject, title: string): ProviderAnswer {
  const cacheKeyType = CACHE_KEY_TYPES.find((type) => type === answer['cacheKeyType']);
  if (cacheKeyType === undefined) throw failed(title, 'answered without a valid cacheKeyType');
  return {
    cacheKeyType,
    cacheMs: durationOf(answer['cacheDuration'] ?? undefined, title),
    entries: entriesOf(answer['auth'] ?? {}, title),
  };
}

function durationOf(value: unknown, title: string): number | undefined {
  if (value === undefined) return undefined;
  const durationMs = typeof value === 'string' ? parseGoDurationMs(value) : undefined;
  if (durationMs !== undefined) return durationMs;
  throw failed(title, 'answered with a cacheDuration that is none');
}

function entriesOf(auth: unknown, title: string): readonly RegistryEntry[] {
  if (!isJsonObject(auth)) throw failed(title, 'answered with an auth that is no object');
  const pairs = Object.entries(auth).map(([registry, entry]) => {
    const fields = entry ?? {};
    if (!isJsonObject(fields)) throw failed(title, 'answered with an entry that is no object');
    return [registry, toCredential(fields, title)] as const;
  });
  return toEntries(new Map(pairs));
}

function toCredential(fields: JsonObject, title: string): Credential {
  const [username, password] = [fields['username'] ?? '', fields['password'] ?? ''];
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  throw failed(title, 'answered with a user name or a password that is no text');
}

function failed(title: string, said: string): PinError {
  return new PinError('credential_source_failed', `${title} ${said}`);
}
