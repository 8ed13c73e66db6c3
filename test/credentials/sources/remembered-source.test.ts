import { describe, expect, it } from '@jest/globals';

import type { Offer } from '../../../src/credentials/credential.ts';
import { createRememberedSource } from '../../../src/credentials/sources/remembered-source.ts';
import { PinError } from '../../../src/errors.ts';
import { parseReference } from '../../../src/image/reference.ts';
import { createRecordedLog } from '../../support/recorded-log.ts';

const NOBODY = new AbortController().signal;
const OFFER: Offer = { credential: { username: 'u', password: 'wonder' }, origin: 'cloud' };

/** A source by registry, whose answers are given one after the other. */
function sourceWith(...answers: readonly (readonly Offer[] | Error)[]) {
  const { log, lines } = createRecordedLog();
  const observed: string[] = [];
  const asked: string[] = [];
  const clock = { nowMs: 1000 };
  const source = createRememberedSource(
    {
      name: 'cloud',
      covers: ({ registry }) => registry.endsWith('.example'),
      keyOf: ({ registry }) => registry,
      fetch: async ({ registry }) => {
        const answer = answers[asked.push(registry) - 1] ?? [];
        if (answer instanceof Error) throw answer;
        return { offers: answer, goodUntilMs: clock.nowMs + 60_000 };
      },
    },
    { now: () => clock.nowMs, observe: (name, result) => observed.push(`${name} ${result}`), log },
  );
  const offersFor = (image: string) => source.offersFor(parseReference(image), NOBODY);
  return { source, offersFor, observed, asked, lines, clock };
}

describe('createRememberedSource()', () => {
  it('has the name and the images of its definition', () => {
    const { source } = sourceWith();
    expect(source.name).toBe('cloud');
    expect(source.covers(parseReference('a.example/x'))).toBe(true);
    expect(source.covers(parseReference('a.test/x'))).toBe(false);
  });

  it('asks once a key, and counts what was found', async () => {
    const { offersFor, observed, asked } = sourceWith([OFFER], []);
    expect(await offersFor('a.example/x')).toEqual([OFFER]);
    expect(await offersFor('a.example/y')).toEqual([OFFER]);
    expect(await offersFor('b.example/x')).toEqual([]);
    expect(asked).toEqual(['a.example', 'b.example']);
    expect(observed).toEqual(['cloud found', 'cloud none']);
  });

  it('counts a failure by its code, and logs what lies below it', async () => {
    const { offersFor, observed, lines } = sourceWith(new Error('no route'));
    const caught = await offersFor('a.example/x').catch((error: unknown) => error);
    expect(caught).toBeInstanceOf(PinError);
    expect(caught).toMatchObject({
      code: 'credential_source_failed',
      message: 'the credential source "cloud" failed',
    });
    expect(observed).toEqual(['cloud credential_source_failed']);
    expect(lines).toEqual([expect.stringMatching(/^warn .*"source":"cloud".*<- Error: no route/)]);
  });

  it('asks anew what was forgotten', async () => {
    const { source, offersFor, asked, clock } = sourceWith([OFFER], [OFFER]);
    await offersFor('a.example/x');
    clock.nowMs += 5000;
    source.forget(parseReference('a.example/y'));
    await offersFor('a.example/x');
    expect(asked).toHaveLength(2);
  });
});
