import type { Mode } from '../admission/policy.ts';
import { cutText } from '../image/cut-text.ts';
import { isJsonObject, type JsonObject, listOf, objectIn, parseJson, textOf } from '../json.ts';
import type { Report } from './report.ts';
import type { Step } from './step.ts';
import { wordingOf } from './text.ts';

/** By which a cause of a refusal is known to be an explanation. */
export const EXPLANATION_CAUSE = 'tagpin.dev/explanation';

/** The webhook that explains. */
export interface Explainer {
  readonly version: string;
  /** The host name of the replica that was asked. */
  readonly replica: string;
  readonly mode: Mode;
}

/** What it answers to this Pod, were there no explanation in its way. */
export interface PodAnswer {
  readonly allowed: boolean;
  /** The image as the Pod would have it. */
  readonly image?: string;
  readonly warnings?: readonly string[];
  readonly message?: string;
}

/** Why there is no explanation. */
export interface Refused {
  readonly reason: string;
  readonly message: string;
  readonly advice: string;
}

/** What a look-up tells of itself. */
export interface ToldLookUp {
  /** With what only a running webhook has: how old its answer is. */
  readonly report: Report & { readonly ageMs?: number; readonly stale?: boolean };
  readonly steps: readonly Step[];
  readonly pod: PodAnswer;
}

/** A step as it is sent: its words too, so that an older command can tell what it does not know. */
export interface SentStep {
  readonly atMs: number;
  readonly title: string;
  readonly text: string;
  /** Absent where it is too long. */
  readonly step?: JsonObject;
}

/** As it is read: of what a newer webhook adds nothing is lost. */
export interface ReadExplanation {
  readonly webhook: JsonObject;
  readonly refused: JsonObject | undefined;
  readonly report: JsonObject | undefined;
  readonly pod: JsonObject | undefined;
  readonly steps: readonly SentStep[];
  readonly stepsLeftOut: number;
}

const VERSION = 1;
/** Of all steps together, as JSON; an explanation has two or three kilobytes. */
const MAX_STEPS_BYTES = 48 * 1024;
const MAX_STEP_BYTES = 4096;
/** The longest image with a digest behind it has some 1100. */
const MAX_TEXT_CHARS = 1200;
/** As many, and as long, as a review has them. */
const MAX_WARNINGS = 16;
const MAX_WARNING_CHARS = 256;

/** An explanation as JSON, of less than 128 KiB whatever a tenant has put into it. */
export function writeExplanation(webhook: Explainer, told: ToldLookUp | Refused): string {
  if ('reason' in told)
    return JSON.stringify({ version: VERSION, webhook, refused: cutTexts(told) });
  const steps: SentStep[] = [];
  let bytes = 0;
  for (const step of told.steps) {
    const sent = sentStep(step);
    bytes += bytesOf(sent);
    if (bytes > MAX_STEPS_BYTES) break;
    steps.push(sent);
  }
  const { report, pod } = told;
  const warnings = pod.warnings
    ?.slice(0, MAX_WARNINGS)
    .map((warning) => cutText(warning, MAX_WARNING_CHARS));
  return JSON.stringify({
    version: VERSION,
    webhook,
    report: cutTexts(report),
    pod: { ...cutTexts(pod), ...(warnings !== undefined && { warnings }) },
    steps,
    stepsLeftOut: told.steps.length - steps.length,
  });
}

function sentStep(step: Step): SentStep {
  const [title, text] = wordingOf(step);
  const { atMs, ...body } = step;
  const said = { atMs, title, text: cutText(text, MAX_TEXT_CHARS) };
  return bytesOf(body) > MAX_STEP_BYTES ? said : { ...said, step: body };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function cutTexts(fields: object): JsonObject {
  const texts = Object.entries(fields).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? cutText(value, MAX_TEXT_CHARS) : value,
  ]);
  return Object.fromEntries(texts);
}

/** What a webhook has sent, or undefined where this is no explanation that is understood here. */
export function readExplanation(text: string): ReadExplanation | undefined {
  const value = parseJson(text);
  const webhook = objectIn(value, 'webhook');
  if (!isJsonObject(value) || value['version'] !== VERSION || webhook === undefined)
    return undefined;
  const left = value['stepsLeftOut'];
  return {
    webhook,
    refused: objectIn(value, 'refused'),
    report: objectIn(value, 'report'),
    pod: objectIn(value, 'pod'),
    steps: listOf(value, 'steps').flatMap(readStep),
    stepsLeftOut: typeof left === 'number' ? left : 0,
  };
}

function readStep(value: unknown): readonly SentStep[] {
  if (!isJsonObject(value)) return [];
  const { atMs } = value;
  const [title, text] = [textOf(value, 'title'), textOf(value, 'text')];
  if (typeof atMs !== 'number' || title === undefined || text === undefined) return [];
  const step = objectIn(value, 'step');
  return [{ atMs, title, text, ...(step !== undefined && { step }) }];
}
