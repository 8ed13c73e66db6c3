import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

import { binaryPath } from './binaries.ts';
import { startProcess } from './child-process.ts';
import { freePort } from './free-port.ts';

/** A distribution registry to start. */
export interface DistributionSpec {
  readonly name: string;
  /** Takes its configuration and its log. */
  readonly directory: string;
  /** Sections of its configuration; `http` may have more than the address. */
  readonly config: { readonly http?: object; readonly [section: string]: unknown };
}

/** A registry that listens. */
export interface RunningDistribution {
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  readonly host: string;
  readonly logFile: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a distribution registry on a free port.
 *
 * @throws Error with the end of its log when it does not come up
 */
export async function startDistribution(spec: DistributionSpec): Promise<RunningDistribution> {
  const { name, directory } = spec;
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const file = join(directory, `${name}.yml`);
  const config = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: false } },
    ...spec.config,
    http: { addr: host, secret: 'e2e', ...spec.config.http },
  };
  // JSON is YAML, which saves a writer of the latter.
  await writeFile(file, JSON.stringify(config));
  const { logFile, stop } = await startProcess({
    name,
    directory,
    command: binaryPath('registry'),
    args: ['serve', file],
    env: { OTEL_TRACES_EXPORTER: 'none' },
    ready: async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    },
  });
  return { host, logFile, stop };
}
