import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { type DaemonOptions, runFromDaemon } from '../../src/daemon/run.ts';
import { digest } from '../support/admission.ts';
import { dockerWith, startDaemon } from '../support/daemon.ts';
import { Files } from '../support/files.ts';
import { recordedStreams } from '../support/streams.ts';

const [A, B, C] = [digest('a'), digest('b'), digest('c')];
const ID = `sha256:${'1'.repeat(64)}`;
const PODMAN = 'Libpod/4.3.1 (linux)';

/** Pulled from a mirror first, and from Docker Hub; pushed to a registry of the company by another digest. */
const NGINX = {
  Id: ID,
  RepoTags: ['mirror.example.com/nginx:1.27', 'nginx:1.27', 'nginx:latest'],
  RepoDigests: [
    `mirror.example.com/nginx@${A}`,
    `nginx@${B}`,
    `registry.corp:5000/team/nginx@${C}`,
  ],
};
const BUILT = { Id: digest('2'), RepoTags: ['app:dev'], RepoDigests: null };
const DANGLING = {
  Id: digest('3'),
  RepoTags: ['<none>:<none>'],
  RepoDigests: ['<none>@<none>'],
};
const UNTAGGED = { Id: digest('4'), RepoTags: [], RepoDigests: [`ghcr.io/team/app@${A}`] };

let files: Files;

beforeAll(() => {
  files = new Files();
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
});

interface Run {
  readonly isWhole: boolean;
  readonly out: string;
  readonly err: string;
}

async function run(
  images: readonly string[],
  local: unknown,
  options: Partial<DaemonOptions> & { readonly server?: string } = {},
): Promise<Run> {
  const { server, ...others } = options;
  await using daemon = await startDaemon(files, 'daemon.sock', dockerWith(local, server));
  const streams = recordedStreams();
  const isWhole = await runFromDaemon(
    {
      images,
      digestOnly: false,
      referenceForm: 'digest',
      format: 'text',
      clues: { named: daemon.socketPath, environment: {}, platform: 'linux' },
      ...others,
    },
    streams,
  );
  return { isWhole, ...streams.written };
}

