import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A line that somebody types, and what is then shown. */
export interface Exchange {
  readonly command: string;
  readonly output: string;
}

const BLOCK = /^```console\n(.*?)^```$/gms;

/** What the `console` blocks of a page show. */
export function exchangesOf(page: string): Exchange[] {
  return [...page.matchAll(BLOCK)].flatMap(([, text = '']) =>
    text
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        // A line that ends in a backslash goes on in the next one.
        const [command = ''] = /^(?:.*\\\n)*.*\n?/.exec(part) ?? [];
        return { command: command.trimEnd(), output: part.slice(command.length) };
      }),
  );
}

/** The page with other outputs, in their order. */
export function withOutputs(page: string, exchanges: readonly Exchange[]): string {
  const left = [...exchanges];
  return page.replaceAll(BLOCK, (_, text: string) => {
    const count = text.split(/^\$ /m).length - 1;
    const shown = left.splice(0, count).map(({ command, output }) => `$ ${command}\n${output}`);
    return `\`\`\`console\n${shown.join('')}\`\`\``;
  });
}

/** Runs what is typed, with both its streams on one. */
export async function typed(
  command: string,
  where: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Exchange> {
  const child = spawn('bash', ['-c', `exec 2>&1\n${command}`], {
    ...where,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  return { command, output: output === '' || output.endsWith('\n') ? output : `${output}\n` };
}

/** Milliseconds are never the same. */
const TIMES: readonly (readonly [RegExp, string])[] = [
  [/^ +\d+\.\d ms/gm, 'MS'],
  [/\(\d+\.\d ms\)/g, '(MS)'],
  [/"(ms|atMs)": [\d.e-]+/g, '"$1": MS'],
];

/** What can be compared of an exchange. */
export function timeless({ command, output }: Exchange): Exchange {
  const text = TIMES.reduce(
    (said, [time, placeholder]) => said.replaceAll(time, placeholder),
    output,
  );
  return { command, output: text };
}
