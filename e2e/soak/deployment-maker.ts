import { sameJson } from '../../src/json.ts';
import type { Admission, AskedImage, Before } from './admission.ts';
import type { Answer } from './cluster-api.ts';
import { type DrawnTemplate, drawTag, drawTemplate } from './drawn-image.ts';
import { bodyOf, foundLater, insist, isNoAnswer, type MakerParts } from './maker.ts';
import { imagesOf, outcomeOf, podSpecOf } from './pod-template.ts';
import { namespaceOf } from './world.ts';

const CHANGES = 6;

/** One step in the life of a Deployment. */
interface Step {
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly body: object;
  readonly asked: readonly AskedImage[];
  readonly isRestart: boolean;
}

/** Makes a Deployment, changes it a few times, deletes it, and begins anew. */
export async function makeDeployments(parts: MakerParts): Promise<void> {
  for (let n = 0; !parts.isOver(); n += 1) await liveThrough(parts, `${parts.name}-${n}`);
}

async function liveThrough(parts: MakerParts, name: string): Promise<void> {
  const { api, tags, random, mode } = parts;
  const all = `/apis/apps/v1/namespaces/${namespaceOf(mode)}/deployments`;
  const path = `${all}/${name}`;
  const drawn = drawTemplate(tags, random, mode);
  let asked = drawn.asked;
  let before = await take(
    parts,
    {},
    {
      method: 'POST',
      path: all,
      body: deploymentOf(name, drawn),
      asked,
      isRestart: false,
    },
  );
  for (let n = 0; n < CHANGES && before !== undefined && !parts.isOver(); n += 1) {
    const isRestart = random.below(3) === 0;
    if (!isRestart && random.below(2) === 0) asked = withAnother(asked, parts);
    const body = isRestart ? restartOf(n) : changeOf(n, asked);
    before = await take(parts, before, { method: 'PATCH', path, body, asked, isRestart });
  }
  await insist(() => api.send('DELETE', path));
}

/** Takes a step; gives what every container has then, or undefined where there is nothing to go on with. */
async function take(
  { api, ledger, mode }: MakerParts,
  before: Readonly<Record<string, Before>>,
  { method, path, body, asked, isRestart }: Step,
): Promise<Readonly<Record<string, Before>> | undefined> {
  const answer = await api.send(method, path, body);
  const admission: Admission = {
    id: answer.id,
    what: `Deployment in ${namespaceOf(mode)}, ${method} ${path}`,
    mode,
    kind: 'Deployment',
    fromMs: answer.fromMs,
    untilMs: answer.untilMs,
    asked,
    before,
    isRestart,
    outcome: outcomeOf(answer),
  };
  ledger.note(admission);
  if (isNoAnswer(answer) && method === 'PATCH') await lookWhether({ api, ledger }, admission, path);
  const { outcome } = admission;
  if (outcome.kind !== 'stored') return undefined;
  return Object.fromEntries(
    asked.map(({ container, image }) => [
      container,
      { asked: image, stored: outcome.images[container] ?? '' },
    ]),
  );
}

/** A change of which nobody knows whether it was made. */
async function lookWhether(
  { api, ledger }: Pick<MakerParts, 'api' | 'ledger'>,
  admission: Admission,
  path: string,
): Promise<void> {
  const stored: Answer = await insist(() => api.send('GET', path));
  const had = Object.entries(admission.before).map(([container, image]) => [
    container,
    image.stored,
  ]);
  const isAsBefore = sameJson(imagesOf(bodyOf(stored)), Object.fromEntries(had));
  if (stored.status === 200 && !isAsBefore) ledger.note(foundLater(admission, stored));
}

function deploymentOf(name: string, { asked, annotations }: DrawnTemplate): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels, annotations }, spec: podSpecOf(asked) },
    },
  };
}

/** As its user has it in a file, with something else that changed. */
function changeOf(n: number, asked: readonly AskedImage[]): object {
  const metadata = { labels: { change: `c${n}` } };
  return { spec: { template: { metadata, spec: podSpecOf(asked) } } };
}

/** As `kubectl rollout restart` writes it. */
function restartOf(n: number): object {
  const at = new Date(Date.now() + n).toISOString();
  const annotations = { 'kubectl.kubernetes.io/restartedAt': at };
  return { spec: { template: { metadata: { annotations } } } };
}

/** The first container that has a tag has another one. */
function withAnother(
  asked: readonly AskedImage[],
  { tags, random }: MakerParts,
): readonly AskedImage[] {
  const first = asked.find(({ tag }) => tag !== undefined);
  const tag = drawTag(tags, random);
  return asked.map((one) => (one === first ? { ...one, image: tag.image, tag } : one));
}
