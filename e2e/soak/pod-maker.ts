import { sameJson } from '../../src/json.ts';
import type { Admission } from './admission.ts';
import type { Answer } from './cluster-api.ts';
import { drawTemplate } from './drawn-image.ts';
import { bodyOf, foundLater, insist, isNoAnswer, type MakerParts } from './maker.ts';
import { imagesOf, outcomeOf, podSpecOf } from './pod-template.ts';
import { namespaceOf } from './world.ts';

/** Makes Pods, reads each of them back and deletes it, one after the other without a pause. */
export async function makePods(parts: MakerParts): Promise<void> {
  for (let n = 0; !parts.isOver(); n += 1) await makePod(parts, `${parts.name}-${n}`);
}

async function makePod(parts: MakerParts, name: string): Promise<void> {
  const { api, ledger, mode, tags, random } = parts;
  const path = `/api/v1/namespaces/${namespaceOf(mode)}/pods`;
  const { asked, annotations } = drawTemplate(tags, random, mode);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: podSpecOf(asked),
  };
  const answer = await api.send('POST', path, pod);
  const admission: Admission = {
    id: answer.id,
    what: `Pod ${namespaceOf(mode)}/${name}`,
    mode,
    kind: 'Pod',
    fromMs: answer.fromMs,
    untilMs: answer.untilMs,
    asked,
    before: {},
    isRestart: false,
    outcome: outcomeOf(answer),
  };
  ledger.note(admission);
  await checkStored(parts, admission, { answer, path: `${path}/${name}` });
}

/** What was acknowledged is there, and as it was said to be; what was not may be there, too. */
async function checkStored(
  { api, ledger }: MakerParts,
  admission: Admission,
  { answer, path }: { readonly answer: Answer; readonly path: string },
): Promise<void> {
  if (admission.outcome.kind === 'refused' && !isNoAnswer(answer)) return;
  const stored = await insist(() => api.send('GET', path));
  if (admission.outcome.kind === 'stored') {
    if (stored.status === 404) {
      ledger.find(
        { verdict: 'lost', text: 'it was made, and is not there' },
        admission.what,
        admission,
      );
    } else if (!sameJson(imagesOf(bodyOf(stored)), admission.outcome.images)) {
      const text = `it was answered ${JSON.stringify(admission.outcome.images)}, and ${stored.text} is stored`;
      ledger.find({ verdict: 'wrong', text }, admission.what, admission);
    }
  } else if (stored.status === 200) {
    ledger.note(foundLater(admission, stored));
  }
  if (stored.status === 200) {
    await insist(() => api.send('DELETE', `${path}?gracePeriodSeconds=0`));
  }
}
