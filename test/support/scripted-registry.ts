import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type SecureVersion, TLSSocket } from 'node:tls';

import type { KeyPair } from './certificate.ts';
import { type Fault, misbehave } from './fault.ts';

/** What a rule asks of a request; a field that is left out is not looked at. */
interface When {
  readonly method?: 'GET' | 'HEAD' | 'POST';
  /** Without the query. */
  readonly path?: string;
  /** By name in lower case; null: the request has no such header. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly also?: (request: RecordedRequest) => boolean;
}

/** One row of the script: whom it answers, and how. */
export interface Rule {
  readonly when?: When;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** Instead of a proper answer. */
  readonly fault?: Fault;
  /** Instead of all of it: these bytes and the end of the connection. */
  readonly raw?: string | Uint8Array;
  /** The answer waits for this. */
  readonly hold?: Promise<void>;
  /** Told of the answer before it is written. */
  readonly observe?: (response: ServerResponse) => void;
  /** How often the rule answers before it is passed over; without it, for ever. */
  readonly times?: number;
}

/** A request as it arrived. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Its client has shown a certificate that the registry asks for. */
  readonly isCertified: boolean;
  /** The answer waits until it is complete. */
  readonly body: string;
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
  /** How many are open. */
  readonly connections: () => number;
  /** How many there ever were. */
  readonly accepted: () => number;
  /** More rules, behind those that are there. */
  readonly answer: (...more: readonly Rule[]) => void;
}

/** What a request gets that no rule foresees: no client takes it for anything else. */
const UNFORESEEN = 418;

/** What else of TLS a registry may have. */
interface SecureOptions {
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  /** Clients need a certificate, and this is who signs them. */
  readonly requestCert?: boolean;
  /** False: they may also have none. */
  readonly rejectUnauthorized?: boolean;
  readonly ca?: string;
}

/** Starts a registry; the first rule that fits a request answers it. With `pair` it speaks TLS. */
export async function startRegistry(
  start: readonly Rule[],
  pair?: KeyPair & SecureOptions,
): Promise<ScriptedRegistry> {
  const requests: RecordedRequest[] = [];
  const rules = [...start];
  const answer = script(rules, requests);
  const server = pair === undefined ? createServer(answer) : createTlsServer(pair, answer);
  let connections = 0;
  let accepted = 0;
  server.on('connection', (socket) => {
    connections += 1;
    accepted += 1;
    socket.once('close', () => (connections -= 1));
  });
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
    connections: () => connections,
    accepted: () => accepted,
    answer: (...more) => void rules.push(...more),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function script(rules: readonly Rule[], requests: RecordedRequest[]): RequestListener {
  const used = new Map<Rule, number>();
  const isLeft = (rule: Rule): boolean =>
    (used.get(rule) ?? 0) < (rule.times ?? Number.POSITIVE_INFINITY);
  return (message, response) => {
    const request = record(message);
    requests.push(request);
    const rule = rules.find((candidate) => isLeft(candidate) && fits(candidate, request));
    if (rule === undefined) {
      response.writeHead(UNFORESEEN).end();
      return;
    }
    used.set(rule, (used.get(rule) ?? 0) + 1);
    const hasBody = (message.headers['content-length'] ?? '0') !== '0';
    const ready = hasBody ? once(message, 'end').then(() => rule.hold) : rule.hold;
    if (ready === undefined) reply(rule, response);
    else void ready.then(() => reply(rule, response));
  };
}

function record(message: IncomingMessage): RecordedRequest {
  const url = new URL(message.url ?? '', 'http://registry.invalid');
  const chunks: Buffer[] = [];
  message.on('data', (chunk: Buffer) => chunks.push(chunk));
  return {
    method: message.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: message.headers,
    isCertified: message.socket instanceof TLSSocket && message.socket.authorized,
    get body() {
      return Buffer.concat(chunks).toString();
    },
  };
}

function reply(rule: Rule, response: ServerResponse): void {
  const { status = 200, headers = {}, body, fault, raw, observe } = rule;
  observe?.(response);
  if (raw !== undefined) {
    response.socket?.end(raw);
    return;
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
  if (fault === undefined) response.end(body);
  else misbehave(fault, response);
}

function fits({ when = {} }: Rule, request: RecordedRequest): boolean {
  const { method, path, headers = {}, also } = when;
  return (
    (method === undefined || method === request.method) &&
    (path === undefined || path === request.path) &&
    (also === undefined || also(request)) &&
    Object.entries(headers).every(([name, value]) => (request.headers[name] ?? null) === value)
  );
}
