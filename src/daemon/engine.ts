import { type IncomingMessage, request } from 'node:http';

import { PinError } from '../errors.ts';
import { parseJson } from '../json.ts';

/** A daemon that answered, and what it is. */
export interface Engine {
  /** The newest version of the Docker Engine API that it speaks: `1.47`. */
  readonly apiVersion: string;
  readonly isPodman: boolean;
  /** What it answers to `GET` of a path below the version, as JSON. */
  readonly get: (path: string) => Promise<unknown>;
}

/** What a daemon may take. */
interface Limits {
  readonly patienceMs: number;
  readonly answerBytes: number;
}

/** One with thousands of images takes seconds; some 60,000 fit the bytes. */
const LIMITS: Limits = { patienceMs: 60_000, answerBytes: 64 * 1024 * 1024 };

/**
 * Asks who listens at a socket, by the Docker Engine API (`GET /_ping`). Rejects, as what it returns
 * does, with PinError `unavailable`, `deadline_exceeded`, or `invalid_response` where it is no such daemon.
 */
export async function openEngine(socketPath: string, limits: Limits = LIMITS): Promise<Engine> {
  const signal = AbortSignal.timeout(limits.patienceMs);
  const ask = async (path: string): Promise<Answer> => {
    try {
      const response = await send(socketPath, path, signal);
      const body = await bodyOf(response, limits.answerBytes);
      return { status: response.statusCode, headers: response.headers, body };
    } catch (caught) {
      if (caught instanceof PinError) throw caught;
      throw signal.aborted ? tooSlow(socketPath) : daemonFailure(socketPath, caught);
    }
  };
  const { status, headers } = await ask('/_ping');
  const apiVersion = headers['api-version'];
  // Podman answers with it as Docker does, which negotiates by it.
  if (status !== 200 || typeof apiVersion !== 'string' || !/^\d{1,3}\.\d{1,3}$/.test(apiVersion)) {
    throw noDocker(socketPath);
  }
  return {
    apiVersion,
    isPodman: String(headers['server']).startsWith('Libpod/'),
    get: async (path) => {
      const answer = await ask(`/v${apiVersion}${path}`);
      const value = answer.status === 200 ? parseJson(answer.body.toString('utf8')) : undefined;
      if (value !== undefined) return value;
      const message = `the container daemon at ${socketPath} answered ${answer.status} to GET ${path}, and not what was asked for`;
      throw new PinError('invalid_response', message);
    },
  };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function send(socketPath: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // A connection of its own: nothing is to be kept open behind the last answer.
    const options = { socketPath, path, signal, agent: false, headers: { host: 'localhost' } };
    request(options, resolve).on('error', reject).end();
  });
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      const message = `the container daemon answered with more than ${maxBytes} bytes`;
      throw new PinError('invalid_response', message);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** By the system's code; any other is told by its cause. */
const FAILURES: Readonly<Record<string, (socketPath: string) => string>> = {
  ENOENT: nobodyListens,
  ECONNREFUSED: nobodyListens,
  ENOTSOCK: nobodyListens,
  EACCES: notAllowed,
  EPERM: notAllowed,
};

function nobodyListens(socketPath: string): string {
  return `no container daemon listens at ${socketPath}: start it, or name its socket with --daemon-socket`;
}

function notAllowed(socketPath: string): string {
  return `this user may not ask the container daemon at ${socketPath}: join the group of that file, or be its owner`;
}

/** Why a socket gave no answer, by what Node says of it. */
export function daemonFailure(socketPath: string, cause: unknown): PinError {
  const code = Error.isError(cause) && 'code' in cause ? String(cause.code) : '';
  const told = FAILURES[code];
  if (told !== undefined) return new PinError('unavailable', told(socketPath));
  if (code.startsWith('HPE_') || code === 'ECONNRESET') return noDocker(socketPath);
  const message = `cannot ask the container daemon at ${socketPath}`;
  return new PinError('unavailable', message, { cause });
}

function tooSlow(socketPath: string): PinError {
  const message = `the container daemon at ${socketPath} did not answer in time`;
  return new PinError('deadline_exceeded', message);
}

function noDocker(socketPath: string): PinError {
  const message = `what listens at ${socketPath} does not speak the Docker Engine API: name another socket with --daemon-socket`;
  return new PinError('invalid_response', message);
}
