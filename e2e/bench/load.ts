import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One measurement of wrk. */
export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
}

export interface LoadOptions {
  readonly url: string;
  /** `@N@` in it is another number in each request, from 1 on. */
  readonly body: string;
  /** After so many requests the numbers begin again; never without it. */
  readonly numbers?: number;
  readonly connections: number;
  readonly seconds: number;
  /** For wrk's script. */
  readonly directory: string;
}

/** Loads a URL with `POST` of one body for some seconds. Loopback only. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  if (new URL(options.url).hostname !== '127.0.0.1') throw new Error('Only 127.0.0.1 is loaded');
  const script = join(options.directory, 'post.lua');
  const body = `${options.directory}/body.json`;
  writeFileSync(body, options.body);
  writeFileSync(
    script,
    `local file = io.open("${body}", "rb")
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = file:read("*a")
file:close()
if wrk.body:find("@N@", 1, true) then
  local template, count = wrk.body, 0
  request = function()
    count = count % ${options.numbers ?? Number.MAX_SAFE_INTEGER} + 1
    return wrk.format(nil, nil, nil, (template:gsub("@N@", tostring(count))))
  end
end
done = function(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("RESULT %d %f %f %f %f %d\\n", summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000, failed))
end
`,
  );
  const text = await run('wrk', [
    '--threads=1',
    `--connections=${options.connections}`,
    `--duration=${options.seconds}s`,
    `--script=${script}`,
    options.url,
  ]);
  const numbers = /^RESULT (\d+) (\S+) (\S+) (\S+) (\S+) (\d+)$/m.exec(text)?.slice(1).map(Number);
  if (numbers === undefined) throw new Error(`wrk gave no result:\n${text}`);
  const [requests = 0, requestsPerSecond = 0, p50Ms = 0, p95Ms = 0, p99Ms = 0, errors = 0] =
    numbers;
  // wrk tells 0 where nothing was answered at all.
  if (requests === 0)
    throw new Error(`${options.url} answered nothing within ${options.seconds} s`);
  return { requests, requestsPerSecond, p50Ms, p95Ms, p99Ms, errors };
}

function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error(`Cannot run ${command}; install it with: apt-get install wrk`, { cause }));
    });
    child.once('close', (code) => {
      if (code === 0) resolve(text);
      else reject(new Error(`${command} ended with ${code}:\n${text}`));
    });
  });
}
