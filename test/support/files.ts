import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Files of one test, in a directory that ends with it. */
export class Files implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'tagpin-files-'));

  at(path: string): string {
    return join(this.directory, path);
  }

  /** Writes a file, or replaces it by another one, as the swap of a mounted ConfigMap does. */
  write(path: string, text: string): string {
    const file = this.at(path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    return file;
  }

  remove(path: string): void {
    rmSync(this.at(path), { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
