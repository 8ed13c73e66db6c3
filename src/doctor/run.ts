import { PinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { commandOf } from '../shell.ts';
import { followsFrom } from './fact.ts';
import type { Facts } from './facts.ts';
import { CHECKS, type CheckId, type Finding } from './finding.ts';
import { judge } from './judge.ts';
import { type DoctorFormat, reportOf, summaryOf } from './report.ts';

export interface DoctorPorts {
  /** Looks at the cluster. Rejects with PinError `cluster_unreadable` where nobody answers. */
  readonly gather: () => Promise<Facts>;
  readonly close: () => Promise<void>;
  /** What has kubectl ask the same API server. */
  readonly kubectlFlags: readonly string[];
  readonly streams: Streams;
}

/** Looks at an installation of tagpin, and tells; resolves to whether nothing failed. */
export async function runDoctor(
  format: DoctorFormat,
  { streams, ...ports }: DoctorPorts,
): Promise<boolean> {
  const findings = await examined(ports);
  await streams.out(reportOf(findings, { format, colours: streams.colours }));
  await streams.err(summaryOf(findings));
  return findings.every(({ status }) => status !== 'failed');
}

async function examined({
  gather,
  close,
  kubectlFlags,
}: Omit<DoctorPorts, 'streams'>): Promise<readonly Finding[]> {
  try {
    return judge(await gather());
  } catch (caught) {
    if (!(caught instanceof PinError) || caught.code !== 'cluster_unreadable') throw caught;
    return unanswered(caught, commandOf('kubectl', ...kubectlFlags, 'version'));
  } finally {
    await close();
  }
}

/** Of an API server that does not answer nothing else can be told. */
function unanswered(error: PinError, command: string): readonly Finding[] {
  const why = error.cause === undefined ? '' : ` (${deepestOf(error.cause)})`;
  const first: Finding = {
    id: 'api-server',
    status: 'failed',
    says: `${error.message}${why}`,
    advice: 'see whether this answers; if it does, give the same kubeconfig and context here',
    command,
  };
  const others = Object.keys(CHECKS).filter(isOther);
  // What to do stands above them once.
  return [first, ...others.map((id) => ({ ...followsFrom(id, 'api-server'), advice: undefined }))];
}

/** What the errors above it stem from, where several addresses were tried of the first one. */
function deepestOf(error: unknown): string {
  if (!Error.isError(error)) return String(error);
  const below: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return below === undefined ? error.message : deepestOf(below);
}

function isOther(id: string): id is CheckId {
  return id !== 'api-server';
}
