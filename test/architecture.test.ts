import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { describe, expect, it } from '@jest/globals';

const SRC = join(import.meta.dirname, '..', 'src');

/** Rooms of the house: a folder of src, or a file that stands by itself. */
interface Room {
  /** Rooms that it may import, beside itself. */
  readonly rooms: readonly string[];
  /** Packages and Node's own modules that it may import. */
  readonly packages: readonly string[];
}

const VOCABULARY = ['error-codes.ts', 'errors.ts', 'json.ts', 'log.ts'];

const ROOMS: Readonly<Record<string, Room>> = {
  'error-codes.ts': { rooms: [], packages: [] },
  'errors.ts': { rooms: ['error-codes.ts'], packages: [] },
  'json.ts': { rooms: [], packages: [] },
  'log.ts': { rooms: [], packages: [] },
  'within.ts': { rooms: [], packages: [] },
  // How a shell is told a word.
  'shell.ts': { rooms: [], packages: [] },
  // What can be set: a table in parts, and how one is read.
  settings: { rooms: ['image', ...VOCABULARY], packages: ['node:net'] },
  'config.ts': { rooms: ['settings', 'image', ...VOCABULARY], packages: [] },
  image: { rooms: VOCABULARY, packages: ['node:buffer', 'node:crypto'] },
  workload: { rooms: ['image', ...VOCABULARY], packages: [] },
  admission: { rooms: ['workload', 'image', ...VOCABULARY], packages: ['fast-json-patch'] },
  credentials: {
    rooms: ['image', ...VOCABULARY],
    packages: ['lru-cache', 'node:crypto', 'node:net'],
  },
  // The operator's own: one file, or a few, for each outside source.
  'credentials/sources': {
    rooms: ['credentials', 'image', ...VOCABULARY],
    packages: [
      '@aws-sdk/client-ecr',
      '@aws-sdk/client-ecr-public',
      '@azure/identity',
      'google-auth-library',
      'lru-cache',
      'node:child_process',
      'node:fs',
      'node:fs/promises',
      'node:path',
      'yaml',
    ],
  },
  registry: {
    rooms: ['credentials', 'image', ...VOCABULARY],
    packages: ['lru-cache', 'node:dns', 'node:fs', 'node:net', 'node:tls', 'tldts', 'undici'],
  },
  // What the operator's files say of registries.
  'registry/files': {
    rooms: ['registry', 'image', 'reloaded.ts', ...VOCABULARY],
    packages: ['lru-cache', 'node:crypto', 'node:fs', 'node:path', 'node:tls', 'smol-toml'],
  },
  // By which path the API server calls: written into its configuration, and looked for in calls.
  'caller-path.ts': { rooms: [], packages: [] },
  'installation-key.ts': { rooms: VOCABULARY, packages: ['node:crypto', 'node:fs'] },
  'reloaded.ts': { rooms: VOCABULARY, packages: ['node:fs'] },
  resolve: {
    rooms: ['registry', 'credentials', 'image', 'within.ts', ...VOCABULARY],
    packages: ['lru-cache', 'node:async_hooks', 'p-limit'],
  },
  // Digests that replicas tell one another, behind a port of resolve/.
  'shared-cache': {
    rooms: ['image', 'installation-key.ts', 'resolve', 'settings', 'within.ts', ...VOCABULARY],
    packages: ['@redis/client', 'node:crypto', 'node:net'],
  },
  // The file in which digests outlive a restart.
  snapshot: {
    rooms: ['resolve', 'registry', 'image', 'within.ts', ...VOCABULARY],
    packages: ['node:crypto', 'node:fs', 'node:fs/promises', 'node:os', 'node:path'],
  },
  // What is known of the Pods of one controller: what its replicas run, and how often it makes one.
  pods: {
    rooms: ['workload', 'image', 'within.ts', ...VOCABULARY],
    packages: ['lru-cache', 'node:buffer'],
  },
  // Built-in certificates: what replicas agree on, and what each of them does next.
  certificates: {
    rooms: ['caller-path.ts', ...VOCABULARY],
    packages: ['@peculiar/x509', 'node:crypto', 'node:net', 'reflect-metadata'],
  },
  // What is told a namespace of images that kept their tags.
  events: { rooms: ['admission', 'image', ...VOCABULARY], packages: ['lru-cache'] },
  kube: {
    rooms: [
      'audit',
      'certificates',
      'credentials',
      'doctor',
      'events',
      'explain',
      'onboard',
      'within.ts',
      ...VOCABULARY,
    ],
    packages: ['@kubernetes/client-node', 'node:fs/promises', 'node:os', 'undici'],
  },
  // What the webhook did, remembered and written for an operator: no HTTP.
  debug: {
    rooms: ['admission', 'config.ts', 'image', ...VOCABULARY],
    packages: ['node:buffer', 'node:crypto'],
  },
  server: {
    rooms: ['admission', 'caller-path.ts', 'debug', 'image', ...VOCABULARY],
    packages: [
      'express',
      'node:crypto',
      'node:fs/promises',
      'node:http',
      'node:https',
      'node:net',
      'node:tls',
      'pino',
      'prom-client',
    ],
  },
  files: {
    rooms: ['workload', 'image', ...VOCABULARY],
    packages: ['node:fs', 'node:fs/promises', 'node:path', 'yaml'],
  },
  pin: { rooms: ['files', 'workload', 'image', ...VOCABULARY], packages: ['node:path'] },
  check: { rooms: ['files', 'workload', 'image', ...VOCABULARY], packages: [] },
  // A function of kustomize: both of them on a ResourceList.
  krm: { rooms: ['check', 'files', 'image', 'pin', 'workload', ...VOCABULARY], packages: [] },
  // What registries have under names: manifests, layers, tags; and the ports by which they are asked.
  contents: {
    rooms: ['files', 'image', ...VOCABULARY],
    packages: ['node:buffer', 'node:stream', 'node:util', 'node:zlib'],
  },
  // What runs in a cluster, against what registries have.
  audit: { rooms: ['contents', 'files', 'workload', 'image', ...VOCABULARY], packages: [] },
  // What labelling a namespace would change: the webhook's decisions about reviews that nobody sends.
  onboard: {
    rooms: ['admission', 'audit', 'contents', 'files', 'image', 'workload', ...VOCABULARY],
    packages: [],
  },
  // What may be wrong with an installation: facts of a cluster, and a judgement of each.
  doctor: {
    rooms: [
      'admission',
      'certificates',
      // What a Deployment tells `serve` is read as `serve` reads it.
      'config.ts',
      'files',
      'image',
      'settings',
      'shell.ts',
      'workload',
      ...VOCABULARY,
    ],
    packages: ['node:crypto', 'node:net', 'node:tls', 'node:util'],
  },
  // Scripts for shells, from what the commands are.
  completion: { rooms: ['shell.ts'], packages: [] },
  // How a look-up goes, told to a person.
  explain: {
    rooms: [
      'admission',
      'credentials',
      'files',
      'image',
      'registry',
      'resolve',
      'shell.ts',
      'workload',
      ...VOCABULARY,
    ],
    packages: ['lru-cache', 'node:util'],
  },
  // Docker or podman on this machine.
  daemon: {
    rooms: ['contents', 'files', 'image', ...VOCABULARY],
    packages: ['node:fs', 'node:http'],
  },
  commands: {
    rooms: [
      'admission',
      'audit',
      'check',
      'completion',
      'contents',
      'daemon',
      'doctor',
      'explain',
      'files',
      'image',
      'krm',
      'onboard',
      'pin',
      'config.ts',
      'settings',
      ...VOCABULARY,
    ],
    packages: ['commander', 'node:net', 'node:stream', 'node:tty'],
  },
  // With main.ts the composition root: what resolves a tag, and what the commands build around that.
  composition: {
    rooms: [
      'admission',
      'audit',
      'certificates',
      'commands',
      'config.ts',
      'contents',
      'credentials',
      'credentials/sources',
      'debug',
      'doctor',
      'events',
      'explain',
      'files',
      'image',
      'installation-key.ts',
      'kube',
      'onboard',
      'pods',
      'registry',
      'registry/files',
      'reloaded.ts',
      'resolve',
      'server',
      'settings',
      'shared-cache',
      'snapshot',
      'workload',
      ...VOCABULARY,
    ],
    packages: ['node:async_hooks', 'node:fs', 'node:http', 'node:https', 'node:os', 'node:path'],
  },
  'main.ts': {
    rooms: ['commands', 'config.ts', 'composition', 'files', 'image', 'server', ...VOCABULARY],
    packages: ['node:fs', 'node:path'],
  },
};

