import type { Streams } from '../files/streams.ts';
import { isJsonObject, type JsonObject, listOf, objectIn, textOf } from '../json.ts';

/** An image that Pods run; no digest where neither its name nor a node tells it. */
export interface RunningImage {
  /** As it stands in the spec, without tag and digest. */
  readonly name: string;
  readonly digest: string | undefined;
}

/** One line for each content that runs, as scanners take them; resolves to whether all could be named. */
export async function writeRunning(
  running: readonly RunningImage[],
  streams: Streams,
): Promise<boolean> {
  const named = running.flatMap(({ name, digest }) =>
    digest === undefined ? [] : `${name}@${digest}`,
  );
  await streams.out(
    named
      .toSorted()
      .map((line) => `${line}\n`)
      .join(''),
  );
  const unnamed = running.flatMap(({ name, digest }) => (digest === undefined ? name : []));
  if (unnamed.length === 0) return true;
  await streams.err(
    `tagpin: of these no node has told the digest yet: ${unnamed.toSorted().join(', ')}\n`,
  );
  return false;
}

const STATUSES = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'];

/** What the node says that containers run: container name to `imageID`. */
export function imageIdsOf(pod: JsonObject): ReadonlyMap<string, string> {
  const status = objectIn(pod, 'status') ?? {};
  const statuses = STATUSES.flatMap((list) => listOf(status, list)).filter(isJsonObject);
  return new Map(
    statuses.map((item) => [textOf(item, 'name') ?? '', textOf(item, 'imageID') ?? '']),
  );
}
