import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { type CheckOptions, runCheck } from '../../src/check/run.ts';
import { readManifest } from '../../src/files/yaml.ts';
import { digest } from '../support/admission.ts';
import { Files } from '../support/files.ts';
import { recordedStreams } from '../support/streams.ts';

let files: Files;
let folder: string;

beforeEach(() => {
  files = new Files();
  folder = files.directory;
});
afterEach(() => files[Symbol.asyncDispose]());

const NONE: Omit<CheckOptions, 'paths'> = {
  constraint: [],
  strict: false,
  namespace: '',
  extraKind: [],
  helmValues: false,
  format: 'text',
  version: '1.2.3',
};

async function check(
  input: string,
  options: Partial<CheckOptions> = {},
): Promise<{ readonly passed: boolean; readonly out: string; readonly err: string }> {
  const streams = recordedStreams(input);
  const passed = await runCheck({ ...NONE, paths: ['-'], ...options }, streams);
  return { passed, ...streams.written };
}

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n}\nspec:\n  containers:\n';
const UNPINNED = `${POD}  - name: web\n    image: nginx # c\n`;
const DEPLOYMENT = `---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: web, image: nginx}\n      volumes:\n      - {name: m, image: {reference: "a:1"}}\n`;
const MESSAGE = 'container <web> uses an image without a digest <nginx>';

function constraint(spec: object): string {
  const head = { apiVersion: 'constraints.gatekeeper.sh/v1beta1', kind: 'K8sImageDigests' };
  return JSON.stringify({ ...head, metadata: { name: 'pinned' }, spec });
}

interface SarifRun {
  readonly invocations: unknown;
  readonly results: unknown;
}

