import { actionIn, type PinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { writeYaml } from '../files/yaml.ts';
import { printableJson } from '../image/printable.ts';
import { type ReferenceForm, withDigest } from '../image/reference.ts';
import type { ExplainAnswer, ExplainQuestion } from './explanation.ts';
import type { Step } from './step.ts';
import { closingLine, stepLine } from './text.ts';

export type ExplainFormat = 'text' | 'json' | 'yaml';

/** Looks up, and tells each step when it is done. Rejects with PinError where the question is wrong. */
export type Explain = (
  question: ExplainQuestion,
  observe: (step: Step) => void,
) => Promise<ExplainAnswer>;

export interface ExplainPorts {
  readonly streams: Streams;
  readonly explain: Explain;
}

/** How an explanation is told. */
export interface ExplainStyle {
  readonly format: ExplainFormat;
  readonly referenceForm: ReferenceForm;
}

/** Tells how an image is looked up; whether it could be. Rejects with PinError. */
export async function runExplain(
  question: ExplainQuestion,
  style: ExplainStyle,
  { streams, explain }: ExplainPorts,
): Promise<boolean> {
  const steps: Step[] = [];
  const colours = style.format === 'text' && streams.onTerminal.out;
  let written = Promise.resolve();
  const answer = await explain(question, (step) => {
    steps.push(step);
    // At once: where something hangs, it is seen at what.
    if (style.format !== 'text') return;
    written = written.then(() => streams.out(stepLine(step, colours)));
  });
  await written;
  const report = reportOf(question, style, { answer, steps });
  if (style.format === 'text') await streams.out(closing(report, colours));
  else await streams.out(serialised({ ...report, steps }, style.format));
  return answer.outcome !== 'failed';
}

/** What is told in the end; keys without a value are left out. */
interface Report {
  readonly image: string;
  readonly namespace?: string;
  readonly pod?: string;
  readonly serviceAccount?: string;
  readonly outcome: ExplainAnswer['outcome'];
  readonly result?: string;
  readonly digest?: string;
  readonly mediaType?: string;
  readonly source?: string;
  readonly attempts?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly advice?: string;
}

function reportOf(
  { image, namespace, pod, serviceAccount }: ExplainQuestion,
  { referenceForm }: ExplainStyle,
  { answer, steps }: { readonly answer: ExplainAnswer; readonly steps: readonly Step[] },
): Report {
  return {
    image,
    ...(namespace !== undefined && { namespace }),
    ...(pod !== undefined && { pod }),
    ...(serviceAccount !== undefined && { serviceAccount }),
    outcome: answer.outcome,
    ...(answer.outcome === 'pinned' && {
      result: withDigest(image, answer.found.digest, referenceForm),
      digest: answer.found.digest,
      ...(answer.found.mediaType !== undefined && { mediaType: answer.found.mediaType }),
      source: answer.found.source,
      attempts: answer.found.attempts,
    }),
    ...('message' in answer && { message: answer.message }),
    ...(answer.outcome === 'failed' && {
      reason: answer.error.code,
      message: answer.error.message,
      advice: adviceFor(answer.error, namespace, steps),
    }),
  };
}

/** To somebody who has pods in a cluster, or to somebody at a command line. */
function adviceFor(error: PinError, namespace: string | undefined, steps: readonly Step[]): string {
  if (namespace === undefined) return error.advice;
  const action = actionIn(namespace, error.code);
  if (error.code !== 'forbidden_secret') return action;
  const isOfPod = steps.some((step) => step.step === 'cluster' && step.needs?.resource === 'pods');
  const role = isOfPod ? 'view' : 'tagpin-pull-secret-reader';
  const binding = `kubectl create rolebinding ${role} --namespace ${namespace} --clusterrole ${role} --user USER`;
  return `${isOfPod ? '' : `${action}, or `}run this as somebody who may read them: ${binding}`;
}

function closing(report: Report, colours: boolean): string {
  const { outcome, result, message = '', reason, advice } = report;
  if (result !== undefined) return closingLine('answer', result, colours);
  const said = reason === undefined ? `${outcome}: ${message}` : `${message} [${reason}]`;
  return [
    closingLine('answer', said, colours),
    advice === undefined ? '' : closingLine('what to do', advice, colours),
  ].join('');
}

function serialised(report: object, format: 'json' | 'yaml'): string {
  return format === 'json' ? `${printableJson(report, 2)}\n` : writeYaml(report);
}
