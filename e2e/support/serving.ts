import { join } from 'node:path';

import { type RunningProcess, startProcess } from './child-process.ts';
import { freePort } from './free-port.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** Where `serve` listens on 127.0.0.1. */
export interface Ports {
  readonly port: number;
  readonly operationsPort: number;
}

/** A `serve` of this checkout that was seen ready. */
export interface ServingProcess extends RunningProcess, Ports {}

export interface ServingSpec {
  readonly name: string;
  /** Of its log. */
  readonly directory: string;
  readonly ports: Ports;
  /** Beside those that say where it listens, which they may overrule. */
  readonly flags: readonly string[];
  /** Of Node itself. */
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** By the answer of `/readyz`; where it is none, 200 is waited for. */
  readonly isReady?: (response: Response) => Promise<boolean>;
}

/** Registries of this machine are asked, and no load balancer has to notice that the process goes. */
export const ON_THIS_MACHINE: readonly string[] = [
  '--allow-address=127.0.0.0/8',
  '--drain-time=0s',
];

export async function freePorts(): Promise<Ports> {
  return { port: await freePort(), operationsPort: await freePort() };
}

export function listenFlags({ port, operationsPort }: Ports): readonly string[] {
  return [`--listen=127.0.0.1:${port}`, `--operations-listen=127.0.0.1:${operationsPort}`];
}

export function askOperations({ operationsPort }: Ports, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${operationsPort}${path}`);
}

/** @throws Error with what is answered where that is not well */
export async function readOperations(ports: Ports, path: string): Promise<string> {
  const response = await askOperations(ports, path);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return text;
}

/** Starts one, and waits until it is ready. */
export async function startServing(spec: ServingSpec): Promise<ServingProcess> {
  const { name, directory, ports, flags, nodeFlags = [], env = {} } = spec;
  const { isReady = async ({ ok }) => ok } = spec;
  const running = await startProcess({
    name,
    directory,
    command: process.execPath,
    env,
    args: [...nodeFlags, MAIN, 'serve', ...listenFlags(ports), '--debug-listen=off', ...flags],
    ready: async () => {
      const response = await askOperations(ports, '/readyz');
      if (!(await isReady(response))) throw new Error(`/readyz answered ${response.status}`);
    },
  });
  return { ...running, ...ports };
}
