import { isCallerToken } from '../caller-path.ts';
import { PinError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createPolledFiles, type PolledFiles } from './polled-files.ts';

const MAX_TOKENS = 16;

/** Tokens in a file, one a line: while one follows the other, both. */
export function createCallerTokenFile(
  file: string,
  know: (tokens: readonly string[]) => void,
  log: Logger,
): PolledFiles {
  return createPolledFiles({
    files: [file],
    adopt: (text = '') => {
      const tokens = text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
      const wrong = tokens.findIndex((token) => !isCallerToken(token));
      if (tokens.length === 0 || tokens.length > MAX_TOKENS || wrong !== -1) {
        const which = wrong === -1 ? `${tokens.length} tokens` : `token ${wrong + 1}`;
        const expected = '1 to 16 tokens of 32 to 128 small letters and digits, one a line';
        const message = `Cannot use ${which} in ${file}: expected ${expected}`;
        throw new PinError('invalid_config', message);
      }
      know(tokens);
      log.info({ file, tokens: tokens.length }, 'caller tokens loaded');
    },
    what: 'caller tokens',
    fields: { file },
    log,
  });
}
