import type { Credential, CredentialSource } from '../../src/credentials/credential.ts';
import { PinError } from '../../src/errors.ts';
import type { Lookup } from '../../src/registry/client.ts';
import {
  createRegistryStack,
  type RegistryStack,
  type RegistryStackOptions,
} from './registry-stack.ts';
import {
  type RecordedRequest,
  type Rule,
  type ScriptedRegistry,
  startRegistry,
} from './scripted-registry.ts';

/** With what a registry is asked. */
export interface How extends RegistryStackOptions {
  readonly credentials?: readonly Credential[];
  readonly lent?: readonly CredentialSource[];
  /** Hosts beside the registry that may be spoken to by http. */
  readonly alsoPlain?: readonly string[];
}

const DEADLINE_MS = 30_000;

/** Looks `team/app:1.0` up; what fails is an answer, too. */
export async function lookUp(
  stack: RegistryStack,
  { host }: Pick<ScriptedRegistry, 'host'>,
  { credentials = [], lent = [] }: How = {},
): Promise<Lookup | PinError> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    return await stack.lookup(`${host}/team/app:1.0`, { credentials, lent, signal });
  } catch (error) {
    if (error instanceof PinError) return error;
    throw error;
  }
}

/** A registry that answers by these rules, asked once for `team/app:1.0`. */
export async function askOnce(
  rules: readonly Rule[],
  how: How = {},
): Promise<{
  readonly answer: Lookup | PinError;
  readonly host: string;
  readonly requests: readonly RecordedRequest[];
  /** `METHOD PATH`, in the order of their arrival. */
  readonly lines: readonly string[];
}> {
  await using registry = await startRegistry(rules);
  const plainHttp = [registry.host, ...(how.alsoPlain ?? [])];
  await using stack = createRegistryStack({ ...how, plainHttp });
  const answer = await lookUp(stack, registry, how);
  const { host, requests } = registry;
  return { answer, host, requests, lines: linesOf(registry) };
}

/** `METHOD PATH` of each request, in the order of their arrival. */
export function linesOf({ requests }: Pick<ScriptedRegistry, 'requests'>): string[] {
  return requests.map(({ method, path }) => `${method} ${path}`);
}
