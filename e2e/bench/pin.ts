import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type SampleRegistry, startSampleRegistry } from '../demo/sample-registry.ts';
import type { Part, Row } from './result.ts';

/**
 * `tagpin pin` over many files whose registry is some way off, and what a person waits for at each
 * start, from the sources and as it is built, beside what Node needs to do nothing. Interleaved
 * rounds in one run, because a figure of one machine says nothing on another, and little an hour
 * later.
 */
const ROUNDS = 7;
const FILES = 1000;
const IMAGES = 200;
const REGISTRY_MS = 20;
const LIMITS = { pinMs: 1500, rssMiB: 200, helpRatio: 1.5, helpExtraMs: 60 };

const ROOT = join(import.meta.dirname, '..', '..');
const MAINS = { source: join(ROOT, 'src', 'main.ts'), built: join(ROOT, 'dist', 'main.js') };
type Main = keyof typeof MAINS;

/** Milliseconds, from the start of a process to its end. */
interface Round {
  readonly node: number;
  readonly help: Readonly<Record<Main, number>>;
  readonly pin: Readonly<Record<Main, number>>;
}

interface PinRun {
  readonly ms: number;
  readonly lookUps: number;
}

export const benchPin: Part = async () => {
  await run('npm', ['run', '--silent', 'build'], ROOT);
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-pin-'));
  const tags = Array.from(
    { length: IMAGES },
    (_, index) => `team-${index % 9}/app-${index}:1.${index}`,
  );
  const registry = await startSampleRegistry(tags, REGISTRY_MS);
  const pin = (main: Main, args: readonly string[] = []): Promise<PinRun> =>
    pinAll([...args, MAINS[main]], { directory, registry, tags });
  try {
    const lookUps: number[] = [];
    const rounds: Round[] = [];
    // The first round fills the caches of the file system.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const node = await timed(['-e', '0'], directory);
      const help = {
        source: await timed([MAINS.source, '--help'], directory),
        built: await timed([MAINS.built, '--help'], directory),
      };
      const pins = { source: await pin('source'), built: await pin('built') };
      lookUps.push(pins.source.lookUps, pins.built.lookUps);
      if (round > 0) {
        rounds.push({ node, help, pin: { source: pins.source.ms, built: pins.built.ms } });
      }
    }
    const measured = { rss: await peakMiB(pin, directory), lookUps: Math.max(...lookUps) };
    return {
      part: 'pin',
      text: `${FILES} files, ${IMAGES} images, a registry that answers after ${REGISTRY_MS} ms, and \`node -e 0\` beside it; ${ROUNDS} rounds.`,
      rows: rowsOf(rounds, measured),
    };
  } finally {
    registry.close();
    rmSync(directory, { recursive: true });
  }
};

interface Setting {
  readonly directory: string;
  readonly registry: SampleRegistry;
  readonly tags: readonly string[];
}

/** One run over fresh files; fails where an image of any of them is not pinned. */
async function pinAll(args: readonly string[], setting: Setting): Promise<PinRun> {
  const { directory, registry, tags } = setting;
  // A folder of its own: a file system is slow where many files have just been removed.
  const folder = mkdtempSync(join(directory, 'manifests-'));
  const names = Array.from({ length: FILES }, (_, index) => join(folder, `app-${index}.yaml`));
  const imagesOf = (index: number): readonly [string, string] => [
    tags[index % IMAGES] ?? '',
    tags[(index * 7 + 3) % IMAGES] ?? '',
  ];
  names.forEach((name, index) => {
    const [one, other] = imagesOf(index);
    writeFileSync(name, manifestOf(index, `${registry.host}/${one}`, `${registry.host}/${other}`));
  });
  const before = registry.requests.length;
  const ms = await timed([...args, 'pin', folder], directory);
  names.forEach((name, index) => {
    const [one, other] = imagesOf(index).map(
      (tag) => `${registry.host}/${tag.replace(/:.*/, '')}@${registry.digestOf(tag)}`,
    );
    const wanted = manifestOf(index, one ?? '', other ?? '');
    if (readFileSync(name, 'utf8') !== wanted) throw new Error(`${name} is not as it should be`);
  });
  return { ms, lookUps: registry.requests.length - before };
}

