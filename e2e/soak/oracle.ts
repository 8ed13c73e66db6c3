import type { Admission, Outcome } from './admission.ts';
import {
  type Finding,
  isReason,
  type JudgedImage,
  judgeImage,
  type OracleParts,
} from './image-oracle.ts';
import { readWarnings } from './said.ts';

/** What became of an admission, for the figures. */
export type Fate =
  | 'as it should be'
  | 'kept its tag'
  | 'refused'
  | 'refused by the policy'
  | 'missed by tagpin'
  | 'no answer';

export interface Judgement {
  readonly findings: readonly Finding[];
  readonly fate: Fate;
  /** It can only be so if the webhook was not called to an end: the audit log must say so too. */
  readonly mustHaveFailedOpen: boolean;
}

/** Tells what is wrong with an admission, from what its tags had and which faults there were. */
export function judge(parts: OracleParts, admission: Admission): Judgement {
  const { outcome } = admission;
  if (outcome.kind === 'stored') return judgeStored(parts, admission, outcome);
  if (outcome.kind === 'refused' && admission.mode === 'enforce') {
    const denial = judgeDenial(parts, admission, outcome.message);
    if (denial !== undefined) return denial;
  }
  const isExcused = parts.timeline.excuses(
    admission,
    ({ failsRequests }) => failsRequests === true,
  );
  const text =
    outcome.kind === 'refused' ? `answered ${outcome.status}: ${outcome.message}` : outcome.message;
  return {
    findings: isExcused ? [] : [{ verdict: 'unexplained', text }],
    fate: 'no answer',
    mustHaveFailedOpen: false,
  };
}

/** A refusal of tagpin, or of the policy where tagpin was not heard; undefined where it is neither. */
function judgeDenial(
  parts: OracleParts,
  admission: Admission,
  message: string,
): Judgement | undefined {
  const tags = admission.asked.flatMap(({ tag }) => tag ?? []);
  if (message.includes("ValidatingAdmissionPolicy 'tagpin-enforce'")) {
    return { findings: [], fate: 'refused by the policy', mustHaveFailedOpen: true };
  }
  const [, code] = /enforce\.tagpin\.dev" denied the request: .*\[(\w+)\]$/s.exec(message) ?? [];
  if (code === undefined) return undefined;
  const isExcused = tags.some((tag) => isReason(parts, { code, tag }, admission));
  return {
    findings: isExcused ? [] : [{ verdict: 'unexplained', text: `refused: ${message}` }],
    fate: 'refused',
    mustHaveFailedOpen: false,
  };
}

type Stored = Extract<Outcome, { kind: 'stored' }>;

function judgeStored(parts: OracleParts, admission: Admission, stored: Stored): Judgement {
  const said = readWarnings(stored.warnings ?? []);
  const verdicts = admission.asked.map((asked) => {
    const { reason = stored.unpinned[asked.container], ...rest } = said.get(asked.container) ?? {};
    const image: JudgedImage = {
      asked,
      is: stored.images[asked.container] ?? '',
      said: { ...rest, ...(reason !== undefined && { reason }) },
      isHeard: stored.warnings !== undefined,
    };
    return judgeImage(parts, admission, image);
  });
  const isSilent = verdicts.some((verdict) => verdict.isSilent);
  const keptTag = verdicts.some((verdict) => verdict.keptTag);
  return {
    findings: verdicts.flatMap(({ finding }) => finding ?? []),
    fate: isSilent ? 'missed by tagpin' : keptTag ? 'kept its tag' : 'as it should be',
    mustHaveFailedOpen: isSilent,
  };
}
