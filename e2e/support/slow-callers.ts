import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';

import { eventually } from './eventually.ts';
import type { Replica } from './replicas.ts';

const CALL =
  'POST /admission/pin HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{';

/**
 * Fills a replica with calls whose bodies do not end, as many as it takes at once; gives what hangs
 * up on all of them.
 */
export async function fill(
  replica: Replica,
  { count, certificateFile }: { readonly count: number; readonly certificateFile: string },
): Promise<() => void> {
  const ca = readFileSync(certificateFile);
  const sockets = await Promise.all(
    Array.from({ length: count }, async (): Promise<TLSSocket> => {
      // The certificate itself, for its authority is in no file.
      const socket = connect({
        port: replica.port,
        host: '127.0.0.1',
        ca,
        allowPartialTrustChain: true,
      });
      await once(socket, 'secureConnect');
      socket.on('error', () => {}).write(CALL);
      return socket;
    }),
  );
  await eventually(async () => {
    const inFlight = await replica.metric('tagpin_admission_in_flight');
    if (inFlight < count) throw new Error(`${inFlight} of ${count} are in flight`);
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}
