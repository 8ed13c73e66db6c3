import type { Streams } from '../files/streams.ts';
import { writeYaml } from '../files/yaml.ts';
import { printable, printableJson } from '../image/printable.ts';
import { type AuditReport, type AuditState, type Finding, STATE_RULES } from './findings.ts';
import { sarifOf } from './sarif.ts';
import { workloadName } from './use.ts';

/** How an audit is told; `images` is what runs, without verdicts. */
export type AuditFormat = 'text' | 'json' | 'yaml' | 'sarif' | 'images';

type Write = (report: AuditReport, version: string) => string;

const FORMATS: Readonly<Record<Exclude<AuditFormat, 'images'>, Write>> = {
  text: ({ findings }) => findings.map((finding) => `${lineOf(finding)}\n`).join(''),
  json: (report) => `${printableJson(plain(report), 2)}\n`,
  yaml: (report) => writeYaml(plain(report)),
  sarif: (report, version) => `${printableJson(sarifOf(report, version), 2)}\n`,
};

/** Findings on standard output, and what they come to on standard error. */
export async function writeReport(
  report: AuditReport,
  { format, version }: { readonly format: AuditFormat; readonly version: string },
  streams: Streams,
): Promise<void> {
  if (format === 'images') return;
  await streams.out(FORMATS[format](report, version));
  await streams.err(
    summaryOf(report)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

function lineOf({ state, use, detail }: Finding): string {
  const { level, says, advice } = STATE_RULES[state];
  const { place, image, original, pods } = use;
  const was = original === undefined ? '' : ` (${original})`;
  const seen = pods === 0 ? '' : `, in ${pods} ${pods === 1 ? 'Pod' : 'Pods'}`;
  const told = detail === undefined ? '' : `: ${detail}`;
  return printable(
    `${level}: ${workloadName(use)} ${place}: ${image}${was} ${says}${told}${seen}; ${advice} [${state}]`,
  );
}

function summaryOf({ uses, findings, unread, platforms }: AuditReport): readonly string[] {
  const counted = new Map<AuditState, number>();
  for (const { state } of findings) counted.set(state, (counted.get(state) ?? 0) + 1);
  const states = [...counted].map(([state, count]) => `${state} ${count}`).join(', ');
  const fine = new Set(uses).difference(new Set(findings.map(({ use }) => use))).size;
  const images = uses.length === 1 ? '1 image' : `${uses.length} images`;
  const lines = [`${images} of workloads: ${fine} pinned and as their tags have it`];
  if (states !== '') lines.push(states);
  if (unread > 0) lines.push(`${unread} objects have more images than are read`);
  if (platforms === undefined) {
    lines.push(
      'Nodes may not be listed: whether a digest is of one platform alone was not looked at',
    );
  }
  return lines;
}

function plain({ uses, findings, unread, platforms }: AuditReport): object {
  const byUse = Map.groupBy(findings, ({ use }) => use);
  return {
    images: uses.map((use) => ({
      ...use.workload,
      place: use.place,
      image: use.image,
      ...(use.original !== undefined && { original: use.original }),
      inTemplate: use.inTemplate,
      pods: use.pods,
      findings: (byUse.get(use) ?? []).map(({ state, detail }) => ({
        state,
        level: STATE_RULES[state].level,
        ...(detail !== undefined && { detail }),
      })),
    })),
    unread,
    ...(platforms !== undefined && { platforms: [...platforms].toSorted() }),
  };
}
