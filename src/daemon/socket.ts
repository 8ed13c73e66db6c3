import { PinError } from '../errors.ts';

/** What tells where a container daemon of this machine listens. */
export interface SocketClues {
  /** What the user named: a path, or an address as `DOCKER_HOST` has it. */
  readonly named: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly exists: (path: string) => boolean;
}

/** Docker's own on Windows. */
const PIPE = '//./pipe/docker_engine';
const LOCAL_SCHEMES: readonly string[] = ['unix', 'npipe'];

/**
 * The socket of the daemon: the one that is named, that of `DOCKER_HOST`, or the first that is there of
 * those that docker and podman listen at by default. Contexts of docker's client are not read. Throws
 * PinError `invalid_config` for an address that is none of this machine, and `unavailable` where there
 * is no socket.
 */
export function findSocket({ named, environment, platform, exists }: SocketClues): string {
  if (named !== undefined) return socketOf(named, '--daemon-socket');
  const host = environment['DOCKER_HOST'];
  if (host !== undefined && host !== '') return socketOf(host, 'DOCKER_HOST');
  if (platform === 'win32') return PIPE;
  const places = standardPlaces(environment);
  const found = places.find(exists);
  if (found !== undefined) return found;
  const message = `there is no socket of a container daemon (${places.join(', ')}): start docker or podman, or name it with --daemon-socket`;
  throw new PinError('unavailable', message);
}

/** Docker's first, as its clients have it; with those of daemons that run as a person. */
function standardPlaces({ XDG_RUNTIME_DIR, HOME }: SocketClues['environment']): string[] {
  const own = XDG_RUNTIME_DIR ?? '';
  return [
    '/var/run/docker.sock',
    ...(own === '' ? [] : [`${own}/docker.sock`]),
    ...((HOME ?? '') === '' ? [] : [`${HOME}/.docker/run/docker.sock`]),
    ...(own === '' ? [] : [`${own}/podman/podman.sock`]),
    '/run/podman/podman.sock',
  ];
}

/** The address may hold a user name: no more of it than its scheme is told. */
function socketOf(address: string, source: string): string {
  const [, scheme = 'unix', path = ''] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(address) ?? [];
  if (!LOCAL_SCHEMES.includes(scheme.toLowerCase())) {
    const message = `${source} is an address of ${scheme}://, and only a daemon of this machine is asked: name its socket with --daemon-socket`;
    throw new PinError('invalid_config', message);
  }
  if (path !== '') return path;
  throw new PinError('invalid_config', `${source} names no socket`);
}
