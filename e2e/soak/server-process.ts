import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { startProcess } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';

/** A server of a control plane that runs already, by the name of its files. */
interface ServerProcessParts {
  readonly directory: string;
  readonly name: string;
  /** Throws until it serves. */
  readonly ready: () => Promise<void>;
}

/** What can become of a server that other processes depend on. */
export class ServerProcess {
  readonly #parts: ServerProcessParts;
  readonly #listeners = new Set<(atMs: number) => void>();

  constructor(parts: ServerProcessParts) {
    this.#parts = parts;
  }

  /** Tells when another one is started in its place; gives what ends that. */
  onStart(listener: (atMs: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Holds all that it does, as a machine does that swaps. */
  async freeze(ms: number): Promise<void> {
    const pid = this.#pid();
    process.kill(pid, 'SIGSTOP');
    try {
      await delay(ms);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  /** Resolves once another one with the same arguments serves in its place. */
  async killAndStart(): Promise<void> {
    const pid = this.#pid();
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    const [command = '', ...args] = words;
    process.kill(pid, 'SIGKILL');
    await eventually(() => {
      if (lives(pid)) throw new Error(`${this.#parts.name} still lives`);
    });
    for (const listener of this.#listeners) listener(Date.now());
    await startProcess({ ...this.#parts, command, args });
  }

  #pid(): number {
    const { directory, name } = this.#parts;
    return Number(readFileSync(join(directory, `${name}.pid`), 'utf8'));
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