/** Some 70 lines, as they stand in repositories: a Deployment of two containers, and a Service. */
function manifestOf(index: number, one: string, other: string): string {
  const name = `app-${index}`;
  return `# ${name}, as team ${index % 9} runs it
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: &labels
    app.kubernetes.io/name: ${name}
    app.kubernetes.io/part-of: shop
spec:
  replicas: 2
  selector:
    matchLabels: *labels
  template:
    metadata:
      labels: *labels
    spec:
      serviceAccountName: ${name}
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: web
          image: ${one}
          args: ["--listen=:8080", "--log-level=info"]
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: GOMAXPROCS
              value: "2"
          readinessProbe:
            httpGet:
              path: /readyz
              port: http
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 128Mi
        - name: proxy # beside the application
          image: "${other}"
          ports:
            - name: metrics
              containerPort: 9090
          volumeMounts:
            - name: config
              mountPath: /etc/proxy
              readOnly: true
      volumes:
        - name: config
          configMap:
            name: ${name}-proxy
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector:
    app.kubernetes.io/name: ${name}
  ports:
    - name: http
      port: 80
      targetPort: http
`;
}

/** The most memory that a run has had; in runs of their own, as the question takes time too. */
async function peakMiB(
  pin: (main: Main, args: readonly string[]) => Promise<PinRun>,
  directory: string,
): Promise<Record<Main, number>> {
  const file = join(directory, 'rss');
  const hook = join(directory, 'rss.cjs');
  const write = `require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS))`;
  writeFileSync(hook, `process.once('exit', () => ${write});`);
  const peakOf = async (main: Main): Promise<number> => {
    await pin(main, ['--require', hook]);
    return Number(readFileSync(file, 'utf8')) / 1024;
  };
  return { source: await peakOf('source'), built: await peakOf('built') };
}

async function timed(args: readonly string[], cwd: string): Promise<number> {
  const started = performance.now();
  await run(process.execPath, args, cwd);
  return performance.now() - started;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, {
    cwd,
    stdio: 'ignore',
    // Of this machine's user nothing counts: no credentials, and no cache of compiled code.
    env: { PATH: process.env['PATH'], HOME: cwd },
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
}

interface Measured {
  readonly rss: Readonly<Record<Main, number>>;
  readonly lookUps: number;
}

/** What is promised, is promised of the program as it is built. */
function rowsOf(rounds: readonly Round[], { rss, lookUps }: Measured): Row[] {
  const ms = (what: string, of: (round: Round) => number): Row => ({
    what,
    unit: 'ms',
    digits: 0,
    values: rounds.map(of),
  });
  const over = ({ help, node }: Round): number => help.built - LIMITS.helpRatio * node;
  const mib = (main: Main): Row => ({
    what: `pin, ${main}: peak of memory`,
    unit: 'MiB',
    digits: 0,
    values: [rss[main]],
  });
  return [
    { ...ms('pin, built', ({ pin }) => pin.built), goal: { atMost: LIMITS.pinMs } },
    ms('pin, source', ({ pin }) => pin.source),
    ms('node -e 0', ({ node }) => node),
    ms('--help, built', ({ help }) => help.built),
    ms('--help, source', ({ help }) => help.source),
    {
      ...ms(`--help, built, over ${LIMITS.helpRatio} × node`, over),
      goal: { atMost: LIMITS.helpExtraMs },
    },
    { ...mib('built'), goal: { atMost: LIMITS.rssMiB } },
    mib('source'),
    { what: 'look-ups', unit: '', digits: 0, values: [lookUps], goal: { atMost: IMAGES } },
  ];
}
