import { describe, expect, it } from '@jest/globals';

import { findSocket, type SocketClues } from '../../src/daemon/socket.ts';

const NOWHERE: SocketClues = {
  named: undefined,
  environment: {},
  platform: 'linux',
  exists: () => false,
};

function only(path: string): SocketClues['exists'] {
  return (candidate) => candidate === path;
}

describe('findSocket()', () => {
  it.each<[string, Partial<SocketClues>, string]>([
    [
      'a path that is named',
      { named: '/a.sock', environment: { DOCKER_HOST: 'unix:///b' } },
      '/a.sock',
    ],
    ['an address that is named', { named: 'unix:///a.sock' }, '/a.sock'],
    ['DOCKER_HOST', { environment: { DOCKER_HOST: 'unix:///b.sock' } }, '/b.sock'],
    [
      'a pipe of Windows',
      { environment: { DOCKER_HOST: 'npipe:////./pipe/docker_engine' } },
      '//./pipe/docker_engine',
    ],
    ["Windows' own pipe", { platform: 'win32' }, '//./pipe/docker_engine'],
    ["docker's", { exists: only('/var/run/docker.sock') }, '/var/run/docker.sock'],
    [
      "docker's, where DOCKER_HOST is empty",
      { environment: { DOCKER_HOST: '' }, exists: () => true },
      '/var/run/docker.sock',
    ],
    [
      "rootless docker's",
      { environment: { XDG_RUNTIME_DIR: '/run/user/1' }, exists: only('/run/user/1/docker.sock') },
      '/run/user/1/docker.sock',
    ],
    [
      "Docker Desktop's",
      { environment: { HOME: '/home/a' }, exists: only('/home/a/.docker/run/docker.sock') },
      '/home/a/.docker/run/docker.sock',
    ],
    [
      "rootless podman's",
      {
        environment: { XDG_RUNTIME_DIR: '/run/user/1' },
        exists: only('/run/user/1/podman/podman.sock'),
      },
      '/run/user/1/podman/podman.sock',
    ],
    ["podman's", { exists: only('/run/podman/podman.sock') }, '/run/podman/podman.sock'],
  ])('takes %s', (_, clues, wanted) => {
    expect(findSocket({ ...NOWHERE, ...clues })).toBe(wanted);
  });

  it.each(['tcp://10.0.0.1:2375', 'ssh://canary@host', 'http://canary:canary@h', 'fd://'])(
    'refuses %s, and tells no more of it than what it is',
    (address) => {
      const clues = { ...NOWHERE, environment: { DOCKER_HOST: address } };
      expect(() => findSocket(clues)).toThrow(
        /^DOCKER_HOST is an address of [a-z]+:\/\/, and only /,
      );
      expect(() => findSocket(clues)).not.toThrow('canary');
    },
  );

  it('refuses an address without a path', () => {
    expect(() => findSocket({ ...NOWHERE, named: 'unix://' })).toThrow(
      '--daemon-socket names no socket',
    );
  });

  it('says where it looked', () => {
    expect(() => findSocket({ ...NOWHERE, environment: { HOME: '/home/a' } })).toThrow(
      'there is no socket of a container daemon (/var/run/docker.sock, /home/a/.docker/run/docker.sock, /run/podman/podman.sock)',
    );
  });
});
