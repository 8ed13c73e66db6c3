import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { DENIALS, failureText, WARNINGS } from '../src/admission/wording.ts';
import { STATE_RULES } from '../src/audit/findings.ts';

import { logMessages } from './support/log-lines.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'messages.md'), 'utf8');

/** The rows of the tables of a part of the page, as their cells. */
function rowsOf(heading: string): string[][] {
  const [, part = ''] = PAGE.split(`\n${heading}\n`);
  const [text = ''] = part.split('\n## ');
  return [...text.matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) => row.split(' | '));
}

function firstCellsOf(heading: string): string[] {
  return rowsOf(heading).map(([cell = '']) => cell.replaceAll('`', ''));
}

/** What a text says where each of its words that vary is the name of its parameter. */
function inCapitals(text: (...words: never[]) => string): string {
  const [, parameters = ''] = /^\(([^)]*)\)/.exec(text.toString()) ?? [];
  const names = [...parameters.matchAll(/[a-z]\w*/g)].map(([name]) => name.toUpperCase());
  return (text as unknown as (...words: string[]) => string)(...names).replaceAll('\n', ' ');
}

interface Policy {
  readonly spec: { readonly validations: readonly { readonly message: string }[] };
}

function policyMessages(): string[] {
  return ['enforce', 'namespace-labels'].flatMap((name) => {
    const file = join(ROOT, 'manifests', 'helm', 'files', 'policies', `${name}.yaml`);
    const policy = parse(readFileSync(file, 'utf8')) as Policy;
    return policy.spec.validations.map(({ message }) => message);
  });
}

/** Of Kubernetes: apiserver pkg/admission/plugin/policy/generic/policy_dispatcher.go. */
const NO_LIST = 'no params found for policy binding with';

describe('docs/messages.md', () => {
  it('has a row for every warning, and no other', () => {
    expect(firstCellsOf('## Warnings')).toEqual(Object.values(WARNINGS).map(inCapitals));
    expect(PAGE).toContain(`\`${failureText('IMAGE', 'PLACE', 'MESSAGE')}\``);
  });

  it('has a row for every refusal of the webhook and of the policies, and no other', () => {
    const said = [...Object.values(DENIALS).map(inCapitals), ...policyMessages(), NO_LIST];
    expect(firstCellsOf('## Refusals')).toEqual(said);
  });

  it('has a row for every line of the log of level warn and error, and no other', () => {
    expect(firstCellsOf('## In the log')).toEqual([...logMessages()].toSorted());
  });

  it('has the rules of `tagpin audit`', () => {
    const rows = Object.entries(STATE_RULES).map(([state, { says, advice }]) => [
      `\`${state}\``,
      says,
      advice,
    ]);
    expect(rowsOf('## From the command line')).toEqual(rows);
  });

  it('has messages of `tagpin pin` and `tagpin check` that there are', () => {
    const files = globSync('src/{check,files,pin}/*.ts', { cwd: ROOT });
    const sources = files.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');
    const told = firstCellsOf('## Of files');
    // What varies is in capitals, which "UTF-8" is not meant to be.
    const unknown = told.filter((text) =>
      text.split(/\b[A-Z]{3,}\b(?!-)/).some((words) => !sources.includes(words)),
    );
    expect(told.length).toBeGreaterThan(15);
    expect(unknown).toEqual([]);
  });

  it('says of everything what to do', () => {
    const rows = [...PAGE.matchAll(/^\| `.*$/gm)].map(([row]) => row.split(' | '));
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.filter((cells) => cells.length !== 3)).toEqual([]);
  });
});
