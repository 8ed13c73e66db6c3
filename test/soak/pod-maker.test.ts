import { describe, expect, it } from '@jest/globals';
import { createRandom } from '../../e2e/simulation/random.ts';
import type { Answer, ClusterApi } from '../../e2e/soak/cluster-api.ts';
import { Ledger } from '../../e2e/soak/ledger.ts';
import { makePods } from '../../e2e/soak/pod-maker.ts';
import { SoakTag } from '../../e2e/soak/soak-tag.ts';
import { Timeline } from '../../e2e/soak/timeline.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

type Ask = (method: string, body: object | undefined) => Pick<Answer, 'status' | 'text'>;

/** An API server that answers by a script. */
function apiOf(ask: Ask): ClusterApi {
  return {
    send: (method, _path, body) => {
      const nowMs = Date.now();
      const answer = { ...ask(method, body), warnings: [], fromMs: nowMs, untilMs: nowMs };
      return Promise.resolve({ id: 'one', ...answer });
    },
    close: () => {},
  };
}

/** The Pod with each tag at its digest, as tagpin would write it. */
function pinnedPod(body: object | undefined, digest = DIGEST): string {
  return JSON.stringify(body).replaceAll(':stable"', `@${digest}"`);
}

/** Makes one Pod; what was found. */
async function found(ask: Ask): Promise<Ledger['found']> {
  const store = {
    push: () => Promise.resolve(DIGEST),
    point: () => Promise.resolve(),
    remove: () => Promise.resolve(),
  };
  const host = '127.0.0.1:5000';
  const tag = new SoakTag({ registry: 'open', host, repository: 'soak/web', store });
  const random = createRandom(1, 'pods');
  await tag.move(random);
  const parts = { timeline: new Timeline(), cacheTtlMs: 2000, staleIfErrorMs: 20_000 };
  const ledger = new Ledger(parts);
  let isOver = false;
  const api = apiOf((method, body) => {
    isOver = true;
    return ask(method, body);
  });
  // In which no annotation leaves an image out.
  const whole = { api, ledger, tags: [tag], random, mode: 'enforce', name: 'p' } as const;
  await makePods({ ...whole, isOver: () => isOver });
  return ledger.found;
}

const NOTHING = { wrong: 0, lost: 0, unexplained: 0 };

describe('makePods()', () => {
  it('finds nothing where each Pod is stored as it was answered', async () => {
    let pod = '';
    const ask: Ask = (method, body) => {
      if (method === 'POST') pod = pinnedPod(body);
      return { status: method === 'POST' ? 201 : 200, text: pod };
    };
    expect(await found(ask)).toEqual(NOTHING);
  });

  it('finds a Pod lost that was acknowledged, and is not there', async () => {
    const lost = await found((method, body) =>
      method === 'POST' ? { status: 201, text: pinnedPod(body) } : { status: 404, text: '{}' },
    );
    expect(lost).toEqual({ ...NOTHING, lost: 1 });
  });

  it('finds a Pod wrong that is stored otherwise than it was answered', async () => {
    let pod = '';
    const ask: Ask = (method, body) => {
      if (method !== 'POST') return { status: 200, text: pod };
      pod = pinnedPod(body, `sha256:${'b'.repeat(64)}`);
      return { status: 201, text: pinnedPod(body) };
    };
    expect(await found(ask)).toEqual({ ...NOTHING, wrong: 1 });
  });

  it('finds a Pod that nobody answered for, and that is there with a digest its tag never had', async () => {
    let pod = '';
    const ask: Ask = (method, body) => {
      if (method !== 'POST') return { status: 200, text: pod };
      pod = pinnedPod(body, `sha256:${'b'.repeat(64)}`);
      return { status: 0, text: 'ECONNRESET' };
    };
    // The missing answer has no fault that explains it, either.
    const { wrong, unexplained } = await found(ask);
    expect({ isWrong: wrong > 0, unexplained }).toEqual({ isWrong: true, unexplained: 1 });
  });
});
