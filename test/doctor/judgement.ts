import { beforeAll, expect, it } from '@jest/globals';

import type { Facts } from '../../src/doctor/facts.ts';
import type { CheckId, Finding, Status } from '../../src/doctor/finding.ts';
import { judge } from '../../src/doctor/judge.ts';
import type { JsonObject } from '../../src/json.ts';
import { type Authority, createAuthority } from '../support/certificate.ts';
import { configuration, healthyFacts } from '../support/doctor-facts.ts';

/** An installation with nothing wrong, of which each row changes something. */
export interface Well {
  readonly facts: Facts;
  readonly authority: Authority;
  /** Its webhook configuration. */
  readonly configuration: JsonObject;
}

export interface Expected {
  readonly status: Status;
  readonly about?: string | undefined;
  /** A part of what is said. */
  readonly says?: string | undefined;
  readonly command?: string | undefined;
}

export interface Row {
  readonly id: CheckId;
  readonly when: string;
  readonly facts: (well: Well) => Partial<Facts> | Promise<Partial<Facts>>;
  readonly expected: readonly Expected[];
}

export const UNREAD: Expected = {
  status: 'warning',
  says: 'not looked at: you may not get things',
};
export const NO_LOOK: Expected = { status: 'warning', says: 'not looked at' };

const NOTHING: Expected = { status: 'ok' };

export async function wellInstallation(): Promise<Well> {
  const authority = await createAuthority();
  return {
    facts: await healthyFacts(authority),
    authority,
    configuration: configuration(authority),
  };
}

function partOf(text: string | undefined, wanted: string): string | undefined {
  return text?.includes(wanted) === true ? wanted : text;
}

/** A finding by what is expected of it: of texts a part will do. */
function seenAs(finding: Finding, { about, says, command }: Expected): Expected {
  return {
    status: finding.status,
    about: about && finding.about,
    says: says && partOf(finding.says, says),
    command: command && partOf(finding.command, command),
  };
}

/** A test a row, and one that the rows know something wrong of each check that they are of. */
export function itJudges(rows: readonly Row[]): void {
  let well: Well;

  beforeAll(async () => {
    well = await wellInstallation();
  });

  it.each(rows.map((row) => [row.id, row.when, row] as const))(
    'judges %s where %s',
    async (id, _when, { facts, expected }) => {
      const findings = judge({ ...well.facts, ...(await facts(well)) });
      const told = findings.filter((finding) => finding.id === id);
      expect(told.map((one, at) => seenAs(one, expected[at] ?? NOTHING))).toEqual(expected);
      expect(JSON.stringify(findings)).not.toContain('canary');
    },
  );

  it('tries each check with something that is wrong', () => {
    const wrong = rows.filter(({ expected }) => expected.some(({ status }) => status !== 'ok'));
    expect(new Set(wrong.map(({ id }) => id))).toEqual(new Set(rows.map(({ id }) => id)));
  });
}
