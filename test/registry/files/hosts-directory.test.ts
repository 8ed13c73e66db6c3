import { beforeAll, describe, expect, it } from '@jest/globals';

import {
  createHostsDirectory,
  type HostsDirectory,
  type LoadedHost,
} from '../../../src/registry/files/hosts-directory.ts';
import { createAuthority, type KeyPair } from '../../support/certificate.ts';
import { Files } from '../../support/files.ts';
import { createRecordedLog } from '../../support/recorded-log.ts';

let ca: string;
let otherCa: string;
let pair: KeyPair;
let otherPair: KeyPair;

beforeAll(async () => {
  const authority = await createAuthority();
  ca = authority.certificate;
  pair = await authority.issue(['client']);
  const other = await createAuthority();
  otherCa = other.certificate;
  otherPair = await other.issue(['client']);
});

function pem(text: string): string {
  return text.replaceAll('\r', '').trim();
}

function mirror(host: string): string {
  return `[host."https://${host}"]\n`;
}

/** The host names of what a registry is asked at; `-` is the registry itself. */
function askedFor(directory: HostsDirectory, registry: string): string[] | undefined {
  return directory.hostsOf(registry)?.hosts.map(({ server }) => server?.url.host ?? '-');
}

function onlyHost(directory: HostsDirectory, registry = 'r.example.com'): LoadedHost {
  const hosts = directory.hostsOf(registry)?.hosts ?? [];
  if (hosts.length !== 1 || hosts[0] === undefined) throw new Error(`${hosts.length} hosts`);
  return hosts[0];
}

function invalidConfig(message: string): unknown {
  return expect.objectContaining({
    code: 'invalid_config',
    message: expect.stringContaining(message),
  });
}

