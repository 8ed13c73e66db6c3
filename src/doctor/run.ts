import { PinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { followsFrom } from './fact.ts';
import type { Facts } from './facts.ts';
import { CHECKS, type CheckId, type Finding } from './finding.ts';
import { judge } from './judge.ts';
import { type DoctorFormat, reportOf, summaryOf } from './report.ts';

export interface DoctorPorts {
  /** Looks at the cluster. Rejects with PinError `cluster_unreadable` where nobody answers. */
  readonly gather: () => Promise<Facts>;
  readonly close: () => Promise<void>;
  readonly streams: Streams;
}

/** Looks at an installation of tagpin, and tells; resolves to whether nothing failed. */
export async function runDoctor(
  format: DoctorFormat,
  { gather, close, streams }: DoctorPorts,
): Promise<boolean> {
  const findings = await examined(gather, close);
  await streams.out(reportOf(findings, { format, colours: streams.colours }));
  await streams.err(summaryOf(findings));
  return findings.every(({ status }) => status !== 'failed');
}

async function examined(
  gather: DoctorPorts['gather'],
  close: DoctorPorts['close'],
): Promise<readonly Finding[]> {
  try {
    return judge(await gather());
  } catch (caught) {
    if (!(caught instanceof PinError) || caught.code !== 'cluster_unreadable') throw caught;
    return unanswered(caught);
  } finally {
    await close();
  }
}

/** Of an API server that does not answer nothing else can be told. */
function unanswered({ message, cause }: PinError): readonly Finding[] {
  const why = Error.isError(cause) ? ` (${cause.message})` : '';
  const first: Finding = {
    id: 'api-server',
    status: 'failed',
    says: `${message}${why}`,
    advice: 'see whether this answers; if it does, give the same kubeconfig and context here',
    command: 'kubectl version',
  };
  const others = Object.keys(CHECKS).filter(isOther);
  return [first, ...others.map((id) => followsFrom(id, 'api-server'))];
}

function isOther(id: string): id is CheckId {
  return id !== 'api-server';
}