describe('runFromDaemon()', () => {
  it.each([
    ['nginx:1.27', `nginx@${B}`],
    ['nginx', `nginx@${B}`],
    ['docker.io/library/nginx:1.27', `docker.io/library/nginx@${B}`],
    ['index.docker.io/library/nginx:latest', `index.docker.io/library/nginx@${B}`],
    ['mirror.example.com/nginx:1.27', `mirror.example.com/nginx@${A}`],
    ['MIRROR.example.com/nginx:1.27', `MIRROR.example.com/nginx@${A}`],
    [`registry.corp:5000/team/nginx@${C}`, `registry.corp:5000/team/nginx@${C}`],
  ])('gives %s the digest of its own repository', async (image, wanted) => {
    expect(await run([image], [BUILT, NGINX])).toEqual({
      isWhole: true,
      out: `${wanted}\n`,
      err: '',
    });
  });

  it.each([
    [
      'app:dev',
      'it was never pulled or pushed, so no registry has given it a digest; push it, or ask its registry',
    ],
    ['nginx:1.26', 'the container daemon has no such image; pull it, or correct its name'],
    ['team/nginx:1.27', 'the container daemon has no such image; pull it, or correct its name'],
    [`nginx@${A}`, 'the container daemon has no such image; pull it, or correct its name'],
  ])('says of %s why it has none', async (image, message) => {
    expect(await run([image, 'nginx'], [BUILT, NGINX])).toEqual({
      isWhole: false,
      out: `nginx@${B}\n`,
      err: `tagpin: "${image}": ${message} [not_found]\n`,
    });
  });

  it('says where an image comes from that was only tagged with this name', async () => {
    const tagged = { ...NGINX, RepoTags: ['registry.corp:5000/other:1'] };
    const { err } = await run(['registry.corp:5000/other:1'], [tagged]);
    expect(err).toContain(
      'it was never pulled from this repository or pushed to it, but from or to mirror.example.com/nginx, docker.io/library/nginx, registry.corp:5000/team/nginx; ',
    );
  });

  it.each([
    ['Docker, by its descriptor', { Descriptor: { digest: B } }, undefined],
    ['podman, by its digest', { Digest: B }, PODMAN],
  ])('takes what was pulled where there are two: %s', async (_, fields, server) => {
    const two = { ...NGINX, RepoDigests: [`nginx@${A}`, `nginx@${B}`, `nginx@${C}`], ...fields };
    expect((await run(['nginx'], [two], { ...(server && { server }) })).out).toBe(`nginx@${B}\n`);
    expect((await run([`nginx@${A}`], [two])).out).toBe(`nginx@${A}\n`);
  });

  it('names all where nothing tells which, and takes none', async () => {
    const two = { ...NGINX, RepoDigests: [`nginx@${A}`, `nginx@${B}`] };
    const { isWhole, out, err } = await run(['nginx'], [two]);
    expect({ isWhole, out }).toEqual({ isWhole: false, out: '' });
    expect(err).toContain(
      `it was pulled by several digests of this repository: ${A}, ${B}; ask the registry`,
    );
  });

  it('takes what podman notes of its own images for no digest', async () => {
    const own = { Id: ID, RepoTags: ['localhost/a:1'], RepoDigests: [`localhost/a@${A}`] };
    expect((await run(['localhost/a:1'], [own], { server: PODMAN })).err).toContain('never pulled');
    expect((await run(['localhost/a:1'], [own])).out).toBe(`localhost/a@${A}\n`);
  });

  it('writes as resolve does', async () => {
    const options = { referenceForm: 'tag-and-digest', format: 'json' } as const;
    const { out } = await run(['nginx:1.27', 'app:dev'], [NGINX, BUILT], options);
    expect(JSON.parse(out)).toEqual({
      images: [
        { image: 'nginx:1.27', result: `nginx:1.27@${B}`, digest: B },
        { image: 'app:dev', reason: 'not_found', message: expect.stringContaining('never pulled') },
      ],
    });
    expect((await run(['nginx:1.27'], [NGINX], { digestOnly: true })).out).toBe(`${B}\n`);
  });

  it('lists every image, with or without a name or a digest', async () => {
    const { isWhole, out, err } = await run([], [NGINX, BUILT, DANGLING, UNTAGGED]);
    expect({ isWhole, err }).toEqual({ isWhole: true, err: '' });
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['mirror.example.com/nginx:1.27', `mirror.example.com/nginx@${A}`],
      ['nginx:1.27', `nginx@${B}`],
      ['nginx:latest', `nginx@${B}`],
      ['app:dev', 'never pulled or pushed'],
      [DANGLING.Id, 'never pulled or pushed'],
      [`ghcr.io/team/app@${A}`, `ghcr.io/team/app@${A}`],
      [''],
    ]);
  });

  it.each([
    ['json', JSON.parse as (text: string) => unknown],
    ['yaml', parse as (text: string) => unknown],
  ] as const)('lists as %s', async (format, read) => {
    const { out } = await run([], [BUILT, UNTAGGED, DANGLING], { format, digestOnly: true });
    const none = { reason: 'not_found', message: expect.stringContaining('never pulled') };
    const name = `ghcr.io/team/app@${A}`;
    expect(read(out)).toEqual({
      images: [
        { image: 'app:dev', id: BUILT.Id, ...none },
        { image: name, id: UNTAGGED.Id, result: A, digest: A },
        { image: null, id: DANGLING.Id, ...none },
      ],
    });
  });

  it('escapes what a daemon says, and passes over what is no name', async () => {
    const hostile = {
      Id: 'a\u001B[2J\nb',
      RepoTags: ['\u001B]0;x\u0007', 7, null, 'x'.repeat(2000)],
      RepoDigests: ['nginx@sha256:1', {}],
    };
    const { out } = await run([], [hostile, 'text', null, [[]], {}]);
    expect(out.split('\n')).toEqual([
      'a\\u{1b}[2J\\u{a}b  never pulled or pushed',
      expect.stringMatching(/^ +never pulled or pushed$/),
      '',
    ]);
  });

  it.each([[{}], ['text'], [null], [7]])('rejects %j, which is no list', async (local) => {
    await expect(run([], local)).rejects.toMatchObject({ code: 'invalid_response' });
  });
});
