import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';

import { startProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { pinUrl, post } from './post.ts';

/** A webhook that listens on loopback, in a process of its own. */
export interface LocalProcess {
  readonly port: number;
  readonly pid: number;
}

/** Starts a webhook whose answer to everything is what another one answers to this review. */
export async function startConstantWebhook(
  { directory, authority, certificate }: BenchCluster,
  review: unknown,
  model: LocalProcess,
): Promise<LocalProcess> {
  const file = join(directory, 'patch.txt');
  await writeFile(file, await patchOf(pinUrl(model), authority, review));
  const port = await freePort();
  const { pid } = await startProcess({
    name: 'constant-pin',
    directory,
    command: process.execPath,
    args: [
      join(import.meta.dirname, 'constant-pin.ts'),
      certificate.certificateFile,
      certificate.keyFile,
      String(port),
      file,
    ],
    ready: async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    },
  });
  return { port, pid };
}

/** The patch that a webhook answers to a review, in base64. */
async function patchOf(url: string, authority: string, review: unknown): Promise<string> {
  const agent = new Agent({ ca: authority });
  const { text } = await post(url, agent, JSON.stringify(review));
  agent.destroy();
  const patch = /"patch":"([^"]+)"/.exec(text)?.[1];
  if (patch === undefined) throw new Error(`There is no patch: ${text}`);
  return patch;
}
