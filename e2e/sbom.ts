import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface LockedPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface Manifest {
  readonly devDependencies: object;
}

const ROOT = join(import.meta.dirname, '..');

/**
 * Writes the SBOM of the image to standard output: CycloneDX, by npm, of what the lock has for run time. `npm sbom
 * --omit=dev` itself leaves packages out that a tool of the tests needs, too; so npm is shown a project without tools.
 */
function main(): void {
  const folder = mkdtempSync(join(tmpdir(), 'tagpin-sbom-'));
  try {
    // npm takes the name of what it is about from that of the folder.
    const project = join(folder, 'tagpin');
    mkdirSync(project);
    for (const [name, value] of Object.entries(withoutTools())) {
      writeFileSync(join(project, name), JSON.stringify(value));
    }
    const kind = ['--sbom-format=cyclonedx', '--sbom-type=application'];
    const options = { cwd: project, maxBuffer: 64 * 1024 * 1024 };
    process.stdout.write(execFileSync('npm', ['sbom', '--package-lock-only', ...kind], options));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function withoutTools(): Readonly<Record<string, object>> {
  const { devDependencies: _, ...manifest } = readJson('package.json') as Manifest;
  const lock = readJson('package-lock.json') as Lock;
  const packages = Object.entries(lock.packages)
    .filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true)
    .map(([path, entry]) => [path, path === '' ? manifest : entry]);
  return {
    'package.json': manifest,
    'package-lock.json': { ...lock, packages: Object.fromEntries(packages) },
  };
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
}

main();