/** Packages that one file alone may import, wherever its room would allow them. */
const SINGLE_FILES: Readonly<Record<string, string | readonly string[]>> = {
  '@aws-sdk/client-ecr': 'credentials/sources/aws.ts',
  '@aws-sdk/client-ecr-public': 'credentials/sources/aws.ts',
  '@azure/identity': 'credentials/sources/azure.ts',
  '@kubernetes/client-node': 'kube/connection.ts',
  '@redis/client': 'shared-cache/redis-connection.ts',
  '@peculiar/x509': 'certificates/issue.ts',
  'fast-json-patch': 'admission/patch.ts',
  'reflect-metadata': 'certificates/issue.ts',
  'google-auth-library': 'credentials/sources/google-file.ts',
  'node:child_process': 'credentials/sources/program.ts',
  pino: 'server/log-output.ts',
  tldts: 'registry/realm.ts',
  'smol-toml': 'registry/files/toml.ts',
  'p-limit': 'resolve/limits.ts',
  // Registries; and the API server where no redirection may be followed.
  undici: ['registry/pools.ts', 'kube/connection.ts'],
};

interface Import {
  readonly file: string;
  readonly target: string;
}

const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .toSorted();

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s*'([^']+)'|import\(\s*'([^']+)'|(?:^|\n)import\s*'([^']+)'/g;

