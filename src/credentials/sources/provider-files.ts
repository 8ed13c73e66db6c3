import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

import { PinError } from '../../errors.ts';
import { type ProviderConfig, parseProviderConfig } from './provider-config.ts';

/** What a kubelet is told with the flags of the same names. */
export interface ProviderFiles {
  /** A CredentialProviderConfig, or a directory of them. */
  readonly config: string;
  readonly binDir: string;
}

const EXTENSIONS: ReadonlySet<string> = new Set(['.json', '.yaml', '.yml']);

/**
 * Reads what plugins there are, once, at the start: as a kubelet does (kubernetes/kubernetes
 * pkg/credentialprovider/plugin/config.go), the files of a directory in the order of their names.
 *
 * @throws PinError `invalid_config`
 */
export function readProviders({ config, binDir }: ProviderFiles): readonly ProviderConfig[] {
  const providers = filesOf(config).flatMap((path) =>
    parseProviderConfig(
      orRefuse(path, () => readFileSync(path, 'utf8')),
      JSON.stringify(path),
    ),
  );
  if (providers.length === 0) throw refused(config, 'it names no provider');
  const names = new Set<string>();
  for (const { name } of providers) {
    if (names.has(name)) throw refused(config, `two providers are named ${JSON.stringify(name)}`);
    names.add(name);
    checkProgram(join(binDir, name));
  }
  return providers;
}

function filesOf(path: string): readonly string[] {
  return orRefuse(path, () => {
    if (!statSync(path).isDirectory()) return [path];
    const entries = readdirSync(path, { withFileTypes: true });
    const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    const order = names.toSorted((one, other) =>
      Buffer.compare(Buffer.from(one), Buffer.from(other)),
    );
    return order.filter((name) => EXTENSIONS.has(extname(name))).map((name) => join(path, name));
  });
}

function checkProgram(path: string): void {
  orRefuse(path, () => {
    if (!statSync(path).isFile()) throw refused(path, 'it is no file');
    accessSync(path, constants.X_OK);
  });
}

function orRefuse<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (caught) {
    if (caught instanceof PinError) throw caught;
    throw new PinError('invalid_config', `Cannot use ${JSON.stringify(path)}`, { cause: caught });
  }
}

function refused(path: string, reason: string): PinError {
  return new PinError('invalid_config', `Cannot use ${JSON.stringify(path)}: ${reason}`);
}
