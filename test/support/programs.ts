import { chmodSync, existsSync, readFileSync } from 'node:fs';

import { Files } from './files.ts';

/** Programs of one test in a directory, written in sh. */
export class Programs extends Files {
  /** An environment in which they are found by name. */
  get environment(): Readonly<Record<string, string>> {
    return { PATH: `${this.directory}:${process.env['PATH']}`, DIRECTORY: this.directory };
  }

  /** A program that notes each start, and whose standard input is `$input`. */
  program(name: string, script: string): string {
    const head = `#!/bin/sh\necho start >>"${this.at(name)}.starts"\ninput=$(cat)\n`;
    return this.script(name, head + script);
  }

  /** A program of exactly these lines. */
  script(name: string, text: string): string {
    const path = this.write(name, text);
    chmodSync(path, 0o755);
    return path;
  }

  /** How often a program was started. */
  starts(name: string): number {
    const path = `${this.at(name)}.starts`;
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
  }

  text(path: string): string {
    return existsSync(this.at(path)) ? readFileSync(this.at(path), 'utf8') : '';
  }
}

/** Whether a process has ended; one that nobody waits for stays as a zombie. */
export function hasEnded(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  try {
    return / [ZX] /.test(readFileSync(stat, 'utf8'));
  } catch {
    return true;
  }
}
