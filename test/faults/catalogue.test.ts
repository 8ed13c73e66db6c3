import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

/** A test as its file has it: its number and name, and whether it runs in a world. */
interface NamedTest {
  readonly file: string;
  readonly number: number;
  readonly name: string;
  readonly inWorld: boolean;
}

const NUMBERS = Array.from({ length: 70 }, (_, n) => n + 1);
/** What only a real network, or a real registry, shows beside the scripted one. */
const WITH_TOXIPROXY = [17, 18, 19, 21, 52, 58, 59];

const TEST = /['`]fault (\d+): ([^\n]*?)['`],\s*(inWorld\()?/g;

function testsIn(file: string): NamedTest[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(TEST)].map((match) => ({
    file,
    number: Number(match[1]),
    name: match[2] ?? '',
    inWorld: match[3] !== undefined,
  }));
}

const HERE = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.test.ts') && name !== 'catalogue.test.ts')
  .flatMap((name) => testsIn(join(import.meta.dirname, name)));
const END_TO_END = testsIn(join(import.meta.dirname, '..', '..', 'e2e', 'faults.e2e.ts'));

describe('the catalogue of faults', () => {
  it.each(NUMBERS)('has a test of fault %i', (number) => {
    const names = HERE.filter((test) => test.number === number).map(({ name }) => name);
    expect(names).not.toEqual([]);
  });

  it('has no number of its own making', () => {
    const unknown = [...HERE, ...END_TO_END].filter(({ number }) => !NUMBERS.includes(number));
    expect(unknown).toEqual([]);
  });

  it('has those of the network end to end, too', () => {
    const numbers = new Set(END_TO_END.map(({ number }) => number));
    expect([...numbers].toSorted((a, b) => a - b)).toEqual(WITH_TOXIPROXY);
  });

  it('says in each name what comes of it', () => {
    const silent = [...HERE, ...END_TO_END].filter(({ name }) => !/\S → \S/.test(name));
    expect(silent).toEqual([]);
  });

  it('runs every test in a world, where a credential that leaks fails it', () => {
    expect(HERE.length).toBeGreaterThanOrEqual(100);
    expect(HERE.filter((test) => !test.inWorld)).toEqual([]);
  });
});
