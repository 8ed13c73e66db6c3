import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import {
  isImageConfigType,
  parseImageConfig,
  platformOfConfig,
} from '../../src/image/image-config.ts';

const AMD64 = { os: 'linux', architecture: 'amd64', variant: '', osVersion: '', osFeatures: [] };

function encode(body: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body));
}

describe('parseImageConfig()', () => {
  it('reads a real one', () => {
    const bytes = readFileSync(new URL('../golden/pause-amd64-3.2.config', import.meta.url));
    const created = '2020-02-14T10:51:50.60182885-08:00';
    const step = { created, author: undefined, comment: 'buildkit.dockerfile.v0' };
    expect(parseImageConfig(bytes)).toEqual({
      platform: AMD64,
      created,
      author: undefined,
      user: undefined,
      workingDir: '/',
      entrypoint: ['/pause'],
      command: [],
      environment: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ports: [],
      volumes: [],
      labels: new Map(),
      stopSignal: undefined,
      history: [
        { ...step, createdBy: 'ARG ARCH', isEmptyLayer: true },
        { ...step, createdBy: 'ADD bin/pause-amd64 /pause # buildkit', isEmptyLayer: false },
        { ...step, createdBy: 'ENTRYPOINT ["/pause"]', isEmptyLayer: true },
      ],
      diffIds: ['sha256:ba0dae6243cc9fa2890df40a625721fdbea5c94ca6da897acdd814d710149770'],
    });
  });

  it('reads what else one may say', () => {
    const config = {
      User: '65532',
      Cmd: ['-v'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Volumes: { '/data': {} },
      Labels: { a: 'b' },
      StopSignal: 'SIGINT',
    };
    const body = {
      os: 'windows',
      architecture: 'amd64',
      'os.version': '10.0.1',
      author: 'me',
      config,
    };
    expect(parseImageConfig(encode(body))).toMatchObject({
      platform: { ...AMD64, os: 'windows', osVersion: '10.0.1' },
      author: 'me',
      user: '65532',
      command: ['-v'],
      ports: ['80/tcp', '53/udp'],
      volumes: ['/data'],
      labels: new Map([['a', 'b']]),
      stopSignal: 'SIGINT',
    });
  });

  it.each([
    {},
    { config: null, history: null, rootfs: null },
    { config: { Env: null, Labels: null } },
  ])('reads %j, as old tools write it', (body) => {
    expect(parseImageConfig(encode(body))).toMatchObject({
      platform: { os: '', architecture: '' },
      environment: [],
      history: [],
      diffIds: [],
    });
  });

  it.each([
    [{ config: { Cmd: 'run' } }, 'Cannot read the config, config: its Cmd is no list'],
    [{ history: [{ empty_layer: 'yes' }] }, 'its empty_layer is neither true nor false'],
    [{ config: { Labels: { a: 1 } } }, 'its Labels is not of texts alone'],
    [{ created: 1 }, 'its created is no text'],
  ])('refuses %j', (body, message) => {
    expect(() => parseImageConfig(encode(body))).toThrow(
      expect.objectContaining({
        code: 'unsupported_manifest',
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('platformOfConfig()', () => {
  it('looks at nothing else', () => {
    const body = { os: 'linux', architecture: 'amd64', config: 'odd', history: 1 };
    expect(platformOfConfig(encode(body))).toEqual(AMD64);
  });
});

describe('isImageConfigType()', () => {
  it.each([
    ['application/vnd.oci.image.config.v1+json', true],
    ['application/vnd.docker.container.image.v1+json', true],
    ['application/vnd.oci.empty.v1+json', false],
    ['application/vnd.cncf.helm.config.v1+json', false],
  ])('%s: %p', (type, is) => {
    expect(isImageConfigType(type)).toBe(is);
  });
});
