import type { AdmissionHandler } from '../admission/handler.ts';
import { type AdmissionResponse, deny } from '../admission/response.ts';
import { DENIALS, WARNINGS } from '../admission/wording.ts';
import { actionIn } from '../error-codes.ts';
import { PinError, toPinError } from '../errors.ts';
import { isJsonObject, type JsonObject, parseJson, textOf } from '../json.ts';
import { describeError, type Logger } from '../log.ts';
import { type AskedExplanation, askedIn, type Caller } from './asked.ts';
import type { Askers } from './askers.ts';
import {
  EXPLANATION_CAUSE,
  type Explainer,
  type PodAnswer,
  type Refused,
  type ToldLookUp,
  writeExplanation,
} from './document.ts';
import type { ExplainAnswer, Explained } from './explanation.ts';
import { type ReportOptions, reportOf } from './report.ts';
import { grantFor } from './right.ts';
import type { Step } from './step.ts';
import type { Turns } from './turns.ts';

export interface InDryRunParts extends Pick<ReportOptions, 'referenceForm'> {
  readonly askers: Askers;
  readonly turns: Turns;
  /** Whether the API server lets a caller have explanations in a namespace. Rejects where it is silent. */
  readonly mayExplain: (caller: Caller, namespace: string) => Promise<boolean>;
  /** With what this process knows. Rejects with PinError `invalid_config`. */
  readonly explain: (asked: Explained, observe: (step: Step) => void) => Promise<ExplainAnswer>;
  readonly webhook: Pick<Explainer, 'version' | 'replica'>;
  readonly log: Logger;
}

type Call = Parameters<AdmissionHandler>[0];

/** What of its time a review has left for its own answer, when the explanation has taken all it may. */
const OWN_TIME_MS = 1500;

/**
 * Answers reviews as `handle` does; but the dry run of a Pod that asks for it, and by somebody who may,
 * is refused with an explanation. As a refusal it gets through whatever else would be said of the Pod, in
 * `enforce` too, of an image that cannot be pinned; and nothing can be stored.
 *
 * @param parts undefined: nothing is explained, and whoever asks is told so
 */
export function explainInDryRuns(
  handle: AdmissionHandler,
  parts: InDryRunParts | undefined,
): AdmissionHandler {
  return (call) => {
    if (call.review.userInfo === undefined) return handle(call);
    const asked = askedIn(call.review);
    if (asked === undefined) return handle(call);
    if (parts === undefined) return saidSo(handle(call));
    return explained(handle, parts, { call, asked });
  };
}

async function saidSo(
  answer: AdmissionResponse | Promise<AdmissionResponse>,
): Promise<AdmissionResponse> {
  const { warnings = [], ...response } = await answer;
  return { ...response, warnings: [WARNINGS.explainsNothing(), ...warnings] };
}

interface Question {
  readonly call: Call;
  readonly asked: AskedExplanation;
}

async function explained(
  handle: AdmissionHandler,
  parts: InDryRunParts,
  question: Question,
): Promise<AdmissionResponse> {
  const { review, mode } = question.call;
  const told = await toldOrRefused(handle, parts, question);
  const outcome = 'reason' in told ? told.reason : told.report.outcome;
  parts.log.info({ namespace: review.namespace, mode, outcome }, 'explained in a dry run');
  const said = 'reason' in told ? `${told.message}: ${told.advice}` : summaryOf(told);
  const { status, ...response } = deny(review.uid, DENIALS.explained(said));
  const message = writeExplanation({ ...parts.webhook, mode }, told);
  const causes = [{ reason: EXPLANATION_CAUSE, message }];
  return {
    ...response,
    ...(status !== undefined && { status: { ...status, details: { causes } } }),
  };
}

function summaryOf({ report: { result, outcome, message, reason } }: ToldLookUp): string {
  return result ?? `${message ?? outcome} [${reason ?? outcome}]`;
}

async function toldOrRefused(
  handle: AdmissionHandler,
  parts: InDryRunParts,
  question: Question,
): Promise<ToldLookUp | Refused> {
  if (!question.call.mayLookUp) return refusedFor(tooMany());
  const { username } = question.asked.caller;
  const { namespace } = question.call.review;
  const asking = parts.askers.ask({ username, namespace });
  if (asking instanceof PinError) return refusedFor(asking);
  try {
    const refused = await refusal(parts, question);
    return refused ?? (await inTurn(handle, parts, question));
  } finally {
    asking.end();
  }
}

/** Of somebody who may: whoever may not takes nobody's turn. */
async function inTurn(
  handle: AdmissionHandler,
  parts: InDryRunParts,
  question: Question,
): Promise<ToldLookUp | Refused> {
  const turn = parts.turns.take(question.call.review.namespace);
  if (turn instanceof PinError) return refusedFor(turn);
  try {
    return await lookUp(handle, parts, question);
  } finally {
    turn.end();
  }
}

/** Undefined for whoever may; where the API server does not tell, nobody may. */
async function refusal(
  { mayExplain, log }: InDryRunParts,
  { call, asked: { caller } }: Question,
): Promise<Refused | undefined> {
  const { namespace } = call.review;
  try {
    return (await mayExplain(caller, namespace)) ? undefined : grantFor(caller.username, namespace);
  } catch (caught) {
    log.warn({ namespace, ...describeError(caught) }, 'nobody says who may have explanations');
    return refusedFor(toPinError(caught));
  }
}

function tooMany(): PinError {
  return new PinError(
    'overloaded',
    'as many reviews wait for look-ups as may, or as may of this namespace',
  );
}

function refusedFor({ code, message, rule }: PinError): Refused {
  return { reason: code, message, advice: rule.action };
}

async function lookUp(
  handle: AdmissionHandler,
  { explain, referenceForm }: InDryRunParts,
  { call, asked }: Question,
): Promise<ToldLookUp> {
  const { review, deadlineAtMs } = call;
  const { image, identity } = asked;
  const steps: Step[] = [];
  const answer = await explain(
    { image, identity: async () => identity, deadlineAtMs: deadlineAtMs - OWN_TIME_MS },
    (step) => steps.push(step),
  );
  const { namespace } = review;
  const advise = ({ code }: PinError): string => actionIn(namespace, code);
  const question = { image, namespace, pod: undefined, serviceAccount: undefined };
  const report = reportOf(question, answer, { referenceForm, advise });
  const pod = podAnswer(await handle(call), asked);
  if (answer.outcome !== 'pinned') return { report, steps, pod };
  const { ageMs, stale } = answer.found;
  return { report: { ...report, ageMs, stale }, steps, pod };
}

/** What the review comes to by itself. */
function podAnswer(
  { allowed, patch, warnings, status }: AdmissionResponse,
  { image, pointer }: AskedExplanation,
): PodAnswer {
  const changes = parseJson(Buffer.from(patch ?? '', 'base64').toString('utf8'));
  const change = listed(changes).find((one) => one['path'] === pointer);
  const written = textOf(change, 'value') ?? image;
  return {
    allowed,
    ...(allowed && { image: written }),
    ...(warnings !== undefined && { warnings }),
    ...(status !== undefined && { message: status.message }),
  };
}

function listed(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
