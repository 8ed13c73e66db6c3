import { isJsonObject, listOf, objectAt, textOf } from '../../src/json.ts';
import type { AuditEvent } from '../support/audit-event.ts';
import type { Admission, AskedImage, Mode, Outcome } from './admission.ts';
import { isOfReplicaSet } from './audit.ts';
import type { Ledger } from './ledger.ts';
import { imagesOf, unpinnedOf } from './pod-template.ts';
import type { SoakTag } from './soak-tag.ts';
import { MODES, namespaceOf } from './world.ts';

/** Looks at every Pod that a ReplicaSet made, of which nobody has seen the answer but the audit log. */
export async function judgeControllers(
  events: AsyncIterable<AuditEvent>,
  tags: readonly SoakTag[],
  ledger: Ledger,
): Promise<void> {
  const known = new Map(tags.map((tag) => [tag.image, tag]));
  const since = new Map<string, number>();
  for await (const event of events) {
    if (!isOfReplicaSet(event)) continue;
    const mode = MODES.find((one) => namespaceOf(one) === event.objectRef.namespace);
    if (mode !== undefined) ledger.note(admissionOf(event, mode, { known, since }));
  }
}

interface Known {
  readonly known: ReadonlyMap<string, SoakTag>;
  /** By owner, when its first Pod was asked for. */
  readonly since: Map<string, number>;
}

function admissionOf(event: AuditEvent, mode: Mode, { known, since }: Known): Admission {
  const { requestObject, responseObject } = event;
  const pod = isJsonObject(requestObject) ? requestObject : {};
  const fromMs = Date.parse(event.requestReceivedTimestamp);
  const owner = ownerOf(pod);
  const siblingsSinceMs = since.get(owner) ?? fromMs;
  since.set(owner, siblingsSinceMs);
  const leftOut = textOf(objectAt(pod, ['metadata', 'annotations']), 'tagpin.dev/skip');
  const asked = Object.entries(imagesOf(pod)).map(([container, image]): AskedImage => {
    const isLeftOut = container === leftOut && mode !== 'enforce';
    return { container, image, tag: isLeftOut ? undefined : known.get(image) };
  });
  return {
    id: event.auditID,
    what: `Pod of a ReplicaSet in ${namespaceOf(mode)}`,
    mode,
    kind: 'Pod',
    fromMs,
    untilMs: Date.parse(event.stageTimestamp),
    asked,
    before: {},
    isRestart: false,
    siblingsSinceMs,
    outcome: outcomeOf(event, responseObject),
  };
}

function outcomeOf({ responseStatus }: AuditEvent, response: unknown): Outcome {
  const { code: status = 0, message = '' } = responseStatus ?? {};
  if (!isJsonObject(response) || status >= 300) return { kind: 'refused', status, message };
  return {
    kind: 'stored',
    images: imagesOf(response),
    warnings: undefined,
    unpinned: unpinnedOf(response),
  };
}

function ownerOf(pod: object): string {
  const metadata = objectAt(pod, ['metadata']) ?? {};
  const [owner] = listOf(metadata, 'ownerReferences').filter(isJsonObject);
  return textOf(owner, 'uid') ?? '';
}
