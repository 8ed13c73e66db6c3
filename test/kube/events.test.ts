import { hostname } from 'node:os';

import { describe, expect, it } from '@jest/globals';

import type { NotPinnedEvent } from '../../src/events/not-pinned.ts';
import { createEventWriter } from '../../src/kube/events.ts';
import { describeError } from '../../src/log.ts';
import { createAuthority } from '../support/certificate.ts';
import { Files } from '../support/files.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const PATH = '/api/v1/namespaces/team/events';

const EVENT: NotPinnedEvent = {
  namespace: 'team',
  regarding: { kind: 'ReplicaSet', name: 'web-5d', uid: 'uid-of-web-5d' },
  message: 'Pod "web-" was admitted with tags: web [not_found]',
};

/** The writer before an API server that answers so. */
async function withServer(
  answer: Rule,
  run: (write: ReturnType<typeof createEventWriter>, server: ScriptedRegistry) => Promise<void>,
): Promise<void> {
  await using files = new Files();
  const authority = await createAuthority();
  const pair = await authority.issue(['127.0.0.1']);
  await using server = await startRegistry([{ ...answer, headers: JSON_TYPE }], pair);
  const file = files.write('kubeconfig', kubeconfigText(server.origin, authority.certificate));
  await run(createEventWriter({ files: [file] }), server);
}

describe('createEventWriter()', () => {
  it('creates an Event in the namespace, about the object', async () => {
    const created = { kind: 'Event', apiVersion: 'v1', metadata: {}, involvedObject: {} };
    await withServer({ status: 201, body: JSON.stringify(created) }, async (write, server) => {
      await write(EVENT);
      const [asked] = server.requests;
      expect(asked).toMatchObject({ method: 'POST', path: PATH });
      const at: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
      expect(JSON.parse(asked?.body ?? '')).toEqual({
        metadata: { generateName: 'tagpin-', namespace: 'team' },
        involvedObject: {
          kind: 'ReplicaSet',
          name: 'web-5d',
          namespace: 'team',
          uid: 'uid-of-web-5d',
        },
        type: 'Warning',
        reason: 'ImageNotPinned',
        message: EVENT.message,
        source: { component: 'tagpin' },
        reportingComponent: 'tagpin.dev/webhook',
        reportingInstance: hostname(),
        firstTimestamp: at,
        lastTimestamp: at,
        count: 1,
      });
    });
  });

  it('tells what the API server answered, and nothing that stands in it', async () => {
    const status = { kind: 'Status', apiVersion: 'v1', code: 403, message: 'canary' };
    await withServer({ status: 403, body: JSON.stringify(status) }, async (write) => {
      const refused = await write(EVENT).catch((caught: unknown) => caught);
      expect(refused).toMatchObject({
        code: 'cluster_unreadable',
        message: 'the API server answered 403 to an Event for namespace "team"',
      });
      // As a log line tells it, with all causes.
      expect(JSON.stringify(describeError(refused))).not.toContain('canary');
    });
  });

  it('asks for no path that a review names', async () => {
    await withServer({}, async (write, server) => {
      const refused = write({ ...EVENT, namespace: '../secrets' });
      await expect(refused).rejects.toMatchObject({ code: 'cluster_unreadable' });
      expect(server.requests).toEqual([]);
    });
  });
});
