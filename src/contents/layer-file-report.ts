import { writeYaml } from '../files/yaml.ts';
import { printableJson } from '../image/printable.ts';
import { createLongLines, plainMember, shortLine } from './tar-listing.ts';
import type { TarMember } from './tar-members.ts';

/** How to report. */
export type LayersFormat = 'text' | 'json' | 'yaml';

/** Writes a list of files as they come: a layer may have more than memory should hold. */
interface FileReport {
  readonly start: string;
  readonly file: (member: TarMember) => string;
  readonly end: () => string;
}

/** A report of each format; `long` is for text alone, others tell everything. */
export const FILE_REPORTS: Readonly<Record<LayersFormat, (long: boolean) => FileReport>> = {
  text: (long) => {
    const line = long ? createLongLines() : shortLine;
    return { start: '', file: (member) => `${line(member)}\n`, end: () => '' };
  },
  json: () => {
    let before = '\n';
    const file = (member: TarMember): string => {
      const text = `${before}  ${printableJson(plainMember(member))}`;
      before = ',\n';
      return text;
    };
    return { start: '[', file, end: () => '\n]\n' };
  },
  yaml: () => {
    let isEmpty = true;
    const file = (member: TarMember): string => {
      isEmpty = false;
      return writeYaml([plainMember(member)]);
    };
    return { start: '', file, end: () => (isEmpty ? '[]\n' : '') };
  },
};
