import { mkdirSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { readProviders } from '../../../src/credentials/sources/provider-files.ts';
import { PinError } from '../../../src/errors.ts';
import { Programs } from '../../support/programs.ts';

let programs: Programs;

beforeEach(() => {
  programs = new Programs();
});
afterEach(() => programs[Symbol.asyncDispose]());

function configOf(...names: readonly string[]): string {
  const providers = names.map((name) => ({
    name,
    matchImages: ['a.example'],
    defaultCacheDuration: '1m',
    apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
  }));
  const kind = 'CredentialProviderConfig';
  return JSON.stringify({ apiVersion: 'kubelet.config.k8s.io/v1', kind, providers });
}

function namesIn(path: string): string[] {
  const config = programs.at(path);
  return readProviders({ config, binDir: programs.at('bin') }).map(({ name }) => name);
}

function refusalOf(path: string): string {
  try {
    namesIn(path);
  } catch (caught) {
    if (caught instanceof PinError && caught.code === 'invalid_config') return caught.message;
    throw caught;
  }
  throw new Error('not refused');
}

describe('readProviders()', () => {
  beforeEach(() => {
    for (const name of ['a', 'b', 'c']) programs.program(`bin/${name}`, '');
  });

  it('reads a file, whatever it is called', () => {
    programs.write('config', configOf('b', 'a'));
    expect(namesIn('config')).toEqual(['b', 'a']);
  });

  it('reads the files of a directory in the order of their names, and no others', () => {
    programs.write('d/2.yaml', configOf('a'));
    programs.write('d/10.json', configOf('b'));
    programs.write('d/3.yml', configOf('c'));
    programs.write('d/4.txt', 'hello');
    mkdirSync(programs.at('d/5.yaml'));
    expect(namesIn('d')).toEqual(['b', 'a', 'c']);
  });

  it.each<[string, () => void, string]>([
    ['a missing file', () => {}, 'Cannot use "CONFIG"'],
    ['a directory without files', () => mkdirSync(programs.at('c')), '"CONFIG": it names no'],
    ['no provider', () => programs.write('c', configOf()), '"CONFIG": it names no provider'],
    [
      'a name that is there twice',
      () => {
        programs.write('c/1.yaml', configOf('a'));
        programs.write('c/2.yaml', configOf('a'));
      },
      '"CONFIG": two providers are named "a"',
    ],
    ['a missing program', () => programs.write('c', configOf('missing')), 'bin/missing"'],
    [
      'a program that is none',
      () => {
        programs.write('bin/text', 'hello');
        programs.write('c', configOf('text'));
      },
      'bin/text"',
    ],
    [
      'a directory for a program',
      () => {
        mkdirSync(programs.at('bin/dir'));
        programs.write('c', configOf('dir'));
      },
      'bin/dir": it is no file',
    ],
    ['bad content, by its file', () => programs.write('c/1.yaml', 'x'), 'c/1.yaml": it holds no'],
  ])('refuses %s', (_, prepare, message) => {
    prepare();
    expect(refusalOf('c')).toContain(message.replace('CONFIG', programs.at('c')));
  });
});
