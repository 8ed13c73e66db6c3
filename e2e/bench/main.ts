import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { benchCluster } from './cluster.ts';
import { benchCold } from './cold.ts';
import { benchHerd } from './herd.ts';
import { textOf, thisMachine } from './machine.ts';
import { benchPin } from './pin.ts';
import { reportOf, sentenceOf } from './report.ts';
import { type Part, type PartOptions, type PartResult, reaches } from './result.ts';
import { benchRollout } from './rollout.ts';
import { benchSick } from './sick.ts';
import { benchSize } from './size.ts';
import { benchStart } from './start.ts';
import { benchWarm } from './warm.ts';

/** What can be measured, in this order. */
const PARTS: Readonly<Record<string, Part>> = {
  warm: benchWarm,
  cold: benchCold,
  herd: benchHerd,
  start: benchStart,
  pin: benchPin,
  cluster: benchCluster,
  sick: benchSick,
  rollout: benchRollout,
  size: benchSize,
};

const USAGE = `Usage: npm run bench -- [PART…] [--peer URL] [--minutes N] [--json FILE]
  PART        ${Object.keys(PARTS).join(', ')}; all of them without one
  --peer URL  another webhook on 127.0.0.1, measured in the same rounds where a part can
  --minutes N how long images keep changing in the part size; 10 unless told otherwise
  --json FILE what was found, beside the line at the end
`;

/** Measures, prints a table for each part and one line of JSON; ends with 1 where a goal is missed. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peer: { type: 'string' },
      minutes: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const names = positionals.length === 0 ? Object.keys(PARTS) : positionals;
  if (values.help === true || areUnknown(names) || isNoNumber(values.minutes)) {
    process.stderr.write(USAGE);
    process.exitCode = values.help === true ? 0 : 2;
    return;
  }
  const machine = thisMachine();
  process.stdout.write(`${textOf(machine)}\n`);
  const options: PartOptions = {
    ...(values.peer !== undefined && { peer: values.peer }),
    ...(values.minutes !== undefined && { minutes: Number(values.minutes) }),
  };
  const parts: PartResult[] = [];
  for (const name of names) {
    const part = await measured(name, options);
    if (part !== undefined) parts.push(part);
  }
  const json = JSON.stringify({ at: new Date().toISOString(), machine, parts });
  process.stdout.write(`${json}\n`);
  if (values.json !== undefined) writeFileSync(values.json, `${json}\n`);
  const missed = parts.flatMap(({ rows }) => rows).filter((row) => reaches(row) === false);
  process.stderr.write(missed.map((row) => `missed: ${sentenceOf(row)}\n`).join(''));
  if (missed.length > 0) process.exitCode = 1;
}

function areUnknown(names: readonly string[]): boolean {
  return names.some((name) => !Object.hasOwn(PARTS, name));
}

function isNoNumber(text: string | undefined): boolean {
  return text !== undefined && !(Number(text) > 0);
}

/** A part that cannot be measured takes none of the others with it. */
async function measured(name: string, options: PartOptions): Promise<PartResult | undefined> {
  try {
    const result = await PARTS[name]?.(options);
    if (result !== undefined) process.stdout.write(`${reportOf(result)}\n`);
    return result;
  } catch (error) {
    process.stderr.write(
      `${name} could not be measured: ${Error.isError(error) ? error.stack : String(error)}\n`,
    );
    process.exitCode = 1;
    return undefined;
  }
}

await main();
// Whatever a part that failed has left open.
process.exit();
