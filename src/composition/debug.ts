import type { Server } from 'node:http';

import type { ServeSettings } from '../config.ts';
import { SERVE_SETTINGS } from '../config.ts';
import type { SecretReader } from '../credentials/read-secrets.ts';
import type { DebugQuestion } from '../debug/explain-fields.ts';
import { createOverview } from '../debug/overview.ts';
import { createDebugRecord, type DebugRecord } from '../debug/record.ts';
import { actionIn, PinError } from '../errors.ts';
import { explain } from '../explain/explanation.ts';
import { createRecorder } from '../explain/recorder.ts';
import { runExplain } from '../explain/run.ts';
import type { Streams } from '../files/streams.ts';
import { compileGlobs } from '../image/glob.ts';
import type { Logger } from '../log.ts';
import type { DigestCache } from '../resolve/cache.ts';
import { createDebugServer, type DebugExplain } from '../server/debug.ts';
import type { Metrics } from '../server/metrics.ts';
import { registryName } from '../server/registry-labels.ts';
import type { Engine } from './engine.ts';
import { listenerOf } from './told-resolver.ts';

/** What is told of the webhook, remembered for the page beside the metrics. */
export interface DebugMemory {
  readonly record: DebugRecord;
  readonly metrics: Metrics;
}

const now = (): number => performance.now();
const clock = (): number => Date.now();

/** The metrics as they are, and a record that is told the same; undefined with `--debug-listen off`. */
export function composeDebugMemory(
  { debugListen }: Pick<ServeSettings, 'debugListen'>,
  metrics: Metrics,
): DebugMemory | undefined {
  if (debugListen === undefined) return undefined;
  const record = createDebugRecord({ nameOf: registryName, now, clock });
  const { registries } = record;
  return {
    record,
    metrics: {
      ...metrics,
      review: (report) => {
        metrics.review(report);
        record.review(report);
      },
      registryRequest: (request) => {
        metrics.registryRequest(request);
        registries.registryRequest(request);
      },
      registryGated: (registry, untilMs) => {
        metrics.registryGated(registry, untilMs);
        registries.registryGated(registry, untilMs);
      },
      registrySilent: (registry, untilMs) => {
        metrics.registrySilent(registry, untilMs);
        registries.registrySilent(registry, untilMs);
      },
      cacheResult: (result) => {
        metrics.cacheResult(result);
        record.cacheResult(result);
      },
      certificateExpiry: (which, timestampSeconds) => {
        metrics.certificateExpiry(which, timestampSeconds);
        record.certificateExpiry(which, timestampSeconds);
      },
    },
  };
}

export interface DebugParts {
  readonly version: string;
  readonly engine: Pick<Engine, 'toldTo' | 'placesOf'>;
  readonly reader: SecretReader;
  readonly cache: Pick<DigestCache, 'size'>;
  readonly notReady: () => readonly string[];
  readonly log: Logger;
}

/** The page, and the port that it is on. */
export function composeDebugServer(
  settings: ServeSettings,
  { record }: Pick<DebugMemory, 'record'>,
  parts: DebugParts,
): Server {
  const { version, engine, cache, notReady, log } = parts;
  const overview = createOverview({
    version,
    node: process.versions.node,
    settings: shownSettings(settings),
    record,
    cacheEntries: cache.size,
    maxDigests: settings.cacheEntries,
    placesOf: engine.placesOf,
    notReady,
    now,
    clock,
  });
  return createDebugServer({ overview, explain: explainer(settings, parts), log });
}

/** An explanation holds a connection and reads Secrets: one person needs no more of them at once. */
const MAX_EXPLANATIONS = 2;
/** As the webhook is called: the `timeoutSeconds` of its entries. */
const PATIENCE_MS = 10_000;

function explainer(
  settings: ServeSettings,
  { engine, reader }: Pick<DebugParts, 'engine' | 'reader'>,
): DebugExplain {
  let underWay = 0;
  const { referenceForm, shortNames, skip } = settings;
  const isSkipped = compileGlobs(skip);
  const refusesShortNames = shortNames === 'refuse';
  const run = async (asked: DebugQuestion, format: 'text' | 'json'): Promise<string> => {
    const written: string[] = [];
    await runExplain(
      { ...asked, pod: undefined },
      { format, referenceForm },
      {
        streams: streamsInto(written),
        // This process reads Secrets, whoever asks.
        advise: ({ code }) => actionIn(asked.namespace, code),
        explain: ({ image }, observe) => {
          const recorder = createRecorder({ observe, now });
          const resolver = engine.toldTo(listenerOf(recorder, reader));
          return explain(
            { recorder, resolver, isSkipped, refusesShortNames },
            { image, identity: async () => asked, deadlineAtMs: now() + PATIENCE_MS },
          );
        },
      },
    );
    return written.join('');
  };
  return async (asked, format) => {
    if (underWay >= MAX_EXPLANATIONS) {
      throw new PinError('overloaded', `${MAX_EXPLANATIONS} images are being explained: ask again`);
    }
    underWay += 1;
    try {
      return await run(asked, format);
    } finally {
      underWay -= 1;
    }
  };
}

function streamsInto(written: string[]): Streams {
  return {
    readInput: async () => new Uint8Array(),
    out: async (text) => void written.push(String(text)),
    err: async () => {},
    isRead: () => true,
    onTerminal: { out: false, err: false },
  };
}

/** What says how images are looked up and pinned; no address of others, no file with a secret. */
const SHOWN = [
  'referenceForm',
  'skip',
  'skipOwner',
  'extraKind',
  'refreshPolicy',
  'siblingPins',
  'allowSkipInEnforce',
  'cluster',
  'cacheTtl',
  'staleIfError',
  'cacheEntries',
  'allowRegistry',
  'allowAddress',
  'plainHttp',
  'hostsDir',
  'registriesConf',
  'verifyByDigest',
  'shortNames',
  'cloudCredentials',
  'ownCredentialsNamespaces',
  'ownCredentialsImages',
  'anonymousFallback',
  'certificates',
  'drainTime',
  'logLevel',
] as const satisfies readonly (keyof ServeSettings)[];

function shownSettings(settings: ServeSettings): Readonly<Record<string, string>> {
  return Object.fromEntries(
    SHOWN.map((name) => {
      const [flag = '', shape] = SERVE_SETTINGS[name].flag.split(' ');
      return [flag, shown(settings[name], { flag, shape })];
    }),
  );
}

/** A value in the spelling of its flag, or nearly. */
function shown(
  value: ServeSettings[(typeof SHOWN)[number]],
  { flag, shape }: { readonly flag: string; readonly shape: string | undefined },
): string {
  if (value === undefined) return '';
  if (typeof value === 'object') return value.join(',');
  if (typeof value === 'boolean') return String(flag.startsWith('--no-') ? !value : value);
  return shape === 'DURATION' ? `${value}ms` : String(value);
}
