import type * as Ecr from '@aws-sdk/client-ecr';
import type { ECRClientConfig } from '@aws-sdk/client-ecr';
import type * as EcrPublic from '@aws-sdk/client-ecr-public';

import { PinError } from '../../errors.ts';
import type { Credential } from '../credential.ts';
import { decodeBase64 } from '../docker-config.ts';
import { cloudFailure } from './cloud-failure.ts';
import { type CloudParts, type CloudSource, onMonotonicClock } from './cloud-source.ts';
import { createRememberedSource } from './remembered-source.ts';

export interface AwsParts extends CloudParts {
  /** How the library reaches AWS, in place of its own way. */
  readonly client?: Pick<ECRClientConfig, 'endpoint' | 'requestHandler'>;
}

/** Where a registry's password is asked for. */
interface EcrApi {
  readonly region: string;
  readonly isPublic: boolean;
  readonly fips: boolean;
  readonly dualStack: boolean;
}

/**
 * Private registries, as both Kubernetes' plugin and docker's helper for AWS know them
 * (kubernetes/cloud-provider-aws cmd/ecr-credential-provider/main.go): also those of China, of the
 * sovereign cloud and of the secret partitions. The library finds a region's own endpoint by itself.
 */
const PRIVATE =
  /^\d{12}\.dkr[.-]ecr(?<fips>-fips)?\.(?<region>[a-z0-9][a-z0-9-_]*)\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|(?<dualStack>on\.(?:aws|amazonwebservices\.com\.cn))|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;
const PUBLIC: ReadonlySet<string> = new Set(['public.ecr.aws', 'ecr-public.aws.com']);
/** The only one that gives passwords for the public registry. */
const PUBLIC_REGION = 'us-east-1';

const USER_PREFIX = 'AWS:';
/** Of what is left of its 12 hours, as Kubernetes' plugin keeps it. */
const KEPT_SHARE = 0.5;
const CONNECT_TIMEOUT_MS = 2000;
const REQUEST_TIMEOUT_MS = 4000;
/** One retry; all together have the source's 5 s. */
const ATTEMPTS = 2;

interface Libraries {
  readonly ecr: typeof Ecr;
  readonly ecrPublic: typeof EcrPublic;
}

/** Credentials for ECR, with the identity that AWS's default chain of providers finds. */
export function createAwsSource(parts: AwsParts): CloudSource {
  let importing: Promise<Libraries> | undefined;
  const libraries = (): Promise<Libraries> => (importing ??= importLibraries());
  const source = createRememberedSource(
    {
      name: 'aws',
      covers: ({ registry }) => apiOf(registry) !== undefined,
      keyOf: ({ registry }) => keyOf(apiOf(registry)),
      fetch: async ({ registry }, signal) => {
        const api = apiOf(registry);
        if (api === undefined) return { offers: [], goodUntilMs: 0 };
        const { credential, expiresAtMs } = await fetchPassword(
          { api, libraries: await libraries(), client: parts.client },
          signal,
        );
        const leftMs = onMonotonicClock(parts, expiresAtMs) - parts.now();
        return {
          offers: [{ credential, origin: `AWS (${keyOf(api)})` }],
          goodUntilMs: parts.now() + leftMs * KEPT_SHARE,
        };
      },
    },
    parts,
  );
  return {
    ...source,
    load: async () => {
      await libraries();
    },
  };
}

async function importLibraries(): Promise<Libraries> {
  const [ecr, ecrPublic] = await Promise.all([
    import('@aws-sdk/client-ecr'),
    import('@aws-sdk/client-ecr-public'),
  ]);
  return { ecr, ecrPublic };
}

function apiOf(registry: string): EcrApi | undefined {
  const host = registry.toLowerCase();
  if (PUBLIC.has(host)) {
    return { region: PUBLIC_REGION, isPublic: true, fips: false, dualStack: false };
  }
  const { region, fips, dualStack } = PRIVATE.exec(host)?.groups ?? {};
  if (region === undefined) return undefined;
  return { region, isPublic: false, fips: fips !== undefined, dualStack: dualStack !== undefined };
}

/** A password is good for all registries of a region; who asks by another endpoint, needs it. */
function keyOf(api: EcrApi | undefined): string {
  if (api === undefined) return '';
  const { region, isPublic, fips, dualStack } = api;
  const flavours = [isPublic && 'public', fips && 'FIPS', dualStack && 'dual-stack', region];
  return flavours.filter((one) => one !== false).join(' ');
}

interface PasswordRequest {
  readonly api: EcrApi;
  readonly libraries: Libraries;
  readonly client: AwsParts['client'];
}

interface Password {
  readonly credential: Credential;
  /** On the clock of `Date.now()`. */
  readonly expiresAtMs: number;
}

async function fetchPassword(request: PasswordRequest, signal: AbortSignal): Promise<Password> {
  const action = request.api.isPublic ? 'ecr-public' : 'ecr';
  const question = {
    asked: `AWS gives no password for ECR (${keyOf(request.api)})`,
    advice: `see that tagpin has an identity that may do ${action}:GetAuthorizationToken`,
  };
  try {
    const data = await authorizationOf(request, signal);
    const password = passwordOf(data?.authorizationToken);
    const expiresAtMs = data?.expiresAt?.getTime();
    if (password === undefined || expiresAtMs === undefined) {
      const why = 'an answer without a password';
      throw new PinError(
        'credential_source_failed',
        `${question.asked} (${why}): ${question.advice}`,
      );
    }
    return { credential: { username: 'AWS', password }, expiresAtMs };
  } catch (caught) {
    throw cloudFailure(question, caught);
  }
}

async function authorizationOf(
  { api, libraries: { ecr, ecrPublic }, client }: PasswordRequest,
  signal: AbortSignal,
): Promise<Ecr.AuthorizationData | undefined> {
  const config = {
    region: api.region,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    // Left out where the host does not ask for it: an operator's variables may.
    ...(api.fips && { useFipsEndpoint: true }),
    ...(api.dualStack && { useDualstackEndpoint: true }),
    ...client,
  };
  const options = { abortSignal: signal };
  if (api.isPublic) {
    using asked = disposable(new ecrPublic.ECRPUBLICClient(config));
    const command = new ecrPublic.GetAuthorizationTokenCommand({});
    return (await asked.client.send(command, options)).authorizationData;
  }
  using asked = disposable(new ecr.ECRClient(config));
  const answer = await asked.client.send(new ecr.GetAuthorizationTokenCommand({}), options);
  return answer.authorizationData?.[0];
}

/** Ends the connections with the scope: the next password is hours away. */
function disposable<T extends { destroy: () => void }>(
  client: T,
): { readonly client: T; readonly [Symbol.dispose]: () => void } {
  return { client, [Symbol.dispose]: () => client.destroy() };
}

function passwordOf(token: string | undefined): string | undefined {
  const decoded = decodeBase64(token ?? '')?.toString('utf8') ?? '';
  return decoded.startsWith(USER_PREFIX) && decoded.length > USER_PREFIX.length
    ? decoded.slice(USER_PREFIX.length)
    : undefined;
}
