import type { PullSecrets } from '../credentials/pull-secrets.ts';
import type { PullSecretsOwner } from '../credentials/read-secrets.ts';
import { PinError, toPinError } from '../errors.ts';
import type { Digest } from '../image/digest.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Endpoint } from '../registry/hosts.ts';
import type { ReadBlob, ReadManifest, RegistryReader } from '../registry/reader.ts';
import type { TagList } from '../registry/tag-list.ts';
import { isAnswer } from './breaker.ts';
import type { Limits } from './limits.ts';
import type { Patience } from './patience.ts';
import type { Act, Route } from './route.ts';

/** For whom something is read. */
export interface ReadQuestion {
  readonly identity: PullSecretsOwner;
  /** For each answer, and of a blob until it begins to come; milliseconds. */
  readonly timeMs: number;
}

/** Reads at the places of an image, mirrors first, what stands there. Each rejects with a PinError. */
export interface ImageReader {
  readonly manifest: (reference: ImageReference, question: ReadQuestion) => Promise<ReadManifest>;
  readonly blob: (
    reference: ImageReference,
    digest: Digest,
    question: ReadQuestion,
  ) => Promise<ReadBlob>;
  /** Page by page; all of them are of the place that had the first. */
  readonly tags: (reference: ImageReference, question: ReadQuestion) => AsyncIterable<TagList>;
}

export interface ImageReaderParts {
  readonly reader: RegistryReader;
  readonly route: Route;
  readonly limits: Pick<Limits, 'hold' | 'hasAnswered'>;
  readonly pullSecrets: Pick<PullSecrets, 'keyringOf'>;
  /** How long is waited where a registry wants to be left alone; not at all where it is left out. */
  readonly patience?: Patience | undefined;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** A million tags, of a registry that knows pages. */
const MAX_PAGES = 1000;

export function createImageReader(parts: ImageReaderParts): ImageReader {
  const { reader } = parts;
  return {
    manifest: (reference, question) =>
      visit(parts, question, {
        reference,
        act: (...at) => reader.manifest(at[0], reference, at[1]),
      }),
    blob: (reference, digest, question) =>
      visit(parts, question, {
        reference,
        act: (endpoint, how) => reader.blob(endpoint, reference, { ...how, digest }),
      }),
    tags: (reference, question) => tagPages(parts, reference, question),
  };
}

async function* tagPages(
  parts: ImageReaderParts,
  reference: ImageReference,
  question: ReadQuestion,
): AsyncGenerator<TagList> {
  const seen = new Set<string>();
  let only: Endpoint | undefined;
  let query: URLSearchParams | undefined;
  do {
    const act: Act<{ readonly list: TagList; readonly endpoint: Endpoint }> = async (
      endpoint,
      how,
    ) => ({ list: await parts.reader.tags(endpoint, reference, { ...how, query }), endpoint });
    // oxlint-disable-next-line no-await-in-loop -- a page tells where the next one is
    const { list, endpoint } = await visit(parts, question, { reference, act, only });
    yield list;
    only = endpoint;
    query = list.next;
    if (query !== undefined) remember(seen, query, endpoint);
  } while (query !== undefined);
}

/** Whoever leads round in circles, or on for ever, is not followed. */
function remember(seen: Set<string>, query: URLSearchParams, { registry }: Endpoint): void {
  const page = query.toString();
  const isLoop = seen.has(page);
  if (!isLoop && seen.size < MAX_PAGES) {
    seen.add(page);
    return;
  }
  const message = isLoop
    ? `${registry} lists its tags in a circle`
    : `${registry} lists its tags on more than ${MAX_PAGES} pages`;
  throw new PinError('invalid_response', message, { host: registry });
}

/** One errand. */
interface Errand<T> {
  readonly reference: ImageReference;
  readonly act: Act<T>;
  readonly only?: Endpoint | undefined;
}

async function visit<T>(
  parts: ImageReaderParts,
  question: ReadQuestion,
  errand: Errand<T>,
): Promise<T> {
  const { patience } = parts;
  // Nobody holds a place while he waits.
  return patience === undefined
    ? visitOnce(parts, question, errand)
    : patience(() => visitOnce(parts, question, errand));
}

async function visitOnce<T>(
  { pullSecrets, route, limits, now }: ImageReaderParts,
  { identity, timeMs }: ReadQuestion,
  { reference, act, only }: Errand<T>,
): Promise<T> {
  const keyring = await pullSecrets.keyringOf(identity, now() + timeMs);
  if (keyring instanceof PinError) throw keyring;
  const access = keyring.accessTo(reference);
  const registry = reference.registry.toLowerCase();
  const namespaces = (): readonly string[] => [identity.namespace];
  return limits.hold({ registry, namespaces }, async () => {
    const deadlineAtMs = now() + timeMs;
    const who = { reference, access, namespaces, deadlineAtMs, wanted: () => true };
    try {
      const answer = await route.ask({ ...who, ...(only && { only }) }, act);
      limits.hasAnswered(registry);
      return answer;
    } catch (caught) {
      const error = toPinError(caught);
      if (isAnswer(error)) limits.hasAnswered(registry);
      throw error;
    }
  });
}
