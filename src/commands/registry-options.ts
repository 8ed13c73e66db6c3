import type { Command } from 'commander';

import { COMMAND_LINE_SETTINGS } from '../config.ts';
import type { Registries } from '../contents/registries.ts';
import { PinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { parseReference } from '../image/reference.ts';
import type { CommandParts, GivenCredential } from './command-parts.ts';
import { addSettings, settingsOf } from './settings.ts';

interface CredentialFlags {
  readonly username?: string;
  readonly passwordStdin: boolean;
}

/** Adds to a command what decides how registries are asked, and with whose credentials. */
export function addRegistryOptions(command: Command): void {
  command
    .option('--username <NAME>', 'who asks; for images of one registry')
    .option('--password-stdin', 'read the password from standard input', false);
  addSettings(command, COMMAND_LINE_SETTINGS);
}

/**
 * The registries as those options say; `images` are all that the command is going to ask for. Rejects
 * with PinError `invalid_config`, or `invalid_reference` where a credential is for no registry.
 */
export async function openRegistries(
  command: Command,
  parts: CommandParts,
  images: readonly string[],
): Promise<Registries> {
  const settings = settingsOf(command, COMMAND_LINE_SETTINGS, parts.environment);
  const credential = await credentialOf(command.opts<CredentialFlags>(), images, parts.streams);
  return parts.openRegistries(settings, credential);
}

/** A password is for one registry: it must not go to whatever else is named beside it. */
async function credentialOf(
  { username, passwordStdin }: CredentialFlags,
  images: readonly string[],
  streams: Streams,
): Promise<GivenCredential | undefined> {
  if (username === undefined && !passwordStdin) return undefined;
  if (username === undefined || !passwordStdin) {
    throw new PinError('invalid_config', '--username and --password-stdin need each other');
  }
  const registries = new Set(images.map((image) => parseReference(image).registry));
  const [registry, another] = registries;
  if (registry === undefined || another !== undefined) {
    const named = [...registries].join(', ');
    throw new PinError('invalid_config', `one password is for one registry, not for ${named}`);
  }
  const input = Buffer.from(await streams.readInput()).toString('utf8');
  // As `docker login --password-stdin` does.
  const password = input.replace(/\r?\n$/, '');
  if (password === '') {
    throw new PinError('invalid_config', 'standard input holds no password');
  }
  return { registry, username, password };
}
