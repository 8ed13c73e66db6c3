import { describe, expect, it } from '@jest/globals';
import { processEnvironment, SERVE_SETTINGS, type ServeSettings } from '../src/config.ts';
import { PinError } from '../src/errors.ts';
import { REGISTRY_SETTINGS } from '../src/settings/registry-settings.ts';
import { readSettings, type SettingSources, variableOf } from '../src/settings/setting.ts';

type Name = keyof ServeSettings;
const NAMES = Object.keys(SERVE_SETTINGS) as Name[];

function read(sources: Partial<SettingSources>): ServeSettings {
  return readSettings(SERVE_SETTINGS, { flags: {}, environment: {}, ...sources });
}

/** The one error of settings that cannot be used. */
function problem(flags: Readonly<Record<string, string>>): string {
  try {
    read({ flags });
  } catch (caught) {
    if (caught instanceof PinError) return `${caught.code}: ${caught.message}`;
    throw caught;
  }
  return 'none';
}

describe('readSettings() with nothing set', () => {
  it('gives the defaults of the table, frozen', () => {
    const settings = read({});
    expect(settings).toEqual({
      listen: { host: '0.0.0.0', port: 8443 },
      operationsListen: { host: '0.0.0.0', port: 9090 },
      debugListen: { host: '127.0.0.1', port: 6060 },
      tlsCert: '/certs/tls.crt',
      tlsKey: '/certs/tls.key',
      certificates: 'files',
      certificateSecret: { namespace: 'tagpin-system', name: 'tagpin-certificates' },
      certificateNames: ['tagpin.tagpin-system.svc'],
      webhookConfiguration: 'tagpin',
      certificateLifetime: 7 * 24 * 3_600_000,
      authorityLifetime: 365 * 24 * 3_600_000,
      callerTokenFile: undefined,
      clientCa: undefined,
      clientNames: [],
      kubeconfig: undefined,
      cluster: true,
      plainHttp: [],
      allowAddress: [],
      allowRegistry: [],
      allowRegistryFile: undefined,
      registryCa: [],
      hostsDir: undefined,
      registriesConf: undefined,
      verifyByDigest: [],
      shortNames: 'docker.io',
      dockerConfig: undefined,
      imageCredentialProviderConfig: undefined,
      imageCredentialProviderBinDir: undefined,
      cloudCredentials: [],
      ownCredentialsNamespaces: [],
      ownCredentialsImages: [],
      anonymousFallback: false,
      cacheTtl: 60_000,
      staleIfError: 3_600_000,
      cacheEntries: 30_000,
      installationKeyFile: undefined,
      snapshot: undefined,
      snapshotEvery: 60_000,
      sharedCache: undefined,
      sharedCachePasswordFile: undefined,
      sharedCacheCa: undefined,
      sharedCacheWithoutTls: false,
      referenceForm: 'digest',
      skip: ['kind.local/*', 'ko.local/*', 'dev.local/*', 'localhost/*', 'localhost:*/*'],
      allowSkipInEnforce: false,
      skipOwner: [
        'postgresql.cnpg.io/Cluster',
        'operators.coreos.com/CatalogSource',
        'nifi.konpyutaika.com/NifiCluster',
      ],
      extraKind: [],
      refreshPolicy: 'restart',
      siblingPins: true,
      exemptImages: [],
      auditEvery: 0,
      events: false,
      explainInDryRun: false,
      drainTime: 10_000,
      logLevel: 'info',
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });
});

describe('readSettings()', () => {
  it.each<[Name, string, unknown]>([
    ['listen', '127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['listen', '[::]:65535', { host: '::', port: 65_535 }],
    ['listen', '[::1]:443', { host: '::1', port: 443 }],
    ['operationsListen', 'localhost:9090', { host: 'localhost', port: 9090 }],
    ['debugListen', 'localhost:0', { host: 'localhost', port: 0 }],
    ['debugListen', '[::1]:6060', { host: '::1', port: 6060 }],
    ['debugListen', 'off', undefined],
    ['tlsCert', 'a b.pem', 'a b.pem'],
    ['tlsKey', '/k', '/k'],
    ['kubeconfig', '/home/me/.kube/config', '/home/me/.kube/config'],
    ['cluster', 'false', false],
    ['cluster', 'true', true],
    ['plainHttp', 'a:5000', ['a:5000']],
    ['plainHttp', ' a , b:1 ,, ', ['a', 'b:1']],
    ['plainHttp', '', []],
    ['allowRegistry', '*.example.com,[::1]:5000', ['*.example.com', '[::1]:5000']],
    ['plainHttp', 'a, b:5000,*.c:*,10.1.2.*', ['a', 'b:5000', '*.c:*', '10.1.2.*']],
    ['plainHttp', '[fd00::2],[fd00::*]:5000,*', ['[fd00::2]', '[fd00::*]:5000', '*']],
    ['allowAddress', '10.0.0.0/8', ['10.0.0.0/8']],
    ['allowAddress', '0.0.0.0/0,::/0', ['0.0.0.0/0', '::/0']],
    ['allowAddress', '127.0.0.1/32, ::1/128', ['127.0.0.1/32', '::1/128']],
    ['cacheTtl', '0s', 0],
    ['cacheTtl', '500ms', 500],
    ['cacheTtl', '60s', 60_000],
    ['staleIfError', '1h30m', 5_400_000],
    ['staleIfError', '1h1m1s1ms', 3_661_001],
    ['cacheEntries', '1000', 1000],
    ['installationKeyFile', '/key', '/key'],
    ['snapshot', '/data/snapshot', '/data/snapshot'],
    ['snapshotEvery', '0s', 0],
    ['cacheEntries', '1000000', 1_000_000],
    ['drainTime', '2m', 120_000],
    ['referenceForm', 'tag-and-digest', 'tag-and-digest'],
    ['skip', '', []],
    ['skip', 'registry.example.com:5000/team/*', ['registry.example.com:5000/team/*']],
    ['allowSkipInEnforce', 'true', true],
    ['skipOwner', 'a.example/Db, /ConfigMap', ['a.example/Db', '/ConfigMap']],
    ['skipOwner', '', []],
    ['refreshPolicy', 'rollout', 'rollout'],
    ['siblingPins', 'false', false],
    ['exemptImages', 'nginx:1, a.example/*', ['nginx:1', 'a.example/*']],
    ['logLevel', 'silent', 'silent'],
  ])('reads %s from %j, as flag and as variable', (name, text, expected) => {
    expect(read({ flags: { [name]: text } })[name]).toEqual(expected);
    const environment = { [variableOf(SERVE_SETTINGS[name])]: text };
    expect(read({ environment })[name]).toEqual(expected);
  });

  it.each<[Name, string, string]>([
    ['listen', '', 'HOST:PORT'],
    ['listen', '8443', 'HOST:PORT'],
    ['listen', ':8443', 'HOST:PORT'],
    ['listen', '[]:8443', 'HOST:PORT'],
    ['listen', 'a:', 'HOST:PORT'],
    ['listen', 'a:b', 'HOST:PORT'],
    ['listen', 'a:65536', 'HOST:PORT'],
    ['listen', 'a:-1', 'HOST:PORT'],
    ['listen', 'a:1e3', 'HOST:PORT'],
    ['listen', 'a: 80', 'HOST:PORT'],
    ['operationsListen', 'a', 'HOST:PORT'],
    ['debugListen', '0.0.0.0:6060', 'a loopback address such as 127.0.0.1:6060, or "off"'],
    ['debugListen', '[::]:6060', 'a loopback address such as 127.0.0.1:6060, or "off"'],
    ['debugListen', '128.0.0.1:6060', 'a loopback address such as 127.0.0.1:6060, or "off"'],
    ['debugListen', '127.0.0.2:6060', 'a loopback address such as 127.0.0.1:6060, or "off"'],
    [
      'debugListen',
      'localhost.example.com:6060',
      'a loopback address such as 127.0.0.1:6060, or "off"',
    ],
    [
      'debugListen',
      '127.0.0.1.example.com:6060',
      'a loopback address such as 127.0.0.1:6060, or "off"',
    ],
    ['debugListen', '', 'HOST:PORT'],
    ['cluster', 'yes', '"true" or "false"'],
    ['cluster', '', '"true" or "false"'],
    ['allowSkipInEnforce', 'TRUE', '"true" or "false"'],
    ['cacheTtl', '', 'a duration such as 60s or 1h'],
    ['cacheTtl', '60', 'a duration such as 60s or 1h'],
    ['cacheTtl', '60 s', 'a duration such as 60s or 1h'],
    ['cacheTtl', '-60s', 'a duration such as 60s or 1h'],
    ['cacheTtl', '1.5h', 'a duration such as 60s or 1h'],
    ['cacheTtl', '1d', 'a duration such as 60s or 1h'],
    ['cacheTtl', 's', 'a duration such as 60s or 1h'],
    ['cacheTtl', '60sx', 'a duration such as 60s or 1h'],
    ['cacheEntries', '', 'a number from 1000 to 1000000'],
    ['cacheEntries', '999', 'a number from 1000 to 1000000'],
    ['cacheEntries', '1000001', 'a number from 1000 to 1000000'],
    ['cacheEntries', '1e5', 'a number from 1000 to 1000000'],
    ['cacheEntries', '-5000', 'a number from 1000 to 1000000'],
    ['cacheEntries', '5000.5', 'a number from 1000 to 1000000'],
    ['cacheEntries', '30,000', 'a number from 1000 to 1000000'],
    ['staleIfError', 'never', 'a duration such as 60s or 1h'],
    ['drainTime', '60S', 'a duration such as 60s or 1h'],
    // Node's timers fire at once for more than 2^31-1 ms.
    ['drainTime', '597h', 'at most 596h, got 597h'],
    ['cacheTtl', `${'9'.repeat(400)}s`, 'at most 596h, got 99999'],
    ['skipOwner', 'Cluster', 'GROUP/KIND such as example.com/Database'],
    ['skipOwner', 'a.example/v1/Db', 'GROUP/KIND such as example.com/Database'],
    ['refreshPolicy', 'always', '"restart" or "annotation" or "rollout" or "never"'],
    ['siblingPins', '', '"true" or "false"'],
    ['referenceForm', 'tag', '"digest" or "tag-and-digest"'],
    ['logLevel', 'debug', '"info" or "warn" or "error" or "silent"'],
    ['plainHttp', 'http://192.0.2.2:5555', 'HOST[:PORT] such as registry.example.com:5000'],
    ['plainHttp', 'r.example.com/team', 'HOST[:PORT] such as registry.example.com:5000'],
    ['plainHttp', 'r.example.com:', 'HOST[:PORT] such as registry.example.com:5000'],
    ['plainHttp', 'fd00::2', 'HOST[:PORT] such as [fd00::2]'],
    [
      'allowRegistry',
      'a,https://b',
      'HOST[:PORT] such as registry.example.com:5000, got "https://b"',
    ],
    ['allowAddress', '10.0.0.1', 'addresses such as 10.0.0.0/8'],
    ['allowAddress', '10.0.0.0/33', 'addresses such as 10.0.0.0/8'],
    ['allowAddress', '10.0.0.0/-1', 'addresses such as 10.0.0.0/8'],
    ['allowAddress', '10.0.0.0/', 'addresses such as 10.0.0.0/8'],
    ['allowAddress', '10.0.0.0/8/8', 'addresses such as 10.0.0.0/8'],
    ['allowAddress', '10.0.0/8', 'addresses such as 10.0.0.0/8'],
    ['allowAddress', '010.0.0.0/8', 'addresses such as 10.0.0.0/8'],
    ['allowAddress', '::/129', 'addresses such as 10.0.0.0/8'],
    ['allowAddress', '[::1]/128', 'addresses such as 10.0.0.0/8'],
    ['allowAddress', 'fe80::1%eth0/64', 'addresses such as 10.0.0.0/8'],
    ['allowAddress', 'localhost/8', 'addresses such as 10.0.0.0/8'],
  ])('refuses %s from %j', (name, text, expected) => {
    const setting = SERVE_SETTINGS[name];
    const where = `${setting.flag.split(' ')[0]} (${variableOf(setting)})`;
    const got = expected.includes('got') ? '' : `, got ${JSON.stringify(text)}`;
    expect(problem({ [name]: text })).toContain(
      `invalid_config: Cannot start with these settings: ${where}: expected ${expected}${got}`,
    );
  });

  it.each<Name>(['tlsCert', 'tlsKey', 'kubeconfig'])('refuses an empty %s', (name) => {
    expect(problem({ [name]: '' })).toMatch(/: expected a value, got an empty text$/);
  });

  it('takes the flag before the variable before the default', () => {
    const environment = { TAGPIN_CACHE_TTL: '2s', TAGPIN_DRAIN_TIME: '2s' };
    const flags = { cacheTtl: '1s', drainTime: undefined };
    expect(read({ flags, environment })).toMatchObject({
      cacheTtl: 1000,
      drainTime: 2000,
      staleIfError: 3_600_000,
    });
  });

  it('tells all problems at once', () => {
    const bad = { cacheTtl: 'soon', listen: 'here', allowAddress: '10.0.0.0/8,there' };
    expect(problem(bad)).toBe(
      'invalid_config: Cannot start with these settings: ' +
        '--listen (TAGPIN_LISTEN): expected HOST:PORT, got "here"; ' +
        '--allow-address (TAGPIN_ALLOW_ADDRESS): expected addresses such as 10.0.0.0/8, got "there"; ' +
        '--cache-ttl (TAGPIN_CACHE_TTL): expected a duration such as 60s or 1h, got "soon"',
    );
  });

  it('reads the table of another command by itself', () => {
    const environment = { TAGPIN_PLAIN_HTTP: 'a', TAGPIN_LISTEN: 'nonsense' };
    expect(readSettings(REGISTRY_SETTINGS, { flags: {}, environment })).toEqual({
      plainHttp: ['a'],
      allowAddress: [],
      allowRegistry: [],
      allowRegistryFile: undefined,
      registryCa: [],
      hostsDir: undefined,
      registriesConf: undefined,
      verifyByDigest: [],
      shortNames: 'docker.io',
    });
  });
});

describe('SERVE_SETTINGS', () => {
  it.each(NAMES)('describes %s by a flag of that name, and in a sentence', (name) => {
    const { flag, text } = SERVE_SETTINGS[name];
    const camel = (flag.split(' ')[0] ?? '')
      .replace(/^--(no-)?/, '')
      .replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    expect(camel).toBe(name);
    expect(text).toMatch(/^[A-Z].+\.$/);
  });

  it('gives every setting a variable of its own', () => {
    const variables = NAMES.map((name) => variableOf(SERVE_SETTINGS[name]));
    expect(new Set(variables).size).toBe(NAMES.length);
  });
});

describe('variableOf()', () => {
  it.each([
    ['cacheTtl', 'TAGPIN_CACHE_TTL'],
    ['cluster', 'TAGPIN_CLUSTER'],
    ['plainHttp', 'TAGPIN_PLAIN_HTTP'],
    ['allowSkipInEnforce', 'TAGPIN_ALLOW_SKIP_IN_ENFORCE'],
  ] as const)('of %s is %s', (name, variable) => {
    expect(variableOf(SERVE_SETTINGS[name])).toBe(variable);
  });
});

describe('processEnvironment()', () => {
  it('is that of the process', () => {
    process.env['TAGPIN_OF_A_TEST'] = 'here';
    try {
      expect(processEnvironment()['TAGPIN_OF_A_TEST']).toBe('here');
    } finally {
      delete process.env['TAGPIN_OF_A_TEST'];
    }
  });
});
