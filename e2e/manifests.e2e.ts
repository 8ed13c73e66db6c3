import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';

import { binaryPath } from './support/binaries.ts';
import { readEnvironment } from './support/environment.ts';
import { Kubectl } from './support/kubectl.ts';
import { renderManifests } from './support/manifests.ts';
import { writeSchemas } from './support/openapi-schemas.ts';
import { podTemplateOf } from './support/workload.ts';

const { directory, kubeconfig } = readEnvironment();
const kubectl = new Kubectl(kubeconfig);
const run = promisify(execFile);

interface Verdict {
  readonly summary: { readonly valid: number; readonly invalid: number; readonly errors: number };
}

describe('manifests/kustomize/base', () => {
  let schemas: string;

  beforeAll(async () => {
    schemas = await writeSchemas(kubectl, join(directory, 'schemas'));
  });

  async function kubeconform(objects: readonly object[]): Promise<Verdict['summary']> {
    const file = join(directory, 'manifests.json');
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    const args = ['-strict', '-summary', '-output=json', `-schema-location=${schemas}`, file];
    // Its exit code is not 0 where something is invalid; the summary says as much, and more.
    const { stdout } = await run(binaryPath('kubeconform'), args).catch(
      (failure: { stdout: string }) => failure,
    );
    return (JSON.parse(stdout) as Verdict).summary;
  }

  it('is valid to kubeconform, strictly, by the schemas of the API server', async () => {
    const objects = await renderManifests(kubectl);

    const expected = { valid: objects.length, invalid: 0, errors: 0, skipped: 0 };
    expect(await kubeconform(objects)).toEqual(expected);
  });

  it('is not valid with a field that does not exist', async () => {
    const [object] = await renderManifests(kubectl);

    const summary = await kubeconform([{ ...object, specs: {} }]);
    expect(summary).toEqual({ valid: 0, invalid: 1, errors: 0, skipped: 0 });
  });

  it('runs Pods that its own namespace takes, which enforces the restricted standard', async () => {
    const objects = await renderManifests(kubectl);
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    const { spec } = podTemplateOf(deployment ?? {});
    const inNamespace = new Kubectl(kubeconfig, 'tagpin-system');
    const create = async (podSpec: object): Promise<string> => {
      const input = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'try' }, spec: podSpec };
      const args = ['create', '--filename=-', '--dry-run=server'];
      return (await inNamespace.run(args, { input, mayFail: true })).stderr;
    };

    expect(await create(spec)).toBe('');
    expect(await create({ ...spec, hostNetwork: true })).toContain('violates PodSecurity');
  });
});
