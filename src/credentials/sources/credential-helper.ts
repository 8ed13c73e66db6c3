import { PinError } from '../../errors.ts';
import { isJsonObject, parseJson, textOf } from '../../json.ts';
import type { Credential } from '../credential.ts';
import type { Program, RunProgram } from './program.ts';

/** What `docker-credential-NAME get` says, with status 1, of a server that it does not know. */
const NOT_FOUND = 'credentials not found in native keychain';
/** The user name beside which the secret is an identity token. */
const TOKEN_USER = '<token>';

export interface CredentialHelperParts {
  readonly run: RunProgram;
  readonly environment: Program['environment'];
}

/**
 * Asks a docker credential helper (docker/docker-credential-helpers client/client.go) about a
 * server; undefined where it has nothing. Throws PinError `credential_source_failed`.
 */
export async function askCredentialHelper(
  { run, environment }: CredentialHelperParts,
  asked: { readonly name: string; readonly server: string },
  signal: AbortSignal,
): Promise<Credential | undefined> {
  const title = titleOfHelper(asked.name);
  const file = `docker-credential-${asked.name}`;
  const ended = await run({ file, args: ['get'], environment, title }, asked.server, signal);
  if (ended.exitCode !== 0) {
    if (ended.stdout.trim() === NOT_FOUND) return undefined;
    const message = `${title} ended with status ${ended.exitCode}`;
    throw new PinError('credential_source_failed', message);
  }
  const answer = parseJson(ended.stdout);
  const username = isJsonObject(answer) ? textOf(answer, 'Username') : undefined;
  const secret = isJsonObject(answer) ? textOf(answer, 'Secret') : undefined;
  if (username === undefined || secret === undefined) {
    const message = `${title} did not answer with a user name and a secret`;
    throw new PinError('credential_source_failed', message);
  }
  if (username === '' && secret === '') return undefined;
  if (username === TOKEN_USER) return { username: '', password: '', identityToken: secret };
  return { username, password: secret };
}

/** What a helper is called in messages. */
export function titleOfHelper(name: string): string {
  return `credential helper ${JSON.stringify(name)}`;
}
