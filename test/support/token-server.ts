import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose';

import type { KeyPair } from './certificate.ts';

/** Somebody who may pull every repository of the registry. */
export interface TokenAccount {
  readonly username: string;
  readonly password: string;
  /** Is good in place of the two. */
  readonly identityToken: string;
}

/** Whom the server knows, and what anybody may pull. */
export interface TokenServerOptions {
  readonly account: TokenAccount;
  /** Repositories that begin so are everybody's. */
  readonly publicPrefix: string;
  /** With it the server speaks TLS. */
  readonly pair?: KeyPair;
}

/** A token server as docs/content/spec/auth of distribution describes it, with real JWTs. */
export interface TokenServer extends AsyncDisposable {
  readonly host: string;
  /** Where tokens are asked for. */
  readonly realm: string;
  readonly issuer: string;
  readonly service: string;
  /** What a registry checks the signatures with. */
  readonly jwks: JSONWebKeySet;
  /** The methods of the requests, in the order of their arrival. */
  readonly requests: readonly string[];
}

const ALGORITHM = 'ES256';
const ISSUER = 'token-server';
const SERVICE = 'registry';
const LIFE_S = 300;

/** Who asks, or undefined: nobody; a wrong credential is refused. */
type Caller = 'account' | 'nobody' | 'refused';

interface Question {
  readonly caller: Caller;
  readonly params: URLSearchParams;
}

/** Starts the server on a loopback address. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM);
  const kid = randomUUID();
  const requests: string[] = [];
  const sign = (access: readonly object[], subject: string): Promise<string> =>
    new SignJWT({ access })
      .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(SERVICE)
      .setSubject(subject)
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime(`${LIFE_S}s`)
      .setJti(randomUUID())
      .sign(privateKey);
  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests.push(message.method ?? '');
    const { caller, params } = await questionOf(message, options.account);
    if (caller === 'refused') {
      response.writeHead(401).end('{"details":"incorrect username or password"}');
      return;
    }
    const access = grantsOf(params.getAll('scope'), caller, options.publicPrefix);
    const token = await sign(access, caller === 'account' ? options.account.username : '');
    const name = message.method === 'POST' ? 'access_token' : 'token';
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ [name]: token, expires_in: LIFE_S }));
  };
  const listener = (message: IncomingMessage, response: ServerResponse): void =>
    void answer(message, response);
  const { pair } = options;
  const server = pair === undefined ? createServer(listener) : createTlsServer(pair, listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    realm: `${pair === undefined ? 'http' : 'https'}://${host}/token`,
    issuer: ISSUER,
    service: SERVICE,
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid, alg: ALGORITHM, use: 'sig' }] },
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** By GET with Basic, or by the form of OAuth2. */
async function questionOf(message: IncomingMessage, account: TokenAccount): Promise<Question> {
  if (message.method === 'POST') {
    const params = new URLSearchParams(await text(message));
    const isRight =
      params.get('grant_type') === 'refresh_token' &&
      params.get('refresh_token') === account.identityToken;
    return { params, caller: isRight ? 'account' : 'refused' };
  }
  const { searchParams: params } = new URL(message.url ?? '', 'http://token-server.invalid');
  const { authorization } = message.headers;
  if (authorization === undefined) return { params, caller: 'nobody' };
  const expected = `Basic ${btoa(`${account.username}:${account.password}`)}`;
  return { params, caller: authorization === expected ? 'account' : 'refused' };
}

/** Of what is asked for, what the caller may do; a name may hold colons. */
function grantsOf(
  scopes: readonly string[],
  caller: Caller,
  publicPrefix: string,
): readonly object[] {
  return scopes
    .flatMap((scope) => scope.split(' '))
    .map((scope) => /^(?<type>[^:]+):(?<name>.+):(?<actions>[^:]*)$/u.exec(scope)?.groups)
    .filter((groups) => groups !== undefined)
    .filter(({ name = '' }) => caller === 'account' || name.startsWith(publicPrefix))
    .map(({ type, name, actions = '' }) => ({
      type,
      name,
      actions: actions.split(',').filter((action) => action === 'pull'),
    }));
}
