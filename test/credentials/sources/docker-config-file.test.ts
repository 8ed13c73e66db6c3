import { describe, expect, it } from '@jest/globals';

import {
  type DockerConfigFile,
  parseDockerConfigFile,
} from '../../../src/credentials/sources/docker-config-file.ts';
import { PinError } from '../../../src/errors.ts';

const ORIGIN = 'docker config "/config.json"';
const USER = { username: 'u', password: 'p' };

function parse(content: unknown): DockerConfigFile {
  return parseDockerConfigFile(JSON.stringify(content), ORIGIN);
}

function offersIn(auths: object, image: string): unknown[] {
  return parse({ auths })
    .offersFor(image)
    .map(({ credential }) => credential);
}

describe('parseDockerConfigFile()', () => {
  it('finds credentials as kubelet does, and says where they are from', () => {
    const config = parse({
      auths: { 'https://index.docker.io/v1/': USER, 'a.example/team': USER },
    });
    const offer = { credential: USER, origin: ORIGIN };
    expect(config.offersFor('nginx')).toEqual([offer]);
    expect(config.offersFor('a.example/team/app')).toEqual([offer]);
    expect(config.offersFor('a.example/other')).toEqual([]);
  });

  it.each<[string, boolean]>([
    ['nginx', true],
    ['docker.io/team/app', true],
    ['index.docker.io/team/app', true],
    ['Evil/team/app:1', false],
    ['EVIL/app', false],
    ['localhost/team/app', false],
    ['localhost:5000/team/app', false],
    ['evil.example/team/app', false],
    ['docker.io.evil.example/team/app', false],
  ])('has what is stored for the Hub for %s: %s', (image, isOffered) => {
    const offered = offersIn({ 'https://index.docker.io/v1/': USER }, image);
    expect(offered).toEqual(isOffered ? [USER] : []);
  });

  it.each<[string, object, object]>([
    ['user and password', USER, USER],
    ['auth', { auth: btoa('u:p:q') }, { username: 'u', password: 'p:q' }],
    [
      'an identity token',
      { identitytoken: 'i' },
      { username: '', password: '', identityToken: 'i' },
    ],
    [
      'an identity token beside a user',
      { auth: btoa('<token>:'), identitytoken: 'i' },
      { username: '<token>', password: '', identityToken: 'i' },
    ],
  ])('reads %s', (_, entry, credential) => {
    expect(offersIn({ 'a.example': entry }, 'a.example/x')).toEqual([credential]);
  });

  it.each<[string, object]>([
    ['an empty entry, which docker leaves for a store', {}],
    ['an email alone', { email: 'a@example.com' }],
    ['a registry token', { registrytoken: 'r' }],
  ])('offers nothing of %s', (_, entry) => {
    expect(offersIn({ 'a.example': entry }, 'a.example/x')).toEqual([]);
  });

  it.each<[string, object, string, string | undefined]>([
    ['the helper of a registry', { credHelpers: { 'a.example': 'one' } }, 'a.example', 'one'],
    ['a helper with a port', { credHelpers: { 'a.example:5000': 'one' } }, 'a.example:5000', 'one'],
    ['none for another host', { credHelpers: { 'a.example': 'one' } }, 'b.a.example', undefined],
    ['none for a glob', { credHelpers: { '*.example': 'one' } }, 'a.example', undefined],
    ['the store for any host', { credsStore: 'all' }, 'a.example', 'all'],
    [
      'the helper rather than the store',
      { credsStore: 'all', credHelpers: { 'a.example': 'one' } },
      'a.example',
      'one',
    ],
    [
      'no store where an empty helper says so',
      { credsStore: 'all', credHelpers: { 'a.example': '' } },
      'a.example',
      undefined,
    ],
    [
      "the Hub's helper by its address",
      { credHelpers: { 'https://index.docker.io/v1/': 'hub' } },
      'docker.io',
      'hub',
    ],
    ["the Hub's helper by its name", { credHelpers: { 'docker.io': 'hub' } }, 'docker.io', 'hub'],
    ['no helper at all', {}, 'a.example', undefined],
  ])('knows %s', (...[, content, registry, helper]) => {
    expect(parse(content).helperFor(registry)).toBe(helper);
  });

  it('names the hosts of its auths and helpers, and what is a glob it does not name', () => {
    const auths = {
      'https://index.docker.io/v1/': {},
      'a.example:5000/team': USER,
      'a.example:5000': USER,
      '*.b.example': USER,
      '[::1]:5000': USER,
    };
    const { hosts } = parse({
      auths,
      credHelpers: { 'c.example': 'one', 'https://d.example': 'x' },
    });
    expect(hosts).toEqual([
      'index.docker.io',
      'a.example:5000',
      '[::1]:5000',
      'c.example',
      'd.example',
    ]);
  });

  it.each<[string, string, string]>([
    ['text', 'hunter2', 'it is not JSON'],
    ['a bad auth', '{"auths":{"a":{"auth":"hunter2!"}}}', 'an "auth" is not base64'],
    ['an identity token that is no text', '{"auths":{"a":{"identitytoken":1}}}', 'no text'],
    ['a store that is a path', '{"credsStore":"../bin/x"}', 'not the name of a credential helper'],
    ['a store that is an option', '{"credsStore":"-x"}', 'not the name of a credential helper'],
    ['a store that is no text', '{"credsStore":{}}', 'no text'],
    ['a helper with a slash', '{"credHelpers":{"a":"x/y"}}', 'the name of a credential helper'],
    ['a helper that is no text', '{"credHelpers":{"a":1}}', 'the helper of a is not the name'],
    ['helpers that are a list', '{"credHelpers":[]}', 'stands for an object'],
  ])('refuses %s', (_, text, reason) => {
    let caught: unknown;
    try {
      parseDockerConfigFile(text, ORIGIN);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(PinError);
    expect(caught).toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(`Cannot read ${ORIGIN}: `),
    });
    expect(String(caught)).toContain(reason);
    expect(String(caught)).not.toContain('hunter2');
  });
});
