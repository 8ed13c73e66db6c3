import type { Server } from 'node:http';

import type { ServeSettings } from '../config.ts';
import type { SecretReader } from '../credentials/read-secrets.ts';
import { createOverview } from '../debug/overview.ts';
import { createDebugRecord, type DebugRecord } from '../debug/record.ts';
import { shownSettings } from '../debug/shown-settings.ts';
import type { Logger } from '../log.ts';
import type { DigestCache } from '../resolve/cache.ts';
import { createDebugServer } from '../server/debug.ts';
import type { Metrics } from '../server/metrics.ts';
import { registryName } from '../server/registry-labels.ts';
import { composeDebugExplain } from './debug-explain.ts';
import type { Engine } from './engine.ts';

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
  const { version, engine, reader, cache, notReady, log } = parts;
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
  const explain = composeDebugExplain(settings, { engine, reader, now });
  return createDebugServer({ overview, explain, log });
}
