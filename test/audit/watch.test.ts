import { describe, expect, it } from '@jest/globals';

import type { AuditReport } from '../../src/audit/findings.ts';
import type { Use } from '../../src/audit/use.ts';
import { createAuditWatch } from '../../src/audit/watch.ts';
import { PinError } from '../../src/errors.ts';
import { createRecordedLog } from '../support/recorded-log.ts';

const USE: Use = {
  workload: { namespace: 'shop', kind: 'Deployment', name: 'web' },
  place: 'container "web"',
  image: 'nginx:1',
  original: undefined,
  inTemplate: true,
  pods: 1,
  account: { namespace: 'shop', pullSecrets: [], serviceAccount: 'default' },
};

const REPORT: AuditReport = {
  uses: [USE, { ...USE, place: 'container "b"' }],
  findings: [{ state: 'unpinned', use: USE }],
  unread: 0,
  platforms: undefined,
};

describe('createAuditWatch', () => {
  it('tells how many images are in each state, also in those of which there are none', async () => {
    const told = Promise.withResolvers<ReadonlyMap<string, number>>();
    const watch = createAuditWatch({
      everyMs: 3_600_000,
      audit: () => Promise.resolve(REPORT),
      observe: told.resolve,
      log: createRecordedLog().log,
    });
    watch.start();
    expect(Object.fromEntries(await told.promise)).toEqual({
      unpinned: 1,
      pinned: 1,
      pinned_in_pods: 0,
      moved: 0,
      tag_gone: 0,
      gone: 0,
      untagged: 0,
      one_platform: 0,
      unknown: 0,
    });
    watch.stop();
  });

  it('logs one that fails, and tries again when its time has come', async () => {
    const { log, lines } = createRecordedLog();
    const told = Promise.withResolvers<unknown>();
    let runs = 0;
    const watch = createAuditWatch({
      everyMs: 1,
      audit: () => {
        runs += 1;
        const error = new PinError('cluster_unreadable', 'no list');
        return runs === 1 ? Promise.reject(error) : Promise.resolve(REPORT);
      },
      observe: told.resolve,
      log,
    });
    watch.start();
    await told.promise;
    watch.stop();
    expect(lines).toEqual([
      expect.stringMatching(/^warn the cluster could not be audited .*no list/),
    ]);
  });

  it('begins none after it was stopped', async () => {
    const first = Promise.withResolvers<AuditReport>();
    const observed = Promise.withResolvers<unknown>();
    let runs = 0;
    const watch = createAuditWatch({
      everyMs: 0,
      audit: () => {
        runs += 1;
        return first.promise;
      },
      observe: observed.resolve,
      log: createRecordedLog().log,
    });
    watch.start();
    watch.stop();
    first.resolve(REPORT);
    await observed.promise;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(runs).toBe(1);
  });
});
