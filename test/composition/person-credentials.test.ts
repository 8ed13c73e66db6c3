import { homedir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import {
  findCredentialFiles,
  givenSources,
  hinted,
  hintsOf,
} from '../../src/composition/person-credentials.ts';
import { PinError } from '../../src/errors.ts';
import { parseReference } from '../../src/image/reference.ts';
import { Files } from '../support/files.ts';

const REFUSED = new PinError('unauthorized', 'r.example.com answered 401', {
  host: 'r.example.com',
});
const IMAGE = parseReference('r.example.com/team/app:1');

let files: Files;

beforeAll(() => {
  files = new Files();
});
afterAll(() => files[Symbol.asyncDispose]());

function write(path: string, config: object = {}): string {
  return files.write(path, JSON.stringify(config));
}

function authsFor(host: string): object {
  return { auths: { [host]: { username: 'alice', password: 'canary' } } };
}

describe('findCredentialFiles()', () => {
  it("finds docker's where its variable says, and podman's in their order", () => {
    const docker = write('docker/config.json');
    const run = write('run/containers/auth.json');
    const config = write('config/containers/auth.json');
    const environment = {
      DOCKER_CONFIG: files.at('docker'),
      XDG_RUNTIME_DIR: files.at('run'),
      XDG_CONFIG_HOME: files.at('config'),
    };
    expect(findCredentialFiles({ dockerConfig: undefined }, environment)).toEqual({
      dockerConfig: docker,
      lookedFor: docker,
      authFiles: [run, config],
    });
  });

  it('reads the one auth file that is named, where there is none of docker', () => {
    const named = write('named/auth.json');
    write('run/containers/auth.json');
    const environment = {
      DOCKER_CONFIG: files.at('nothing'),
      XDG_RUNTIME_DIR: files.at('run'),
      REGISTRY_AUTH_FILE: named,
    };
    expect(findCredentialFiles({ dockerConfig: undefined }, environment)).toEqual({
      dockerConfig: undefined,
      lookedFor: files.at('nothing/config.json'),
      authFiles: [named],
    });
  });

  it('reads nothing beside a docker config that a setting names', () => {
    const environment = { REGISTRY_AUTH_FILE: write('named/auth.json') };
    expect(findCredentialFiles({ dockerConfig: '/x' }, environment)).toEqual({
      dockerConfig: '/x',
      lookedFor: '/x',
      authFiles: [],
    });
  });

  it("looks in the person's home without any variable", () => {
    const { lookedFor } = findCredentialFiles({ dockerConfig: undefined }, {});
    expect(lookedFor).toBe(join(homedir(), '.docker', 'config.json'));
  });
});

describe('givenSources()', () => {
  const registry = 'r.example.com';

  it('offers a token as it is, and a password by its name', async () => {
    const { signal } = new AbortController();
    const [token] = givenSources({ registry, token: 'canary' });
    expect(await token?.offersFor(IMAGE, signal)).toEqual([
      {
        credential: { username: '', password: '', registryToken: 'canary' },
        origin: 'the token of --token-stdin',
      },
    ]);
    const [password] = givenSources({ registry, username: 'alice', password: 'p' });
    expect(await password?.offersFor(IMAGE, signal)).toEqual([
      { credential: { username: 'alice', password: 'p' }, origin: 'the password of "alice"' },
    ]);
    expect(token?.covers(parseReference('other.example.com/team/app'))).toBe(false);
    expect(givenSources(undefined)).toEqual([]);
  });
});

/** What may be missing where these files are read. */
function hint(
  dockerConfig: string | undefined,
  ...authFiles: readonly string[]
): string | undefined {
  const lookedFor = dockerConfig ?? '/home/me/.docker/config.json';
  return hintsOf({ dockerConfig, lookedFor, authFiles }, undefined)(REFUSED, IMAGE);
}

describe('hintsOf()', () => {
  it('says where there is no file', () => {
    expect(hint(undefined)).toBe('there is no docker config "/home/me/.docker/config.json"');
  });

  it('names all files that have no entry', () => {
    const one = write('one.json', authsFor('other.example.com'));
    const two = write('two.json');
    expect(hint(one)).toBe(`docker config "${one}" has no entry for r.example.com`);
    expect(hint(undefined, two)).toBe(`docker config "${two}" has no entry for r.example.com`);
    expect(hint(one, two)).toBe(
      `docker config "${one}" and "${two}" have no entry for r.example.com`,
    );
  });

  it('names the helper that has it', () => {
    const path = write('helper.json', { credHelpers: { 'r.example.com': 'pass' } });
    expect(hint(path)).toBe(
      `docker config "${path}" leaves r.example.com to docker-credential-pass`,
    );
  });

  it('says nothing where an entry was tried, another was given, or nobody asked for one', () => {
    const path = write('has.json', authsFor('r.example.com'));
    expect(hint(path)).toBeUndefined();
    expect(hint(write('empty.json'), path)).toBeUndefined();
    const none = { dockerConfig: undefined, lookedFor: '/x', authFiles: [] };
    const given = { registry: 'r.example.com', token: 't' };
    expect(hintsOf(none, given)(REFUSED, IMAGE)).toBeUndefined();
    const missing = new PinError('not_found', 'not there');
    expect(hintsOf(none, undefined)(missing, IMAGE)).toBeUndefined();
  });

  it('refuses a file that is malformed, without its content', () => {
    const path = files.write('bad.json', '{"auths": canary');
    expect(() => hint(undefined, path)).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.not.stringContaining('canary'),
      }),
    );
  });
});

describe('hinted()', () => {
  it('adds what may be missing to what was said', () => {
    expect(hinted(REFUSED, 'look there')).toMatchObject({
      code: 'unauthorized',
      host: 'r.example.com',
      message: 'r.example.com answered 401; look there',
    });
    expect(hinted(REFUSED, undefined)).toBe(REFUSED);
  });
});
