import type { ApiServer } from '../support/api-server.ts';

/** What a namespace's Pods must look like: by tag, or by digest. */
export interface PodPlace {
  readonly namespace: string;
  readonly isPinned: boolean;
}

/** Makes Pods at an API server, all of them the same. */
export interface PodMaker {
  /** One; the milliseconds that it took. Rejects where it is not as it should be. */
  readonly create: (place: PodPlace) => Promise<number>;
  /** So many, some at a time; the milliseconds that each took, sorted. */
  readonly createMany: (place: PodPlace, count: number) => Promise<readonly number[]>;
  /** Deletes all: a store that grows is a slower one. */
  readonly empty: (place: PodPlace) => Promise<void>;
}

function pathOf({ namespace }: PodPlace): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

export function createPodMaker(api: ApiServer, pod: unknown, atATime: number): PodMaker {
  const body = JSON.stringify(pod);
  const create = async (place: PodPlace): Promise<number> => {
    const startedAtMs = performance.now();
    const { status, text } = await api.send('POST', pathOf(place), body);
    const ms = performance.now() - startedAtMs;
    if (status !== 201) throw new Error(`A Pod in ${place.namespace}: ${status} ${text}`);
    if (text.includes('@sha256:') === place.isPinned) return ms;
    throw new Error(`A Pod in ${place.namespace} is not as it should be: ${text}`);
  };
  return {
    create,
    createMany: async (place, count) => {
      const times: number[] = [];
      let left = count;
      const worker = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          times.push(await create(place));
        }
      };
      await Promise.all(Array.from({ length: atATime }, worker));
      return times.toSorted((a, b) => a - b);
    },
    empty: async (place) => {
      const { status, text } = await api.send('DELETE', `${pathOf(place)}?gracePeriodSeconds=0`);
      if (status !== 200) throw new Error(`The Pods of ${place.namespace} stay: ${status} ${text}`);
    },
  };
}
