import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { createCertificateAuthority } from '../support/certificate.ts';
import { startProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { pinUrl } from './post.ts';

/** A server that answers every review the same. */
export interface Ceiling {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/**
 * Starts express with a constant answer in a process of its own, over TLS with a certificate of
 * the kind that the webhook has in these measurements (EC, P-256).
 */
export async function startCeiling(answer: string, parent: string): Promise<Ceiling> {
  const directory = mkdtempSync(join(parent, 'ceiling-'));
  const authority = await createCertificateAuthority();
  const pair = await authority.issueServer('127.0.0.1');
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const port = await freePort();
  const { stop, pid } = await startProcess({
    name: 'ceiling',
    directory,
    command: process.execPath,
    args: [
      join(import.meta.dirname, 'ceiling.ts'),
      file('tls.crt', pair.certificate),
      file('tls.key', pair.key),
      String(port),
      file('answer.json', answer),
    ],
    ready: async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    },
  });
  return { url: pinUrl({ port }), pid, stop };
}
