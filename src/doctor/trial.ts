import { isEntryName } from '../admission/entry-name.ts';
import type { Mode } from '../admission/policy.ts';
import { isJsonObject, type JsonObject, listOf, objectAt, parseJson, textOf } from '../json.ts';
import { admissiblePodSpec } from '../workload/admissible-pod.ts';
import { UNPINNED_ANNOTATION } from '../workload/annotations.ts';
import type { ApiAnswer } from './api-server.ts';
import type { Sample } from './sample.ts';

/** What came of a Pod that the API server was asked to make, and to store nothing of. */
export interface Trial {
  readonly namespace: string;
  readonly mode: Mode;
  readonly seen: Seen;
  /** What became of an image that runs there; undefined where there is none to try. */
  readonly sample: TriedSample | undefined;
}

/** Whether tagpin saw it. */
type Seen =
  | { readonly by: 'tagpin' }
  /** The Pod came back as it was sent, or was refused for its tags by the policy of `enforce`. */
  | { readonly by: 'nobody' }
  /** Nothing can be said. */
  | { readonly by: 'unknown'; readonly why: string; readonly right?: string | undefined };

export interface TriedSample extends Pick<Sample, 'image' | 'registry'> {
  readonly pinned: boolean | 'unknown';
  /** A code of `error-codes.ts`, where it was not pinned. */
  readonly reason?: string | undefined;
}

/** What a trial is made for. */
export interface Tried {
  readonly namespace: string;
  readonly mode: Mode;
  readonly sample: Sample | undefined;
}

/** No registry is asked for it, and tagpin says of it that it is no image, in every mode. */
const IMPOSSIBLE = 'tagpin-doctor/NO-IMAGE';
/** Names of containers, by which the two images are told apart in what is answered. */
const PROBE = 'tagpin-doctor-probe';
const SAMPLE = 'tagpin-doctor-sample';

/** The Pod that is tried: it looks its sample up as the Pod did in which that was seen. */
export function trialPod({ sample }: Pick<Tried, 'sample'>): object {
  const probe = { name: PROBE, image: IMPOSSIBLE };
  const more = sample === undefined ? [] : [{ name: SAMPLE, image: sample.image }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'tagpin-doctor-' },
    spec: admissiblePodSpec({
      containers: [probe, ...more],
      serviceAccount: sample?.serviceAccount,
      imagePullSecrets: sample?.imagePullSecrets ?? [],
    }),
  };
}

/** Reads what the API server answered. */
export function readTrial({ namespace, mode, sample }: Tried, answer: ApiAnswer): Trial {
  const tried = { namespace, mode };
  const seen = seenIn(answer);
  if (sample === undefined || seen.by !== 'tagpin') return { ...tried, seen, sample: undefined };
  const { image, registry } = sample;
  return { ...tried, seen, sample: { image, registry, ...pinnedIn(answer, mode) } };
}

/** As the API server words it (apiserver pkg/admission/plugin/webhook/errors/statuserror.go). */
const DENIED = /^admission webhook "([^"]*)" denied the request: /;
/** The end of every warning and denial of tagpin's. */
const REASON = /\[([a-z_]+)\]$/;
const CREATED = 201;

function seenIn(answer: ApiAnswer): Seen {
  const { status, message = '', warnings } = answer;
  if (isDeniedByTagpin(message)) return { by: 'tagpin' };
  if (warnings.some((text) => text.includes(PROBE) && REASON.test(text))) return { by: 'tagpin' };
  if (status === CREATED) {
    return UNPINNED_ANNOTATION in annotationsOf(answer) ? { by: 'tagpin' } : { by: 'nobody' };
  }
  // Of the policy; what changes objects was asked before, and said nothing.
  if (message.includes('[unpinned]')) return { by: 'nobody' };
  return { by: 'unknown', why: `the API server answered ${status}: ${message}` };
}

function isDeniedByTagpin(message: string): boolean {
  const [, name = ''] = DENIED.exec(message) ?? [];
  return isEntryName(name);
}

type Became = Pick<TriedSample, 'pinned' | 'reason'>;

function pinnedIn(answer: ApiAnswer, mode: Mode): Became {
  const { status, message = '', warnings } = answer;
  if (mode === 'warn') {
    const about = warnings.find((text) => text.includes(SAMPLE));
    const [, reason] = REASON.exec(about ?? '') ?? [];
    return { pinned: about?.includes('would be pinned') === true, reason };
  }
  if (status === CREATED) return pinnedInPod(answer);
  if (!isDeniedByTagpin(message)) return { pinned: 'unknown' };
  // A denial names every image that failed; its code is that of the first, the probe.
  return { pinned: !message.includes(SAMPLE) };
}

const PINNED = /@sha(?:256|512):/;

function pinnedInPod(answer: ApiAnswer): Became {
  const containers = listOf(objectAt(answer.value, ['spec']) ?? {}, 'containers');
  const sample = containers.filter(isJsonObject).find(({ name }) => name === SAMPLE);
  const reasons = parseJson(textOf(annotationsOf(answer), UNPINNED_ANNOTATION) ?? '');
  const reason = isJsonObject(reasons) ? textOf(reasons, SAMPLE) : undefined;
  return { pinned: PINNED.test(textOf(sample, 'image') ?? ''), reason };
}

function annotationsOf({ value }: ApiAnswer): JsonObject {
  return objectAt(value, ['metadata', 'annotations']) ?? {};
}
