import { styleText } from 'node:util';

import { printable } from '../image/printable.ts';
import type { ClusterStep, Place, RequestStep, Step, StepBody } from './step.ts';

/** A line of the report: when, what, and what about it. */
type Wording<K extends StepBody['step']> = (
  step: Extract<StepBody, { readonly step: K }>,
) => readonly [title: string, text: string];

const WORDINGS: { readonly [K in StepBody['step']]: Wording<K> } = {
  image: ({ registry, repository, ...by }) => [
    'image',
    `${registry}/${repository}, ${'tag' in by ? `tag ${by.tag}` : by.digest}`,
  ],
  cluster: (step) => ['cluster', clusterText(step)],
  credentials: ({ own, lent }) => ['credentials', credentialsText(own, lent)],
  cache: ({ result }) => ['cache', CACHE_TEXTS[result] ?? result],
  places: ({ places }) => ['places', places.map(placeText).join(', then ')],
  left_alone: ({ registry, message }) => ['left alone', `${registry}: ${message}`],
  asking: ({ origin }) => ['asking', `${origin}, which no earlier answer or silence forbids`],
  credential: ({ origin, lentBy }) => ['with', credentialText(origin, lentBy)],
  request: (step) => [step.purpose === 'token' ? 'token' : 'request', requestText(step)],
  answered: (step) => [
    'answered',
    `${step.registry}: ${'digest' in step ? step.digest : step.message}`,
  ],
  warning: ({ message }) => ['warning', message],
};

const CACHE_TEXTS: Readonly<Record<string, string>> = {
  miss: 'nothing is known: this process asks for the first time',
  shared: 'nothing is known, and the same look-up is under way',
  hit: 'the digest is fresh',
  negative_hit: 'a failure is remembered',
  stale: 'the last known digest answers, as the registry does not',
};

const TITLE_CHARS = 11;
const TIME_CHARS = 8;

/** One step in one line, without what could move a terminal's cursor. */
export function stepLine(step: Step, colours: boolean): string {
  const [title, text] = wordingOf(step);
  return momentLine(step.atMs, { title, text }, colours);
}

/** A line of something that happened so many milliseconds after the beginning. */
export function momentLine(
  atMs: number,
  said: { readonly title: string; readonly text: string },
  colours: boolean,
): string {
  return line({ when: `${atMs.toFixed(1)} ms`, ...said }, colours);
}

/** A line that belongs to no moment. */
export function closingLine(title: string, text: string, colours: boolean): string {
  return line({ when: '', title, text }, colours);
}

function line(
  { when, title, text }: { readonly when: string; readonly title: string; readonly text: string },
  colours: boolean,
): string {
  const time = when.padStart(TIME_CHARS + ' ms'.length);
  const name = printable(title).padEnd(TITLE_CHARS);
  const said = printable(text);
  if (!colours) return `${time}  ${name}  ${said}\n`;
  return `${styled('dim', time)}  ${styled('bold', name)}  ${said}\n`;
}

function styled(style: 'bold' | 'dim', text: string): string {
  return styleText(style, text, { validateStream: false });
}

/** What a step is called, and what there is to say of it; a stranger's text is in it as it came. */
export function wordingOf<K extends StepBody['step']>(
  step: Extract<StepBody, { readonly step: K }>,
): readonly [string, string] {
  const wording: Wording<K> = WORDINGS[step.step];
  return wording(step);
}

function clusterText({ kind, name, ms, pullSecrets, message, result, needs }: ClusterStep): string {
  const what = `${kind} ${JSON.stringify(name)}`;
  const took = `(${ms.toFixed(1)} ms)`;
  if (needs !== undefined) {
    const { verb, resource, namespace } = needs;
    return `${what}: ${message}: RBAC must allow ${verb} of ${resource} in ${JSON.stringify(namespace)} ${took}`;
  }
  if (result === 'missing') return `${what} does not exist ${took}`;
  if (message !== undefined) return `${what}: ${message} ${took}`;
  if (pullSecrets === undefined) return `${what} was read ${took}`;
  const names = pullSecrets.map((one) => JSON.stringify(one)).join(', ');
  return `${what} names ${names === '' ? 'no pull secret' : `pull secrets ${names}`} ${took}`;
}

function credentialsText(own: readonly string[], lent: readonly string[]): string {
  const sources = lent.map((name) => `tagpin's own source ${JSON.stringify(name)}`);
  const order = [...own, ...sources].join(', then ');
  return order === '' ? 'none for this image: it is asked for without' : order;
}

function credentialText(origin: string | null, lentBy: string | null): string {
  if (origin === null) return 'no credential';
  return lentBy === null ? origin : `${origin}, of tagpin's own source ${JSON.stringify(lentBy)}`;
}

function placeText({ origin, role }: Place): string {
  return `${origin} (${role})`;
}

function requestText({ method, host, path, authorization, answer, ms }: RequestStep): string {
  const how = authorization === null ? '' : ` with ${authorization}`;
  return `${method} ${host}${path}${how}: ${answer} (${ms.toFixed(1)} ms)`;
}
