import { actionIn } from '../error-codes.ts';
import type { PinError } from '../errors.ts';
import { type ReferenceForm, withDigest } from '../image/reference.ts';
import type { ExplainAnswer, ExplainQuestion } from './explanation.ts';
import type { Step } from './step.ts';
import { closingLine } from './text.ts';

/** What is told in the end; keys without a value are left out. */
export interface Report {
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

export interface ReportOptions {
  readonly referenceForm: ReferenceForm;
  /** What to do about a failure. */
  readonly advise: (error: PinError) => string;
}

export function reportOf(
  { image, namespace, pod, serviceAccount }: ExplainQuestion,
  answer: ExplainAnswer,
  { referenceForm, advise }: ReportOptions,
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
      advice: advise(answer.error),
    }),
  };
}

/** To somebody at a command line, who asks with rights of their own where a namespace is named. */
export function adviceFor(
  error: PinError,
  namespace: string | undefined,
  steps: readonly Step[],
): string {
  if (namespace === undefined) return error.advice;
  const action = actionIn(namespace, error.code);
  if (error.code !== 'forbidden_secret') return action;
  const isOfPod = steps.some((step) => step.step === 'cluster' && step.needs?.resource === 'pods');
  const role = isOfPod ? 'view' : 'tagpin-pull-secret-reader';
  const binding = `kubectl create rolebinding ${role} --namespace ${namespace} --clusterrole ${role} --user USER`;
  return `${isOfPod ? '' : `${action}, or `}run this as somebody who may read them: ${binding}`;
}

/** The last lines for a person. */
export function closing(
  report: Pick<Report, 'result' | 'message' | 'reason' | 'advice'> & { readonly outcome: string },
  colours: boolean,
): string {
  const { outcome, result, message = '', reason, advice } = report;
  if (result !== undefined) return closingLine('answer', result, colours);
  const said = reason === undefined ? `${outcome}: ${message}` : `${message} [${reason}]`;
  return [
    closingLine('answer', said, colours),
    advice === undefined ? '' : closingLine('what to do', advice, colours),
  ].join('');
}
