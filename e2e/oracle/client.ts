import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import type { Credential } from '../../src/credentials/credential.ts';
import type { Secret } from '../../src/credentials/keyring.ts';

/** What main.go, in this folder, is asked. */
export type KubeletQuestion =
  | { readonly kind: 'reference'; readonly text: string }
  | { readonly kind: 'keyring'; readonly secrets: readonly Secret[]; readonly image: string }
  | { readonly kind: 'plugins'; readonly plugins: readonly Plugin[]; readonly image: string };

/** An exec credential provider, and what it answers. */
export interface Plugin {
  readonly matchImages: readonly string[];
  readonly auth: Readonly<Record<string, Credential>>;
}

/** What main.go answers; an error stands alone. */
export interface KubeletAnswer {
  readonly error?: string;
  readonly reference?: {
    readonly name: string;
    /** Empty where upstream finds none. */
    readonly domain: string;
    readonly path: string;
    readonly tag?: string;
    readonly digest?: string;
  };
  readonly credentials: readonly Credential[] | null;
}

/** A running program that has the originals: one question at a time, one line each way. */
export class Oracle<Question, Answer> {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;

  constructor(path: string) {
    this.#process = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** @throws Error when the program has ended */
  async ask(question: Question): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(question)}\n`);
    const line = await this.#answers.next();
    if (line.done === true) throw new Error('The oracle ended before it answered');
    return JSON.parse(line.value) as Answer;
  }

  /** Resolves when the program has ended. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    this.#process.stdin.end();
    await ended;
    this.#lines.close();
  }
}