describe('tagpin check', () => {
  it('names file, line, column and object of each finding', async () => {
    const file = files.write('pod.yaml', UNPINNED);
    const { passed, out, err } = await check('', { paths: [folder] });
    expect(passed).toBe(false);
    expect(out).toBe(`${file}:7:12: ${MESSAGE} (Pod n/p)\n`);
    expect(err).toBe('1 image in 1 file: 1 finding\n');
  });

  it('passes what is pinned', async () => {
    const { passed, out } = await check(`${POD}  - {name: web, image: "nginx@${digest('a')}"}\n`);
    expect({ passed, out }).toEqual({ passed: true, out: '' });
  });

  it('counts what the policy does not look at, so that nothing is silently green', async () => {
    const { passed, out, err } = await check(DEPLOYMENT);
    expect({ passed, out }).toEqual({ passed: true, out: '' });
    expect(err).toContain('2 unpinned images where K8sImageDigests does not look (Deployment 2)');
    expect(err).toContain('--strict');
  });

  it('looks everywhere when it is strict, and asks for whole digests', async () => {
    const short = `${POD}  - {name: s, image: "x@sha256:ab"}\n`;
    const kustomization = '---\nimages:\n- name: k\n  newTag: "1"\n';
    const { passed, out } = await check(short + DEPLOYMENT + kustomization, { strict: true });
    expect(passed).toBe(false);
    expect(out.split('\n')).toEqual([
      '-:6:22: container <s> uses an image with a malformed reference or digest <x@sha256:ab> (Pod n/p)',
      `-:15:28: ${MESSAGE} (Deployment d)`,
      '-:17:38: image volume <m> uses an image without a digest <a:1> (Deployment d)',
      '-:20:3: kustomize image <k> uses an image without a digest <k:1> (Kustomization)',
      '',
    ]);
  });

  it('judges by constraints, and names them', async () => {
    const match = { namespaces: ['n'] };
    const applies = files.write('a.json', constraint({ match }));
    const exempts = files.write('b.json', constraint({ parameters: { exemptImages: ['ngin*'] } }));
    const { passed, out } = await check(UNPINNED, { constraint: [applies, exempts] });
    expect(passed).toBe(false);
    expect(out).toBe(`-:7:12: ${MESSAGE} (Pod n/p) [pinned]\n`);
    expect(await check(UNPINNED, { constraint: [exempts], strict: true })).toMatchObject({
      passed: true,
    });
  });

  it('does not fail by a constraint that only warns', async () => {
    const warns = files.write('a.json', constraint({ enforcementAction: 'warn' }));
    const { passed, out } = await check(UNPINNED, { constraint: [warns] });
    expect(passed).toBe(true);
    expect(out).toContain('warning: container <web>');
  });

  it('fails by what it cannot read, and goes on', async () => {
    files.write('a.yaml', '{{ if }}\na\n');
    files.write('b.yaml', UNPINNED);
    await writeFile(join(folder, 'c.yaml'), Buffer.from([0xff]));
    const { passed, out, err } = await check('', { paths: [folder] });
    expect(passed).toBe(false);
    expect(out).toContain(MESSAGE);
    expect(err).toContain('a.yaml:2:1: it looks like a template');
    expect(err).toContain('c.yaml:1:1: the file is not UTF-8');
    expect(err).toContain('2 places unread');
  });

  it.each([
    ['json', (text: string): unknown => JSON.parse(text)],
    ['yaml', (text: string): unknown => readManifest(text).documents[0]?.value],
  ] as const)('reports in %s', async (format, parse) => {
    const { out } = await check(UNPINNED + DEPLOYMENT, { format });
    expect(parse(out)).toMatchObject({
      findings: [
        {
          file: '-',
          line: 7,
          column: 12,
          document: 1,
          path: '/spec/containers/0/image',
          message: MESSAGE,
          kind: 'Pod',
          namespace: 'n',
          name: 'p',
          level: 'error',
        },
      ],
      unread: [],
      unexamined: { Deployment: 2 },
      files: 1,
      images: 3,
    });
  });

  it.each(['text', 'json', 'yaml', 'sarif'] as const)('moves no cursor: %s', async (format) => {
    const hostile = UNPINNED.replace('nginx', JSON.stringify('a\u009b2J\u202e\n::error::'));
    const { out, err } = await check(`${hostile}---\nkind: Job\u009b\n--- {`, { format });
    expect(out).toMatch(/9b/i);
    expect(out + err).not.toMatch(/[^\P{C}\n]|^::/mu);
  });

  it('reports in SARIF', async () => {
    const file = files.write('a b.yaml', UNPINNED);
    const { out } = await check('', { paths: [file], format: 'sarif' });
    expect(JSON.parse(out)).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'tagpin', version: '1.2.3' } },
          results: [
            {
              ruleId: 'image-without-digest',
              level: 'error',
              message: { text: MESSAGE },
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: expect.stringMatching(/\/a%20b\.yaml$/) },
                    region: { startLine: 7, startColumn: 12 },
                  },
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it('tells of what the policy does not look at in SARIF, too', async () => {
    const { out } = await check(DEPLOYMENT, { format: 'sarif' });
    const [{ invocations, results }] = (JSON.parse(out) as { readonly runs: [SarifRun] }).runs;
    expect(results).toEqual([]);
    expect(invocations).toMatchObject([
      {
        executionSuccessful: true,
        toolExecutionNotifications: [
          { level: 'warning', message: { text: expect.stringContaining('(Deployment 2)') } },
        ],
      },
    ]);
  });

  it('takes no template for an image', async () => {
    const template = DEPLOYMENT.replace('image: nginx', 'image: "{{ .repo }}:{{ .tag }}"');
    const { passed, out, err } = await check(template, { strict: true });
    expect(passed).toBe(false);
    expect(out).not.toContain('repo');
    expect(err).toContain('-:9:28: the image of container "web" looks like a template');
    expect(err).toContain('1 image in 1 file: 1 finding, 1 place unread');
  });

  it('says of Helm values what they cannot tell', async () => {
    const values = `image: {repository: a, tag: "1", digest: "${digest('a')}"}
`;
    const { passed, err } = await check(values, { strict: true, helmValues: true });
    expect(passed).toBe(true);
    expect(err).toContain('helm template CHART | tagpin check --strict -');
    expect((await check(values, { strict: true })).err).not.toContain('helm');
  });

  it.each([
    ['a constraint that is not there', { constraint: ['/nowhere'] }],
    ['a path that is not there', { paths: ['/nowhere'] }],
    ['standard input twice', { constraint: ['-'] }],
    ['an extra kind that is none', { extraKind: ['x'] }],
  ])('refuses %s', async (_, options) => {
    await expect(check('', options)).rejects.toMatchObject({ code: 'invalid_config' });
  });
});
