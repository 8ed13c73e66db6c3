import { readFileSync } from 'node:fs';

import { PinError } from '../../errors.ts';
import { describeError, type Logger } from '../../log.ts';
import { createReloaded } from '../../reloaded.ts';

/** What may stand in a line: a host, with `*` for any text, and a port. */
const HOST = /^[A-Za-z0-9*_.-]+(?::(?:\d{1,5}|\*))?$|^\[[0-9A-Fa-f:.*]+\](?::(?:\d{1,5}|\*))?$/;

/**
 * The list of `--allow-registry-file`, read again when the file has changed. Throws
 * `invalid_config` where it cannot be read to begin with; later the last good one serves.
 */
export function createAllowFile(file: string, log: Logger): () => readonly string[] {
  const list = createReloaded({
    read: (see) => {
      see(file);
      return parseAllowFile(readText(file), file);
    },
    observeFailure: (error) =>
      log.warn(
        { file, serves: 'the version before', ...describeError(error) },
        'allowed registries not used',
      ),
  });
  list();
  return list;
}

/** One `HOST[:PORT]` a line; what follows a `#` does not count. Throws `invalid_config`. */
export function parseAllowFile(text: string, file: string): readonly string[] {
  return text.split('\n').flatMap((line, index) => {
    const host = line.replace(/#.*$/, '').trim();
    if (host === '') return [];
    if (HOST.test(host)) return [host];
    const message = `Cannot use line ${index + 1} of ${file}: expected HOST[:PORT], with * for any text`;
    throw new PinError('invalid_config', message);
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (caught) {
    throw new PinError('invalid_config', `Cannot read ${file}`, { cause: caught });
  }
}
