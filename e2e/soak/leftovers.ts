import { isJsonObject, listOf, objectAt, textOf } from '../../src/json.ts';
import type { ClusterApi } from './cluster-api.ts';
import type { Ledger } from './ledger.ts';
import { bodyOf, foundLater, insist } from './maker.ts';
import { MODES, namespaceOf } from './world.ts';

/** Judges Pods that are there though their makers had no answer, and did not find them at once. */
export async function judgeLeftovers(api: ClusterApi, ledger: Ledger): Promise<void> {
  for (const namespace of MODES.map(namespaceOf)) {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const answer = await insist(() => api.send('GET', path));
    for (const pod of listOf({ ...bodyOf(answer) }, 'items').filter(isJsonObject)) {
      const name = textOf(objectAt(pod, ['metadata']), 'name') ?? '';
      const admission = ledger.unanswered.get(`Pod ${namespace}/${name}`);
      if (admission === undefined) continue;
      ledger.note(foundLater(admission, { ...answer, text: JSON.stringify(pod) }));
    }
  }
}
