import { describe, expect, it } from '@jest/globals';

import type { PeekTag } from '../../src/admission/ports.ts';
import type { RefreshPolicy } from '../../src/admission/refresh.ts';
import { Admission, digest, record } from '../support/admission.ts';
import { JOB, KINDS, type Kind, objectOf, specOf, WORKLOADS } from '../support/review.ts';

const A = digest('a');
const B = digest('b');

function peeking(known: string | undefined, seen: string[] = []): PeekTag {
  return ({ registry, repository, tag }, { namespace, serviceAccount }) => {
    seen.push(`${registry}/${repository}:${tag} of ${namespace}/${serviceAccount}`);
    return known === undefined
      ? undefined
      : { digest: known, host: 'registry.example.com', stale: false, ageMs: 12_400 };
  };
}

interface Applied {
  readonly pinned?: string;
  readonly policy?: RefreshPolicy;
  readonly recorded?: boolean;
}

/** The warnings of a file that is applied again. */
function warningsOf(
  kind: Kind,
  peek: PeekTag,
  { pinned = `nginx@${A}`, policy = 'restart', recorded = true }: Applied = {},
): readonly string[] | undefined {
  const annotations = recorded ? record({ web: `nginx:1 ${A}` }) : {};
  const admission = new Admission({}, { parts: { peek, refreshPolicy: policy } });
  const answer = admission.review(kind, {
    oldObject: objectOf(kind, { spec: specOf({ web: pinned }), annotations }),
    object: objectOf(kind, { spec: specOf({ web: 'nginx:1' }) }),
  });
  expect(answer.outcomes).toEqual({ web: 'reused' });
  expect(admission.asked).toEqual([]);
  return answer.response.warnings;
}

const KEPT = 'container "web" keeps its pin, though "nginx:1" named another digest 12 s ago: ';

const ANNOTATION = 'a new tagpin.dev/refresh in the pod template takes it';

describe('movedWarnings()', () => {
  it.each(WORKLOADS)(
    'tells of a $kind whose tag is known to have moved, and what to do',
    (kind) => {
      const how = {
        Deployment: '"kubectl rollout restart" takes it',
        StatefulSet: '"kubectl rollout restart" takes it',
        DaemonSet: '"kubectl rollout restart" takes it',
        Job: 'a new Job takes it',
      }[kind.kind];
      expect(warningsOf(kind, peeking(B))).toEqual([KEPT + (how ?? ANNOTATION)]);
    },
  );

  it.each(KINDS)('says nothing of a $kind whose tag has not moved, or is not known', (kind) => {
    expect(warningsOf(kind, peeking(A))).toBeUndefined();
    expect(warningsOf(kind, peeking(undefined))).toBeUndefined();
  });

  it('names what the refresh policy answers', () => {
    const [deployment] = WORKLOADS.filter(({ kind }) => kind === 'Deployment');
    if (deployment === undefined) throw new Error('no Deployment');
    const told = (policy: RefreshPolicy): unknown => warningsOf(deployment, peeking(B), { policy });
    expect(told('rollout')).toEqual([`${KEPT}"kubectl rollout restart" takes it`]);
    expect(told('annotation')).toEqual([KEPT + ANNOTATION]);
    expect(told('never')).toEqual([`${KEPT}its refresh policy is "never"`]);
  });

  it("knows the digest of another tool's pin by itself, and asks as the template's account", () => {
    const seen: string[] = [];
    const pinned = `nginx:1@${A}`;
    expect(warningsOf(JOB, peeking(B, seen), { pinned, recorded: false })).toHaveLength(1);
    expect(warningsOf(JOB, peeking(A), { pinned, recorded: false })).toBeUndefined();
    expect(seen).toEqual(['docker.io/library/nginx:1 of shop/default']);
  });
});
