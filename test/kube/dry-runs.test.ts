import { describe, expect, it } from '@jest/globals';

import { createDryRuns } from '../../src/kube/dry-runs.ts';
import { createAuthority } from '../support/certificate.ts';
import { Files } from '../support/files.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
import { startRegistry } from '../support/scripted-registry.ts';

describe('createDryRuns()', () => {
  it('creates a Pod in a dry run, and gives the answer with its warnings', async () => {
    await using files = new Files();
    const authority = await createAuthority();
    const pair = await authority.issue(['127.0.0.1']);
    const status = { kind: 'Status', message: 'denied', details: { causes: [] } };
    const headers = { 'content-type': 'application/json', warning: '299 - "one \\"two\\""' };
    const answer = { status: 403, headers, body: JSON.stringify(status) };
    await using server = await startRegistry([answer], pair);
    const file = files.write('kubeconfig', kubeconfigText(server.origin, authority.certificate));
    const create = createDryRuns({ files: [file] }, 'shop');
    expect(await create({ kind: 'Pod' })).toMatchObject({
      status: 403,
      message: 'denied',
      value: status,
      warnings: ['one "two"'],
    });
    const [request] = server.requests;
    const path = '/api/v1/namespaces/shop/pods';
    expect(request).toMatchObject({ method: 'POST', path, body: '{"kind":"Pod"}' });
    expect(request?.query.get('dryRun')).toBe('All');
  });

  it.each(['../secrets', 'a/b', ''])('takes %j for no namespace', (namespace) => {
    expect(() => createDryRuns({ files: [] }, namespace)).toThrow('There is no namespace');
  });
});
