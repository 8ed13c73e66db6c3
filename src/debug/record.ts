import type { AdmissionReport } from '../admission/report.ts';
import { createPastReviews, type PastReviews } from './past-reviews.ts';
import { createPins, type Pins } from './pins.ts';
import { createRegistries, type Registries, type RegistriesParts } from './registries.ts';

/** A certificate, and who made it. */
interface CertificateName {
  readonly certificate: string;
  readonly source: string;
}

/** A certificate that is used, or that has signed it. */
export interface CertificateState extends CertificateName {
  /** In milliseconds since 1970. */
  readonly expiresMs: number;
}

/** What is remembered of what the webhook did, for the page: so much, and never more. */
export interface DebugRecord {
  readonly review: (report: AdmissionReport) => void;
  readonly cacheResult: (result: string) => void;
  readonly certificateExpiry: (which: CertificateName, timestampSeconds: number) => void;
  readonly registries: Registries;
  readonly decisions: PastReviews['last'];
  readonly decisionsLeftOut: PastReviews['leftOut'];
  readonly pins: Pins['lastSeen'];
  /** Look-ups by how the cache answered. */
  readonly cacheResults: () => Readonly<Record<string, number>>;
  readonly certificates: () => readonly CertificateState[];
}

export function createDebugRecord(parts: RegistriesParts): DebugRecord {
  const decisions = createPastReviews();
  const pins = createPins();
  const cacheResults = new Map<string, { count: number }>();
  const certificates = new Map<string, CertificateState>();
  return {
    review: (report) => {
      const atMs = parts.clock();
      decisions.keep(report, atMs);
      pins.count(report, atMs);
    },
    cacheResult: (result) => {
      const tally = cacheResults.get(result);
      if (tally === undefined) cacheResults.set(result, { count: 1 });
      else tally.count += 1;
    },
    certificateExpiry: (which, timestampSeconds) => {
      certificates.set(which.certificate, { ...which, expiresMs: timestampSeconds * 1000 });
    },
    registries: createRegistries(parts),
    decisions: decisions.last,
    decisionsLeftOut: decisions.leftOut,
    pins: pins.lastSeen,
    cacheResults: () =>
      Object.fromEntries([...cacheResults].map(([result, { count }]) => [result, count])),
    certificates: () => [...certificates.values()],
  };
}
