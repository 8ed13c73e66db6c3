import { cpus, loadavg, release, totalmem } from 'node:os';

/** Where figures come from: without it they say nothing. */
export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** How many processes wanted a core, on average of the last minute, before the run. */
  readonly load: number;
}

/** Above this, for each core, something else runs that the figures will show. */
const QUIET_LOAD = 0.25;

/** This machine, as it is now. */
export function thisMachine(): Machine {
  const all = cpus();
  return {
    cores: all.length,
    model: all[0]?.model ?? 'unknown processor',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    load: loadavg()[0] ?? 0,
  };
}

/** One line, and a second one where the machine is busy. */
export function textOf(machine: Machine): string {
  const { cores, model, memoryGiB, kernel, node, load } = machine;
  const line = `${cores} × ${model}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}; load at the start ${load.toFixed(2)}\n`;
  if (load <= QUIET_LOAD * cores) return line;
  return `${line}**The machine is busy: the ratios below say little, and the times nothing.**\n`;
}
