import { PinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { isJsonObject, type JsonObject, listOf, objectIn, textOf } from '../json.ts';
import { EXPLANATION_CAUSE, type ReadExplanation, readExplanation } from './document.ts';
import { type DryRunPod, dryRunPod } from './dry-run-pod.ts';
import type { ExplainQuestion } from './explanation.ts';
import { closing } from './report.ts';
import { type ExplainFormat, serialised } from './run.ts';
import { closingLine, momentLine } from './text.ts';
import { type DryRunAnswer, whyUnexplained } from './unexplained.ts';

/** The API server, as whoever asks. All reject with PinError where it does not answer. */
export interface ViaWebhookPorts {
  /** Creates a Pod in a dry run. */
  readonly create: (pod: object) => Promise<DryRunAnswer>;
  /** Undefined where there is none. */
  readonly readPod: (name: string) => Promise<Omit<DryRunPod, 'image'> | undefined>;
  /** Of the namespace; undefined where they may not be read. */
  readonly labels: () => Promise<JsonObject | undefined>;
}

/** A question about an image in a namespace. */
export interface ViaWebhookQuestion extends ExplainQuestion {
  readonly namespace: string;
}

/** Has the webhook that runs explain an image, and tells it; whether it could be pinned. */
export async function runViaWebhook(
  question: ViaWebhookQuestion,
  format: ExplainFormat,
  { streams, ...ports }: ViaWebhookPorts & { readonly streams: Streams },
): Promise<boolean> {
  const asked = await askedOf(question, ports);
  const answer = await ports.create(dryRunPod(asked));
  const sent = sentIn(answer);
  const explanation = sent === undefined ? undefined : readExplanation(sent);
  const told =
    explanation ??
    (sent === undefined ? await unexplained(question, answer, ports) : OTHER_VERSION);
  const colours = format === 'text' && streams.colours;
  await streams.out(
    format === 'text' ? textOfTold(told, colours) : serialised(valueOf(question, told), format),
  );
  const outcome = told.report === undefined ? undefined : textOf(told.report, 'outcome');
  return outcome !== undefined && outcome !== 'failed';
}

async function askedOf(
  { image, pod, namespace, serviceAccount }: ViaWebhookQuestion,
  { readPod }: ViaWebhookPorts,
): Promise<DryRunPod> {
  if (pod === undefined) return { image, serviceAccount, pullSecrets: [] };
  const found = await readPod(pod);
  if (found !== undefined) return { image, ...found };
  throw new PinError('invalid_config', `there is no Pod ${JSON.stringify(`${namespace}/${pod}`)}`);
}

/** The explanation in a refusal; undefined where there is none. */
function sentIn({ value }: DryRunAnswer): string | undefined {
  const causes = listOf(objectIn(value, 'details') ?? {}, 'causes').filter(isJsonObject);
  const ours = causes.find((cause) => textOf(cause, 'reason') === EXPLANATION_CAUSE);
  return ours === undefined ? undefined : textOf(ours, 'message');
}

/** An explanation, or why there is none. */
type Told = Omit<ReadExplanation, 'webhook'> & {
  readonly webhook: JsonObject | undefined;
  readonly warnings?: readonly string[];
};

const NOTHING = {
  webhook: undefined,
  report: undefined,
  pod: undefined,
  steps: [],
  stepsLeftOut: 0,
} as const;

const OTHER_VERSION: Told = {
  ...NOTHING,
  refused: {
    reason: 'other_version',
    message: 'the webhook explains in a way that this version of tagpin does not understand',
    advice: "use the webhook's version of tagpin",
  },
};

async function unexplained(
  { image, namespace }: ViaWebhookQuestion,
  answer: DryRunAnswer,
  { labels }: ViaWebhookPorts,
): Promise<Told> {
  // Else the namespace may not be there, or nobody knows who asks.
  const isThere = answer.status < 300 || answer.status === 403;
  const known = isThere ? await labels() : undefined;
  const refused = { ...whyUnexplained({ answer, image, namespace, labels: known }) };
  return { ...NOTHING, refused, warnings: answer.warnings };
}

/** For a program: as `tagpin explain` has it, and what the webhook adds. */
function valueOf(
  { image, namespace, pod, serviceAccount }: ViaWebhookQuestion,
  told: Told,
): object {
  const { webhook, warnings, refused, report } = told;
  return {
    image,
    namespace,
    ...(pod !== undefined && { pod }),
    ...(serviceAccount !== undefined && { serviceAccount }),
    ...(refused !== undefined && { outcome: 'unexplained', ...refused }),
    ...report,
    ...(webhook !== undefined && { webhook }),
    ...(told.pod !== undefined && { answer: told.pod }),
    ...(warnings !== undefined && warnings.length > 0 && { warnings }),
    ...(report !== undefined && {
      steps: told.steps.map(({ atMs, step, title, text }) => ({
        atMs,
        ...(step ?? { title, text }),
      })),
      ...(told.stepsLeftOut > 0 && { stepsLeftOut: told.stepsLeftOut }),
    }),
  };
}

function textOfTold(told: Told, colours: boolean): string {
  const { refused, report, steps, stepsLeftOut, webhook, pod, warnings = [] } = told;
  const lines = steps.map(({ atMs, title, text }) => momentLine(atMs, { title, text }, colours));
  if (stepsLeftOut > 0) lines.push(closingLine('…', `${stepsLeftOut} more steps`, colours));
  for (const warning of warnings) lines.push(closingLine('warning', warning, colours));
  lines.push(closing(closingOf(report ?? refused), colours));
  if (report !== undefined) {
    for (const [title, text] of ownWords(report, webhook, pod)) {
      lines.push(closingLine(title, text, colours));
    }
  }
  return lines.join('');
}

function closingOf(said: JsonObject | undefined): Parameters<typeof closing>[0] {
  const fields = ['result', 'message', 'reason', 'advice'].flatMap((name) => {
    const text = textOf(said, name);
    return text === undefined ? [] : [[name, text]];
  });
  return { outcome: textOf(said, 'outcome') ?? 'unexplained', ...Object.fromEntries(fields) };
}

/** What only the webhook that runs can tell. */
function ownWords(
  report: JsonObject,
  webhook: JsonObject | undefined,
  pod: JsonObject | undefined,
): readonly (readonly [title: string, text: string])[] {
  const words: (readonly [string, string])[] = [];
  const { ageMs, stale } = report;
  if (typeof ageMs === 'number') {
    const since = `the digest was asked for ${(ageMs / 1000).toFixed(1)} s ago`;
    words.push(['age', stale === true ? `${since}: the registry does not answer now` : since]);
  }
  const [version, replica, mode] = ['version', 'replica', 'mode'].map((name) =>
    textOf(webhook, name),
  );
  words.push(['webhook', `tagpin ${version} at ${replica}, mode ${mode}`]);
  for (const warning of listOf(pod ?? {}, 'warnings')) words.push(['warns', String(warning)]);
  words.push(['its answer', podWords(pod)]);
  return words;
}

function podWords(pod: JsonObject | undefined): string {
  if (pod?.['allowed'] === true) return `the Pod with ${textOf(pod, 'image')}`;
  return `no Pod: ${textOf(pod, 'message') ?? 'it was refused'}`;
}
