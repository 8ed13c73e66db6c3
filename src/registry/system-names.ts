import { lookup } from 'node:dns';
import { close, open } from 'node:fs';

import type { ResolveName } from './name-lookups.ts';

const OUT_OF_FILES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE']);

/**
 * The system's resolver. Where no file descriptor is left to ask DNS, it says that the name is not
 * known: whatever it fails with, it is told apart here, so that nobody takes it for the host's fault.
 */
export const resolveBySystem: ResolveName = (hostname, options, callback) => {
  lookup(hostname, options, (error, addresses) => {
    if (error === null) callback(null, addresses);
    else
      open('/', 'r', (ownError, file) => {
        if (ownError === null) close(file);
        const isOurs = OUT_OF_FILES.has(ownError?.code ?? '');
        callback(isOurs && ownError !== null ? ownError : error, []);
      });
  });
};
