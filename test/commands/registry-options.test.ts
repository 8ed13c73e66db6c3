import { inspect } from 'node:util';

import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';

import type { GivenCredential } from '../../src/commands/command-parts.ts';
import {
  addRegistryOptions,
  openRegistries,
  refuseSecretInput,
} from '../../src/commands/registry-options.ts';
import { PinError } from '../../src/errors.ts';
import { unauthorized, withAuthorization } from '../support/answers.ts';
import { runTagpin } from '../support/process.ts';
import { registriesOf } from '../support/registries.ts';
import { startRegistry } from '../support/scripted-registry.ts';
import { recordedStreams } from '../support/streams.ts';

const SECRET = 'canary-secret';

/** The credential with which registries are opened, or why they are not. */
async function given(
  flags: readonly string[],
  images: readonly string[],
  input: string = SECRET,
): Promise<GivenCredential | PinError | undefined> {
  let opened: GivenCredential | undefined;
  const command = commandWith(flags);
  const parts = {
    streams: recordedStreams(input),
    environment: {},
    openRegistries: async (_settings: unknown, credential?: GivenCredential) => {
      opened = credential;
      return registriesOf({});
    },
  };
  try {
    await openRegistries(command, parts, images);
    return opened;
  } catch (caught) {
    if (caught instanceof PinError) return caught;
    throw caught;
  }
}

function commandWith(flags: readonly string[]): Command {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addRegistryOptions(command);
  return command.parse(flags, { from: 'user' });
}

const PASSWORD = ['--username=alice', '--password-stdin'];
const FOR_GHCR = '--credential-registry=ghcr.io';

describe('openRegistries()', () => {
  it.each<[string, readonly string[], readonly string[], GivenCredential | undefined]>([
    ['none', [], ['nginx', 'ghcr.io/a/b'], undefined],
    [
      'a password for the one registry of the images',
      PASSWORD,
      ['nginx', 'docker.io/a/b:1'],
      { registry: 'docker.io', username: 'alice', password: SECRET },
    ],
    [
      'a token for it',
      ['--token-stdin'],
      ['r.example.com:5000/a'],
      { registry: 'r.example.com:5000', token: SECRET },
    ],
    [
      'a token for the registry that is named, whatever else is asked',
      ['--token-stdin', FOR_GHCR],
      ['nginx', 'ghcr.io/a/b'],
      { registry: 'ghcr.io', token: SECRET },
    ],
    [
      'a password where nobody knows yet which images there are',
      [...PASSWORD, FOR_GHCR],
      [],
      { registry: 'ghcr.io', username: 'alice', password: SECRET },
    ],
  ])('has %s', async (...[, flags, images, wanted]) => {
    expect(await given(flags, images)).toEqual(wanted);
  });

  it.each([`${SECRET}\n`, `${SECRET}\r\n`])('reads one line of %j', async (input) => {
    expect(await given(['--token-stdin'], ['nginx'], input)).toMatchObject({ token: SECRET });
  });

  it.each<[string, readonly string[], readonly string[], string]>([
    ['a name alone', ['--username=a'], ['nginx'], 'need each other'],
    ['a password alone', ['--password-stdin'], ['nginx'], 'need each other'],
    ['two registries', PASSWORD, ['nginx', 'ghcr.io/a'], 'not for docker.io, ghcr.io'],
    ['no registry', ['--token-stdin'], [], 'name it with --credential-registry'],
    ['a registry for nothing', [FOR_GHCR], ['nginx'], 'needs --password-stdin or --token-stdin'],
    ['what is no registry', [...PASSWORD, '--credential-registry=a'], [], 'expected HOST[:PORT]'],
    ['a URL', [...PASSWORD, '--credential-registry=https://a.b'], [], 'expected HOST[:PORT]'],
  ])('refuses %s', async (...[, flags, images, message]) => {
    const refusal = await given(flags, images);
    expect(refusal).toMatchObject({ code: 'invalid_config' });
    expect(refusal).toMatchObject({ message: expect.stringContaining(message) });
    expect(inspect(refusal)).not.toContain('canary');
  });

  it.each([
    ['', 'holds no token'],
    ['canary two', 'holds no token'],
    ['canary\nline', 'holds no token'],
    ['canary\u0007', 'holds no token'],
  ])('refuses %j as a token', async (input, message) => {
    const refusal = await given(['--token-stdin'], ['nginx'], input);
    expect(refusal).toMatchObject({ code: 'invalid_config' });
    expect(inspect(refusal)).toContain(message);
    expect(inspect(refusal)).not.toContain('canary');
  });

  it('takes no token beside a password', () => {
    expect(() => commandWith(['--token-stdin', ...PASSWORD])).toThrow('cannot be used with');
  });
});

describe('refuseSecretInput()', () => {
  it.each([[PASSWORD], [['--token-stdin']]])('refuses %p', (flags) => {
    expect(() => refuseSecretInput(commandWith(flags))).toThrow('it cannot hold the secret of');
  });

  it('leaves the standard input to whoever reads no secret from it', () => {
    expect(() => refuseSecretInput(commandWith([]))).not.toThrow();
  });
});

describe('tagpin with a secret on its standard input', () => {
  it('sends a token to the registry', async () => {
    await using registry = await startRegistry([
      withAuthorization(`Bearer ${SECRET}`, { body: '{"tags":["1"]}' }),
      unauthorized('Bearer realm="/token"'),
    ]);
    const image = `${registry.host}/app`;
    const ended = await runTagpin(['tags', '--token-stdin', image], {}, `${SECRET}\n`);
    expect(ended).toEqual({ code: 0, stdout: '1\n', stderr: '' });
    const shown = registry.requests.map(({ headers }) => headers.authorization);
    expect(shown).toEqual([`Bearer ${SECRET}`]);
  });

  it.each([
    ['manifests as well', ['--token-stdin', '-'], 'cannot hold the secret of --token-stdin'],
    ['digests as well', [...PASSWORD, '--from=-', '.'], 'the secret of --password-stdin'],
  ])('reads no %s from it', async (_, args, message) => {
    const { code, stdout, stderr } = await runTagpin(['pin', ...args], {}, SECRET);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});
