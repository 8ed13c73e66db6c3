import { linkSync } from 'node:fs';
import { createServer } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { daemonFailure, openEngine } from '../../src/daemon/engine.ts';
import { dockerWith, startDaemon } from '../support/daemon.ts';
import { Files } from '../support/files.ts';

const LIMITS = { patienceMs: 60_000, answerBytes: 1000 };

let files: Files;

beforeAll(() => {
  files = new Files();
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
});

describe('openEngine()', () => {
  it('asks by the version that the daemon speaks, and knows podman', async () => {
    await using docker = await startDaemon(files, 'docker.sock', dockerWith([]));
    await using podman = await startDaemon(
      files,
      'podman.sock',
      dockerWith([], 'Libpod/4.3.1 (linux)'),
    );
    const engine = await openEngine(docker.socketPath, LIMITS);
    expect(engine).toMatchObject({ apiVersion: '1.48', isPodman: false });
    expect(await engine.get('/images/json')).toEqual([]);
    expect(await openEngine(podman.socketPath, LIMITS)).toMatchObject({ isPodman: true });
  });

  it.each<[string, Parameters<typeof startDaemon>[2]]>([
    ['another server', (_, response) => response.end('hello')],
    ['a version that is none', (_, response) => response.setHeader('Api-Version', '1/../..').end()],
    ['a refusal', (_, response) => response.writeHead(500, { 'api-version': '1.41' }).end()],
    [
      'a redirect',
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1/' }).end(),
    ],
    ['an end without an answer', (request) => request.socket.destroy()],
    ['what is no HTTP', (request) => request.socket.end('SSH-2.0-canary\r\n')],
  ])('refuses %s', async (_, listener) => {
    await using daemon = await startDaemon(files, 'other.sock', listener);
    await expect(openEngine(daemon.socketPath, LIMITS)).rejects.toMatchObject({
      code: 'invalid_response',
      message: expect.stringContaining('does not speak the Docker Engine API'),
    });
  });

  it.each<[string, (request: string) => string | undefined, string]>([
    ['no JSON', () => '<canary>', 'answered 200 to GET /images/json, and not what was asked for'],
    ['more than is read', () => '[]'.padEnd(1001), 'more than 1000 bytes'],
    ['an error', () => undefined, 'answered 404 to GET /images/json'],
  ])('rejects %s, and repeats none of it', async (_, bodyOf, message) => {
    await using daemon = await startDaemon(files, 'bad.sock', (request, response) => {
      response.setHeader('Api-Version', '1.41');
      const body = request.url === '/_ping' ? 'OK' : bodyOf(request.url ?? '');
      response.writeHead(body === undefined ? 404 : 200).end(body);
    });
    const engine = await openEngine(daemon.socketPath, LIMITS);
    const error = await engine.get('/images/json').catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'invalid_response',
      message: expect.stringContaining(message),
    });
    expect(String(error)).not.toContain('canary');
  });

  it('does not wait for ever', async () => {
    await using daemon = await startDaemon(files, 'slow.sock', () => {});
    await expect(openEngine(daemon.socketPath, { ...LIMITS, patienceMs: 1 })).rejects.toMatchObject(
      {
        code: 'deadline_exceeded',
        message: `the container daemon at ${daemon.socketPath} did not answer in time`,
      },
    );
  });

  it('says that nobody listens: no file, another file, a socket that was left', async () => {
    const left = files.at('left.sock');
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(left, resolve);
    });
    const copy = files.at('kept.sock');
    linkSync(left, copy);
    await new Promise((resolve) => server.close(resolve));
    for (const path of [files.at('none.sock'), files.write('text', ''), copy]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(openEngine(path, LIMITS)).rejects.toMatchObject({
        code: 'unavailable',
        message: `no container daemon listens at ${path}: start it, or name its socket with --daemon-socket`,
      });
    }
  });
});

describe('daemonFailure()', () => {
  it.each([
    ['EACCES', 'this user may not ask the container daemon at /s'],
    ['EPERM', 'this user may not ask the container daemon at /s'],
    ['EINVAL', 'cannot ask the container daemon at /s'],
  ])('tells of %s', (code, message) => {
    const cause = Object.assign(new Error('connect'), { code });
    expect(daemonFailure('/s', cause)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(message),
    });
  });
});
