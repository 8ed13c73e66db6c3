import type { PinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { writeYaml } from '../files/yaml.ts';
import { printableJson } from '../image/printable.ts';
import type { ReferenceForm } from '../image/reference.ts';
import type { ExplainAnswer, ExplainQuestion } from './explanation.ts';
import { closing, reportOf } from './report.ts';
import type { Step } from './step.ts';
import { stepLine } from './text.ts';

export type ExplainFormat = 'text' | 'json' | 'yaml';

/** Looks up, and tells each step when it is done. Rejects with PinError where the question is wrong. */
export type Explain = (
  question: ExplainQuestion,
  observe: (step: Step) => void,
) => Promise<ExplainAnswer>;

export interface ExplainPorts {
  readonly streams: Streams;
  readonly explain: Explain;
  /** What to do about a failure, to whoever asks. */
  readonly advise: (error: PinError, steps: readonly Step[]) => string;
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
  { streams, explain, advise }: ExplainPorts,
): Promise<boolean> {
  const steps: Step[] = [];
  const colours = style.format === 'text' && streams.colours;
  let written = Promise.resolve();
  const answer = await explain(question, (step) => {
    steps.push(step);
    // At once: where something hangs, it is seen at what.
    if (style.format !== 'text') return;
    written = written.then(() => streams.out(stepLine(step, colours)));
  });
  await written;
  const report = reportOf(question, answer, {
    referenceForm: style.referenceForm,
    advise: (error) => advise(error, steps),
  });
  if (style.format === 'text') await streams.out(closing(report, colours));
  else await streams.out(serialised({ ...report, steps }, style.format));
  return answer.outcome !== 'failed';
}

/** For a program. */
export function serialised(report: object, format: 'json' | 'yaml'): string {
  return format === 'json' ? `${printableJson(report, 2)}\n` : writeYaml(report);
}
