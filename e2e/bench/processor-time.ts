import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Of proc(5): the 14th and 15th fields of `stat`, in clock ticks. */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const FIRST_OF_TIMES = 11;

/** How long a process of this machine has had a processor, in all its threads, in milliseconds. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program stands in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = '', system = ''] = fields.slice(FIRST_OF_TIMES);
  return ((Number(user) + Number(system)) * 1000) / TICKS_PER_SECOND;
}
