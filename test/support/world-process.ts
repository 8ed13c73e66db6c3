import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { PatchOperation } from '../../src/admission/patch.ts';
import { patched } from './admission.ts';
import { call } from './call.ts';
import { createAuthority } from './certificate.ts';
import { pullSecret } from './cluster.ts';
import { type RunningTagpin, startTagpin } from './process.ts';
import { type Json, type Kind, type RequestParts, reviewBody } from './review.ts';
import { startRegistry } from './scripted-registry.ts';
import type { Place, World } from './world.ts';

/** The secret of the namespace `shop`, with a credential for each place. */
export const REGCRED = 'regcred';

/** What the API server got back. */
interface Reviewed {
  readonly allowed: boolean;
  readonly warnings: readonly string[];
  readonly patch: readonly PatchOperation[];
  /** The object with the patch applied. */
  readonly object: Json;
  readonly message: string;
}

/** `tagpin serve` in a world, as an API server calls it. */
export interface WorldTagpin {
  readonly running: RunningTagpin;
  readonly review: (
    kind: Kind,
    parts: RequestParts,
    how?: { readonly mode?: string; readonly timeout?: string },
  ) => Promise<Reviewed>;
}

/**
 * Starts the real process with a cluster that holds `regcred`. All that it writes and answers is
 * searched for canaries at the end of the world.
 */
export async function startTagpinIn(
  world: World,
  places: readonly Place[],
  flags: readonly string[] = [],
): Promise<WorldTagpin> {
  const directory = await mkdtemp(join(tmpdir(), 'tagpin-world-'));
  world.use({ [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) });
  const authority = await createAuthority();
  const pair = await authority.issue(['127.0.0.1']);
  await writeFile(join(directory, 'tls.crt'), pair.cert);
  await writeFile(join(directory, 'tls.key'), pair.key);
  const auths = places.map(({ host, credential }): [string, [string, string]] => [
    host,
    [credential.username, credential.password],
  ]);
  const secret = pullSecret(REGCRED, Object.fromEntries(auths));
  const cluster = world.use(
    await startRegistry(
      [
        {
          when: { path: `/api/v1/namespaces/shop/secrets/${REGCRED}` },
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(secret),
        },
        { status: 404, headers: { 'content-type': 'application/json' }, body: '{}' },
      ],
      pair,
    ),
  );
  const kubeconfig = join(directory, 'kubeconfig');
  const token = world.canaries.hatch('kube');
  await writeFile(kubeconfig, kubeconfigFor(cluster.origin, authority.certificate, token));
  const running = world.use(
    await startTagpin([
      `--kubeconfig=${kubeconfig}`,
      `--tls-cert=${join(directory, 'tls.crt')}`,
      `--tls-key=${join(directory, 'tls.key')}`,
      `--plain-http=${places.map(({ host }) => host).join(',')}`,
      '--allow-address=127.0.0.0/8',
      '--drain-time=0s',
      ...flags,
    ]),
  );
  world.use({
    [Symbol.asyncDispose]: async () => {
      if (running.isAlive()) {
        world.canaries.overhear('the metrics', (await running.operations('/metrics'))[1]);
      }
      world.canaries.overhear('the log', running.output());
    },
  });
  await running.logged(({ msg }) => msg === 'cluster client loaded');
  return { running, review: reviewer(world, running, authority.certificate) };
}

function reviewer(world: World, { webhookPort }: RunningTagpin, ca: string): WorldTagpin['review'] {
  return async (kind, parts, { mode = 'pin', timeout = '10s' } = {}) => {
    const body = JSON.stringify(reviewBody(kind, parts));
    const path = `/admission/${mode}?timeout=${timeout}`;
    const { text } = await call(webhookPort, ca, { path, body });
    const { response } = JSON.parse(text);
    const { allowed, warnings = [], status } = response;
    const json = Buffer.from(response.patch ?? '', 'base64').toString();
    world.canaries.overhear('an answer', text + json);
    const patch = json === '' ? [] : (JSON.parse(json) as PatchOperation[]);
    const object = patched(parts.object, patch);
    return { allowed, warnings, patch, object, message: status?.message ?? '' };
  };
}

function kubeconfigFor(origin: string, ca: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: origin, 'certificate-authority-data': btoa(ca) } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}