describe('createHostsDirectory()', () => {
  it.each<[string, string[], string, boolean]>([
    [
      'r.example.com:5000',
      ['r.example.com_5000_', 'r.example.com:5000', '_default'],
      'r.example.com_5000_',
      true,
    ],
    ['r.example.com:5000', ['r.example.com:5000', '_default'], 'r.example.com:5000', true],
    ['r.example.com:5000', ['r.example.com', '_default'], '_default', false],
    ['r.example.com', ['r.example.com', '_default'], 'r.example.com', true],
    ['R.Example.com', ['r.example.com', '_default'], 'r.example.com', true],
    ['r.example.com', ['r.example.com_443_', '_default'], '_default', false],
    ['docker.io', ['registry-1.docker.io', 'docker.io'], 'docker.io', true],
    ['[fc00::1]:5000', ['[fc00::1]_5000_', '_default'], '[fc00::1]_5000_', true],
  ])('for %s and %j takes %s', async (registry, ...[names, taken, isNamed]) => {
    await using files = new Files();
    for (const [n, name] of names.entries()) files.write(`${name}/hosts.toml`, mirror(`m${n}`));
    const directory = createHostsDirectory(files.directory, createRecordedLog().log);
    expect(askedFor(directory, registry)).toEqual([`m${names.indexOf(taken)}`, '-']);
    expect(directory.hostsOf(registry)?.isNamed).toBe(isNamed);
  });

  it('knows nothing of a registry without a directory', async () => {
    await using files = new Files();
    files.write('a.example.com/hosts.toml', '');
    const directory = createHostsDirectory(files.directory, createRecordedLog().log);
    expect(directory.hostsOf('r.example.com')).toBeUndefined();
  });

  it('asks the first directory of a path that has something, _default included', async () => {
    await using files = new Files();
    files.write('one/a.example.com/hosts.toml', mirror('one'));
    files.write('two/_default/hosts.toml', mirror('two'));
    files.write('three/r.example.com/hosts.toml', mirror('three'));
    const path = [files.at('one'), files.at('two'), files.at('three')].join(':');
    const directory = createHostsDirectory(path, createRecordedLog().log);
    expect(askedFor(directory, 'a.example.com')).toEqual(['one', '-']);
    expect(askedFor(directory, 'r.example.com')).toEqual(['two', '-']);
  });

  it.each(['', ':', '/nowhere/at/all', `${import.meta.dirname}:/nowhere`])(
    'does not start with the path %j',
    (path) => {
      expect(() => createHostsDirectory(path, createRecordedLog().log)).toThrow(
        invalidConfig('Cannot use --hosts-dir'),
      );
    },
  );

  // The facts of TestLoadCertFiles in containerd's core/remotes/docker/config/hosts_test.go
  // (Apache License 2.0).
  it.each([
    ['crt only', true, false],
    ['crt and cert pair', true, true],
    ['cert pair only', false, true],
  ])("reads Docker's layout: %s", async (_what, hasCa, hasPair) => {
    await using files = new Files();
    files.write('r.example.com/README', 'nothing');
    if (hasCa) files.write('r.example.com/ca.crt', ca);
    if (hasPair) {
      files.write('r.example.com/client.cert', pair.cert);
      files.write('r.example.com/client.key', pair.key);
    }
    const directory = createHostsDirectory(files.directory, createRecordedLog().log);
    const host = onlyHost(directory);
    expect(host.server).toBeUndefined();
    expect(host.tls?.ca?.map(pem)).toEqual(hasCa ? [pem(ca)] : undefined);
    expect(host.tls?.cert).toBe(hasPair ? pair.cert : undefined);
    expect(host.tls?.key).toBe(hasPair ? pair.key : undefined);
  });

  it('reads certificate and key of one file, and every authority of a bundle', async () => {
    await using files = new Files();
    files.write('r.example.com/all.pem', `${pair.cert}\n${pair.key}`);
    files.write('r.example.com/ca.pem', `# two of them\n${ca}\n${otherCa}`);
    files.write('r.example.com/hosts.toml', 'client = "all.pem"\nca = "ca.pem"');
    const directory = createHostsDirectory(files.directory, createRecordedLog().log);
    expect(onlyHost(directory).tls?.ca?.map(pem)).toEqual([pem(ca), pem(otherCa)]);
    expect(onlyHost(directory).tls?.key).toBe(`${pair.cert}\n${pair.key}`);
  });

  it('gives settings of TLS another id when a file that they name changes, and only then', async () => {
    await using files = new Files();
    files.write('r.example.com/ca.crt', ca);
    files.write('r.example.com/hosts.toml', 'ca = "ca.crt"');
    const directory = createHostsDirectory(files.directory, createRecordedLog().log);
    const before = onlyHost(directory).tls?.id;
    files.write('r.example.com/ca.crt', ca);
    expect(onlyHost(directory).tls?.id).toBe(before);
    files.write('r.example.com/ca.crt', otherCa);
    expect(onlyHost(directory).tls?.id).not.toBe(before);
    expect(before).toMatch(/^[0-9a-f]{64}$/);
  });

  it('sees directories, files and certificates that come, change and go', async () => {
    await using files = new Files();
    const directory = createHostsDirectory(files.directory, createRecordedLog().log);
    expect(askedFor(directory, 'r.example.com')).toBeUndefined();
    files.write('_default/hosts.toml', mirror('default'));
    expect(askedFor(directory, 'r.example.com')).toEqual(['default', '-']);
    files.write('r.example.com/hosts.toml', mirror('one'));
    expect(askedFor(directory, 'r.example.com')).toEqual(['one', '-']);
    files.write('r.example.com/hosts.toml', mirror('two'));
    expect(askedFor(directory, 'r.example.com')).toEqual(['two', '-']);
    files.remove('r.example.com/hosts.toml');
    expect(askedFor(directory, 'r.example.com')).toEqual(['-']);
    files.write('r.example.com/ca.crt', ca);
    expect(onlyHost(directory).tls?.ca).toHaveLength(1);
    files.remove('r.example.com');
    expect(askedFor(directory, 'r.example.com')).toEqual(['default', '-']);
  });

  it('keeps the last good version of a malformed file, warns once a change, and takes the mended one', async () => {
    await using files = new Files();
    const { log, lines } = createRecordedLog();
    files.write('r.example.com/hosts.toml', mirror('good'));
    files.write('r.example.com/ca.crt', ca);
    const directory = createHostsDirectory(files.directory, log);
    expect(askedFor(directory, 'r.example.com')).toEqual(['good', '-']);
    for (const broken of ['server =', `${mirror('m')}capabilities = ["fly"]`]) {
      files.write('r.example.com/hosts.toml', broken);
      expect(askedFor(directory, 'r.example.com')).toEqual(['good', '-']);
      expect(askedFor(directory, 'r.example.com')).toEqual(['good', '-']);
    }
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^warn hosts\.toml not used .*"serves":"the version before"/);
    expect(lines[0]).toContain(files.at('r.example.com/hosts.toml'));
    files.write('r.example.com/hosts.toml', mirror('mended'));
    expect(askedFor(directory, 'r.example.com')).toEqual(['mended', '-']);
    expect(lines).toHaveLength(2);
  });

  it("falls back to Docker's layout, as containerd does, where the file is malformed to begin with", async () => {
    await using files = new Files();
    const { log, lines } = createRecordedLog();
    files.write('r.example.com/hosts.toml', '[header]\nauthorization = "Basic canary');
    files.write('r.example.com/ca.crt', ca);
    const directory = createHostsDirectory(files.directory, log);
    expect(onlyHost(directory).tls?.ca).toHaveLength(1);
    expect(onlyHost(directory).server).toBeUndefined();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^warn hosts\.toml not used .*"serves":"certificate files"/);
    expect(lines[0]).toContain('line 2');
    expect(lines[0]).not.toContain('canary');
  });

  it.each<[what: string, spoil: (files: Files) => void, message: string]>([
    ['is absent', (files) => files.remove('r.example.com/ca.pem'), 'Cannot read '],
    [
      'holds no certificate',
      (files) => files.write('r.example.com/ca.pem', 'x'),
      'it holds no PEM certificate',
    ],
    [
      'holds a broken certificate',
      (files) => files.write('r.example.com/ca.pem', ca.replace(/^M.*$/m, 'MIIB')),
      'it holds a broken certificate',
    ],
    [
      'does not go with its key',
      (files) => files.write('r.example.com/client.key', otherPair.key),
      'it does not go with its key',
    ],
  ])(
    'fails where a file %s, until it is mended; then the last good one serves',
    async (_what, spoil, message) => {
      await using files = new Files();
      const { log, lines } = createRecordedLog();
      const mend = (): void => {
        files.write('r.example.com/ca.pem', ca);
        files.write('r.example.com/client.cert', pair.cert);
        files.write('r.example.com/client.key', pair.key);
      };
      mend();
      files.write(
        'r.example.com/hosts.toml',
        'ca = "ca.pem"\nclient = [["client.cert", "client.key"]]',
      );
      spoil(files);
      const directory = createHostsDirectory(files.directory, log);
      for (let n = 0; n < 2; n += 1) {
        expect(() => directory.hostsOf('r.example.com')).toThrow(invalidConfig(message));
      }
      mend();
      const { tls } = onlyHost(directory);
      expect(tls?.cert).toBe(pair.cert);
      expect(lines).toEqual([]);
      spoil(files);
      expect(onlyHost(directory).tls).toEqual(tls);
      expect(lines).toHaveLength(1);
    },
  );
});
