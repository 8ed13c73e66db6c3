import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { LRUCache } from 'lru-cache';

import { PinError } from '../../errors.ts';
import { describeError, type Logger } from '../../log.ts';
import { createReloaded, type See } from '../../reloaded.ts';
import type { TlsSettings } from '../connection.ts';
import { type HostEntry, parseHostsToml } from './hosts-toml.ts';
import { pathsOf, readTlsFiles } from './tls-files.ts';

/** A host of a `hosts.toml` with the content of the files that it names. */
export interface LoadedHost extends Omit<HostEntry, 'tls'> {
  readonly tls: TlsSettings | undefined;
  /** Whether the file says anything of TLS at all. */
  readonly saysTls: boolean;
}

/** What the directories say of one registry. */
interface RegistryHosts {
  /** In the order in which they are asked; empty entries are the registry itself. */
  readonly hosts: readonly LoadedHost[];
  /** False where only `_default` fits: the operator did not name this registry. */
  readonly isNamed: boolean;
}

export interface HostsDirectory {
  /** Undefined where no directory fits. Throws `invalid_config`. */
  readonly hostsOf: (registry: string) => RegistryHosts | undefined;
}

/** Only directories that exist get in, and those are the operator's; others are read anew. */
const MAX_DIRECTORIES = 500;
const DEFAULT = '_default';

/**
 * Containerd's `config_path`: directories of registries, separated by `:`. Throws `invalid_config`
 * where one of them does not exist. Whatever is in them may change while the program runs.
 */
export function createHostsDirectory(configPath: string, log: Logger): HostsDirectory {
  const roots = configPath.split(':').filter((root) => root !== '');
  const missing = roots.find((root) => !exists(root));
  if (missing !== undefined || roots.length === 0) {
    throw new PinError('invalid_config', `Cannot use --hosts-dir: ${missing ?? ''} does not exist`);
  }
  const known = new LRUCache<string, () => readonly LoadedHost[]>({ max: MAX_DIRECTORIES });
  const readerOf = (directory: string): (() => readonly LoadedHost[]) => {
    const reader = known.get(directory) ?? createReader(directory, log);
    known.set(directory, reader);
    return reader;
  };
  return {
    hostsOf: (registry) => {
      for (const root of roots) {
        const name = namesOf(registry.toLowerCase()).find((one) => exists(join(root, one)));
        if (name !== undefined) {
          return { hosts: readerOf(join(root, name))(), isNamed: name !== DEFAULT };
        }
      }
      return undefined;
    },
  };
}

/** `r.example.com_5000_`, `r.example.com:5000`, `_default` (containerd's docs/hosts.md). */
function namesOf(registry: string): readonly string[] {
  const colon = registry.replace(/\]$/, '').lastIndexOf(':');
  const port = /:(\d+)$/.exec(registry)?.[1];
  const spelled = port === undefined ? [] : [`${registry.slice(0, colon)}_${port}_`];
  return [...spelled, registry, DEFAULT];
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (caught) {
    throw new PinError('invalid_config', `Cannot read ${path}`, { cause: caught });
  }
}

function createReader(directory: string, log: Logger): () => readonly LoadedHost[] {
  const file = join(directory, 'hosts.toml');
  const warn = (error: unknown, serves: string): void =>
    log.warn({ file, serves, ...describeError(error) }, 'hosts.toml not used');
  return createReloaded({
    read: (see, known) => {
      see(file);
      const entries = entriesOf(directory, see, (error) => {
        if (known !== undefined) throw error;
        warn(error, 'certificate files');
      });
      return entries.map((entry) => load(entry, see));
    },
    observeFailure: (error) => warn(error, 'the version before'),
  });
}

/** As containerd, which falls back to Docker's layout where the file is absent, empty or broken. */
function entriesOf(
  directory: string,
  see: See,
  fallBack: (error: PinError) => void,
): readonly HostEntry[] {
  const text = readHostsToml(join(directory, 'hosts.toml'));
  if (text === '') return [certificatesOf(directory, see)];
  try {
    return parseHostsToml(text, directory);
  } catch (caught) {
    if (!(caught instanceof PinError)) throw caught;
    fallBack(caught);
    return [certificatesOf(directory, see)];
  }
}

function readHostsToml(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (caught) {
    if (Error.isError(caught) && 'code' in caught && caught.code === 'ENOENT') return '';
    throw new PinError('invalid_config', `Cannot read ${file}`, { cause: caught });
  }
}

/** Docker's certs.d: `*.crt` are authorities, `*.cert` with `*.key` the client's certificate. */
function certificatesOf(directory: string, see: See): HostEntry {
  see(directory);
  const names = readdirSync(directory, { withFileTypes: true })
    .filter((item) => !item.isDirectory())
    .map(({ name }) => name)
    .toSorted();
  const cert = names.find((name) => name.endsWith('.cert'));
  const key = names.find((name) => name === cert?.replace(/\.cert$/, '.key'));
  const client = cert !== undefined && {
    client: { cert: join(directory, cert), ...(key && { key: join(directory, key) }) },
  };
  const ca = names.filter((name) => name.endsWith('.crt')).map((name) => join(directory, name));
  return {
    server: undefined,
    resolves: true,
    tls: { ca, ...client },
    headers: {},
    connectTimeoutMs: undefined,
  };
}

function load({ tls, ...entry }: HostEntry, see: See): LoadedHost {
  const paths = pathsOf(tls);
  for (const path of paths) see(path);
  const saysTls = paths.length > 0 || tls.skipVerify !== undefined;
  return { ...entry, tls: readTlsFiles(tls), saysTls };
}
