import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureVersion } from 'node:tls';

import type { KeyPair } from './certificate.ts';
import { type Fault, misbehave } from './fault.ts';

/** What a rule asks of a request; a field that is left out is not looked at. */
interface When {
  readonly method?: 'GET' | 'HEAD';
  /** Without the query. */
  readonly path?: string;
  /** By name in lower case; null: the request has no such header. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** One row of the script: whom it answers, and how. */
export interface Rule {
  readonly when?: When;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** Instead of a proper answer. */
  readonly fault?: Fault;
  /** The answer waits for this. */
  readonly hold?: Promise<void>;
  /** How often the rule answers before it is passed over; without it, for ever. */
  readonly times?: number;
}

/** A request as it arrived. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** A real server on a loopback address that answers by a script. */
export interface ScriptedRegistry extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  readonly host: string;
  readonly origin: string;
  /** In the order of their arrival. */
  readonly requests: readonly RecordedRequest[];
  /** Resolves when so many have arrived since the start. */
  readonly received: (count: number) => Promise<void>;
}

/** What a request gets that no rule foresees: no client takes it for anything else. */
const UNFORESEEN = 418;

/** Narrows the versions of TLS that a registry speaks. */
interface SecureVersions {
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

/** Starts a registry; the first rule that fits a request answers it. With `pair` it speaks TLS. */
export async function startRegistry(
  rules: readonly Rule[],
  pair?: KeyPair & SecureVersions,
): Promise<ScriptedRegistry> {
  const requests: RecordedRequest[] = [];
  const answer = script(rules, requests);
  const server = pair === undefined ? createServer(answer) : createTlsServer(pair, answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  return {
    port,
    host,
    origin: `${pair === undefined ? 'http' : 'https'}://${host}`,
    requests,
    received: async (count) => {
      while (requests.length < count) {
        // oxlint-disable-next-line no-await-in-loop -- one event after the other
        await once(server, 'request');
      }
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function script(rules: readonly Rule[], requests: RecordedRequest[]): RequestListener {
  const left = new Map(rules.map((rule) => [rule, rule.times ?? Number.POSITIVE_INFINITY]));
  return (message, response) => {
    const url = new URL(message.url ?? '', 'http://registry.invalid');
    const request: RecordedRequest = {
      method: message.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: message.headers,
    };
    requests.push(request);
    const rule = rules.find(
      (candidate) => (left.get(candidate) ?? 0) > 0 && fits(candidate, request),
    );
    if (rule === undefined) {
      response.writeHead(UNFORESEEN).end();
      return;
    }
    left.set(rule, (left.get(rule) ?? 0) - 1);
    if (rule.hold === undefined) reply(rule, response);
    else void rule.hold.then(() => reply(rule, response));
  };
}

function reply({ status = 200, headers = {}, body, fault }: Rule, response: ServerResponse): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
  if (fault === undefined) response.end(body);
  else misbehave(fault, response);
}

function fits({ when = {} }: Rule, request: RecordedRequest): boolean {
  const { method, path, headers = {} } = when;
  return (
    (method === undefined || method === request.method) &&
    (path === undefined || path === request.path) &&
    Object.entries(headers).every(([name, value]) => (request.headers[name] ?? null) === value)
  );
}
