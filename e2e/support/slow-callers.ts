import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';

import { eventually } from './eventually.ts';
import type { Replica } from './replicas.ts';

/** A registry that takes its time for each answer. */
export interface SlowRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** From now on it takes none. */
  readonly hurry: () => void;
}

/** Long enough to be waited for, and no silence. */
const ANSWER_AFTER_MS = 3000;

/** @param digest of all its tags */
export async function startSlowRegistry(digest: string): Promise<SlowRegistry> {
  const hurry = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    void Promise.race([hurry.promise, delay(ANSWER_AFTER_MS)]).then(() =>
      response.writeHead(200, { 'docker-content-digest': digest }).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    hurry: hurry.resolve,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Reviews of a namespace that wait for look-ups. */
export interface Callers {
  readonly namespace: string;
  readonly count: number;
  readonly imageOf: (number: number) => string;
}

/**
 * Sends them to a replica, each namespace's over one connection, and gives what hangs up on all. One
 * namespace after the other, for what each may have depends on what the others have.
 */
export async function fill(
  replica: Replica,
  certificateFile: string,
  callers: readonly Callers[],
): Promise<() => void> {
  // The certificate itself, for its authority is in no file.
  const ca = readFileSync(certificateFile);
  const { port } = replica;
  const sockets: TLSSocket[] = [];
  let count = 0;
  for (const some of callers) {
    const socket = connect({ port, host: '127.0.0.1', ca, allowPartialTrustChain: true });
    sockets.push(socket);
    // What is answered is of no interest, and must not fill its buffer.
    socket.on('error', () => {}).resume();
    socket.write(callsOf(some));
    count += some.count;
    await eventually(async () => {
      const inFlight = await replica.metric('tagpin_admission_in_flight');
      if (inFlight < count) throw new Error(`${inFlight} of ${count} are in flight`);
    });
  }
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

/** Of mode `warn`, so that what is counted by mode tells them from others. */
function callsOf({ namespace, count, imageOf }: Callers): string {
  return Array.from({ length: count }, (_, number) => {
    const body = JSON.stringify(reviewOf(namespace, imageOf(number)));
    const head = [
      'POST /admission/warn?timeout=30s HTTP/1.1',
      'host: 127.0.0.1',
      'content-type: application/json',
      `content-length: ${body.length}`,
    ];
    return `${head.join('\r\n')}\r\n\r\n${body}`;
  }).join('');
}

function reviewOf(namespace: string, image: string): object {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'slow',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      operation: 'CREATE',
      namespace,
      object: { metadata: { name: 'slow' }, spec: { containers: [{ name: 'web', image }] } },
    },
  };
}
