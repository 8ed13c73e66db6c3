import type * as Identity from '@azure/identity';
import type { DefaultAzureCredentialOptions } from '@azure/identity';

import { isJsonObject, parseJson } from '../../json.ts';
import { type ExchangeParts, exchangeToken } from './azure-exchange.ts';
import { type CloudQuestion, cloudFailure } from './cloud-failure.ts';
import { type CloudParts, type CloudSource, onMonotonicClock } from './cloud-source.ts';
import { createRememberedSource } from './remembered-source.ts';

export interface AzureParts extends CloudParts, ExchangeParts {
  /** How the library reaches Entra ID, in place of its own way. */
  readonly identity?: Pick<
    DefaultAzureCredentialOptions,
    'authorityHost' | 'disableInstanceDiscovery' | 'httpClient'
  >;
}

/**
 * Registries by the cloud that they are in, each with an Entra ID of its own: one cloud's token is
 * never shown to another (kubernetes-sigs/cloud-provider-azure pkg/credentialprovider).
 */
const REGISTRY = /^[a-z0-9]+\.azurecr\.(?<cloud>io|cn|de|us)$/;
const AUTHORITIES: ReadonlyMap<string, string> = new Map([
  ['io', 'https://login.microsoftonline.com'],
  ['cn', 'https://login.chinacloudapi.cn'],
  ['de', 'https://login.microsoftonline.de'],
  ['us', 'https://login.microsoftonline.us'],
]);
/** The same in every cloud. */
const SCOPE = 'https://containerregistry.azure.net/.default';
/** The user of every token, in the documentation of ACR. */
const USER = '00000000-0000-0000-0000-000000000000';
const MARGIN_MS = 60_000;
/** Tokens last 3 hours; Kubernetes' plugin kept them for one, so that a lost role is noticed. */
const KEPT_MS = 3_600_000;
const REQUEST_TIMEOUT_MS = 4000;

type Library = typeof Identity;
type TokenCredential = Identity.DefaultAzureCredential;

/** Credentials for ACR, with the identity that Azure's default chain of credentials finds. */
export function createAzureSource(parts: AzureParts): CloudSource {
  let importing: Promise<Library> | undefined;
  const library = (): Promise<Library> => (importing ??= import('@azure/identity'));
  const credentials = new Map<string, TokenCredential>();
  const credentialOf = async (authorityHost: string): Promise<TokenCredential> => {
    const { DefaultAzureCredential } = await library();
    const known = credentials.get(authorityHost);
    const credential =
      known ?? new DefaultAzureCredential({ authorityHost, ...RETRIES, ...parts.identity });
    credentials.set(authorityHost, credential);
    return credential;
  };
  const source = createRememberedSource(
    {
      name: 'azure',
      covers: ({ registry }) => authorityOf(registry) !== undefined,
      keyOf: ({ registry }) => registry.toLowerCase(),
      fetch: async ({ registry }, signal) => {
        const host = registry.toLowerCase();
        const authority = authorityOf(host);
        if (authority === undefined) return { offers: [], goodUntilMs: 0 };
        const question = questionOf(host);
        try {
          const credential = await credentialOf(authority);
          const accessToken = await accessTokenOf(credential, signal);
          const password = await exchangeToken(parts, { host, accessToken }, signal);
          return {
            offers: [{ credential: { username: USER, password }, origin: `Azure (${host})` }],
            goodUntilMs: keptUntil(parts, password),
          };
        } catch (caught) {
          throw cloudFailure(question, caught);
        }
      },
    },
    parts,
  );
  return {
    ...source,
    load: async () => {
      await library();
    },
  };
}

/** All tries together have the source's 5 s. */
const RETRIES = { retryOptions: { maxRetries: 1, retryDelayInMs: 200 } };

function authorityOf(registry: string): string | undefined {
  return AUTHORITIES.get(REGISTRY.exec(registry.toLowerCase())?.groups?.['cloud'] ?? '');
}

function questionOf(host: string): CloudQuestion {
  return {
    asked: `Azure gives no credential for ${host}`,
    advice: 'see that tagpin has an identity there (Workload Identity, or a managed one)',
  };
}

async function accessTokenOf(credential: TokenCredential, signal: AbortSignal): Promise<string> {
  const { token } = await credential.getToken(SCOPE, {
    abortSignal: signal,
    requestOptions: { timeout: REQUEST_TIMEOUT_MS },
  });
  return token;
}

/** Until the token says that it ends; nothing is believed of it but that. */
function keptUntil(parts: CloudParts, token: string): number {
  const kept = parts.now() + KEPT_MS;
  const claims = parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const seconds = isJsonObject(claims) ? claims['exp'] : undefined;
  if (typeof seconds !== 'number') return kept;
  return Math.min(kept, onMonotonicClock(parts, seconds * 1000) - MARGIN_MS);
}
