import { readdir, readFile } from 'node:fs/promises';

import { beforeAll, describe, expect, it } from '@jest/globals';

import type { Facts } from '../../src/doctor/facts.ts';
import { CHECKS } from '../../src/doctor/finding.ts';
import { judge } from '../../src/doctor/judge.ts';
import { ABSENT, read } from '../support/doctor-facts.ts';
import { wellInstallation } from './judgement.ts';

let healthy: Facts;

beforeAll(async () => {
  healthy = (await wellInstallation()).facts;
});

/** The tests of all judges, as text: each has a table of rows. */
async function testsOfJudges(): Promise<readonly string[]> {
  const names = await readdir(import.meta.dirname);
  const judges = names.filter((name) => /^judge-.*\.test\.ts$/.test(name));
  return Promise.all(judges.map((name) => readFile(`${import.meta.dirname}/${name}`, 'utf8')));
}

describe('judge()', () => {
  it('calls everything well of an installation that is', () => {
    const findings = judge(healthy);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(new Set(findings.map(({ id }) => id))).toEqual(new Set(Object.keys(CHECKS)));
  });

  it('is tried on each check, by rows that go wrong (itJudges)', async () => {
    const texts = await testsOfJudges();
    const tried = texts.flatMap((text) => [...text.matchAll(/^ +id: '(.+)',$/gm)]);
    expect(new Set(tried.map(([, id]) => id))).toEqual(new Set(Object.keys(CHECKS)));
  });

  it('says what to do wherever something failed', () => {
    const broken = {
      ...healthy,
      configurations: read([]),
      deployment: ABSENT,
      ownNamespace: ABSENT,
    };
    const failed = judge(broken).filter(({ status }) => status === 'failed');
    expect(failed.length).toBeGreaterThan(2);
    expect(failed.filter(({ advice }) => advice === undefined)).toEqual([]);
  });
});