const IMPORTS: readonly Import[] = FILES.flatMap((file) =>
  [...readFileSync(join(SRC, file), 'utf8').matchAll(IMPORT)].map((match) => ({
    file,
    target: match[1] ?? match[2] ?? match[3] ?? '',
  })),
);

/** The innermost room. */
function roomOf(file: string): string {
  const folder = dirname(file);
  return folder === '.' ? file : folder;
}

function targetFile({ file, target }: Import): string {
  return relative(SRC, join(SRC, dirname(file), target));
}

const BETWEEN_FILES = IMPORTS.filter(({ target }) => target.startsWith('.'));
const OF_PACKAGES = IMPORTS.filter(({ target }) => !target.startsWith('.'));

/** Tells whether an import is of more than types, and not made when it is needed. */
function isEager(file: string, target: string): boolean {
  const text = readFileSync(join(SRC, file), 'utf8');
  return new RegExp(`import (?!type)[^;]*from '${target}'`).test(text);
}

function filesHolding(pattern: RegExp): string[] {
  return FILES.filter((file) => pattern.test(readFileSync(join(SRC, file), 'utf8')));
}

describe('the structure of src', () => {
  it('was seen: every room has a file, every file a room, and the imports were found', () => {
    const rooms = new Set(FILES.map(roomOf));
    expect([...rooms].toSorted()).toEqual(Object.keys(ROOMS).toSorted());
    expect(FILES.length).toBeGreaterThanOrEqual(50);
    expect(BETWEEN_FILES.length).toBeGreaterThanOrEqual(120);
    expect(OF_PACKAGES.length).toBeGreaterThanOrEqual(25);
    expect(BETWEEN_FILES.filter((edge) => !FILES.includes(targetFile(edge)))).toEqual([]);
  });

  it('has only the arrows of the table between its rooms', () => {
    const wrong = BETWEEN_FILES.filter((edge) => {
      const from = roomOf(edge.file);
      const to = roomOf(targetFile(edge));
      return from !== to && ROOMS[from]?.rooms.includes(to) !== true;
    });
    expect(wrong).toEqual([]);
  });

  it('keeps every package in its room', () => {
    const wrong = OF_PACKAGES.filter(
      ({ file, target }) => ROOMS[roomOf(file)]?.packages.includes(target) !== true,
    );
    expect(wrong).toEqual([]);
  });

  it('keeps some packages in one file', () => {
    const wrong = OF_PACKAGES.filter(({ file, target }) => {
      const only = SINGLE_FILES[target];
      return only !== undefined && ![only].flat().includes(file);
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    ['@aws-sdk/client-ecr', 'credentials/sources/aws.ts'],
    ['@aws-sdk/client-ecr-public', 'credentials/sources/aws.ts'],
    ['@azure/identity', 'credentials/sources/azure.ts'],
    ['@kubernetes/client-node', 'kube/connection.ts'],
    ['@redis/client', 'shared-cache/redis-connection.ts'],
    ['@peculiar/x509', 'certificates/issue.ts'],
    ['reflect-metadata', 'certificates/issue.ts'],
    ['google-auth-library', 'credentials/sources/google-file.ts'],
  ])('loads %s lazily: nothing but types is imported at the start', (name, file) => {
    const text = readFileSync(join(SRC, file), 'utf8');
    expect(text).toContain(`import('${name}')`);
    expect(text).not.toMatch(new RegExp(`import (?!type)[^;]*from '${name}'`));
  });

  it('loads what the commands run when they run', () => {
    const eager = BETWEEN_FILES.filter(
      ({ file, target }) =>
        roomOf(file) === 'commands' &&
        /\.\.\/(check|daemon|pin)\//.test(target) &&
        isEager(file, target),
    );
    expect(eager).toEqual([]);
  });

  it('imports packages of its own dependencies alone, for the image has no others', () => {
    const { dependencies } = JSON.parse(readFileSync(join(SRC, '..', 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const packages = OF_PACKAGES.map(({ target }) => target).filter(
      (target) => !target.startsWith('node:'),
    );
    const names = new Set(packages.map((target) => /^(?:@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? ''));
    expect([...names].filter((name) => !Object.hasOwn(dependencies, name))).toEqual([]);
  });

  it('loads what describes the commands at the start, and nothing else', () => {
    const started = new Set<string>();
    const load = (file: string): void => {
      if (started.has(file)) return;
      started.add(file);
      BETWEEN_FILES.filter((edge) => edge.file === file && isEager(file, edge.target)).forEach(
        (edge) => load(targetFile(edge)),
      );
    };
    load('main.ts');
    const rooms = new Set([...started].map(roomOf));
    const described = ['commands', 'config.ts', 'image', 'main.ts', 'settings', ...VOCABULARY];
    expect([...rooms].toSorted()).toEqual(described.toSorted());
    const packages = OF_PACKAGES.filter(
      ({ file, target }) =>
        started.has(file) && isEager(file, target) && !target.startsWith('node:'),
    );
    expect(new Set(packages.map(({ target }) => target))).toEqual(new Set(['commander']));
  });

  it('ends the process, listens to signals and reads the environment in one place each', () => {
    expect(filesHolding(/process\.exit/)).toEqual(['main.ts']);
    expect(filesHolding(/process\.(on|once)\(/)).toEqual(['main.ts']);
    expect(filesHolding(/process\.env/)).toEqual(['config.ts']);
  });

  it('has no room without a name of its own', () => {
    const nameless = /(^|\/)(utils?|helpers?|common|types|constants|index)(\/|\.ts$)/;
    expect(FILES.filter((file) => nameless.test(file))).toEqual([]);
  });
});
