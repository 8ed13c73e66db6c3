import { inspect } from 'node:util';
import type { Offer } from '../../src/credentials/credential.ts';
import type { CloudParts, CloudSource } from '../../src/credentials/sources/cloud-source.ts';
import { PinError } from '../../src/errors.ts';
import { parseReference } from '../../src/image/reference.ts';
import { describeError } from '../../src/log.ts';
import type { ScriptedRegistry } from './scripted-registry.ts';

/** The parts of a cloud's source, with a clock to turn and a record of what it said. */
export interface CloudStack {
  readonly parts: CloudParts;
  /** Adds to both clocks. */
  readonly pass: (ms: number) => void;
  /** `SOURCE RESULT` of every fetch. */
  readonly results: readonly string[];
  /** Everything that was logged, as text. */
  readonly logged: () => string;
}

/** `startMs` is the wall clock; the other one starts elsewhere. */
export function createCloudStack(startMs: number = Date.now()): CloudStack {
  const results: string[] = [];
  const lines: string[] = [];
  let passedMs = 0;
  return {
    parts: {
      now: () => 1_000_000 + passedMs,
      wallClock: () => startMs + passedMs,
      observe: (source, result) => results.push(`${source} ${result}`),
      log: { warn: (fields, message) => lines.push(`${message} ${JSON.stringify(fields)}`) },
    },
    pass: (ms) => {
      passedMs += ms;
    },
    results,
    logged: () => lines.join('\n'),
  };
}

/** `fetch` with every host played by one server: `https://HOST/PATH` is its `/HOST/PATH`. */
export function fetchFrom({ origin }: ScriptedRegistry): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    return fetch(`${origin}/${url.host}${url.pathname}${url.search}`, init);
  };
}

export function offersOf(source: CloudSource, image: string): Promise<readonly Offer[]> {
  return source.offersFor(parseReference(image), AbortSignal.timeout(20_000));
}

/** What a person, a log and a debugger see of the failure. */
export async function failureOf(
  source: CloudSource,
  image: string,
): Promise<{ readonly error: PinError; readonly everything: string }> {
  const error = await offersOf(source, image).catch((caught: unknown) => caught);
  if (!(error instanceof PinError)) throw new Error('it did not fail', { cause: error });
  const everything = [error.stack, inspect(error, { depth: 9 }), describeError(error)['error']];
  return { error, everything: everything.join('\n') };
}
