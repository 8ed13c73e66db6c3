import { readFileSync } from 'node:fs';

/** One line of a Dockerfile: `RUN` and `npm ci`. */
interface Instruction {
  readonly keyword: string;
  readonly text: string;
}

/** What stands between one FROM and the next. */
export interface Stage {
  /** The base as it is written: `${BUILD}`. */
  readonly base: string;
  /** `$BUILDPLATFORM`; undefined where it is that of the image. */
  readonly platform: string | undefined;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile, as far as this project's own uses the language. */
export interface Dockerfile {
  /** `ARG NAME=value` before the first stage. */
  readonly args: ReadonlyMap<string, string>;
  readonly stages: readonly Stage[];
}

/** @throws Error at what it does not know: a line that is passed over would be tested by nobody */
export function readDockerfile(path: string): Dockerfile {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map(readInstruction);
  const first = lines.findIndex(({ keyword }) => keyword === 'FROM');
  const args = lines.slice(0, first).map(({ text }): [string, string] => {
    const [name = '', value = ''] = text.split('=');
    return [name, value];
  });
  return { args: new Map(args), stages: readStages(lines.slice(first)) };
}

function readInstruction(line: string): Instruction {
  const [, keyword, text] = /^([A-Z]+) (.*[^\\])$/.exec(line) ?? [];
  if (keyword === undefined || text === undefined) throw new Error(`Cannot read: ${line}`);
  return { keyword, text };
}

function readStages(lines: readonly Instruction[]): Stage[] {
  const starts = lines.flatMap(({ keyword }, index) => (keyword === 'FROM' ? [index] : []));
  return starts.map((start, index) => {
    const [from = '', name] = lines[start]?.text.split(' AS ') ?? [];
    const [, platform, base = ''] = /^(?:--platform=(\S+) )?(\S+)$/.exec(from) ?? [];
    return { base, platform, name, instructions: lines.slice(start + 1, starts[index + 1]) };
  });
}

/** The texts of all instructions of one kind. */
export function textsOf(stage: Stage, keyword: string): readonly string[] {
  return stage.instructions
    .filter((instruction) => instruction.keyword === keyword)
    .map(({ text }) => text);
}
