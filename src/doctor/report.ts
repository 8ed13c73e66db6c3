import { styleText } from 'node:util';

import { writeYaml } from '../files/yaml.ts';
import { printable, printableJson } from '../image/printable.ts';
import type { Finding, Status } from './finding.ts';

export type DoctorFormat = 'text' | 'json' | 'yaml';

const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

/** All findings as a person or a program reads them; colours are for terminals alone. */
export function reportOf(
  findings: readonly Finding[],
  { format, colours }: { readonly format: DoctorFormat; readonly colours: boolean },
): string {
  if (format === 'json') return `${printableJson(plain(findings), 2)}\n`;
  if (format === 'yaml') return writeYaml(plain(findings));
  const width = Math.max(...findings.map(({ id }) => id.length));
  return findings.flatMap((finding) => linesOf(finding, width, colours)).join('');
}

/** How many there are of each. */
export function summaryOf(findings: readonly Finding[]): string {
  const count = (status: Status): number => findings.filter((one) => one.status === status).length;
  return `${count('ok')} ok, ${count('warning')} warnings, ${count('failed')} failed\n`;
}

function linesOf(finding: Finding, width: number, colours: boolean): readonly string[] {
  const { id, about, status, says, advice, command } = finding;
  const word = status.padEnd('warning'.length);
  const marked = colours ? styleText(COLOURS[status], word, { validateStream: false }) : word;
  const indent = ' '.repeat('warning'.length + width + 4);
  const place = about === undefined ? '' : `${about}: `;
  return [
    `${marked}  ${id.padEnd(width)}  ${printable(`${place}${says}`)}\n`,
    ...(advice === undefined ? [] : [`${indent}${printable(advice)}\n`]),
    ...(command === undefined ? [] : [`${indent}$ ${printable(command)}\n`]),
  ];
}

function plain(findings: readonly Finding[]): object {
  const checks = findings.map(({ id, about, status, says, advice, command }) => ({
    id,
    ...(about !== undefined && { about }),
    status,
    says,
    ...(advice !== undefined && { advice }),
    ...(command !== undefined && { command }),
  }));
  return { checks };
}
