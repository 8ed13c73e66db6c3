import { type Command, Option } from 'commander';
import type { Registries } from '../contents/registries.ts';
import { PinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { parseReference } from '../image/reference.ts';
import { COMMAND_LINE_SETTINGS } from './command-line-settings.ts';
import type { CommandParts, GivenCredential } from './command-parts.ts';
import { addSettings, settingsOf } from './settings.ts';

interface CredentialFlags {
  readonly username?: string;
  readonly passwordStdin: boolean;
  readonly tokenStdin: boolean;
  readonly credentialRegistry?: string;
}

/** What a header of HTTP may carry behind `Bearer` (RFC 9110 section 5.5). */
const TOKEN = /^[\x21-\x7e]+$/;

/** Adds to a command what decides how registries are asked, and with whose credentials. */
export function addRegistryOptions(command: Command): void {
  command
    .option('--username <NAME>', 'who asks; for one registry')
    .option('--password-stdin', 'read the password from standard input', false)
    .addOption(
      new Option(
        '--token-stdin',
        'read a token of the registry from standard input, and send it as it is (Bearer)',
      )
        .default(false)
        .conflicts(['username', 'passwordStdin']),
    )
    .option(
      '--credential-registry <HOST[:PORT]>',
      'whom the password or the token is for; not needed where all images are in one registry',
    );
  addSettings(command, COMMAND_LINE_SETTINGS);
}

/**
 * The registries as those options say; `images` are all that the command is going to ask for, where
 * it knows them. Rejects with PinError `invalid_config`, or `invalid_reference` where a credential is
 * for no registry.
 */
export async function openRegistries(
  command: Command,
  parts: Pick<CommandParts, 'environment' | 'streams' | 'openRegistries'>,
  images: readonly string[],
): Promise<Registries> {
  const settings = settingsOf(command, COMMAND_LINE_SETTINGS, parts.environment);
  const credential = await credentialOf(command.opts<CredentialFlags>(), images, parts.streams);
  return parts.openRegistries(settings, credential);
}

/**
 * Throws `invalid_config` where a command that reads what it works on from standard input is to read
 * a secret from there, too.
 */
export function refuseSecretInput(command: Command): void {
  const { passwordStdin, tokenStdin } = command.opts<CredentialFlags>();
  if (!passwordStdin && !tokenStdin) return;
  const flag = passwordStdin ? '--password-stdin' : '--token-stdin';
  const message = `standard input is read for "-": it cannot hold the secret of ${flag} as well`;
  throw new PinError('invalid_config', message);
}

/** A secret is for one registry: it must not go to whatever else is named beside it. */
async function credentialOf(
  flags: CredentialFlags,
  images: readonly string[],
  streams: Streams,
): Promise<GivenCredential | undefined> {
  const { username, passwordStdin, tokenStdin, credentialRegistry } = flags;
  const isPassword = username !== undefined || passwordStdin;
  if (!isPassword && !tokenStdin) {
    if (credentialRegistry === undefined) return undefined;
    const message = '--credential-registry needs --password-stdin or --token-stdin';
    throw new PinError('invalid_config', message);
  }
  const what = tokenStdin ? 'token' : 'password';
  if (isPassword && (username === undefined || !passwordStdin)) {
    throw new PinError('invalid_config', '--username and --password-stdin need each other');
  }
  const registry = registryOf(credentialRegistry, images, what);
  const secret = await readSecret(streams, what);
  if (username !== undefined) return { registry, username, password: secret };
  if (TOKEN.test(secret)) return { registry, token: secret };
  throw new PinError('invalid_config', 'standard input holds no token: it has a space or a line');
}

function registryOf(named: string | undefined, images: readonly string[], what: string): string {
  if (named !== undefined) return registryNamed(named);
  const registries = new Set(images.map((image) => parseReference(image).registry));
  const [registry, another] = registries;
  if (registry !== undefined && another === undefined) return registry;
  const whose = registry === undefined ? '' : `, not for ${[...registries].join(', ')}`;
  const message = `one ${what} is for one registry${whose}: name it with --credential-registry`;
  throw new PinError('invalid_config', message);
}

/** As an image of it would name it. */
function registryNamed(text: string): string {
  try {
    const { registry } = parseReference(`${text}/a`);
    if (registry.toLowerCase() === text.toLowerCase()) return registry;
  } catch {
    // Said below.
  }
  const message = `--credential-registry: expected HOST[:PORT] as images name it, got ${JSON.stringify(text)}`;
  throw new PinError('invalid_config', message);
}

async function readSecret(streams: Streams, what: string): Promise<string> {
  const input = Buffer.from(await streams.readInput()).toString('utf8');
  // As `docker login --password-stdin` does.
  const secret = input.replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw new PinError('invalid_config', `standard input holds no ${what}`);
}
